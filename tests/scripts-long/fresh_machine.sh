#!/usr/bin/env bash
# On a Debian with nothing but its base system, no CUDA toolkit and no caches, a clone's ./quickstart and ./check each do all
# that is needed, after a set-up that was killed half-way, and a repeated call redoes nothing. Needs root, debootstrap, git,
# a network and 25 GiB; takes the better part of an hour.
#
# MIXOP_FRESH_MIRROR: the package mirror for debootstrap (default: its own). MIXOP_FRESH_ROOT: the folder for the machine.
set -euo pipefail

source "$MIXOP_SOURCE_DIR/tests/support/debian_root.sh"

fail() { echo "fresh_machine: $1" >&2; exit 1; }
work=${MIXOP_FRESH_ROOT:-$(mktemp -d)}
cleanup() {
  [[ -z ${root:-} ]] || leave_root
  [[ -n ${MIXOP_FRESH_ROOT:-} ]] || rm -rf --one-file-system "$work"
}
trap cleanup EXIT
debian_root "$work/bookworm" bookworm
git clone -q --no-local "$MIXOP_SOURCE_DIR" "$root/srv/mixop"

# Killed some seconds into the download of LibTorch, when its environment is half made.
setsid chroot "$root" env -i HOME=/srv PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "${registry[@]}" \
  bash -c 'cd /srv/mixop && ./quickstart' &
victim=$!
for ((waited = 0; waited < 600; ++waited)); do
  [[ ! -e $root/srv/.cache/mixop/venv.unfinished ]] || break
  kill -0 "$victim" 2>/dev/null || fail "./quickstart ended before it made its environment"
  sleep 1
done
sleep 15
kill -KILL -- "-$victim"
wait "$victim" || true
[[ -e $root/srv/.cache/mixop/venv.unfinished ]] || fail "the set-up was done before it could be killed"
echo "figure: set-up killed $((waited + 15)) s after its start"

inside bash -c 'cd /srv/mixop && ./quickstart' | tee "$root/quickstart.log"
grep -q '^archive: ' "$root/quickstart.log" || fail "./quickstart does not end with its archive"
inside test -s /srv/mixop/build/quickstart/cells.svg || fail "./quickstart leaves no picture"
inside test -s /srv/mixop/build/quickstart/report.html || fail "./quickstart leaves no report"
inside bash -c 'cd /srv/mixop && ./check'

before=$(date +%s)
inside bash -c 'cd /srv/mixop && source .ci/setup.sh'
[[ $(($(date +%s) - before)) -le 2 ]] || fail "a repeated set-up takes more than two seconds"
echo "figure: fresh machine: quickstart and check pass after a killed set-up; a repeated set-up takes $(($(date +%s) - before)) s"
