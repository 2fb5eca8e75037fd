# shellcheck shell=bash
# Owns where things lie: the clone, its data, and the user's cache.
# It does not own settings (settings.sh) or what is put there.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CACHE_DIR=${XDG_CACHE_HOME:-$HOME/.cache}/vllm-chat
export ROOT CACHE_DIR

# shellcheck source=scripts/lib/terminal.sh
. "$ROOT/scripts/lib/terminal.sh"

# fingerprint FILE...: a hash over the contents, in the order given; missing files count as empty.
fingerprint() {
  local file
  for file in "$@"; do
    if [ -f "$file" ]; then cksum <"$file"; else echo missing; fi
  done | cksum | tr ' ' '-'
}

# place_key: tells this clone's locks from another's.
place_key() { printf '%s' "$ROOT" | cksum | tr ' ' '-'; }

# locked NAME COMMAND...: runs it while no other script of this user does the same work.
locked() {
  local name=$1
  shift
  mkdir -p "$CACHE_DIR/locks"
  if ! command -v flock >/dev/null 2>&1; then
    "$@"
    return
  fi
  (
    exec 9>"$CACHE_DIR/locks/$name"
    if ! flock -n 9; then
      step "waiting for another start that is setting up the same ($name)"
      flock 9
    fi
    "$@"
  )
}
