#!/usr/bin/env bash
# Networks of torchvision and transformers (random weights, small configurations), exported by torch.export plainly and after
# run_decompositions with a free batch: what bitplan makes of the archives against PyTorch, at another batch. usage: benchmarks/exported.sh [NAME …]
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/python" -m pip install --quiet --disable-pip-version-check torch torchvision transformers numpy
export OMP_NUM_THREADS=2
"$scratch/venv/bin/python" "$root/benchmarks/exported.py" "$root/build/release/bin/bitplan" "$scratch" "$@"
