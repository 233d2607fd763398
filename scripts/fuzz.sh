#!/usr/bin/env bash
# Coverage-guided fuzzing of the problem, plan and sensitivity readers and of the search (files), of the decoders of data files (data)
# and images (images), and of the reader of ONNX models (onnx); needs Debian's clang and libclang-rt-14-dev. Inputs that reach new code are kept in build/fuzz/found
# for the next run. One that fails is left as crash-*: once that is mended, it belongs in tests/fuzz/corpus (of others corpus_data,
# corpus_onnx), under a name that says what it is; every test run replays those. usage: scripts/fuzz.sh [SECONDS EACH [TARGETS …]]
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
command -v clang++ >/dev/null || { echo "fuzz: clang++ is missing; install Debian's clang and libclang-rt-14-dev" >&2; exit 1; }
seconds="${1:-600}"
targets=("${@:2}")
((${#targets[@]})) || targets=(files data images onnx)
declare -A corpora=([files]="tests/fuzz/corpus" [data]="tests/fuzz/corpus_data" [images]="tests/data/images" [onnx]="tests/fuzz/corpus_onnx tests/onnx/models tests/onnx/bad")
cmake --preset fuzz >/dev/null
for target in "${targets[@]}"; do
  cmake --build --preset fuzz --target "fuzz_$target"
  mkdir -p "build/fuzz/found/$target"
  read -r -a corpus <<<"${corpora[$target]}"
  "build/fuzz/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -max_len=4096 -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
    "build/fuzz/found/$target" "${corpus[@]}"
done
