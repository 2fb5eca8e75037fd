#!/usr/bin/env bash
# Usage: ./scripts/test_qwen_model.sh [model]
#
# Checks, without starting or installing anything, whether the model can be served here: its files, Python, vLLM, its
# configuration, memory and disk. Prints a table with what to do for each failure; the exit code is the number of failures.
#   model  a folder or a name under MODELS_DIR (models/); without it the local Qwen3.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib/settings.sh
. "$HERE/lib/settings.sh"
# shellcheck source=scripts/lib/model.sh
. "$HERE/lib/model.sh"
take_arguments 1 "$@"

load_settings
find_device
if ! command -v python3 >/dev/null 2>&1; then
  printf '%-22s %-7s %s\n' Python FAILED "Python was not found: apt-get install python3 python3-venv (3.11 or newer)"
  exit 1
fi
MODEL=${1:-}
if [ -z "$MODEL" ]; then
  MODEL=${DEFAULT_MODELS[0]}
  for name in "${DEFAULT_MODELS[@]}"; do
    if [ -d "$MODELS_DIR/$name" ]; then
      MODEL=$name
      break
    fi
  done
fi
FOLDER=$MODEL
if [ ! -d "$FOLDER" ] && [ -d "$MODELS_DIR/$(basename "$MODEL")" ]; then FOLDER=$MODELS_DIR/$(basename "$MODEL"); fi
if [ ! -d "$FOLDER" ] && [[ $FOLDER != /* ]]; then FOLDER=$MODELS_DIR/$MODEL; fi
ENGINE_PACKAGE=$ENGINE_CPU
if [ "$ENGINE_DEVICE" = gpu ]; then ENGINE_PACKAGE=$ENGINE_GPU; fi
exec python3 "$ROOT/scripts/engine/model_check.py" "$FOLDER" --device "$ENGINE_DEVICE" --package "$ENGINE_PACKAGE" \
  --engine "$CACHE_DIR/engine-$ENGINE_DEVICE-${ENGINE_PACKAGE##*==}"
