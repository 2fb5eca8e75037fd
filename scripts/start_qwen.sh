#!/usr/bin/env bash
# Usage: ./scripts/start_qwen.sh [vllm_port] [backend_port] [frontend_port]
#
# The same as start_all.sh with the local Qwen3 model: models/Qwen3-0.6B or models/Qwen3-0.6B-GPTQ-Int8 (MODELS_DIR),
# else from the hub, else a small real model that stands in for it. --verbose and all else as in start_all.sh --help.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib/terminal.sh
. "$HERE/lib/terminal.sh"
WORDS=()
for argument in "$@"; do
  case $argument in -v | --verbose) ;; *) WORDS+=("$argument") ;; esac
done
take_arguments 3 ${WORDS[@]+"${WORDS[@]}"}
export DEFAULT_MODEL=''
exec "$HERE/start_all.sh" "" "$@"
