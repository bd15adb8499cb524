#!/usr/bin/env bash
# Ten times the kills of tests/attack/crash_kills.py.
set -euo pipefail
exec "$MIXOP_PYTHON" "$MIXOP_SOURCE_DIR/tests/attack/crash_kills.py" 400
