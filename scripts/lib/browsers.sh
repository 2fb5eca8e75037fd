# shellcheck shell=bash
# Owns the browsers that the page is tested in beside Chromium: Firefox, and WebKit (the engine of Safari) as Debian builds it.
# It does not test: e2e/test_other_browsers.py does.

# shellcheck source=scripts/lib/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

# marker of its tests : its name : the packages
OTHER_BROWSERS=(
  "firefox:Firefox:firefox-esr"
  "webkit:WebKit:webkit2gtk-driver xvfb"
)

has_browser() {
  case $1 in
    firefox) [ -x /usr/bin/firefox-esr ] ;;
    webkit) [ -x /usr/bin/WebKitWebDriver ] && [ -x /usr/bin/Xvfb ] ;;
  esac
}

# other_browsers: installs those that are missing and that this Debian has. One that it has and that cannot be installed is a failure.
other_browsers() {
  local entry marker name packages wanted=()
  for entry in "${OTHER_BROWSERS[@]}"; do
    IFS=: read -r marker name packages <<<"$entry"
    if has_browser "$marker" || ! _debian_has "$packages"; then continue; fi
    # shellcheck disable=SC2206
    wanted+=($packages)
  done
  if [ ${#wanted[@]} -gt 0 ]; then install_packages "${wanted[@]}"; fi
}

# said_of_browsers: one line for each that is not tested.
said_of_browsers() {
  local entry marker name packages
  for entry in "${OTHER_BROWSERS[@]}"; do
    IFS=: read -r marker name packages <<<"$entry"
    if ! has_browser "$marker"; then note "$name is not here and this system's packages do not have it ($packages): not tested"; fi
  done
}

# installed_browsers: the markers of those that are there, one a line.
installed_browsers() {
  local entry
  for entry in "${OTHER_BROWSERS[@]}"; do
    if has_browser "${entry%%:*}"; then printf '%s\n' "${entry%%:*}"; fi
  done
}

browser_version() {
  case $1 in
    firefox) firefox-esr --version ;;
    webkit) WebKitWebDriver --version ;;
  esac 2>/dev/null | grep -o '[0-9][0-9.]*' | head -n 1
}

_debian_has() {
  command -v apt-cache >/dev/null 2>&1 || return 1
  _has_candidates "$1" && return 0
  # A new machine has no lists yet.
  if [ "$(id -u)" = 0 ]; then _apt_get update >/dev/null 2>&1 || true; fi
  _has_candidates "$1"
}

_has_candidates() {
  local package
  for package in $1; do
    [[ $(apt-cache policy "$package" 2>/dev/null) =~ Candidate:\ [^\(] ]] || return 1
  done
}
