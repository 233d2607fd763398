#!/usr/bin/env bash
# usage: onnx_runtime_test.sh TEST_EXPORTERS PYTHON
set -euo pipefail
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
BITPLAN_EXPORT_DIR="$scratch" "$1" --gtest_filter='OnnxQdq.Writes*' >/dev/null
"$2" "$(dirname "$0")/onnx_runtime_test.py" "$scratch" 500
