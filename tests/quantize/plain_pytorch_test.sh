#!/usr/bin/env bash
# usage: plain_pytorch_test.sh TEST_QUANTIZE PYTHON EXPORT_DIR
set -euo pipefail
"$1" --gtest_filter='Export.*' >/dev/null
"$2" "$(dirname "$0")/plain_pytorch_test.py" "$3"
