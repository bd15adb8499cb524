#!/usr/bin/env bash
# The project that `mixop plugins new op` writes builds outside the tree as it is, passes its own test, and loads.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_STATE_HOME=$work/state
fail() { echo "plugin_project: $1" >&2; exit 1; }

cmake --install "$MIXOP_BUILD_DIR" --prefix "$work/prefix" >/dev/null
mixop=$work/prefix/bin/mixop
cd "$work"
"$mixop" plugins new op acme.ghost_conv >/dev/null || fail "the project is not written"
cmake -G Ninja -S acme.ghost_conv -B build -DCMAKE_PREFIX_PATH="$work/prefix" >log 2>&1 ||
  fail "the project is not configured: $(tail -20 log)"
cmake --build build >log 2>&1 || fail "the project does not build: $(tail -20 log)"
ctest --test-dir build --output-on-failure >log 2>&1 || fail "the project fails its test: $(tail -40 log)"
grep -q '100% tests passed, 0 tests failed out of 1' log || fail "the project's test did not run: $(cat log)"

"$mixop" plugins list --plugin-dir build/lib/mixop/plugins >log 2>&1 || fail "the plugin does not load: $(cat log)"
grep -q '^  operator acme.ghost_conv$' log || fail "the operator is not offered: $(cat log)"
strip build/lib/mixop/plugins/acme.ghost_conv.so
"$mixop" plugins check build/lib/mixop/plugins/acme.ghost_conv.so >log 2>&1 || fail "stripped, it is refused: $(cat log)"

code=0
"$mixop" plugins new op acme.ghost_conv >log 2>&1 || code=$?
[[ $code -eq 2 ]] || fail "an existing folder ends with exit code $code, expected 2"
grep -q 'acme.ghost_conv exists; name another folder with --out' log || fail "an existing folder is not explained"
echo "plugin_project: all well"
