#!/usr/bin/env bash
# Curvature side by side with PyHessian 0.1, which it installs into a scratch folder; then time against the number of images, as
# curvature.csv and curvature.svg in the current folder. usage: benchmarks/curvature.sh [IMAGES | resnet50 …]
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
python="$root/.deps/venv/bin/python"
bench="$root/build/release/benchmarks/bench_curvature"
"$python" -m pip install --quiet --no-deps --target "$scratch" pyhessian==0.1
export OMP_NUM_THREADS=2
for what in "${@:-128}"; do
  "$python" "$root/benchmarks/curvature.py" "$bench" "$scratch" "$what"
done
"$bench" scaling "$root/examples/cifar10/resnet20.pt" "cifar10:$root/examples/cifar10/train.bin" curvature
