//! The launcher, where the world's C library is not older than the one that it was built with.

use super::*;

#[test]
#[ignore = "run by scripts/worlds: needs a world"]
fn ends_its_command_with_the_anchor() {
    let mut anchor = sibling();
    let pid = anchor.pid().to_string();
    let words = ["/mnt/anchored", "--pid", &pid, "/mnt/gnu/echo"];
    let mut host = Echo::spawn(&mut inside(&words)).armed();
    let mut control = Echo::spawn(&mut inside(&["/mnt/gnu/echo"]));
    anchor.kill_and_reap();
    host.wait_for_end();
    assert_signalled(host.owned.pid(), Signal::SIGTERM);
    control.assert_lives();
}
