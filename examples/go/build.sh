#!/bin/sh
# Compiles the app, into BUILD.
set -eu
example=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
# shellcheck source=examples/common.sh
. "$example/../common.sh"
cd "$example"
GOFLAGS=-buildvcs=false GOCACHE=$BUILD/cache CGO_ENABLED=0 exec go build -o "$BUILD/app" .
