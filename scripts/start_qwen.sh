#!/usr/bin/env bash
# Usage: ./scripts/start_qwen.sh [vllm_port] [backend_port] [frontend_port]
#
# The same as start_all.sh with the local Qwen3 model: models/Qwen3-0.6B or models/Qwen3-0.6B-GPTQ-Int8 (MODELS_DIR),
# else from the hub, else a small real model that stands in for it.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
case ${1:-} in
  -h | --help)
    # shellcheck source=scripts/lib/terminal.sh
    . "$HERE/lib/terminal.sh"
    usage
    exit 0
    ;;
esac
unset DEFAULT_MODEL
export DEFAULT_MODEL=''
exec "$HERE/start_all.sh" "" "$@"
