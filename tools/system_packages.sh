#!/bin/sh
# What the tests use and Python cannot bring: installed where that is possible, otherwise named. Never fails: the tests
# that need what is missing say so and are skipped.
set -u

missing=""
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null ||
    missing="$missing chromium"
command -v xgettext >/dev/null || missing="$missing gettext"
command -v age >/dev/null || missing="$missing age"
[ -z "$missing" ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing$missing …"
    # shellcheck disable=SC2086
    if apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; then
        exit 0
    fi
fi
echo "Missing:$missing. Install it (Debian: sudo apt-get install$missing); until then the tests that need it are skipped."
exit 0
