#!/usr/bin/env bash
# Runs every command of README.md's sh blocks that starts with "bitplan", in order, in a scratch copy of the example.
# usage: readme_test.sh TOOL SOURCE_DIR
set -euo pipefail
tool="$1" source="$2"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
cp "$source"/examples/cifar10/* "$scratch"
cd "$scratch"
commands="$(awk '/^```sh$/ {inside = 1; next} /^```$/ {inside = 0} inside && /^bitplan /' "$source/README.md")"
[ -n "$commands" ] || { echo "README.md has no commands"; exit 1; }
count=0
while IFS= read -r command; do
  echo "+ $command"
  eval "'$tool' ${command#bitplan }" </dev/null
  count=$((count + 1))
done <<<"$commands"
echo "$count commands ran"
for script in demo.sh test.sh; do
  grep -q "./scripts/$script" "$source/README.md" && test -x "$source/scripts/$script"
done
