# Read by every example's `run`, which has said in `example` where it stands: the launcher on the PATH, the library's
# file in LIBANCHOR, and in BUILD a folder for what is built, below EXAMPLES_BUILD if that is said. Not a program.
# shellcheck shell=sh

top=$(CDPATH='' cd -- "${example:?where the example stands}/../.." && pwd -P)
BUILD=${EXAMPLES_BUILD:-$top/target/examples}/${example##*/}
mkdir -p "$BUILD"

PATH=$PATH:$top/target/release
command -v anchored >/dev/null 2>&1 || {
    echo "${example##*/}: anchored: not installed and not built; scripts/install, or cargo build --release --workspace" >&2
    exit 1
}
if [ -z "${LIBANCHOR:-}" ]; then
    for LIBANCHOR in "$top/target/release/libanchor.so" /usr/local/lib/libanchor.so; do
        [ ! -f "$LIBANCHOR" ] || break
    done
fi
export BUILD LIBANCHOR PATH
