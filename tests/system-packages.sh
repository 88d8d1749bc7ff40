#!/bin/sh
# Bring what the tests need and pip cannot: a browser, and the tools that read texts out of templates.
# Says what is missing where it may not install.
set -eu
missing=""
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v xgettext >/dev/null 2>&1 || missing="$missing gettext"
[ -z "$missing" ] && exit 0
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    echo "Installing for the tests:$missing …"
    # shellcheck disable=SC2086 # these are several names
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null
    exit 0
fi
echo "The tests need:$missing. Install it with your system's packages, then run this again." >&2
exit 1
