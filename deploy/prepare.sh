#!/usr/bin/env bash
# Usage: prepare.sh PROGRAM...  (in an image that is being built)
#
# Makes a base image ready for the install scripts: the certificates of deploy/certificates, and the Debian packages of the
# programs that it lacks. A base image that has them all needs no package index.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

packages=()
for program in "$@"; do
  case $program in
    python3) python3 -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || packages+=(python3 python3-venv) ;;
    node) command -v npm >/dev/null || packages+=(nodejs npm) ;;
    numactl) ldconfig -p | grep -q libnuma.so.1 || packages+=(libnuma1) ;;
    *)
      echo "prepare.sh does not know $program" >&2
      exit 78
      ;;
  esac
done
if compgen -G "$HERE/certificates/*.crt" >/dev/null && ! command -v update-ca-certificates >/dev/null; then packages+=(ca-certificates); fi
if [ ${#packages[@]} -gt 0 ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  apt-get install -y -q --no-install-recommends "${packages[@]}"
  rm -rf /var/lib/apt/lists/*
fi
if compgen -G "$HERE/certificates/*.crt" >/dev/null; then
  mkdir -p /usr/local/share/ca-certificates
  cp "$HERE"/certificates/*.crt /usr/local/share/ca-certificates/
  update-ca-certificates >/dev/null
fi
