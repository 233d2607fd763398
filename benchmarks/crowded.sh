#!/usr/bin/env bash
# What a crowded machine costs: the time of bitplan run (or of what is given) beside processes that only compute, over
# its fair share: what it takes alone, times how many more of them there are than processors. usage:
#   benchmarks/crowded.sh [--others N] [--processors 0,1] [TOOL …]     default: 7 others, all processors, the built tool
# Several tools run by turns under the same load. Settings of OpenMP are left out of their environments.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
others=7 processors="$(taskset -cp $$ | sed 's/.*: //')" rounds="${ROUNDS:-1}"
arguments="${ARGUMENTS:-run resnet20.pt --data cifar10:train.bin --test cifar10:test.bin --budget weight_size=12.5%}"
while [[ "${1:-}" == --* ]]; do
  case "$1" in
    --others) others="$2" ;;
    --processors) processors="$2" ;;
    *) echo "crowded: unknown option $1" >&2 && exit 2 ;;
  esac
  shift 2
done
tools=("$@")
((${#tools[@]})) || tools=("$root/build/release/bin/bitplan")
cores="$(env -u OMP_NUM_THREADS taskset -c "$processors" nproc)"  # which heeds that setting
out="$(mktemp -d)"
load=()
end_load() {
  for process in "${load[@]}"; do kill "$process" 2>/dev/null || true; done
  for process in "${load[@]}"; do wait "$process" 2>/dev/null || true; done
  load=()
}
trap 'end_load; rm -rf "$out"' EXIT

begin_load() {
  for ((i = 0; i < others; ++i)); do
    taskset -c "$processors" bash -c 'while :; do :; done' &
    load+=($!)
  done
}

# seconds TOOL: of one run
seconds() {
  local folder="$out/result" began ended extra=()
  rm -rf "$folder"
  [[ "$arguments" == run\ * ]] && extra=(--out-dir "$folder")
  began="$(date +%s.%N)"
  # shellcheck disable=SC2086
  (cd "$root/examples/cifar10" && env -u OMP_NUM_THREADS -u OMP_WAIT_POLICY -u GOMP_SPINCOUNT \
    taskset -c "$processors" "$1" $arguments "${extra[@]}" >/dev/null)
  ended="$(date +%s.%N)"
  awk "BEGIN { print $ended - $began }"
}

echo "$arguments: on $cores processors, alone and beside $others other processes"
for ((round = 0; round < rounds; ++round)); do
  for tool in "${tools[@]}"; do
    alone="$(seconds "$tool")"
    begin_load
    crowded="$(seconds "$tool")"
    end_load
    # Alone it has all processors; beside others as many processes as there are in all share them, and its own threads count.
    awk "BEGIN { fair = $alone * ($others + $cores) / $cores
      printf \"%s: alone %.1f s, crowded %.1f s, fair share %.1f s: %.2f times that\n\", \"$tool\", $alone, $crowded, fair, $crowded / fair }"
  done
done
