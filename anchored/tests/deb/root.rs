//! A system to install into: this machine's own, with a layer above it that takes all that is written, in namespaces of
//! its own. What is installed there is really installed, and the machine never sees it.

use super::said;
use crate::support::*;
use std::path::Path;
use std::process::Command;

/// In the end it says what is there and not below.
const ENTER: &str = r#"
mount -t tmpfs none /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay none -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
mount -t proc none /mnt/root/proc
mount --rbind /dev /mnt/root/dev
mount -t tmpfs none /mnt/root/tmp
cp -r "$FILES"/. /mnt/root/tmp/
acts=$ACTS
unset ACTS FILES
chroot /mnt/root /bin/sh -euc "cd /tmp; $acts"
cd /mnt/upper
find . | while IFS= read -r file; do
    case $file in ./var/log/* | ./var/cache/* | ./var/lib/dpkg/[!i]*) continue ;; esac
    [ -e "/$file" ] || [ -L "/$file" ] || echo "left behind: $file"
    [ ! -c "$file" ] || echo "taken away: $file"
done
"#;

/// Whether there can be one; said where not.
pub fn may_be_made() -> bool {
    let root = nix::unistd::geteuid().is_root();
    if !root {
        left_out("packages are installed by root");
    }
    have("cargo-deb") && root
}

/// What a script says inside, and what it has left behind. What is in the folder is in its working folder. All that it
/// has started is ended with it.
pub fn inside(files: &Path, acts: &str) -> String {
    let mut unshare = Command::new("unshare");
    unshare
        .args(["--mount", "--propagation", "private"])
        .args(["--pid", "--fork", "--kill-child"])
        .args(["sh", "-euc", ENTER])
        .env("FILES", files)
        .env("ACTS", acts)
        .env("LC_ALL", "C.UTF-8");
    said(without_library(&mut unshare))
}
