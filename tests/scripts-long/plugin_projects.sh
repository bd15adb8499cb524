#!/usr/bin/env bash
# Every kind of project of `mixop plugins new`, against the installed package and against the build folder.
set -euo pipefail
source "$MIXOP_SOURCE_DIR/tests/support/plugin_projects.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_STATE_HOME=$work/state
cmake --install "$MIXOP_BUILD_DIR" --prefix "$work/prefix" >/dev/null
for place in "$work/prefix" "$MIXOP_BUILD_DIR"; do
  mkdir "$work/projects"
  cd "$work/projects"
  plugin_projects "$place" op chain-op dataset space relaxation strategy
  rm -rf "$work/projects"
done
echo "plugin_projects: all well"
