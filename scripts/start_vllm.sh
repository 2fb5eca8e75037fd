#!/usr/bin/env bash
# Usage: ./scripts/start_vllm.sh [model] [port]
#
# Starts vLLM with one model on 127.0.0.1; the first time it installs vLLM for this machine (GPU or CPU).
#   model  a folder, a name under MODELS_DIR (models/), or a hub's organisation/model.
#          Without it: models/Qwen3-0.6B or models/Qwen3-0.6B-GPTQ-Int8, else the hub, else a small real model.
#   port   default: the one in VLLM_API_BASE_URL when that is on this machine, else 8000.
# Settings (environment, then .env): MODELS_DIR, DEFAULT_MODEL, VLLM_API_KEY, VLLM_EXTRA_ARGS, HF_ENDPOINT, VLLM_USE_MODELSCOPE,
# ENGINE_DEVICE=auto|cpu|gpu, VLLM_CPU_KVCACHE_SPACE (GiB). VLLM_EXTRA_ARGS comes last and so wins over everything here.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib/settings.sh
. "$HERE/lib/settings.sh"
# shellcheck source=scripts/lib/model.sh
. "$HERE/lib/model.sh"
# shellcheck source=scripts/lib/ports.sh
. "$HERE/lib/ports.sh"
take_arguments 2 "$@"

load_settings
find_python
MODEL=${1:-${DEFAULT_MODEL:-}}
PORT=$(engine_port "${2:-}")
check_port "the vLLM port" "$PORT"
need_free_port "vLLM" "$PORT"

check_engine_arguments
look_up_model "$MODEL"
engine_environment
find_model "$MODEL"
if [ -n "${MODEL_STATUS_FILE:-}" ]; then
  # For the supervisor, and through it for the page.
  "$PYTHON" -c '
import json, sys
json.dump({"model": sys.argv[2], "note": sys.argv[3]}, open(sys.argv[1], "w"))' "$MODEL_STATUS_FILE" "$MODEL_NAME" "$MODEL_NOTE"
fi

PLAN=()
while IFS= read -r line; do PLAN+=("$line"); done < <("$PYTHON" "$ROOT/scripts/engine/serving_plan.py" "$MODEL_PATH" "$ENGINE_DEVICE")
if [ ${#PLAN[@]} -lt 2 ]; then fail "the configuration of $MODEL_PATH cannot be read." "./scripts/test_qwen_model.sh $MODEL_PATH says what is wrong."; fi
if [ "$ENGINE_DEVICE" = cpu ]; then export VLLM_CPU_KVCACHE_SPACE=${VLLM_CPU_KVCACHE_SPACE:-${PLAN[0]}}; fi
if [ -z "${VLLM_CPU_KVCACHE_SPACE:-}" ]; then unset VLLM_CPU_KVCACHE_SPACE; fi
EXTRA=()
if [ -n "${VLLM_EXTRA_ARGS:-}" ]; then
  # Quotes in the setting mean what they mean in a shell; nothing in it is run.
  while IFS= read -r -d '' line; do EXTRA+=("$line"); done < <("$PYTHON" -c '
import shlex, sys
for word in shlex.split(sys.argv[1]): print(word, end="\0")' "$VLLM_EXTRA_ARGS")
fi

if [ -z "${VLLM_API_KEY:-}" ]; then
  # An empty key would be taken as one.
  unset VLLM_API_KEY
  note "VLLM_API_KEY is not set: any program on this machine may ask this vLLM"
fi
# The key travels by the environment, where other users of the machine cannot read it as they can a command line.
unset VLLM_SERVER_DEV_MODE
export VLLM_NO_USAGE_STATS=1 DO_NOT_TRACK=1 HF_HUB_OFFLINE=1 VLLM_MAX_N_SEQUENCES=${VLLM_MAX_N_SEQUENCES:-4}
export VLLM_MEDIA_URL_ALLOW_REDIRECTS=0
HOST=${VLLM_HOST:-127.0.0.1}
step "loading $MODEL_NAME into vLLM (${ENGINE_PACKAGE}) on $HOST:$PORT"
# Ours, not vLLM's: it warns of every VLLM_ name that it does not know, and would want a hub's client for a model that is here.
unset VLLM_HOST VLLM_EXTRA_ARGS VLLM_API_BASE_URL VLLM_USE_MODELSCOPE
exec "$ENGINE_PYTHON" -m vllm.entrypoints.openai.api_server --model "$MODEL_PATH" --served-model-name "$MODEL_NAME" \
  --host "$HOST" --port "$PORT" --disable-fastapi-docs --disable-uvicorn-access-log \
  "${PLAN[@]:1}" ${EXTRA[@]+"${EXTRA[@]}"}
