#!/usr/bin/env bash
# Usage: ./scripts/start_backend.sh
#
# Starts the backend on BACKEND_HOST:BACKEND_PORT (127.0.0.1:8080); the first time it installs its packages into .venv.
# vLLM need not be installed here: VLLM_API_BASE_URL may name any OpenAI-compatible server (http://127.0.0.1:8000/v1).
# Settings come from the environment, then from .env; .env.example shows all of them.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib/settings.sh
. "$HERE/lib/settings.sh"
# shellcheck source=scripts/lib/python.sh
. "$HERE/lib/python.sh"
# shellcheck source=scripts/lib/ports.sh
. "$HERE/lib/ports.sh"
case ${1:-} in
  '') ;;
  -h | --help) usage; exit 0 ;;
  *) fail "start_backend.sh takes no argument \"$1\"." "set BACKEND_PORT and the like in the environment or in .env." ;;
esac

load_settings
# Before the set-up, which takes a while the first time; its own address the backend checks itself.
need_silent_port "the backend" BACKEND_PORT "${BACKEND_PORT:-8080}"
backend_environment
cd "$ROOT"
exec "$BACKEND_PYTHON" backend/main.py
