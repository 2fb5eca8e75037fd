# shellcheck shell=bash
# Owns what the scripts say in the terminal: steps, notes, errors with a next step.
# It does not decide what is done. Lines that begin with "==>" are steps; the supervisor shows them as progress, and those with
# "..." (how far a step is) too, but not each of them.

say() { printf '%s\n' "$*"; }
step() { printf '==> %s\n' "$*"; }
note() { printf '  ! %s\n' "$*"; }

# fail MESSAGE [NEXT_STEP] [EXIT_CODE]: one clear line on stderr, then what to do. Code 78 says that trying again cannot help.
fail() {
  printf 'Error: %s\n' "$1" >&2
  if [ -n "${2:-}" ]; then printf '  What to do: %s\n' "$2" >&2; fi
  exit "${3:-78}"
}

# take_arguments MOST ARGUMENT...: answers --help, and ends the script at an option or at more than MOST of them.
take_arguments() {
  local most=$1 script argument
  script=./scripts/$(basename "$0")
  shift
  for argument in "$@"; do
    case $argument in
      -h | --help) usage; exit 0 ;;
      -*) fail "there is no option \"$argument\"." "$script --help shows what there is." ;;
    esac
  done
  if [ $# -gt "$most" ]; then fail "$script takes no argument \"${*:most+1:1}\"." "$script --help shows what there is."; fi
}

# usage: the calling script's leading comment, which is its --help.
usage() { sed -n '2,/^[^#]/{/^#/{s/^# \{0,1\}//;p}}' "$0"; }
