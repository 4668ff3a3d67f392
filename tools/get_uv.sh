#!/bin/sh
# Print where uv is; bring it into .tools/ where it is not installed. Needs python3 >= 3.11.
set -eu

if command -v uv >/dev/null && uv --version >/dev/null 2>&1; then
    command -v uv
    exit 0
fi
if [ ! -x .tools/bin/uv ]; then
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
        echo "Štafeta needs Python 3.11 or newer; python3 is $(python3 --version 2>&1)." >&2
        exit 1
    }
    if ! python3 -c 'import ensurepip' 2>/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing python3-venv …" >&2
        apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >&2
    fi
    rm -rf .tools
    python3 -m venv .tools >&2 || {
        echo "Install python3-venv (Debian: sudo apt-get install python3-venv), or uv itself, and try again." >&2
        exit 1
    }
    .tools/bin/python -m pip install --quiet --disable-pip-version-check uv >&2
fi
echo "$PWD/.tools/bin/uv"
