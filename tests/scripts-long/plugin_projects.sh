#!/usr/bin/env bash
# Every kind of project of `mixop plugins new`, against the installed package and against the build folder; the one with
# a CUDA kernel also as where there is no nvcc.
set -euo pipefail
source "$MIXOP_SOURCE_DIR/tests/support/plugin_projects.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_STATE_HOME=$work/state
cmake --install "$MIXOP_BUILD_DIR" --prefix "$work/prefix" >/dev/null
for place in "$work/prefix" "$MIXOP_BUILD_DIR"; do
  mkdir "$work/projects"
  cd "$work/projects"
  plugin_projects "$place" op chain-op stable-op cuda-op dataset space relaxation strategy
  cmake -S cuda-op -B cuda-op/build -DMIXOP_NVCC= >log 2>&1 || fail "cuda-op without nvcc: not configured: $(tail -20 log)"
  grep -q 'No CUDA kernels' log || fail "cuda-op without nvcc: configuring does not say so: $(cat log)"
  cmake --build cuda-op/build >log 2>&1 || fail "cuda-op without nvcc: does not build: $(tail -20 log)"
  ctest --test-dir cuda-op/build --output-on-failure >log 2>&1 || fail "cuda-op without nvcc: its tests: $(tail -40 log)"
  rm -rf "$work/projects"
done
echo "plugin_projects: all well"
