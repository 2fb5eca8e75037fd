#!/usr/bin/env bash
# Usage: ./scripts/run.sh web-chat [model_name] [vllm_port] [backend_port] [frontend_port]
#
# `web-chat` starts everything on this machine; it is the same as ./scripts/start_all.sh.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib/terminal.sh
. "$HERE/lib/terminal.sh"
case ${1:-} in
  web-chat)
    shift
    exec "$HERE/start_all.sh" "$@"
    ;;
  -h | --help) usage ;;
  '') usage; exit 78 ;;
  *) fail "there is nothing called \"$1\" to run." "./scripts/run.sh web-chat" ;;
esac
