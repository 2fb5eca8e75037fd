# shellcheck shell=bash
# Owns Node: finding it, the page's packages, and the page's static build.
# It does not serve the page (start_frontend.sh).

# shellcheck source=scripts/lib/project.sh
. "$(dirname "${BASH_SOURCE[0]}")/project.sh"

# Used when the machine's own are older than the page's tools want.
NODE_FROM_NPM=22.23.3
NPM_FROM_NPM=11.19.1

# find_node: puts a Node of at least 20.19 first on PATH; an older one with npm fetches a newer one into the user's cache.
find_node() {
  if ! command -v node >/dev/null 2>&1 || ! command -v npm >/dev/null 2>&1; then
    fail "Node and npm were not found." \
      "install Node 18 or newer: Debian and Ubuntu: apt-get install nodejs npm; Fedora: dnf install nodejs; macOS: brew install node."
  fi
  if _node_is_new_enough; then return 0; fi
  local place=$CACHE_DIR/node-$NODE_FROM_NPM
  if [ ! -x "$place/node_modules/.bin/node" ]; then
    step "this machine has Node $(node --version) and npm $(npm --version); installing Node $NODE_FROM_NPM for the page's tools"
    mkdir -p "$place"
    # By name, in a folder of their own: the clone's rules do not reach there.
    (cd "$place" && echo '{}' >package.json && npm install --no-audit --no-fund --silent "node@$NODE_FROM_NPM" "npm@$NPM_FROM_NPM") ||
      fail "Node $(node --version) is too old and a newer one could not be installed." "install Node 20.19 or newer." 1
  fi
  export PATH=$place/node_modules/.bin:$PATH
  _node_is_new_enough || fail "Node $(node --version) is too old." "install Node 20.19 or newer."
}

_node_is_new_enough() {
  [ "$(npm --version | cut -d. -f1)" -ge 10 ] || return 1
  node -e 'const [major, minor] = process.versions.node.split(".").map(Number);
process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' 2>/dev/null
}

# page_packages: `npm ci`, when the lock is not the one that was installed last.
page_packages() {
  local mark
  mark="$(node --version) $(fingerprint "$ROOT/frontend/package-lock.json")"
  if [ "$(cat "$ROOT/frontend/node_modules/.installed" 2>/dev/null)" = "$mark" ]; then return 0; fi
  locked "page-$(place_key)" _install_page_packages "$mark"
}

_install_page_packages() {
  if [ "$(cat "$ROOT/frontend/node_modules/.installed" 2>/dev/null)" = "$1" ]; then return 0; fi
  step "installing the page's packages (npm ci)"
  (cd "$ROOT/frontend" && npm ci --no-audit --no-fund --loglevel=error) ||
    fail "the page's packages could not be installed." "look at the lines above: most often the network or npm's registry setting; then start again." 1
  printf '%s\n' "$1" >"$ROOT/frontend/node_modules/.installed"
}

# page_build: the static build, when a source or the browser's setting is another than at the last one.
page_build() {
  local mark
  mark=$(_page_sources)
  if [ -f "$ROOT/frontend/build/index.html" ] && [ "$(cat "$ROOT/frontend/node_modules/.built" 2>/dev/null)" = "$mark" ]; then return 0; fi
  page_packages
  locked "page-$(place_key)" _build_page "$mark"
}

_page_sources() {
  # Names and contents; whatever else lies in the folder does not matter.
  (
    cd "$ROOT/frontend" || return 1
    find src static package-lock.json svelte.config.js vite.config.ts tsconfig.json -type f 2>/dev/null | LC_ALL=C sort | while IFS= read -r file; do
      printf '%s ' "$file"
      cksum <"$file"
    done
    echo "VITE_API_BASE_URL=${VITE_API_BASE_URL:-}"
  ) | cksum | tr ' ' '-'
}

_build_page() {
  if [ -f "$ROOT/frontend/build/index.html" ] && [ "$(cat "$ROOT/frontend/node_modules/.built" 2>/dev/null)" = "$1" ]; then return 0; fi
  step "building the page"
  rm -f "$ROOT/frontend/node_modules/.built"
  local log=$ROOT/frontend/node_modules/.build.log
  if ! (cd "$ROOT/frontend" && npm run --silent build) >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    fail "the page could not be built." "look at the lines above, or take an unchanged clone." 1
  fi
  printf '%s\n' "$1" >"$ROOT/frontend/node_modules/.built"
}
