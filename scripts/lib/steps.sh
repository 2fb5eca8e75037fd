# shellcheck shell=bash
# Owns how test.sh runs its steps: each to its end, timed, with a log of its own, counted by testing/summary.py.
# It does not say which steps there are.

# begin_steps FOLDER: an empty folder for logs and results.
begin_steps() {
  RESULTS=$1
  rm -rf "$RESULTS"
  mkdir -p "$RESULTS"
  : >"$RESULTS/steps.tsv"
  trap 'echo "interrupted"; exit 130' INT TERM
}

_slug() { printf '%s' "$1" | tr -c 'A-Za-z0-9' '-' | tr -s '-'; }

# run_step NAME COMMAND...: one line when it is well, the end of its log when it is not. Never ends the script.
run_step() { _run_counted "$1" - "${@:2}"; }

_run_counted() {
  local name=$1 junit=$2 began=$SECONDS code=0 log
  shift 2
  log=$RESULTS/$(_slug "$name").log
  printf '%-36s ' "$name"
  # A subshell: what fails in a step ends the step.
  (set -e; "$@") >"$log" 2>&1 </dev/null || code=$?
  printf '%s\t%s\t%s\t%s\n' "$name" "$((SECONDS - began))" "$code" "$junit" >>"$RESULTS/steps.tsv"
  if [ "$code" = 0 ]; then
    printf 'ok      %4d s\n' "$((SECONDS - began))"
  else
    printf 'FAILED  %4d s (exit code %s); the end of %s:\n' "$((SECONDS - began))" "$code" "${log#"$ROOT"/}"
    tail -n 80 "$log" | sed 's/^/    /'
  fi
}

# run_pytest NAME ARGUMENT...: with a JUnit file that says which real parts served each test. Many tests kill, cut and
# wait for whole processes, which a busy machine can starve: a failure is tried once more, and each such test is named.
run_pytest() {
  local name=$1 junit
  shift
  junit=$RESULTS/$(_slug "$name").xml
  _run_counted "$name" "$junit" env PYTHONPATH="$ROOT" "$ROOT/.venv/bin/python" -m pytest -q -rfER -p scripts.testing.parts -p no:cacheprovider \
    --reruns 1 --junitxml="$junit" -o junit_family=xunit2 "$@"
  grep '^RERUN ' "$RESULTS/$(_slug "$name").log" | sort -u | sed 's/^RERUN /    tried once more: /' || true
}

# run_vitest NAME PROJECT: tests that were tried once more are named here too.
run_vitest() {
  local junit
  junit=$RESULTS/$(_slug "$1").xml
  _run_counted "$1" "$junit" in_frontend npx --no-install vitest run --project "$2" --reporter=default --reporter=junit --outputFile.junit="$junit"
  grep '(retry x' "$RESULTS/$(_slug "$1").log" | sed 's/^.*[✓×] */    tried once more: /' || true
}

in_frontend() {
  cd "$ROOT/frontend" || return 1
  "$@"
}

npm_packages() {
  find_node
  page_packages
}

# find_node_quietly: as find_node, for the steps that follow; what is wrong has been said by a step before.
find_node_quietly() {
  if (find_node) >/dev/null 2>&1; then find_node >/dev/null; fi
}

# page_types: the types that the page is built with are those of the contract.
page_types() {
  cd "$ROOT/frontend" || return 1
  if ! npm run --silent types -- --check; then
    echo "src/lib/types/contract.ts is not what the contract says: (cd frontend && npm run types)"
    return 1
  fi
}

# engine_version: what the installed engine calls itself.
engine_version() {
  (engine_environment >/dev/null 2>&1 && "$ENGINE_PYTHON" -c 'import importlib.metadata as m, sys; print(m.version(sys.argv[1]))' "${ENGINE_PACKAGE%%==*}") 2>/dev/null
}

# finish_steps ARGUMENT...: prints the summary and ends the script with its code.
finish_steps() {
  # An interpreter is there even if the environment could not be made.
  local python=$ROOT/.venv/bin/python
  if [ ! -x "$python" ]; then python=python3; fi
  "$python" "$ROOT/scripts/testing/summary.py" "$RESULTS" "$@"
  exit $?
}
