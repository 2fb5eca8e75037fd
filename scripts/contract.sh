#!/usr/bin/env bash
# Write contract/openapi.json from the code, or with --check say whether it is up to date.
set -euo pipefail
cd "$(dirname "$0")/.."
python="${PYTHON:-.venv/bin/python}"
if [ "${1:-}" = "--check" ]; then
  if ! "$python" backend/main.py openapi | diff -u contract/openapi.json - >&2; then
    echo "contract/openapi.json is not what the code says. Run ./scripts/contract.sh and commit it." >&2
    exit 1
  fi
elif [ $# -gt 0 ]; then
  echo "usage: scripts/contract.sh [--check]" >&2
  exit 2
else
  new="$(mktemp contract/.openapi.XXXXXX)"
  trap 'rm -f "$new"' EXIT
  "$python" backend/main.py openapi >"$new"
  chmod 644 "$new"
  mv "$new" contract/openapi.json
fi
