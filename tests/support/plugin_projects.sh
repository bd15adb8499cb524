# The projects that `mixop plugins new` writes build outside the tree as they are and pass their own tests.
#   plugin_projects PACKAGE KIND...    against the package there; projects and builds are left in the current folder
fail() { echo "plugin_project: $1" >&2; exit 1; }

plugin_projects() {
  local package=$1 kind name mixop=$1/bin/mixop
  shift
  for kind in "$@"; do
    name=acme.my_${kind//-/_}
    "$mixop" plugins new "$kind" "$name" --out "$kind" >/dev/null || fail "$kind: the project is not written"
    cmake -G Ninja -S "$kind" -B "$kind/build" -DCMAKE_PREFIX_PATH="$package" >log 2>&1 ||
      fail "$kind: not configured: $(tail -20 log)"
    cmake --build "$kind/build" >log 2>&1 || fail "$kind: does not build: $(tail -20 log)"
    ctest --test-dir "$kind/build" --output-on-failure >log 2>&1 || fail "$kind: fails its tests: $(tail -40 log)"
    grep -q '100% tests passed, 0 tests failed out of 2' log || fail "$kind: its tests did not run: $(cat log)"
  done
}
