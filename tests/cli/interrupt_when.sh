#!/usr/bin/env bash
# interrupt_when.sh FILE COMMAND...: runs COMMAND and interrupts it as soon as FILE is there; exits with COMMAND's status.
set -u
file="$1"
shift
set -m # a job of its own, so that it takes the signal
"$@" &
job=$!
while kill -0 "$job" 2>/dev/null && [ ! -e "$file" ]; do sleep 0.005; done
kill -INT "$job" 2>/dev/null
wait "$job"
