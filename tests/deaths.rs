//! A thousand deaths, each beside one by the kernel's own guard. Every one must be by SIGTERM; the times are printed
//! (`scripts/measure` shows them), because no test may fail on a slow machine.

#![cfg(target_os = "linux")]

mod support;

use nix::sys::signal::Signal;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::*;

const TRIES: usize = 1000;

// test -> sleep (anchor)
//      -> sleep (host)
fn by_the_watcher() -> Duration {
    let mut anchor = sibling();
    let mut command = Command::new("sleep");
    let host = Owned(
        anchored(command.arg("1000"), anchor.pid())
            .stdin(Stdio::null())
            .spawn()
            .unwrap(),
    );
    wait_until_armed(host.pid());
    let (start, pid) = (Instant::now(), host.pid());
    anchor.kill();
    assert_signalled(pid, Signal::SIGTERM); // 143 to a shell
    start.elapsed()
}

// test -> sh (anchor) -> setpriv, then sleep
fn by_the_kernel() -> Duration {
    let script = "setpriv --pdeathsig TERM sleep 1000 <&- & echo $! >&2; wait";
    let mut command = Command::new("sh");
    let (mut anchor, mut said) = Echo::spawn_with_errors(without_library(command.args(["-c", script])));
    let host = said.number();
    wait_until("setpriv has become sleep, and sleeps", || {
        let folder = format!("/proc/{host}");
        std::fs::read_to_string(format!("{folder}/comm")).is_ok_and(|name| name == "sleep\n")
            && state(folder.as_ref()) == Some('S')
    });
    let start = Instant::now();
    anchor.owned.kill();
    assert_signalled(host, Signal::SIGTERM);
    start.elapsed()
}

#[test]
fn a_thousand_deaths_by_sigterm() {
    let (mut ours, mut kernels) = (Vec::new(), Vec::new());
    for _ in 0..TRIES {
        ours.push(by_the_watcher());
        kernels.push(by_the_kernel());
    }
    ours.sort();
    kernels.sort();
    let at = |times: &[Duration], share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1e6;
    println!("SIGKILL of the anchor to the reaped host, {TRIES} each, interleaved, in microseconds:");
    for (name, times) in [
        ("libanchor, not its child", &ours),
        ("setpriv --pdeathsig TERM", &kernels),
    ] {
        println!(
            "  {name}  median {:>6.0}  p99 {:>6.0}",
            at(times, 50),
            at(times, 99)
        );
    }
    println!("  ratio of the medians: {:.2}", at(&ours, 50) / at(&kernels, 50));
}
