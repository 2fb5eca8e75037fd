#!/usr/bin/env bash
# Usage: ./scripts/start_frontend.sh
#
# Serves the page on 127.0.0.1:FRONTEND_PORT (3000) and forwards /api /v1 /socket.io /ws /metrics to the backend at
# BACKEND_HOST:BACKEND_PORT; the first time, and after a change, it installs the page's packages and builds it.
# Settings come from the environment, then from .env; .env.example shows all of them.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib/settings.sh
. "$HERE/lib/settings.sh"
# shellcheck source=scripts/lib/node.sh
. "$HERE/lib/node.sh"
# shellcheck source=scripts/lib/ports.sh
. "$HERE/lib/ports.sh"
case ${1:-} in
  '') ;;
  -h | --help) usage; exit 0 ;;
  *) fail "start_frontend.sh takes no argument \"$1\"." "set FRONTEND_PORT and the like in the environment or in .env." ;;
esac

load_settings
# Before the set-up, which takes a while the first time.
check_port BACKEND_PORT "${BACKEND_PORT:-8080}"
need_silent_port "the page" FRONTEND_PORT "${FRONTEND_PORT:-3000}"
find_node
page_packages
page_build
cd "$ROOT"
export NODE_ENV=production
exec node frontend/server/index.js
