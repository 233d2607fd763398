#!/usr/bin/env bash
# What each measure's best plan is worth, side by side: accuracy and KL to the float network on the bundled test images, with
# the channel correction, at three sizes. usage: benchmarks/plan_quality.sh (after scripts/build.sh bitplan_tool)
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
tool="$root/build/release/bin/bitplan"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
cd "$root/examples/cifar10"
"$tool" analyze resnet20.pt --data cifar10:train.bin --samples 512 --out "$scratch/sensitivity.json" >/dev/null
printf '%-16s %-8s %-10s %s\n' measure size accuracy "KL to float"
for size in 12.5 9.375 7.8125; do
  for measure in eigenvalue trace weight-error relative-error; do
    "$tool" search "$scratch/sensitivity.json" --budget "weight_size=$size%" --measure "$measure" --out "$scratch/plan.json" >/dev/null
    "$tool" eval resnet20.pt --plan "$scratch/plan.json" --data cifar10:test.bin --json "$scratch/eval.json" >/dev/null
    python3 - "$measure" "$size" "$scratch/eval.json" <<'PYTHON'
import json, sys
planned = json.load(open(sys.argv[3]))["planned"]
print(f"{sys.argv[1]:16} {sys.argv[2] + '%':8} {planned['accuracy']:<10.4f} {planned['divergence']:.4f}")
PYTHON
  done
done
