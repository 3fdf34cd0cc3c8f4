#!/bin/sh
# Compiles the app into BUILD and puts beside it what Tauri's bundler does, and the library.
set -eu
example=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
# shellcheck source=examples/common.sh
. "$example/../common.sh"
cd "$example/src-tauri"
cp "$top/Cargo.lock" . # what is fetched already is enough
CARGO_TARGET_DIR=$BUILD cargo build --quiet --offline
cp "$LIBANCHOR" "$BUILD/debug/libanchor.so"
cp binaries/server "$BUILD/debug/server"
