#!/usr/bin/env bash
# Usage: build_page.sh FOLDER  (in an image that is being built)
#
# Builds the page with scripts/lib as everywhere, and puts what serving it needs into FOLDER: Node, the server, its two
# packages, the build.
set -euo pipefail
OUT=$1
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# An empty address would be taken as one.
if [ -z "${NPM_CONFIG_REGISTRY:-}" ]; then unset NPM_CONFIG_REGISTRY; fi
# shellcheck source=scripts/lib/node.sh
. "$HERE/../scripts/lib/node.sh"
find_node
page_packages
page_build
mkdir -p "$OUT/frontend"
cp "$(node -p process.execPath)" "$OUT/node"
cp -r "$ROOT/frontend/server" "$ROOT/frontend/build" "$ROOT/frontend/package.json" "$ROOT/frontend/package-lock.json" "$ROOT/frontend/.npmrc" "$OUT/frontend/"
(cd "$OUT/frontend" && npm ci --omit=dev --no-audit --no-fund --loglevel=error)
