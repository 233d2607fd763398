#!/usr/bin/env bash
# Warnings are errors in a build of our own and not in one of a project that has bitplan as a part. Configures, builds nothing.
# usage: warnings_test.sh SOURCE_DIR
set -euo pipefail
source="$1"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
configure() { cmake -G Ninja -S "$1" -B "$2" -DBITPLAN_TORCH=OFF -DBITPLAN_TESTS=OFF -DCMAKE_EXPORT_COMPILE_COMMANDS=ON "${@:3}" >"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }; }
has_errors() { grep -q -- ' -Werror ' "$1/compile_commands.json"; }
mkdir "$scratch/user"
printf 'cmake_minimum_required(VERSION 3.25)\nproject(user LANGUAGES CXX)\nadd_subdirectory("%s" bitplan)\n' "$source" >"$scratch/user/CMakeLists.txt"
configure "$scratch/user" "$scratch/part"
! has_errors "$scratch/part" || { echo "warnings are errors in a user's project"; exit 1; }
grep -q -- ' -Wconversion ' "$scratch/part/compile_commands.json"
configure "$source" "$scratch/own" -DBITPLAN_WERROR=ON
has_errors "$scratch/own" || { echo "BITPLAN_WERROR=ON does nothing"; exit 1; }
