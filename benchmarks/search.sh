#!/usr/bin/env bash
# The exact search side by side with HiGHS, CBC and SCIP, and the method convex with SCIP; installs them into .deps/search-venv.
# usage: benchmarks/search.sh [--groups 20,53] [--seeds 1,2,3,4,5] [--tied-groups 20,60] [--limit SECONDS] [--joint]   (see search.py)
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
venv="$root/.deps/search-venv"
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check highspy==1.15.1 pulp==3.3.2 pyscipopt==6.3.0 numpy
exec "$venv/bin/python" "$root/benchmarks/search.py" "$root/build/release/benchmarks/bench_search" "$@"
