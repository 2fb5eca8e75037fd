#!/usr/bin/env bash
# Usage: ./scripts/start_all.sh [model_name] [vllm_port] [backend_port] [frontend_port]
#
# Everything on this machine, from a bare clone: set-up, model, vLLM (8000), backend (8080), page (3000). Ctrl+C ends all of it.
#   model_name  a folder, a name under MODELS_DIR (models/), or a hub's organisation/model; "" or nothing:
#               models/Qwen3-0.6B or models/Qwen3-0.6B-GPTQ-Int8, else the hub, else a small real model.
# Page and history are there before the model is. Logs: data/logs/. Options: --verbose shows all of them here too.
# When VLLM_API_BASE_URL names another machine and no model is given, vLLM is not started here.
#
# The rule for a part that ends by itself: it is started again after 1, 2, 4, 8 s; at its fifth end without having been
# up for a minute in between, and at once when its set-up says that trying again cannot help, everything ends with code 1.
# Code 0 is Ctrl+C or SIGTERM; a second Ctrl+C does not wait for anything. Code 78 is a mistake in what was asked for.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib/settings.sh
. "$HERE/lib/settings.sh"
# shellcheck source=scripts/lib/model.sh
. "$HERE/lib/model.sh"
# shellcheck source=scripts/lib/node.sh
. "$HERE/lib/node.sh"
# shellcheck source=scripts/lib/ports.sh
. "$HERE/lib/ports.sh"
OPTIONS=() ARGUMENTS=()
for argument in "$@"; do
  case $argument in
    -v | --verbose) OPTIONS+=(--verbose) ;;
    *) ARGUMENTS+=("$argument") ;;
  esac
done
set -- ${ARGUMENTS[@]+"${ARGUMENTS[@]}"}
take_arguments 4 "$@"

# All that can be wrong with what was asked for is found here, before anything is started.
load_settings
MODEL=${1:-${DEFAULT_MODEL:-}}
VLLM_PORT=$(engine_port "${2:-}")
BACKEND_PORT=${3:-${BACKEND_PORT:-8080}}
FRONTEND_PORT=${4:-${FRONTEND_PORT:-3000}}
export BACKEND_PORT FRONTEND_PORT
check_port "the vLLM port" "$VLLM_PORT"
check_port "the backend port" "$BACKEND_PORT"
check_port "the page's port" "$FRONTEND_PORT"
if [ "$VLLM_PORT" = "$BACKEND_PORT" ] || [ "$VLLM_PORT" = "$FRONTEND_PORT" ] || [ "$BACKEND_PORT" = "$FRONTEND_PORT" ]; then
  fail "two parts were given the same port (vLLM $VLLM_PORT, backend $BACKEND_PORT, page $FRONTEND_PORT)." "give three different ports."
fi
find_python
if ! command -v node >/dev/null 2>&1; then find_node; fi
if engine_is_elsewhere && [ -z "${1:-}" ] && [ -z "${2:-}" ]; then
  OPTIONS+=(--no-engine)
else
  need_free_port "vLLM" "$VLLM_PORT"
  check_engine_arguments
  look_up_model "$MODEL"
  export VLLM_API_BASE_URL=http://127.0.0.1:$VLLM_PORT/v1
fi
need_free_port "the backend" "$BACKEND_PORT" "${BACKEND_HOST:-127.0.0.1}"
need_free_port "the page" "$FRONTEND_PORT"
exec "$PYTHON" "$ROOT/scripts/supervisor.py" --model "$MODEL" --vllm-port "$VLLM_PORT" --backend-port "$BACKEND_PORT" \
  --page-port "$FRONTEND_PORT" ${OPTIONS[@]+"${OPTIONS[@]}"}
