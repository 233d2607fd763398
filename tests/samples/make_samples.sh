#!/usr/bin/env bash
# Makes a file of every schema that the tool writes, from the bundled model: by_tool/ was left by it, and the test of the schemas
# makes them anew. A sample stays as it is for as long as its version is read; a new version adds files.
# usage: make_samples.sh TOOL SOURCE_DIR OUT_DIR [JSON_DIR: gets what --json of each command leaves, COMMAND.json]
set -euo pipefail
tool="$1" source="$2" out="$3" told="${4:-}"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
cp "$source"/examples/cifar10/{resnet20.pt,train.bin,test.bin} "$scratch"
cp "$source"/tests/samples/by_hand/* "$scratch"
cd "$scratch"
few=(--seed 1 --samples 4)
bitplan() {
  local code=0 json=(--json "told-$1.json")
  [[ " $* " != *" --json "* ]] || json=()
  "$tool" "$@" "${json[@]}" >/dev/null || code=$?
  [[ " $* " != *" --json "*.json" "* ]] || cp "$(sed 's/.* --json \([^ ]*\) .*/\1/' <<<" $* ")" "told-$1.json"
  return "$code"
}

bitplan inspect resnet20.pt --input 3,32,32 --target tensorrt --json inspection-1.json
bitplan analyze resnet20.pt --data cifar10:train.bin "${few[@]}" --measures logit-shift,gauss-newton,trace,relative-error --curvature-samples 2 \
  --shifts --weight-bits 4,8 --activation-bits 8,32 --out sensitivity-1.json
"$source"/tests/cli/interrupt_when.sh interrupted.json.checkpoint "$tool" analyze resnet20.pt --data cifar10:train.bin --seed 1 --samples 64 \
  --measures logit-shift,eigenvalue --exact-hessian --weight-bits 4 --out interrupted.json >/dev/null 2>&1 || (($? == 130))
mv interrupted.json.checkpoint checkpoint-1.checkpoint
bitplan profile resnet20.pt --input 3,32,32 --on roofline-1.json --energy energy-1.json --out costs-1.json
bitplan search sensitivity-1.json --costs costs-1.json --budget weight_size=20% --budget latency=90% --resamples 5 --explain --draws 5 \
  --out plan-1.json --json solution-1.json
bitplan search sensitivity-1.json --budget weight_size=1% --json solution-1-infeasible.json || (($? == 3))
bitplan pareto sensitivity-1.json --along weight_size_bytes=3 --json front-1.json
bitplan calibrate resnet20.pt --data cifar10:train.bin --seed 1 --samples 1 --out statistics-1.json
bitplan quantize resnet20.pt --layer-config configuration-1.json --rounding gptq --calibration cifar10:train.bin --calibration-samples 4 \
  --out quantized.pt --packed packed-1.safetensors --json quantization-1.json
bitplan export --list --json exporters-1.json
bitplan eval resnet20.pt --plan plan-1.json --calibration cifar10:train.bin --calibration-samples 4 --data cifar10:test.bin "${few[@]}" \
  --integer --json evaluation-1.json
bitplan eval resnet20.pt --weight-bits 8 --activation-bits 8 --calibration cifar10:train.bin --calibration-samples 64 --data cifar10:test.bin \
  "${few[@]}" --fast --json evaluation-1-fast.json
bitplan train resnet20.pt --target tensorrt --data cifar10:train.bin --test cifar10:test.bin --method lsq --epochs 1 --samples 16 --seed 1 \
  --out trained.pt --plan-out plan-1-learned.json --json training-1.json
bitplan search --problem problem-1.json --method agent --episodes 2 --warm-up 1 --agent-checkpoint checkpoint-1-agent.checkpoint --json - || (($? == 3))
bitplan spectrum resnet20.pt --data cifar10:train.bin "${few[@]}" --layers linear --probes 2 --steps 8 --json spectrum-1.json
bitplan validate resnet20.pt --data cifar10:train.bin --test cifar10:test.bin "${few[@]}" --plans 10 --weight-bits 3,8 \
  --measures logit-shift,relative-error --out-dir validation --json validation-1.json
bitplan run resnet20.pt --data cifar10:train.bin --test cifar10:test.bin --budget weight_size=15% --weight-bits 4,8 --seed 1 --samples 16 \
  --candidates 2 --resamples 0 --out-dir run
mv run/choice.json choice-1.json
mv run/evaluation.json evaluation-1-run.json
mkdir -p "$out"
if [[ -n "$told" ]]; then
  mkdir -p "$told"
  for file in told-*.json; do mv "$file" "$told/${file#told-}"; done
fi
for file in "$source"/tests/samples/by_hand/*; do rm "$(basename "$file")"; done
cp ./*-[0-9]* "$out"
