#!/usr/bin/env bash
# The set-up repeats without work, waits for another one, repairs an interrupted one, and says what it lacks.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/cache"

fail() { echo "set_up: $1" >&2; exit 1; }

# Stands in for Python: makes environments that only note what pip is asked for, and fails where the test wants it.
cat >"$work/bin/python3" <<'PYTHON'
#!/usr/bin/env bash
echo "python3 $*" >>"$FAKE_LOG"
if [[ $1 == -m && $2 == venv ]]; then
  mkdir -p "$3/bin"
  cp "${BASH_SOURCE[0]}" "$3/bin/python3"
elif [[ $1 == -m && $2 == pip && $3 == install && -n ${FAKE_FAILURE:-} ]]; then
  exit 1
fi
PYTHON
# Stands in for a Debian where every package but those of FAKE_MISSING is installed.
cat >"$work/bin/dpkg-query" <<'DPKG'
#!/usr/bin/env bash
for package in "${@:3}"; do
  [[ " ${FAKE_MISSING:-} " == *" $package "* ]] || printf 'installed:%s ' "$package"
done
DPKG
printf '#!/bin/sh\necho 1000\n' >"$work/bin/id"
chmod +x "$work"/bin/*
export FAKE_LOG=$work/log MIXOP_CACHE=$work/cache PATH=$work/bin:$PATH
unset CMAKE_PREFIX_PATH Torch_DIR Torch_ROOT

set_up() { : >"$FAKE_LOG"; bash -c 'set -euo pipefail; source "$MIXOP_SOURCE_DIR/.ci/setup.sh"' 2>"$work/messages"; }
installs() { grep -c 'pip install' "$FAKE_LOG" || true; }

! FAKE_FAILURE=yes set_up || fail "a failing pip is not reported"
grep -q "pip did not install torch==2.11.0" "$work/messages" || fail "the message does not name what pip failed at"

set_up || fail "an interrupted set-up is not repaired: $(cat "$work/messages")"
grep -q 'python3 -m venv' "$FAKE_LOG" || fail "an interrupted environment is not made anew"
[[ $(installs) == 1 ]] || fail "expected one installation, found $(installs)"

set_up
[[ ! -s $FAKE_LOG ]] || fail "a repeated set-up does work: $(cat "$FAKE_LOG")"

mkdir -p "$work/own/share/cmake/Torch"
touch "$work/own/share/cmake/Torch/TorchConfig.cmake"
CMAKE_PREFIX_PATH=$work/own set_up
! grep -q 'torch==' "$FAKE_LOG" || fail "the wheel is installed although the machine has its own LibTorch"

sudo_free=$work/without_sudo
mkdir "$sudo_free"
for tool in bash dirname mkdir flock grep cat; do ln -s "$(command -v $tool)" "$sudo_free/$tool"; done
! FAKE_MISSING="libhdf5-dev graphviz" PATH=$work/bin:$sudo_free set_up || fail "missing packages are not reported"
grep -q "run 'apt-get install libhdf5-dev graphviz' as root" "$work/messages" ||
  fail "the message does not name the missing packages: $(cat "$work/messages")"

: >"$work/messages"
(
  flock 9
  touch "$work/held"
  for ((turn = 0; turn < 600; ++turn)); do
    ! grep -q 'waiting for another set-up' "$work/messages" || break
    sleep 0.1
  done
) 9>"$MIXOP_CACHE/setup.lock" &
until [[ -e $work/held ]]; do sleep 0.01; done
set_up
grep -q 'waiting for another set-up' "$work/messages" || fail "two set-ups do not wait for each other"
wait
echo "set-up: all well"
