#!/usr/bin/env bash
# usage: state_dict_test.sh TOOL SOURCE_DIR PYTHON
set -euo pipefail
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
"$3" "$2/tests/cli/state_dict_test.py" "$1" "$2/examples/cifar10" "$scratch"
