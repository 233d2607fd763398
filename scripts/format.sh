#!/usr/bin/env bash
# Formats all C++ sources by .clang-format; with --check it changes nothing, and fails where a file is not formatted.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=23.1.5  # another version may wrap lines elsewhere
tool=.deps/clang-format/bin/clang-format
if [ ! -x "$tool" ]; then
  [ -x .deps/venv/bin/python ] || python3 -m venv .deps/venv
  .deps/venv/bin/python -m pip install --quiet --target .deps/clang-format "clang-format==$version"
fi
export PYTHONPATH=.deps/clang-format
mapfile -t files < <(git ls-files --cached --others --exclude-standard '*.h' '*.cpp')
if [ "${1:-}" = --check ]; then
  "$tool" --dry-run --Werror "${files[@]}"
else
  "$tool" -i "${files[@]}"
fi
