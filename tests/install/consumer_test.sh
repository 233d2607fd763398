#!/usr/bin/env bash
# Installs the build into a scratch folder, builds a consumer project against it with find_package(bitplan), runs it.
# usage: consumer_test.sh BUILD_DIR SOURCE_DIR TORCH_DIR
set -euo pipefail
build="$1" source="$2" torch="$3"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
cmake --install "$build" --prefix "$scratch/installed" >/dev/null
cmake -G Ninja -S "$source/tests/install/consumer" -B "$scratch/build" -DCMAKE_BUILD_TYPE=Release -DTorch_DIR="$torch" \
  -DCMAKE_PREFIX_PATH="$scratch/installed" -DBITPLAN_EXAMPLE="$source/examples/plan_in_cpp/plan_in_cpp.cpp" >"$scratch/configure.log" 2>&1 ||
  { cat "$scratch/configure.log"; exit 1; }
cmake --build "$scratch/build"
cd "$scratch"
"$scratch/build/consumer" "$source/examples/cifar10/resnet20.pt" "cifar10:$source/examples/cifar10/train.bin"
test -s plan.json && test -s quantized.pt
test -s "$scratch/installed/share/bitplan/schemas/plan-1.schema.json"
test -s "$scratch/installed/share/bitplan/devices/nvidia-t4.json"
"$scratch/installed/bin/bitplan" --version
