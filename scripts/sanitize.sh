#!/usr/bin/env bash
# The tests of rooms that read tensors' memory, under the address and undefined behaviour sanitizers: scripts/sanitize.sh [ROOM …]
# LibTorch itself is not built with them: what it reads of memory that it was given is not seen, what is read of its memory is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
./scripts/setup.sh
# shellcheck source=/dev/null
. .deps/env.sh
rooms=("$@")
[ ${#rooms[@]} -gt 0 ] || rooms=(network data quantize integer fast hessian evaluate training_methods train)
cmake --preset asan-torch
# LibTorch keeps memory for the life of the process; it is not looked for leaks. Tests ask for more memory than there is, and are refused.
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1
for room in "${rooms[@]}"; do
  cmake --build --preset asan-torch --target "test_$room"
  "build/asan-torch/tests/$room/test_$room" --gtest_brief=1
done
