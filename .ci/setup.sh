# shellcheck shell=bash
# Sourced by ./quickstart, ./check and .ci/run: makes the machine ready to build mixop.
#
# Installs what is missing of the Debian packages below, and a Python environment with LibTorch in
# ${MIXOP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mixop}. A LibTorch that CMAKE_PREFIX_PATH or Torch_DIR lead to is used
# instead of the wheel. What is done is not done again; what was interrupted is repaired by the next call.
# Exports MIXOP_CACHE and MIXOP_PYTHON.

mixop_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export MIXOP_CACHE=${MIXOP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mixop}
mixop_venv=$MIXOP_CACHE/venv
export MIXOP_PYTHON=$mixop_venv/bin/python3
mixop_packages=(g++ cmake ninja-build ccache mold binutils python3 python3-venv ca-certificates libssl-dev libboost-dev
  libboost-filesystem-dev libboost-program-options-dev libhdf5-dev hdf5-tools libcereal-dev catch2 graphviz
  libjpeg-dev libpng-dev libprotobuf-dev protobuf-compiler libzip-dev libyaml-cpp-dev libcurl4-openssl-dev libarchive-dev
  libbz2-dev liblzma-dev nettle-dev libzstd-dev abigail-tools doxygen)
mixop_toolkit='cuda-toolkit[nvcc,cccl,crt,nvvm]==13.0.2'

mixop_say() { printf '== %s\n' "$*" >&2; }
mixop_fail() { printf 'set-up: %s\n' "$*" >&2; exit 1; }

mixop_missing_packages() {
  local installed
  installed=" $(dpkg-query -W -f='${db:Status-Status}:${Package} ' "${mixop_packages[@]}" 2>/dev/null || true) "
  local package
  for package in "${mixop_packages[@]}"; do
    [[ $installed == *" installed:$package "* ]] || printf '%s\n' "$package"
  done
}

mixop_install_packages() {
  if ! command -v dpkg-query >/dev/null; then
    mixop_say "no Debian packages on this system: taking for granted what ${mixop_packages[*]} provide"
    return
  fi
  local missing become=()
  mapfile -t missing < <(mixop_missing_packages)
  [[ ${#missing[@]} -gt 0 ]] || return 0
  if [[ $(id -u) != 0 ]]; then
    command -v sudo >/dev/null ||
      mixop_fail "these packages are missing and only root can install them: run 'apt-get install ${missing[*]}' as root"
    become=(sudo)
  fi
  mixop_say "installing packages: ${missing[*]}"
  { "${become[@]}" apt-get update -q && "${become[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -q -y --no-install-recommends "${missing[@]}"; } >&2 ||
    mixop_fail "apt-get did not install ${missing[*]} (its messages are above); install them and run this again"
}

# Whether CMAKE_PREFIX_PATH or Torch_DIR lead to a LibTorch of the machine's own.
mixop_own_libtorch() {
  local folder suffix folders
  IFS=: read -r -a folders <<<"${Torch_DIR:-}:${Torch_ROOT:-}:${CMAKE_PREFIX_PATH:-}"
  for folder in "${folders[@]}"; do
    [[ -n $folder ]] || continue
    for suffix in . Torch share/cmake/Torch lib/cmake/Torch; do
      [[ ! -e $folder/$suffix/TorchConfig.cmake ]] || return 0
    done
  done
  return 1
}

mixop_own_nvcc() {
  local compiler
  for compiler in nvcc "${CUDA_HOME:-}/bin/nvcc" "${CUDA_PATH:-}/bin/nvcc" /usr/local/cuda/bin/nvcc; do
    ! "$compiler" --version >/dev/null 2>&1 || return 0
  done
  return 1
}

# What the environment must hold, one requirement a line.
mixop_requirements() {
  if mixop_own_libtorch; then
    grep -v '^torch==' "$mixop_root/.ci/requirements.txt"
  else
    cat "$mixop_root/.ci/requirements.txt"
    mixop_own_nvcc || printf '%s\n' "$mixop_toolkit"
  fi
}

# Makes the folder of the CUDA wheels look like an installed toolkit: lib64, and libraries without their version.
mixop_link_toolkit() {
  local folder library plain
  for folder in "$mixop_venv"/lib/python3*/site-packages/nvidia/cu[0-9]*; do
    [[ -x $folder/bin/nvcc ]] || continue
    ln -sfn lib "$folder/lib64"
    for library in "$folder"/lib/lib*.so.*; do
      plain=${library%%.so.*}.so
      [[ -e $plain ]] || ln -s "$(basename "$library")" "$plain"
    done
  done
}

mixop_verify_environment() {
  local program='import numpy, h5py, PIL, tensorboard, onnx, onnxruntime, mkdocs'
  [[ $1 != *torch==* ]] || program+='; import torch; assert torch.__version__.split("+")[0] == "2.11.0", torch.__version__'
  "$MIXOP_PYTHON" -c "$program" >&2
}

# $1: the requirements. The mark beside the environment says that an installation began; it goes when one has ended.
mixop_install_environment() {
  local mark=$MIXOP_CACHE/venv.unfinished
  if [[ -e $mark ]] || ! "$MIXOP_PYTHON" -m pip --version >/dev/null 2>&1; then
    rm -rf "$mixop_venv"
  fi
  local free
  free=$(df -Pk "$MIXOP_CACHE" | awk 'NR == 2 { print int($4 / 1048576) }')
  if [[ ! -e $mixop_venv && $1 == *torch==* && $free -lt 10 ]]; then
    mixop_fail "LibTorch with its CUDA libraries needs 10 GiB in $MIXOP_CACHE, where $free are free; make room or set MIXOP_CACHE"
  fi
  mixop_say "preparing the Python environment $mixop_venv (LibTorch is a download of some GB the first time)"
  touch "$mark"
  [[ -e $mixop_venv ]] || python3 -m venv "$mixop_venv" >&2 || mixop_fail "python3 -m venv $mixop_venv failed (see above)"
  local requirements
  mapfile -t requirements <<<"$1"
  PIP_CACHE_DIR=$MIXOP_CACHE/pip "$MIXOP_PYTHON" -m pip install --quiet --disable-pip-version-check \
    "${requirements[@]}" >&2 || mixop_fail "pip did not install ${requirements[*]} into $mixop_venv (its messages are above); run this again once it can"
  mixop_link_toolkit
  mixop_verify_environment "$1" || mixop_fail "$mixop_venv does not work (see above); remove it and run this again"
  rm "$mark"
}

mixop_setup() {
  mkdir -p "$MIXOP_CACHE" || mixop_fail "cannot make the folder $MIXOP_CACHE; set MIXOP_CACHE to one that can be written"
  exec 9>"$MIXOP_CACHE/setup.lock"
  if ! flock -n 9; then
    mixop_say "waiting for another set-up to end"
    flock 9
  fi
  mixop_install_packages
  local wanted stamp=$MIXOP_CACHE/venv.stamp
  wanted=$(mixop_requirements)
  if [[ ! -x $MIXOP_PYTHON || -e $MIXOP_CACHE/venv.unfinished || $(cat "$stamp" 2>/dev/null) != "$wanted" ]]; then
    rm -f "$stamp"
    mixop_install_environment "$wanted"
    printf '%s\n' "$wanted" >"$stamp"
  fi
  exec 9>&-
}

# mixop_build TARGET...: configures and builds with the release preset.
mixop_build() {
  (cd "$mixop_root" && cmake --preset release --log-level=WARNING >&2 && cmake --build --preset release --target "$@" >&2) ||
    mixop_fail "the build failed; its messages are above"
}

mixop_setup
