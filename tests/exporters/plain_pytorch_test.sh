#!/usr/bin/env bash
# usage: plain_pytorch_test.sh TEST_EXPORTERS PYTHON
set -euo pipefail
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
BITPLAN_EXPORT_DIR="$scratch" "$1" --gtest_filter='Export.GivesTheSameOutput*' >/dev/null
"$2" "$(dirname "$0")/plain_pytorch_test.py" "$scratch"
