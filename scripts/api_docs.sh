#!/usr/bin/env bash
# Makes pages of the public headers with Doxygen, in build/api/html; a warning is an error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
./scripts/setup.sh doxygen
mkdir -p build
doxygen docs/Doxyfile
echo "build/api/html/index.html"
