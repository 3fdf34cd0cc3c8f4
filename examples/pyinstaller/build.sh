#!/bin/sh
# Makes the one file and installs libanchor's wheel, in BUILD.  build.sh [PYINSTALLER]
set -eu
example=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
# shellcheck source=examples/common.sh
. "$example/../common.sh"
cd "$BUILD"
"$top/scripts/wheel" --out "$BUILD" "$LIBANCHOR" >/dev/null
python3 -m pip install --quiet --no-index --find-links "$BUILD" --upgrade --target "$BUILD/packages" libanchor
exec "${1:-pyinstaller}" --onefile --log-level ERROR --distpath "$BUILD" --workpath "$BUILD/work" --specpath "$BUILD" "$example/server.py"
