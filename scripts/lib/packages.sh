# shellcheck shell=bash
# Owns the Debian packages that the tests need: Chromium, PostgreSQL, Redis, fonts for pictures.
# The product itself needs none of them.

# shellcheck source=scripts/lib/project.sh
. "$(dirname "${BASH_SOURCE[0]}")/project.sh"

# package : a file that says it is there
TEST_PACKAGES=(
  "chromium:/usr/bin/chromium"
  "redis-server:/usr/bin/redis-server"
  "postgresql:/usr/lib/postgresql/*/bin/initdb"
  "fonts-noto-cjk:/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
  "fonts-noto-color-emoji:/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
  "python3-venv:"
)

# test_packages: installs what is missing; says what is, where it may not.
test_packages() {
  local entry missing=()
  for entry in "${TEST_PACKAGES[@]}"; do
    case $entry in
      python3-venv:) if ! python3 -c 'import ensurepip' 2>/dev/null && ! command -v uv >/dev/null; then missing+=(python3-venv); fi ;;
      *) if ! compgen -G "${entry#*:}" >/dev/null; then missing+=("${entry%%:*}"); fi ;;
    esac
  done
  if [ ${#missing[@]} -gt 0 ]; then install_packages "${missing[@]}"; fi
}

# install_packages PACKAGE...: of Debian; where it may not, says what is missing and ends the script.
install_packages() {
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    fail "the tests need what is not installed: $*." \
      "Debian and Ubuntu: sudo apt-get install $*; or the inner loop without them: ./scripts/test.sh --quick"
  fi
  step "installing Debian packages: $*"
  # Services are started by the tests that use them, never by the installation.
  local log=$CACHE_DIR/apt.log
  mkdir -p "$CACHE_DIR"
  _apt_get install "$@" >"$log" 2>&1 || { _apt_get update >"$log" 2>&1 && _apt_get install "$@" >>"$log" 2>&1; } || {
    tail -n 15 "$log" >&2
    fail "the Debian packages could not be installed: $*." "look at the lines above; then run it again." 1
  }
}

_apt_get() {
  DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -y -q -o DPkg::Lock::Timeout=300 \
    -o APT::Install-Recommends=false "$@"
}
