#!/usr/bin/env bash
# Every published genotype as ONNX.
set -euo pipefail
"$MIXOP_PYTHON" "$MIXOP_SOURCE_DIR/tests/scripts/onnx_networks.py" --all
