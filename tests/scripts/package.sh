#!/usr/bin/env bash
# What is installed works from another place, and builds plugins outside the tree by find_package(mixop).
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "package: $1" >&2; exit 1; }

cmake --install "$MIXOP_BUILD_DIR" --prefix "$work/first" >/dev/null
mv "$work/first" "$work/moved"
prefix=$work/moved
for path in bin/mixop include/mixop/abi/plugin.h include/mixop/plugin.hpp lib/libmixop_sdk.a lib/libmixop_values.a \
  lib/cmake/mixop/mixopConfig.cmake share/mixop/presets/quick.json lib/mixop/plugins/mixop_ops_darts.so; do
  [[ -e $prefix/$path ]] || fail "not installed: $path"
done
! grep -rl "$work/first" "$prefix" || fail "these files name the folder that was installed to"
! grep -rl "$MIXOP_SOURCE_DIR" "$prefix/lib/cmake" || fail "these files name the source tree"
"$prefix/bin/mixop" --help >/dev/null || fail "the moved program does not start"

mkdir "$work/plugin"
cat >"$work/plugin/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(halve LANGUAGES CXX)
find_package(mixop REQUIRED)
mixop_add_plugin(NAME halve SOURCES halve.cpp KINDS operator TIER native)
CMAKE
cat >"$work/plugin/halve.cpp" <<'CPP'
#include <ATen/ops/mul.h>

#include "mixop/operator.hpp"
#include "mixop/plugin.hpp"

class Halve final : public mixop::Operator {
 public:
  explicit Halve(const mixop::OpSpec&) {}
  at::Tensor forward(const at::Tensor& input, const mixop::Forward&) override { return at::mul(input, 0.5); }
  const std::vector<mixop::StateEntry>& state() override { return none_; }

 private:
  std::vector<mixop::StateEntry> none_;
};

MIXOP_PLUGIN("acme.halve", "1.0.0", "Halves.", mixop::native_operator<Halve>("acme.halve"));
CPP
cmake -G Ninja -S "$work/plugin" -B "$work/build" -Dmixop_DIR="$prefix/lib/cmake/mixop" >"$work/log" 2>&1 ||
  fail "a project with find_package(mixop) is not configured: $(tail -20 "$work/log")"
cmake --build "$work/build" >"$work/log" 2>&1 || fail "a plugin outside the tree is not built: $(tail -20 "$work/log")"
plugin=$work/build/lib/mixop/plugins/halve.so
[[ $(nm -D --defined-only "$plugin" | awk '{ print $3 }') == mixop_plugin_v1 ]] || fail "$plugin exports more or less than its one symbol"
readelf -n "$plugin" | grep -q '^  mixop' || fail "$plugin has no note"

sed -i 's/KINDS operator/KINDS operater/' "$work/plugin/CMakeLists.txt"
! cmake --build "$work/build" >"$work/log" 2>&1 || fail "a wrong KINDS is taken"
tr -s ' \n' ' ' <"$work/log" | grep -q "KINDS 'operater' is none of operator;space;dataset;strategy" ||
  fail "a wrong KINDS is not explained: $(tail -20 "$work/log")"
echo "package: all well"
