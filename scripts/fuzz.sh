#!/usr/bin/env bash
# Coverage-guided fuzzing of the problem, plan and sensitivity readers and of the search (files), of the decoders of data files and of the
# checks of pickles (data), of images (images), of the reader of ONNX files (onnx), and of all that a model's file goes through until it is
# a graph (models: TorchScript and .pt2 archives, whose entries are changed one by one; built with LibTorch, which takes some minutes);
# needs Debian's clang and libclang-rt-14-dev. Inputs that reach new code are kept in build/fuzz/found for the next run. One that fails is
# left as crash-*: once that is mended, it belongs in tests/fuzz/corpus (of others corpus_data, corpus_onnx, corpus_models), under a name
# that says what it is; every test run replays those. usage: scripts/fuzz.sh [SECONDS EACH [TARGETS …]]
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
command -v clang++ >/dev/null || { echo "fuzz: clang++ is missing; install Debian's clang and libclang-rt-14-dev" >&2; exit 1; }
seconds="${1:-600}"
targets=("${@:2}")
((${#targets[@]})) || targets=(files data images onnx models)
declare -A corpora=([files]="tests/fuzz/corpus" [data]="tests/fuzz/corpus_data" [images]="tests/data/images" [onnx]="tests/fuzz/corpus_onnx tests/onnx/models tests/onnx/bad"
  [models]="tests/fuzz/corpus_models tests/network/models tests/network/exported tests/network/exported/refused tests/network/exported/layouts")
for target in "${targets[@]}"; do
  preset=fuzz longest=4096 sanitizers=
  # LibTorch is not instrumented, so that its containers must not be looked into; what it keeps for good is no leak.
  [[ "$target" != models ]] || preset=fuzz-torch longest=65536 sanitizers=detect_container_overflow=0:detect_leaks=0:detect_odr_violation=0
  cmake --preset "$preset" >/dev/null
  cmake --build --preset "$preset" --target "fuzz_$target"
  mkdir -p "build/fuzz/found/$target"
  read -r -a corpus <<<"${corpora[$target]}"
  ASAN_OPTIONS="$sanitizers" "build/$preset/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -max_len="$longest" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
    "build/fuzz/found/$target" "${corpus[@]}"
done
