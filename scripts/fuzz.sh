#!/usr/bin/env bash
# Coverage-guided fuzzing of the problem, plan and sensitivity readers and of the search; needs Debian's clang and libclang-rt-14-dev.
# Inputs that reach new code are kept in build/fuzz/found for the next run. One that fails is left as crash-*: once that is mended, it
# belongs in tests/fuzz/corpus, under a name that says what it is; every test run replays those. usage: scripts/fuzz.sh [SECONDS]
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
command -v clang++ >/dev/null || { echo "fuzz: clang++ is missing; install Debian's clang and libclang-rt-14-dev" >&2; exit 1; }
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz --target fuzz_files
mkdir -p build/fuzz/found
build/fuzz/tests/fuzz/fuzz_files -max_total_time="${1:-600}" -max_len=4096 -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
  build/fuzz/found tests/fuzz/corpus
