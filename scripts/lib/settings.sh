# shellcheck shell=bash
# Owns how the scripts read settings: the environment wins over .env, a script's arguments over both.
# It does not know the application's own settings: those are the backend's to check.

# shellcheck source=scripts/lib/project.sh
. "$(dirname "${BASH_SOURCE[0]}")/project.sh"

# What may stand in .env beside our own: settings of the programs that are started from here, by the beginnings of their names.
OTHERS_SETTINGS=(
  VLLM_ HF_ HUGGINGFACE_ MODELSCOPE_ TRANSFORMERS_ TOKENIZERS_ CUDA_ NVIDIA_ NCCL_ TORCH PYTORCH_ TRITON_ OMP_ MKL_ KMP_ LD_
  PIP_ UV_ NPM_ npm_ NODE_ PYTHON XDG_ LANG LC_ TZ PATH HOME TMPDIR SSL_ REQUESTS_ CURL_ COMPOSE_ DOCKER_ BUILD_
  HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy
)

# load_settings: exports every NAME=value of .env that the environment does not already have.
# The file is read as data and never run. A line that is no setting ends the script with its number, and so does a name that
# nobody reads: it is most often a slip, and what was meant would silently not be set.
load_settings() {
  local file=${ENV_FILE:-$ROOT/.env} line number=0 name value known
  if [ -f "$file" ]; then
    known=" $(sed -n 's/^#\{0,1\}\([A-Z][A-Z0-9_]*\)=.*/\1/p' "$ROOT/.env.example" 2>/dev/null | tr '\n' ' ') "
    while IFS= read -r line || [ -n "$line" ]; do
      number=$((number + 1))
      line=${line%$'\r'}
      line=${line#"${line%%[![:space:]]*}"}
      case $line in '' | '#'*) continue ;; esac
      line=${line#export }
      name=${line%%=*}
      if [ "$name" = "$line" ] || ! [[ $name =~ ^[A-Za-z_][A-Za-z0-9_]*$ ]]; then
        fail ".env line $number is not NAME=value." "mend or remove that line of $file; .env.example shows every setting."
      fi
      if [[ "$known" = *[A-Z]* ]] && [[ $known != *" $name "* ]] && ! _is_of_others "$name"; then
        fail ".env line $number: there is no setting $name." "look for its name in .env.example, or remove that line of $file."
      fi
      value=${line#*=}
      value=${value#"${value%%[![:space:]]*}"}
      case $value in
        \"*\"*) value=${value#\"} value=${value%%\"*} ;;
        \'*\'*) value=${value#\'} value=${value%%\'*} ;;
        \"* | \'*) fail ".env line $number: the value of $name has a quote that is never closed." "close the quote in $file." ;;
        *)
          value=${value%%[[:space:]]#*}
          value=${value%"${value##*[![:space:]]}"}
          ;;
      esac
      if [ -z "${!name+set}" ]; then export "$name=$value"; fi
    done <"$file"
  fi
  MODELS_DIR=${MODELS_DIR:-models}
  case $MODELS_DIR in /*) ;; *) MODELS_DIR=$ROOT/$MODELS_DIR ;; esac
  # Logs, locks and the like lie beside the database.
  DATA_DIR=$ROOT/data
  if [[ ${DATABASE_URL:-} =~ ^sqlite[^:]*:///([^?]+) ]]; then
    case ${BASH_REMATCH[1]} in
      :memory:) ;;
      /*) DATA_DIR=$(dirname "${BASH_REMATCH[1]}") ;;
      *) DATA_DIR=$ROOT/$(dirname "${BASH_REMATCH[1]}") ;;
    esac
  fi
  export MODELS_DIR DATA_DIR
}

_is_of_others() {
  local beginning
  case $1 in VLLM_API_*) return 1 ;; esac
  for beginning in "${OTHERS_SETTINGS[@]}"; do
    if [[ $1 = "$beginning"* ]]; then return 0; fi
  done
  return 1
}
