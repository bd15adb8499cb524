# A Debian with nothing but its base system, no CUDA toolkit and no caches, in a folder. Needs root, debootstrap, a network.
#   debian_root FOLDER SUITE        makes it
#   inside COMMAND...               runs a command in it, with HOME=/srv and what reaches the package registries
#   leave_root                      unmounts what is mounted there
#
# MIXOP_FRESH_MIRROR: the package mirror for debootstrap (default: its own).
debian_root() {
  local path suite=$2
  root=$1
  [[ $(id -u) == 0 ]] || { echo "debian_root: needs root, for debootstrap and chroot" >&2; exit 1; }
  command -v debootstrap >/dev/null || { echo "debian_root: needs debootstrap" >&2; exit 1; }
  mkdir -p "$root"
  debootstrap --variant=minbase "$suite" "$root" ${MIXOP_FRESH_MIRROR:+"$MIXOP_FRESH_MIRROR"} >"$root.log" 2>&1 ||
    { tail -20 "$root.log" >&2; echo "debian_root: debootstrap failed" >&2; exit 1; }
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
  # How this machine reaches its package registries: certificates and proxies.
  for path in /etc/pip.conf /etc/apt/apt.conf.d /etc/ssl/certs /usr/local/share/ca-certificates; do
    [[ ! -e $path ]] || cp -aL --parents "$path" "$root/" 2>/dev/null || true
  done
  mapfile -t registry < <(env | grep -iE '^(https?_proxy|no_proxy|pip_[a-z_]+|ssl_cert_file)=')
  [[ ! -e $root/usr/local/cuda && ! -e $root/srv/.cache ]] || { echo "debian_root: the root is not bare" >&2; exit 1; }
}

inside() {
  env -i HOME=/srv PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "${registry[@]}" chroot "$root" "$@"
}

leave_root() { umount -l "$root/proc" "$root/dev" 2>/dev/null || true; }
