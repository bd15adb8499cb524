#!/usr/bin/env bash
# Projects of `mixop plugins new` against the installed package, one on LibTorch and those without, and what they give: an operator, a data set and a
# space that searches take.
set -euo pipefail
source "$MIXOP_SOURCE_DIR/tests/support/plugin_projects.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_STATE_HOME=$work/state
cmake --install "$MIXOP_BUILD_DIR" --prefix "$work/prefix" >/dev/null
mixop=$work/prefix/bin/mixop
cd "$work"
plugin_projects "$work/prefix" op chain-op dataset space

"$mixop" plugins list --plugin-dir op/build/lib/mixop/plugins >log 2>&1 || fail "the plugin does not load: $(cat log)"
grep -q '^  operator acme.my_op$' log || fail "the operator is not offered: $(cat log)"
strip op/build/lib/mixop/plugins/acme.my_op.so
"$mixop" plugins check op/build/lib/mixop/plugins/acme.my_op.so >log 2>&1 || fail "stripped, it is refused: $(cat log)"

dataset/build/mathematics "$work/grey" >/dev/null
"$mixop" data check acme.my_dataset --data "$work/grey" --plugin-dir dataset/build/lib/mixop/plugins >log 2>&1 || fail "the data: $(cat log)"
places=()
for kind in op chain-op dataset space; do places+=(--plugin-dir "$kind/build/lib/mixop/plugins"); done
"$mixop" search quick "${places[@]}" --set data.name=acme.my_dataset --data "$work/grey" --set data.train_limit=32 --set search.batch=8 \
  --set space.name=acme.my_space --set space.ops=+acme.my_op,acme.my_chain_op,acme.my_chain_op:expansion=2 --set space.channels=4 --set search.epochs=1 --out run.h5 >log 2>&1 ||
  fail "the search: $(cat log)"
"$mixop" inspect run.h5 --json >run.json
for name in acme.my_op acme.my_chain_op acme.my_chain_op:expansion=2; do
  grep -q "\"$name\"" run.json || fail "$name is in no alphas of the search"
done

code=0
"$mixop" plugins new op acme.my_op --out op >log 2>&1 || code=$?
[[ $code -eq 2 ]] || fail "an existing folder ends with exit code $code, expected 2"
grep -q 'op exists; name another folder with --out' log || fail "an existing folder is not explained: $(cat log)"
echo "plugin_project: all well"
