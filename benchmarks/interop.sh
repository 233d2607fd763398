#!/usr/bin/env bash
# Recipes that bitplan export writes, loaded by the tools that they are for (packages of the Python index, on the CPU), and what the tools
# compute with them against bitplan's quantized network. usage: benchmarks/interop.sh [NAME …]
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
venv="$root/.deps/interop"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
if [ ! -x "$venv/bin/python" ]; then
  python3 -m venv "$venv"
  for package in torch onnx onnxruntime torchao safetensors brevitas "nvidia-modelopt huggingface_hub" aimet-torch aimet-onnx model-compression-toolkit coremltools; do
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check $package || echo "$package cannot be installed here"
  done
fi
export OMP_NUM_THREADS=2
"$venv/bin/python" "$root/benchmarks/interop/interop.py" "$root/build/release/bin/bitplan" "$scratch" "$@"
