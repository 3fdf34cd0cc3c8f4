#!/bin/sh
# Packs libanchor for npm and installs it, into BUILD: what `npm install libanchor` does in an app.
set -eu
example=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
# shellcheck source=examples/common.sh
. "$example/../common.sh"
cd "$BUILD"
package=$("$top/scripts/npm" --out "$BUILD" "$LIBANCHOR")
npm install --offline --no-save --no-audit --no-fund --silent "$package"
