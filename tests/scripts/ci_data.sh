#!/usr/bin/env bash
# Continuous integration finds its data by MIXOP_DATA, by MIXOP_DATA_UNPACK, or beside the tree, and says which.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "ci_data: $1" >&2; exit 1; }

mkdir -p "$work/tree" "$work/cache"
unpacker='import pathlib, sys; pathlib.Path(sys.argv[1]).mkdir(exist_ok=True); pathlib.Path(sys.argv[1], "by").write_text(sys.argv[0])'
export MIXOP_CACHE=$work/cache
unset MIXOP_DATA MIXOP_DATA_UNPACK

# Prints the folder that the tests would get.
data() {
  mixop_root=$work/tree bash -c 'set -euo pipefail
    mixop_say() { printf "== %s\n" "$*" >&2; }
    mixop_fail() { printf "set-up: %s\n" "$*" >&2; exit 1; }
    source "$MIXOP_SOURCE_DIR/.ci/data.sh"
    echo "${MIXOP_DATA:-}"' 2>"$work/messages"
}
said() { grep -qF "$1" "$work/messages" || fail "the messages lack '$1': $(cat "$work/messages")"; }

[[ $(data) == "" ]] || fail "data is found where there is none"
said "data: none"

mkdir -p "$work/shared/tools"
echo "$unpacker" >"$work/shared/tools/unpack-data"
[[ $(MIXOP_DATA=/elsewhere data) == /elsewhere ]] || fail "MIXOP_DATA is not what is used"
said "data: /elsewhere (MIXOP_DATA)"
[[ ! -e $work/cache/data ]] || fail "data is unpacked although MIXOP_DATA names some"

[[ $(MIXOP_DATA_UNPACK='' data) == "" ]] || fail "an empty MIXOP_DATA_UNPACK does not switch the default off"
[[ $(data) == "$work/cache/data" ]] || fail "the unpacker beside the tree is not used"
said "unpacked by $work/shared/tools/unpack-data"
[[ $(cat "$work/cache/data/by") == "$work/shared/tools/unpack-data" ]] || fail "the unpacker beside the tree is not called"

echo "$unpacker" >"$work/own"
[[ $(MIXOP_DATA_UNPACK=$work/own data) == "$work/cache/data" ]] || fail "MIXOP_DATA_UNPACK is not used"
[[ $(cat "$work/cache/data/by") == "$work/own" ]] || fail "MIXOP_DATA_UNPACK does not go before the one beside the tree"

! MIXOP_DATA_UNPACK=$work/missing data >/dev/null || fail "a missing unpacker is accepted"
said "MIXOP_DATA_UNPACK: there is no program $work/missing"
echo 'raise SystemExit(3)' >"$work/own"
! MIXOP_DATA_UNPACK=$work/own data >/dev/null || fail "an unpacker that fails is accepted"
said "$work/own did not unpack the data"
echo "ci_data: all well"
