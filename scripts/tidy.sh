#!/usr/bin/env bash
# Runs clang-tidy, with the checks of .clang-tidy, on the given sources, or on all of the rooms; nothing is built.
# A file that sees LibTorch takes half a minute.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
./scripts/setup.sh clang-tidy
# shellcheck source=/dev/null
. .deps/env.sh
build=build/tidy
mkdir -p build
# One command a file, without precompiled headers, which are another compiler's.
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_EXPORT_COMPILE_COMMANDS=ON -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON \
  -DBITPLAN_UNITY=OFF -DBITPLAN_EXAMPLES=OFF >"$build.log" 2>&1 || { cat "$build.log" >&2; exit 1; }
sed -i 's/ -fpch-preprocess//' "$build/compile_commands.json"
if (($# == 0)); then
  mapfile -t files < <(git ls-files 'src/*.cpp' 'search/*.cpp' 'hessian/*.cpp')
else
  files=("$@")
fi
printf '%s\0' "${files[@]}" | xargs -0 -n 4 -P "$(nproc)" clang-tidy -p "$build" --quiet
