# shellcheck shell=bash
# Owns Python: finding 3.11 or newer, getting uv, and the backend's environment (.venv in the clone).
# It does not own the engine's environment (engine.sh).

# shellcheck source=scripts/lib/project.sh
. "$(dirname "${BASH_SOURCE[0]}")/project.sh"

UV_VERSION=0.13.8

# find_python [NEWEST_MINOR]: sets PYTHON to the first interpreter from 3.11 up to 3.NEWEST_MINOR.
find_python() {
  local newest=${1:-99} candidate
  for candidate in python3 python3.13 python3.12 python3.11 python3.14 python; do
    if PYTHON=$("$candidate" -c 'import sys
minor = sys.version_info[1]
print(sys.executable if sys.version_info[0] == 3 and 11 <= minor <= int(sys.argv[1]) else "")' "$newest" 2>/dev/null) &&
      [ -n "$PYTHON" ]; then
      export PYTHON
      return 0
    fi
  done
  local wanted="3.11 or newer"
  if [ "$newest" != 99 ]; then wanted="3.11 to 3.$newest"; fi
  fail "Python $wanted was not found (python3 is $(python3 --version 2>&1 || echo missing))." \
    "install it: Debian and Ubuntu: apt-get install python3 python3-venv; Fedora: dnf install python3; macOS: brew install python@3.13."
}

# find_uv: sets UV; takes the one on PATH, else installs it with pip into the user's cache.
find_uv() {
  # uv asks its own settings for these; who has told pip has told us too.
  if [ -n "${PIP_INDEX_URL:-}" ]; then export UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX:-$PIP_INDEX_URL}; fi
  export UV_LINK_MODE=${UV_LINK_MODE:-copy} UV_PYTHON_DOWNLOADS=${UV_PYTHON_DOWNLOADS:-never} UV_NO_PROGRESS=${UV_NO_PROGRESS:-1}
  if UV=$(command -v uv); then return 0; fi
  UV=$CACHE_DIR/uv-$UV_VERSION/bin/uv
  if [ -x "$UV" ]; then return 0; fi
  find_python
  locked uv _install_uv
}

_install_uv() {
  local place=$CACHE_DIR/uv-$UV_VERSION
  if [ -x "$UV" ]; then return 0; fi
  step "installing uv $UV_VERSION (the package installer)"
  rm -rf "$place"
  mkdir -p "$CACHE_DIR"
  if "$PYTHON" -m venv "$place" >/dev/null 2>&1 && [ -x "$place/bin/pip" ]; then
    "$place/bin/pip" install --quiet --disable-pip-version-check "uv==$UV_VERSION" && return 0
  elif "$PYTHON" -m pip --version >/dev/null 2>&1; then
    rm -rf "$place"
    "$PYTHON" -m pip install --quiet --disable-pip-version-check --target "$place" "uv==$UV_VERSION" && return 0
  else
    rm -rf "$place"
    fail "Python at $PYTHON has neither venv nor pip." "Debian and Ubuntu: apt-get install python3-venv; then start again."
  fi
  rm -rf "$place"
  fail "uv could not be installed from the Python package index." "check the network (or PIP_INDEX_URL for a mirror); then start again." 1
}

# backend_environment [dev]: makes .venv what the lock says; sets BACKEND_PYTHON. Does nothing when nothing has changed.
# An environment made for the tests stays one: their lock holds everything of the other.
backend_environment() {
  BACKEND_PYTHON=$ROOT/.venv/bin/python
  export BACKEND_PYTHON
  local wanted=${1:-} stamp=$ROOT/.venv/.synced
  if [ -f "$stamp" ] && [ "$(cut -d' ' -f1 "$stamp")" = dev ]; then wanted=dev; fi
  local lock=$ROOT/backend/requirements${wanted:+-$wanted}.txt
  if [ ! -f "$lock" ]; then fail "backend/$(basename "$lock") is missing." "restore it: git checkout -- backend"; fi
  local mark
  mark="${wanted:-run} $(fingerprint "$lock")"
  if [ "$(cat "$stamp" 2>/dev/null)" = "$mark" ] && [ -x "$BACKEND_PYTHON" ]; then return 0; fi
  find_uv
  locked "backend-$(place_key)" _sync_backend "$lock" "$stamp" "$mark"
}

_sync_backend() {
  local lock=$1 stamp=$2 mark=$3
  if [ "$(cat "$stamp" 2>/dev/null)" = "$mark" ] && [ -x "$BACKEND_PYTHON" ]; then return 0; fi
  step "installing the backend's packages from backend/$(basename "$lock")"
  if [ ! -x "$BACKEND_PYTHON" ]; then
    find_python
    rm -rf "$ROOT/.venv"
    "$UV" venv --quiet --python "$PYTHON" "$ROOT/.venv" || fail "$ROOT/.venv could not be made." "look at the lines above; is the disk full or read-only?" 1
  fi
  # Which kind it is stays known if this is ended in its middle.
  printf '%s unfinished\n' "${mark%% *}" >"$stamp"
  # Compiled now, so that no start of the backend has to (nor compiles it each time, where bytecode is not written).
  "$UV" pip sync --quiet --compile-bytecode --python "$BACKEND_PYTHON" --require-hashes "$lock" ||
    fail "the backend's packages could not be installed." "look at the lines above: most often the network or a mirror (UV_DEFAULT_INDEX, PIP_INDEX_URL); then start again." 1
  printf '%s\n' "$mark" >"$stamp"
}
