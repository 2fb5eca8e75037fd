# shellcheck shell=bash
# Owns how the scripts read settings: the environment wins over .env, a script's arguments over both.
# It does not know the application's own settings: those are the backend's to check.

# shellcheck source=scripts/lib/project.sh
. "$(dirname "${BASH_SOURCE[0]}")/project.sh"

# load_settings: exports every NAME=value of .env that the environment does not already have.
# The file is read as data and never run. A line that is no setting ends the script with its number.
load_settings() {
  local file=${ENV_FILE:-$ROOT/.env} line number=0 name value
  if [ -f "$file" ]; then
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
