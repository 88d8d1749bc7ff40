#!/bin/sh
# Bring what the tests need and pip cannot: two browsers, the tools that read texts out of templates, PostgreSQL, Redis,
# nginx with a client that speaks HTTP/2, systemd's own check of its units, and a clock that can be set wrong.
# Says what is missing where it may not install.
set -eu
missing=""
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v firefox-esr >/dev/null 2>&1 || command -v firefox >/dev/null 2>&1 || missing="$missing firefox-esr"
command -v xgettext >/dev/null 2>&1 || missing="$missing gettext"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1 || missing="$missing postgresql"
[ -x /usr/sbin/nginx ] || command -v nginx >/dev/null 2>&1 || missing="$missing nginx-light"
command -v curl >/dev/null 2>&1 || missing="$missing curl"
command -v systemd-analyze >/dev/null 2>&1 || missing="$missing systemd"
command -v redis-server >/dev/null 2>&1 || missing="$missing redis-server"
ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || missing="$missing libfaketime"
# Chromium without all that belongs to windows: the tests of pages take less than half the time with it, but do without.
lighter=chromium-headless-shell
command -v $lighter >/dev/null 2>&1 && lighter=""
[ -z "$missing$lighter" ] && exit 0
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    export DEBIAN_FRONTEND=noninteractive
    export RUNLEVEL=1 # keeps what is installed from starting as a service
    if [ -n "$missing" ]; then
        echo "Installing for the tests:$missing …"
        # shellcheck disable=SC2086 # these are several names
        apt-get update -qq && apt-get install -y -qq $missing >/dev/null
    fi
    if [ -n "$lighter" ] && apt-cache show "$lighter" >/dev/null 2>&1; then
        echo "Installing for the tests: $lighter …"
        apt-get install -y -qq -o Acquire::http::Timeout=30 "$lighter" >/dev/null || echo "Chromium itself has to do."
    fi
    exit 0
fi
[ -z "$missing" ] && exit 0
echo "The tests need:$missing. Install it with your system's packages, then run this again." >&2
exit 1
