#!/usr/bin/env bash
# Usage: with_engine_key.sh COMMAND...
#
# Runs the command with VLLM_API_KEY. Where none is set, vLLM and the backend share one that the first of them makes, in a
# volume that nobody else has: no key stands in a file of the project, and none is the same in two installations.
set -euo pipefail
KEY_FILE=${ENGINE_KEY_FILE:-/run/engine-key/key}

if [ -z "${VLLM_API_KEY:-}" ]; then
  if [ ! -s "$KEY_FILE" ]; then
    umask 077
    own=$(mktemp "$KEY_FILE.XXXXXX")
    head -c 32 /dev/urandom | od -An -vtx1 | tr -d ' \n' >"$own"
    # Whoever comes first wins; the other takes that one.
    ln "$own" "$KEY_FILE" 2>/dev/null || true
    rm -f "$own"
  fi
  VLLM_API_KEY=$(cat "$KEY_FILE")
  export VLLM_API_KEY
fi
exec "$@"
