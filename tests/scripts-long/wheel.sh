#!/usr/bin/env bash
# In bare Debians without a compiler, pip installs the wheel and a search finds its genotype; where no CUDA library is, too; uninstalling leaves
# nothing. With a compiler, the tutorials of plugins are followed to the letter with nothing but the wheel, and every kind of project builds. Needs root,
# debootstrap, a network and 20 GiB; half an hour.
#
# MIXOP_WHEEL: a wheel that .ci/wheel made (default: it is made). MIXOP_FRESH_SUITES: the Debians (default: "bookworm trixie").
# MIXOP_FRESH_ROOT: the folder for them. MIXOP_DATA: CIFAR-10 for the tutorials (default: drawn images).
set -euo pipefail
source "$MIXOP_SOURCE_DIR/tests/support/debian_root.sh"

fail() { echo "wheel: $1" >&2; exit 1; }
work=${MIXOP_FRESH_ROOT:-$(mktemp -d)}
cleanup() {
  [[ -z ${root:-} ]] || { umount -l "$root/srv/data" 2>/dev/null || true; leave_root; }
  [[ -n ${MIXOP_FRESH_ROOT:-} ]] || rm -rf --one-file-system "$work"
}
trap cleanup EXIT

if [[ -z ${MIXOP_WHEEL:-} ]]; then
  "$MIXOP_SOURCE_DIR/.ci/wheel" "$work/dist" >/dev/null
  MIXOP_WHEEL=$(ls "$work"/dist/mixop-*.whl)
fi
size=$(du -m "$MIXOP_WHEEL" | cut -f1)
echo "figure: $(basename "$MIXOP_WHEEL") has $size MiB"
[[ $size -le 40 ]] || fail "the wheel has $size MiB, expected at most 40"
mkdir "$work/unpacked"
"$MIXOP_PYTHON" -m zipfile -e "$MIXOP_WHEEL" "$work/unpacked"
while read -r file; do
  path=$(readelf -d "$file" 2>/dev/null | sed -n 's/.*(R\(UN\)\?PATH).*\[\(.*\)\]/\2/p') || true
  [[ -z $path || :$path: =~ ^(:\$ORIGIN[^:]*)+:$ ]] || fail "${file#"$work/unpacked/"} looks for libraries in '$path', expected below \$ORIGIN alone"
done < <(find "$work/unpacked" -type f)

site() { inside /srv/venv/bin/python3 -c 'import sysconfig; print(sysconfig.get_path("purelib"))'; }

for suite in ${MIXOP_FRESH_SUITES:-bookworm trixie}; do
  debian_root "$work/$suite" "$suite"
  inside bash -c 'apt-get update -q && apt-get install -q -y --no-install-recommends python3-venv ca-certificates' >"$work/log" 2>&1 ||
    fail "$suite: no Python: $(tail -5 "$work/log")"
  ! inside sh -c 'command -v cc || command -v c++' || fail "$suite: there is a compiler"
  cp "$MIXOP_WHEEL" "$root/srv/"
  inside python3 -m venv /srv/venv
  inside /srv/venv/bin/pip install --no-cache-dir -q torch==2.11.0 >"$work/log" 2>&1 || fail "$suite: pip and LibTorch: $(tail -5 "$work/log")"
  began=$(date +%s)
  inside /srv/venv/bin/pip install --no-cache-dir -q "/srv/$(basename "$MIXOP_WHEEL")" >"$work/log" 2>&1 || fail "$suite: pip: $(tail -5 "$work/log")"
  inside bash -c 'cd /srv && venv/bin/mixop search quick --out run.h5 && venv/bin/mixop derive run.h5' >"$work/log" 2>&1 ||
    fail "$suite: no genotype: $(tail -20 "$work/log")"
  echo "figure: $suite: from pip install mixop, where LibTorch is, to a genotype in $(($(date +%s) - began)) s"
  # Where CUDA's part of LibTorch is gone.
  inside bash -c "cd /srv && mv $(site)/torch/lib/libtorch_cuda.so . && venv/bin/mixop search quick --set search.epochs=1 --out cpu.h5 && mv libtorch_cuda.so $(site)/torch/lib/" \
    >"$work/log" 2>&1 || fail "$suite: without libtorch_cuda.so: $(tail -20 "$work/log")"
  [[ $suite == bookworm ]] || { leave_root; continue; }

  inside bash -c 'apt-get install -q -y --no-install-recommends g++ cmake make ninja-build hdf5-tools graphviz bc && /srv/venv/bin/pip install --no-cache-dir -q h5py numpy' \
    >"$work/log" 2>&1 || fail "$suite: no compiler: $(tail -5 "$work/log")"
  mkdir -p "$root/srv/pages/tests" "$root/srv/data"
  cp -r "$MIXOP_SOURCE_DIR/docs" "$root/srv/pages/"
  cp -r "$MIXOP_SOURCE_DIR/tests/support" "$MIXOP_SOURCE_DIR/tests/scripts-long" "$root/srv/pages/tests/"
  [[ -z ${MIXOP_DATA:-} ]] || mount --bind "$MIXOP_DATA" "$root/srv/data"
  inside env MIXOP_SOURCE_DIR=/srv/pages MIXOP_PACKAGE="$(site)/mixop" ${MIXOP_DATA:+MIXOP_DATA=/srv/data} PATH="/srv/venv/bin:/usr/bin:/bin" \
    python3 /srv/pages/tests/scripts-long/tutorials.py || fail "$suite: the tutorials"
  inside env PATH="/srv/venv/bin:/usr/bin:/bin" XDG_STATE_HOME=/srv/state bash -euo pipefail -c \
    'source /srv/pages/tests/support/plugin_projects.sh; mkdir /srv/projects; cd /srv/projects; plugin_projects "$(mixop plugins prefix)" op chain-op stable-op cuda-op dataset space relaxation strategy' ||
    fail "$suite: the projects"
  inside /srv/venv/bin/pip uninstall -q -y mixop
  left=$(inside bash -c 'find /srv/venv -iname "*mixop*"')
  [[ -z $left ]] || fail "$suite: uninstalling leaves $left"
  umount -l "$root/srv/data" 2>/dev/null || true
  leave_root
done
echo "wheel: all well"
