#!/usr/bin/env bash
# Usage: ./scripts/test.sh [--quick]
#
# All tests, with their own set-up (as root on Debian it installs Chromium, Firefox, WebKit, PostgreSQL, Redis and fonts where they are missing;
# vLLM for the CPU; the packages of both sides). Every step runs, also after one has failed; the last line is the sum.
#   --quick  the inner loop: formatting, lint, layers, types, contract, unit tests. Needs neither vLLM nor a browser.
# Logs and results of each step: test-results/run/.
set -uo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib/browsers.sh
. "$HERE/lib/browsers.sh"
# shellcheck source=scripts/lib/engine.sh
. "$HERE/lib/engine.sh"
# shellcheck source=scripts/lib/node.sh
. "$HERE/lib/node.sh"
# shellcheck source=scripts/lib/steps.sh
. "$HERE/lib/steps.sh"
QUICK=''
case ${1:-} in
  '') ;;
  --quick) QUICK=yes ;;
  -h | --help) usage; exit 0 ;;
  *) fail "test.sh takes no argument \"$1\"." "./scripts/test.sh --help shows what there is." ;;
esac
cd "$ROOT" || exit 1
begin_steps "$ROOT/test-results/run"

# The tests run as on any machine: what the developer has set for the product is not theirs.
while IFS= read -r name; do unset "$name"; done < <(sed -n 's/^#\{0,1\} \{0,1\}\([A-Z][A-Z0-9_]*\)=.*/\1/p' "$ROOT/.env.example" 2>/dev/null)
export ENV_FILE=/dev/null ENGINE_DEVICE=cpu CI="${CI:-}"
# Many tests start a backend of their own: its modules are compiled once.
unset PYTHONDONTWRITEBYTECODE

if [ -z "$QUICK" ]; then
  run_step "set-up: Debian packages" test_packages
  run_step "set-up: Firefox and WebKit" other_browsers
fi
run_step "set-up: Python packages" backend_environment dev
run_step "set-up: npm packages" npm_packages
BIN=$ROOT/.venv/bin
# Most tests wait for a disk, a process or a browser: two at a time, whatever the machine has.
TWO_AT_A_TIME=(-n 2 --dist worksteal)
find_node_quietly

mapfile -t SCRIPTS < <(find scripts deploy .ci -name '*.sh' -o -path .ci/run 2>/dev/null | LC_ALL=C sort)
run_step "shellcheck" "$BIN/shellcheck" -x -P SCRIPTDIR -P "$ROOT" "${SCRIPTS[@]}"
run_step "ruff format" "$BIN/ruff" format --check .
run_step "ruff check" "$BIN/ruff" check .
run_step "import-linter" env PYTHONPATH=backend "$BIN/lint-imports"
run_step "mypy" "$BIN/mypy"
run_step "contract" ./scripts/contract.sh --check
run_step "page types from the contract" page_types
run_step "prettier" in_frontend npm run --silent format:check
run_step "eslint" in_frontend npm run --silent lint
run_step "svelte-check" in_frontend npm run --silent check
if [ -n "$QUICK" ]; then
  run_pytest "pytest: unit" "${TWO_AT_A_TIME[@]}" -m "not postgresql and not socketio and not chromium and not real_vllm" backend/tests
  run_vitest "vitest: unit" unit
  finish_steps
fi

run_step "build of the page" page_build
run_pytest "pytest: backend" "${TWO_AT_A_TIME[@]}" backend/tests
run_pytest "pytest: scripts" scripts/tests
run_vitest "vitest: unit" unit
run_vitest "vitest: Chromium" browser
run_pytest "pytest: browser, scripted engine" "${TWO_AT_A_TIME[@]}" -m "not real_vllm and not firefox and not webkit" e2e
NEEDED=(--need sqlite --need postgresql --need socketio --need chromium --need real_vllm)
mapfile -t OTHERS < <(installed_browsers)
said_of_browsers
if [ ${#OTHERS[@]} -gt 0 ]; then run_pytest "pytest: $(printf '%s, ' "${OTHERS[@]}")scripted engine" -m "${OTHERS[0]}${OTHERS[1]:+ or ${OTHERS[1]}}" e2e; fi
run_step "set-up: vLLM" engine_environment
run_pytest "pytest: real vLLM" -m real_vllm e2e
for browser in "${OTHERS[@]}"; do NEEDED+=(--need "$browser" --version "$browser=$(browser_version "$browser")"); done
finish_steps "${NEEDED[@]}" \
  --version "sqlite=$("$BIN/python" -c 'import sqlite3; print(sqlite3.sqlite_version)' 2>/dev/null)" \
  --version "postgresql=$(compgen -G '/usr/lib/postgresql/*' | sort -V | tail -n 1 | sed 's|.*/||')" \
  --version "chromium=$(chromium --version 2>/dev/null | grep -o '[0-9][0-9.]*' | head -n 1)" \
  --version "real_vllm=$(engine_version)"
