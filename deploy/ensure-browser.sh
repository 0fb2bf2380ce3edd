#!/usr/bin/env bash
# Makes sure that a headless browser is there for the page's test.
set -euo pipefail
for b in "${CHROME_BIN:-}" chromium-headless-shell chromium chromium-browser google-chrome; do
	if [ -n "$b" ] && command -v "$b" >/dev/null 2>&1; then exit 0; fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	echo "installing chromium-headless-shell for the page's test"
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium-headless-shell
	exit 0
fi
echo "no headless browser found: install chromium-headless-shell (Debian), chromium or google-chrome, or set CHROME_BIN" >&2
exit 1
