# shellcheck shell=bash
# Owns the ports and addresses of the three tiers, and whether they are free.
# It does not own other settings (settings.sh).

# check_port NAME VALUE: fails unless VALUE is a TCP port.
check_port() {
  if ! [[ $2 =~ ^[0-9]{1,5}$ ]] || [ "$((10#$2))" -lt 1 ] || [ "$((10#$2))" -gt 65535 ]; then
    fail "$1 is \"$2\", which is no port." "give a number from 1 to 65535."
  fi
}

# engine_is_elsewhere: true when VLLM_API_BASE_URL names a server that is not on this machine.
engine_is_elsewhere() {
  case ${VLLM_API_BASE_URL:-} in
    '') return 1 ;;
    *,*) return 0 ;;
    http://127.0.0.1* | http://localhost* | 'http://[::1]'*) return 1 ;;
    *) return 0 ;;
  esac
}

# engine_port [ARGUMENT]: prints the argument, else the port of a VLLM_API_BASE_URL on this machine, else 8000.
engine_port() {
  if [ -n "${1:-}" ]; then
    printf '%s\n' "$1"
  elif ! engine_is_elsewhere && [[ ${VLLM_API_BASE_URL:-} =~ :([0-9]+)(/|$) ]]; then
    printf '%s\n' "${BASH_REMATCH[1]}"
  else
    echo 8000
  fi
}

# need_silent_port WHO SETTING PORT: fails unless the setting is a port that nothing answers at on this machine. Costs nothing
# and finds less than need_free_port; 0 lets the system choose. Code 1: where a part is started again, what answers may be the last of the one before.
need_silent_port() {
  if [ "$3" = 0 ]; then return 0; fi
  check_port "$2" "$3"
  if (: <>"/dev/tcp/127.0.0.1/$3") 2>/dev/null; then
    fail "port $3 for $1 cannot be had." "something listens there already (ss -ltnp shows what): end it, or set $2 to another port." 1
  fi
}

# need_free_port WHO PORT [HOST]: fails when something listens there already, or when this user may not.
need_free_port() {
  local code=0
  "${PYTHON:-python3}" - "$2" "${3:-127.0.0.1}" <<'END' || code=$?
import socket, sys
port, host = int(sys.argv[1]), sys.argv[2]
with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind((host, port))
    except PermissionError:
        sys.exit(13)
    except OSError:
        sys.exit(1)
END
  if [ "$code" = 13 ]; then fail "port $2 for $1 may not be opened by this user." "give one from 1024 upwards."; fi
  if [ "$code" != 0 ]; then
    fail "port $2 for $1 cannot be had." "something listens there already (ss -ltnp shows what): end it, or give another port."
  fi
}
