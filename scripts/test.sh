#!/usr/bin/env bash
# Installs what is missing, builds everything, runs every test; then the rooms without LibTorch under the sanitizers.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
./scripts/build.sh
export OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive  # two tests at a time, a core each
cmake --preset asan >build/configure-asan.log 2>&1 || { cat build/configure-asan.log >&2; exit 1; }
cmake --build --preset asan
echo "test: sanitizers, on the rooms without LibTorch"
ctest --preset asan --parallel 2
echo "test: everything"
ctest --preset release --parallel 2
