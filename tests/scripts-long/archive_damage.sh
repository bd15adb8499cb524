#!/usr/bin/env bash
# tests/attack/archive_damage.py on every byte.
set -euo pipefail
exec "$MIXOP_PYTHON" "$MIXOP_SOURCE_DIR/tests/attack/archive_damage.py" 1
