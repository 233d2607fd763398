#!/usr/bin/env bash
# Networks of torchvision and transformers (random weights, small configurations), exported to ONNX by both of PyTorch's exporters, and the
# nine zoo networks of the onnx package: what bitplan makes of the files against ONNX Runtime, at another batch. usage: benchmarks/onnx.sh [NAME …]
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/python" -m pip install --quiet --disable-pip-version-check torch torchvision transformers numpy onnx onnxruntime onnxscript
export OMP_NUM_THREADS=2
"$scratch/venv/bin/python" "$root/benchmarks/onnx_files.py" "$root/build/release/bin/bitplan" "$scratch" "$@"
