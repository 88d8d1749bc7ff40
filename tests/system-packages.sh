#!/bin/sh
# Bring the one thing the tests need that pip cannot: a browser. Says what is missing where it may not install.
set -eu
command -v chromium >/dev/null 2>&1 && exit 0
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    echo "Installing chromium for the browser tests …"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null
    exit 0
fi
echo "The browser tests need the command 'chromium': install it with your system's packages, then run this again." >&2
exit 1
