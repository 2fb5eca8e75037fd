#!/usr/bin/env bash
# Installs vLLM into an image, with scripts/lib as everywhere; takes wheels of deploy/wheels where there are any.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if compgen -G "$HERE/wheels/*.whl" >/dev/null; then export PIP_FIND_LINKS="$HERE/wheels ${PIP_FIND_LINKS:-}"; fi
# The downloads would stay in the image for good.
export UV_NO_CACHE=1 PIP_NO_CACHE_DIR=1
# shellcheck source=scripts/lib/settings.sh
. "$HERE/../scripts/lib/settings.sh"
# shellcheck source=scripts/lib/model.sh
. "$HERE/../scripts/lib/model.sh"
load_settings
engine_environment
if [ "${SMALL_MODEL_WANTED:-true}" = true ]; then find_model "$SMALL_MODEL"; fi
rm -rf "$CACHE_DIR"/uv-* "$HERE/wheels"
