#!/usr/bin/env bash
# Installs what bitplan needs to build: Debian packages, and LibTorch into .deps/. Running it again costs a second.
#
# LibTorch is taken, first match wins, from Torch_DIR, from CMAKE_PREFIX_PATH, from .deps/venv (installed here by pip).
# Names of further Debian packages may be given. Sourced or run; afterwards .deps/env.sh holds the settings that scripts/build.sh uses.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
deps="$root/.deps"
torch_version=2.13.0
torch_cpu_index="https://download.pytorch.org/whl/cpu"

packages=(
  build-essential cmake ninja-build ccache git pkg-config ca-certificates
  libeigen3-dev libspectra-dev libboost-program-options-dev libgtest-dev libgmock-dev
  nlohmann-json3-dev libyaml-cpp-dev libfmt-dev zlib1g-dev libzip-dev libssl-dev
  libonnx-dev libprotobuf-dev libjpeg62-turbo-dev libpng-dev libwebp-dev
  python3 python3-jsonschema python3-venv coinor-cbc "$@"
)

fail() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}

install_packages() {
  command -v dpkg-query >/dev/null || fail "this is not a Debian system; install by hand: ${packages[*]}"
  local missing=() package
  for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  local as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || fail "no root rights and no sudo; have an administrator run: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  echo "setup: installing Debian packages: ${missing[*]}"
  local log="$deps/apt.log"
  "${as_root[@]}" apt-get update >"$log" 2>&1 || fail "apt-get update failed (no network?); last lines of $log:"$'\n'"$(tail -3 "$log")"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1 ||
    fail "apt-get install failed; last lines of $log:"$'\n'"$(tail -3 "$log")"
}

# Prints the folder of TorchConfig.cmake below one of the given prefixes, or nothing.
find_torch_config() {
  local prefix
  for prefix in "$@"; do
    if [ -f "$prefix/TorchConfig.cmake" ]; then
      printf '%s\n' "$prefix"
      return
    elif [ -f "$prefix/share/cmake/Torch/TorchConfig.cmake" ]; then
      printf '%s\n' "$prefix/share/cmake/Torch"
      return
    fi
  done
}

# The plain package is a CUDA build where the open index serves it; LibTorch's CMake refuses that without a CUDA toolkit.
plain_package_is_cpu() {
  "$deps/venv/bin/pip" install --quiet --dry-run --ignore-installed --no-deps --report - "torch==$torch_version" 2>"$deps/pip.log" |
    grep -qiE '"url":.*(\+|%2b)cpu'
}

install_torch() {
  local python="$deps/venv/bin/python"
  [ -x "$python" ] || python3 -m venv "$deps/venv" || fail "python3 -m venv failed; is the package python3-venv installed?"
  if ! "$python" -c "import importlib.metadata as m, sys; sys.exit(not m.version('torch').startswith('$torch_version'))" 2>/dev/null; then
    echo "setup: installing torch $torch_version into .deps/venv"
    local source=()
    plain_package_is_cpu || source=(--index-url "$torch_cpu_index")
    "$deps/venv/bin/pip" install --quiet --disable-pip-version-check "${source[@]}" "torch==$torch_version" numpy >"$deps/pip.log" 2>&1 ||
      fail "pip could not install torch==$torch_version (no network?); set Torch_DIR to an existing LibTorch. Last lines of $deps/pip.log:"$'\n'"$(tail -3 "$deps/pip.log")"
  fi
  # What runs the files that bitplan exports, in tests.
  if ! "$python" -c "import onnx, onnxruntime" 2>/dev/null; then
    echo "setup: installing onnx and onnxruntime into .deps/venv"
    "$deps/venv/bin/pip" install --quiet --disable-pip-version-check onnx onnxruntime >"$deps/pip.log" 2>&1 ||
      fail "pip could not install onnx and onnxruntime. Last lines of $deps/pip.log:"$'\n'"$(tail -3 "$deps/pip.log")"
  fi
  torch_dir="$("$python" -c 'import importlib.util, os; print(os.path.join(os.path.dirname(importlib.util.find_spec("torch").origin), "share", "cmake", "Torch"))')"
}

mkdir -p "$deps"
[ -f "$deps/.gitignore" ] || echo '*' >"$deps/.gitignore"
install_packages
IFS=':;' read -r -a prefixes <<<"${Torch_DIR:-}:${CMAKE_PREFIX_PATH:-}"
torch_dir="$(find_torch_config "${prefixes[@]}")"
[ -n "$torch_dir" ] || install_torch
printf 'export Torch_DIR=%q\n' "$torch_dir" >"$deps/env.sh"
