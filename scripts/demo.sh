#!/usr/bin/env bash
# The main job on the bundled ResNet-20 and CIFAR-10 images: installs what is missing, builds the tool, runs it.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
"$root/scripts/build.sh" bitplan_tool
cd "$root/examples/cifar10"
echo
echo "bitplan run: which bits should each layer of ResNet-20 get, at 12.5% of the float weights' size (4 bits on average)?"
echo
"$root/build/release/bin/bitplan" run resnet20.pt --data cifar10:train.bin --test cifar10:test.bin \
  --budget weight_size=12.5% --out-dir "$root/result"
echo
echo "The plan, the quantized model and all figures are in result/; the tool is build/release/bin/bitplan."
