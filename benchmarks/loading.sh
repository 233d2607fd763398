#!/usr/bin/env bash
# How long ResNet-20 and a network of 100 MB take to load from each format, beside reading the file. usage: benchmarks/loading.sh [FOLDER]
# (keeps the files in FOLDER); PYTHON: one with torch and onnx, else they are installed for the time being.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
folder="${1:-$scratch}"
if [ -z "${PYTHON:-}" ]; then
  python3 -m venv "$scratch/venv"
  PYTHON="$scratch/venv/bin/python"
  "$PYTHON" -m pip install --quiet --disable-pip-version-check torch onnx numpy
fi
(cd "$root" && cmake --preset release -DBITPLAN_BENCHMARKS=ON >/dev/null && cmake --build build/release --target bench_loading >/dev/null)
[ -e "$folder/chain.onnx" ] || "$PYTHON" "$root/benchmarks/loading.py" "$root/examples/cifar10/resnet20.pt" "$folder"
"$root/build/release/benchmarks/bench_loading" "$folder"/resnet20.{pt,pt2,onnx} "$folder"/chain.{pt,pt2,onnx}
