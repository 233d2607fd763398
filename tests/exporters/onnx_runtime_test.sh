#!/usr/bin/env bash
# usage: onnx_runtime_test.sh TEST_EXPORTERS PYTHON
set -euo pipefail
# scripts/setup.sh installs them beside the PyTorch that it installs; one's own need not have them.
"$2" -c "import onnx, onnxruntime" 2>/dev/null || { echo "onnx_runtime_test: $2 lacks onnx or onnxruntime: skipped"; exit 77; }
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
BITPLAN_EXPORT_DIR="$scratch" "$1" --gtest_filter='OnnxQdq.Writes*' >/dev/null
"$2" "$(dirname "$0")/onnx_runtime_test.py" "$scratch" 500
