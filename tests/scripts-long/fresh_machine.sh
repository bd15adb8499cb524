#!/usr/bin/env bash
# On a Debian with nothing but its base system, no CUDA toolkit and no caches, a clone's ./quickstart and ./check each do all
# that is needed, after a set-up that was killed half-way, and a repeated call redoes nothing. Needs root, debootstrap, git,
# a network and 25 GiB; takes the better part of an hour.
#
# MIXOP_FRESH_MIRROR: the package mirror for debootstrap (default: its own). MIXOP_FRESH_ROOT: the folder for the machine.
set -euo pipefail

fail() { echo "fresh_machine: $1" >&2; exit 1; }
[[ $(id -u) == 0 ]] || fail "needs root, for debootstrap and chroot"
command -v debootstrap >/dev/null || fail "needs debootstrap"

root=${MIXOP_FRESH_ROOT:-$(mktemp -d)}/bookworm
cleanup() {
  umount -l "$root/proc" "$root/dev" 2>/dev/null || true
  [[ -n ${MIXOP_FRESH_ROOT:-} ]] || rm -rf --one-file-system "${root%/bookworm}"
}
trap cleanup EXIT

mkdir -p "$root"
debootstrap --variant=minbase bookworm "$root" ${MIXOP_FRESH_MIRROR:+"$MIXOP_FRESH_MIRROR"}
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
# How this machine reaches its package registries: mirrors and certificates.
for path in /etc/pip.conf /etc/apt/apt.conf.d /etc/apt/sources.list /etc/apt/sources.list.d /etc/ssl/certs \
  /usr/local/share/ca-certificates; do
  [[ ! -e $path ]] || cp -aL --parents "$path" "$root/" 2>/dev/null || true
done
git clone -q --no-local "$MIXOP_SOURCE_DIR" "$root/srv/mixop"

mapfile -t registry < <(env | grep -iE '^(https?_proxy|no_proxy|pip_[a-z_]+|ssl_cert_file)=')
inside() {
  env -i HOME=/srv PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "${registry[@]}" chroot "$root" "$@"
}

[[ ! -e $root/usr/local/cuda && ! -e $root/srv/.cache ]] || fail "the root is not bare"
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
inside bash -c 'cd /srv/mixop && ./check'

before=$(date +%s)
inside bash -c 'cd /srv/mixop && source .ci/setup.sh'
[[ $(($(date +%s) - before)) -le 2 ]] || fail "a repeated set-up takes more than two seconds"
echo "figure: fresh machine: quickstart and check pass after a killed set-up; a repeated set-up takes $(($(date +%s) - before)) s"
