#!/usr/bin/env bash
# 1,000 JPEGs of ImageNet's size, resized to 256 and cropped to 224: images a second by bitplan and by torchvision's ImageFolder with
# two workers, by turns, and bitplan's peak memory. usage: benchmarks/data.sh [--python PYTHON] [--images N] [--rounds N]
# PYTHON has torchvision and Pillow; without it they are installed into a folder of their own.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
python="$scratch/venv/bin/python"
if [[ "${1:-}" == --python ]]; then
  python="$2"
  shift 2
else
  python3 -m venv "$scratch/venv"
  "$python" -m pip install --quiet --disable-pip-version-check torch torchvision pillow numpy
fi
cd "$root"
# shellcheck source=/dev/null
[ ! -f .deps/env.sh ] || . .deps/env.sh
cmake --preset release -DBITPLAN_BENCHMARKS=ON >/dev/null
cmake --build --preset release --target bench_data
"$python" benchmarks/data.py build/release/benchmarks/bench_data "$scratch/images" "$@"
