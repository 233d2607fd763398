#!/usr/bin/env bash
# Runs what README.md shows: every command of its sh blocks, in order, in a scratch copy of the example; the Python that saves
# a model; how to test one room. (scripts/demo.sh and scripts/test.sh are what runs this.)
# usage: readme_test.sh TOOL SOURCE_DIR BUILD_DIR [PYTHON]
set -euo pipefail
tool="$1" source="$2" build="$3" python="${4:-}"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
cp "$source"/examples/cifar10/* "$scratch"
cd "$scratch"

# The lines of README.md's blocks in language $1.
block() { awk -v language="$1" '$0 == "```" language {inside = 1; next} /^```$/ {inside = 0} inside' "$source/README.md"; }

count=0
while IFS= read -r command; do
  [[ "$command" == "bitplan "* ]] || { echo "README.md: not a command of the tool: $command"; exit 1; }
  echo "+ $command"
  eval "'$tool' ${command#bitplan }" </dev/null
  count=$((count + 1))
done < <(block sh)
((count >= 6)) || { echo "README.md shows only $count commands"; exit 1; }

if [ -n "$python" ]; then
  { printf 'import torch\nmodel = torch.nn.Linear(3, 2)\nexample_input = torch.zeros(1, 3)\n'; block python; } >save.py
  grep -q torch.jit.script save.py
  grep -q torch.export.save save.py
  "$python" save.py
  "$tool" inspect model.pt --input 3
  "$tool" inspect model.pt2 --input 3
fi

grep -q 'ctest --test-dir build/release -L search' "$source/README.md"
ctest --test-dir "$build/tests/search" -L search >one_room.log || { cat one_room.log; exit 1; }  # below, where it keeps its own logs
grep -q '100% tests passed' one_room.log
for script in demo.sh test.sh; do
  grep -q "./scripts/$script" "$source/README.md"
  test -x "$source/scripts/$script"
done
