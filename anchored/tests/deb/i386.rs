//! The library for 32-bit programs beside the other, as packages of two architectures, and both in one tree.
//!
//! `LIBANCHOR_CROSS` is a folder with `i586-unknown-linux-gnu/libanchor.so` in it.

use crate::support::*;
use crate::{deb, root};
use std::path::Path;

/// 64-bit, 32-bit, 64-bit: `sh -> sleep (anchor)`, `sh -> sh (host) -> busybox32 sh (host) -> sleep (host)`.
const ACTS: &str = r#"
dpkg --purge libanchor anchored >/dev/null 2>&1 || true
dpkg --add-architecture i386
dpkg --install libanchor_*_amd64.deb libanchor_*_i386.deb anchored_*.deb >installed
dpkg --verify libanchor:amd64 libanchor:i386 anchored
mkdir -p /lib/i386-linux-gnu
cp *.so.* /lib/i386-linux-gnu/
ln -sf i386-linux-gnu/ld-linux.so.2 /lib/ld-linux.so.2
cp busybox32 /usr/local/bin/

anchored --check busybox32
anchored env | grep '^LD_PRELOAD='
LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libanchor.so busybox32 true 2>&1 | grep -o 'wrong ELF class'

# As many watchers there are, of all processes here.
until_watchers() { timeout 60 sh -c 'until [ "$(cat /proc/[0-9]*/task/*/comm 2>/dev/null | grep -c "^anchor$")" = "$1" ]; do sleep 0.01; done' sh "$1"; }
sleep 1000 & anchor=$!
anchored --pid $anchor sh -c 'busybox32 sh -c "/bin/sleep 1000; :"; :' 2>errors & host=$!
until_watchers 3
kill -9 $anchor
wait $host || echo "== ended: $?"
until_watchers 0
# Who of the three ended first is chance: a shell that outlives its child for a moment says so.
grep -v '^Terminated$' errors || true

# A musl program takes "$LIB" for a name.
sleep 1000 | anchored /tmp/musl & musl=$!
timeout 60 sh -c "until [ \$(readlink /proc/$musl/exe) = /tmp/musl ]; do sleep 0.01; done"
tr '\0' '\n' </proc/$musl/environ | grep '^LD_PRELOAD='
echo "== done"
"#;

#[test]
#[ignore = "run by scripts/cross: needs a 32-bit library and userland"]
fn a_tree_of_two_architectures_is_anchored() {
    if !root::may_be_made() {
        return;
    }
    let cross = std::env::var_os("LIBANCHOR_CROSS").expect("LIBANCHOR_CROSS: not set: run scripts/cross");
    let cross = Path::new(&cross).canonicalize().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (out, library) = (
        folder.path().to_str().unwrap(),
        cross.join("i586-unknown-linux-gnu/libanchor.so"),
    );
    let made = deb(&["--out", out, "--i386", library.to_str().unwrap()]);
    assert!(made.status.success(), "{made:?}");
    let userland = cross.join("i386-root/gnu");
    for file in ["ld-linux.so.2", "libc.so.6", "libresolv.so.2"] {
        copied(
            userland.join("lib/i386-linux-gnu").join(file),
            folder.path().join(file),
        );
    }
    copied(userland.join("bin/busybox"), folder.path().join("busybox32"));
    copied(
        compiled("musl-gcc", "echo", "musl", &[]),
        folder.path().join("musl"),
    );

    let said = root::inside(folder.path(), ACTS);
    let mut rest = said.as_str();
    for wanted in [
        "library     /usr/lib/i386-linux-gnu/libanchor.so: 32-bit i386, fits\n",
        "verdict     injected\n",
        "LD_PRELOAD=/usr/$LIB/libanchor.so\nwrong ELF class\n== ended: 143\n\
         LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libanchor.so\n== done\n",
    ] {
        let Some((_, after)) = rest.split_once(wanted) else {
            panic!("{wanted}: not in {rest} of {said}");
        };
        rest = after;
    }
}
