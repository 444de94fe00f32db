#!/usr/bin/env bash
# Get what the tests in a browser need and print the path of axe-core's script.
#
#   tools/browser.sh FOLDER PYTHON
#
# Chromium comes from the distribution where it is missing and one may install it, its
# driver into the environment of PYTHON, axe-core by npm into FOLDER. The driver fetches
# no browser of its own. Prints an empty line where axe-core alone cannot be had.
# Ends with status 3, and says why in its last line, where the rest cannot be.
set -euo pipefail

folder=${1:?usage: tools/browser.sh FOLDER PYTHON}
python=${2:?usage: tools/browser.sh FOLDER PYTHON}
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 DEBIAN_FRONTEND=noninteractive

refuse() {
    echo "browser.sh: pages cannot be looked at here: $1" >&2
    exit 3
}

browser() {
    command -v chromium || command -v chromium-browser || command -v google-chrome
}

if ! browser >/dev/null; then
    [ "$(id -u)" = 0 ] || refuse "there is no Chromium, and only root may install it"
    command -v apt-get >/dev/null || refuse "there is neither Chromium nor apt-get"
    apt-get -qq -o Acquire::Retries=3 update >&2 || true # perhaps its lists are here
    apt-get -qq -y --no-install-recommends install chromium >&2 ||
        refuse "Chromium cannot be installed"
fi
"$(browser)" --version >&2 || refuse "Chromium does not start"

# The one list of versions is pyproject.toml's.
"$python" -m pip install --quiet --editable ".[browser]" >&2 ||
    refuse "playwright cannot be installed"

script=$folder/node_modules/axe-core/axe.min.js
if [ ! -r "$script" ] && command -v npm >/dev/null; then
    mkdir -p "$folder"
    npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund --silent \
        "axe-core@^4.10" >&2 || echo "browser.sh: axe-core cannot be fetched" >&2
fi
[ -r "$script" ] && realpath "$script" || echo
