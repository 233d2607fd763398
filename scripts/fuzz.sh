#!/usr/bin/env bash
# Coverage-guided fuzzing of the problem, plan and sensitivity readers and of the search; needs Debian's clang and libclang-rt-14-dev.
# New inputs that reach new code are added to tests/fuzz/corpus; one that fails is left as crash-*. usage: scripts/fuzz.sh [SECONDS]
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
command -v clang++ >/dev/null || { echo "fuzz: clang++ is missing; install Debian's clang and libclang-rt-14-dev" >&2; exit 1; }
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz --target fuzz_files
found="$(mktemp -d)"
trap 'rm -rf "$found"' EXIT
build/fuzz/tests/fuzz/fuzz_files -max_total_time="${1:-600}" -max_len=4096 -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
  "$found" tests/fuzz/corpus
build/fuzz/tests/fuzz/fuzz_files -merge=1 tests/fuzz/corpus "$found" 2>/dev/null
