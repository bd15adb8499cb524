#!/usr/bin/env bash
# Every built plugin, those that tests load as well, has its note, exports one symbol, carries no search path, and keeps the
# note when stripped.
set -euo pipefail

# What the build makes; a file of an older build may lie beside it.
mapfile -t plugins < <(grep -oE '(lib/mixop|tests)/plugins/[A-Za-z0-9_.]+\.so' "$MIXOP_BUILD_DIR/build.ninja" | sort -u)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { echo "$1: $2" >&2; exit 1; }

# The note's owner and payload size, as readelf prints them: "mixop 0x0000002c".
note_of() { readelf -n "$1" | awk '$1 == "mixop" { print $1, $2 }'; }

count=0
for plugin in "${plugins[@]}"; do
  plugin=$MIXOP_BUILD_DIR/$plugin
  [[ -f $plugin ]] || fail "$plugin" "is not built"
  exported=$(nm -D --defined-only "$plugin" | awk '{ print $3 }')
  [[ $exported == mixop_plugin_v1 ]] || fail "$plugin" "expected mixop_plugin_v1 alone, exports: $exported"
  [[ $(note_of "$plugin") == "mixop 0x0000002c" ]] || fail "$plugin" "expected one note of 44 bytes, found '$(note_of "$plugin")'"
  ! readelf -d "$plugin" | grep -E 'RPATH|RUNPATH' || fail "$plugin" "carries a library search path"
  strip --strip-all -o "$work/stripped.so" "$plugin"
  [[ $(note_of "$work/stripped.so") == "mixop 0x0000002c" ]] || fail "$plugin" "strip removes the note"
  count=$((count + 1))
done
[[ $count -gt 0 ]] || fail "$MIXOP_BUILD_DIR" "no plugins are built"
echo "figure: plugins that export the one symbol alone $count of $count"
