# shellcheck shell=bash
# Sourced by .ci/run: finds the data sets for the tests that use real ones, and says which.
#
# MIXOP_DATA         the folder that holds them; nothing is unpacked then
# MIXOP_DATA_UNPACK  else: a Python program that is called with a folder and unpacks them there, once. Not set, it is
#                    shared/tools/unpack-data beside the tree, where that exists; empty, there is none
# Exports MIXOP_DATA where there is data. Needs MIXOP_CACHE and MIXOP_PYTHON of .ci/setup.sh.

mixop_data() {
  local default=${mixop_root%/*}/shared/tools/unpack-data
  local program=${MIXOP_DATA_UNPACK-}
  if [[ -n ${MIXOP_DATA:-} ]]; then
    mixop_say "data: $MIXOP_DATA (MIXOP_DATA)"
    return
  fi
  if [[ -z ${MIXOP_DATA_UNPACK+set} && -f $default ]]; then
    program=$default
  fi
  if [[ -z $program ]]; then
    mixop_say "data: none, so the tests on real data leave it out; set MIXOP_DATA or MIXOP_DATA_UNPACK"
    return
  fi
  [[ -f $program ]] || mixop_fail "MIXOP_DATA_UNPACK: there is no program $program"
  export MIXOP_DATA=$MIXOP_CACHE/data
  mixop_say "data: $MIXOP_DATA, unpacked by $program"
  "$MIXOP_PYTHON" "$program" "$MIXOP_DATA" >&2 || mixop_fail "$program did not unpack the data (see above)"
}

mixop_data
