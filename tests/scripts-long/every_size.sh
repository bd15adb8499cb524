#!/usr/bin/env bash
# Every stored size of the networks of D-DARTS and DARTOpti; the fast tests compare the smallest of each kind.
exec "$MIXOP_PYTHON" "$MIXOP_SOURCE_DIR/tests/scripts/answers.py" --every-size
