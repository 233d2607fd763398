#!/usr/bin/env bash
# Installs what is missing, configures the release preset and builds the given targets (all without any).
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
./scripts/setup.sh
# shellcheck source=/dev/null
. .deps/env.sh
mkdir -p build
if ! cmake --preset release >build/configure.log 2>&1; then
  cat build/configure.log >&2
  echo "build: configuring failed; the log is build/configure.log" >&2
  exit 1
fi
targets=()
(($#)) && targets=(--target "$@")
cmake --build --preset release "${targets[@]}"
