//! Anchor and host in two PID namespaces, where neither can know the other by a number: only the hang-up tells. Beside
//! it, in the same run, a host in its anchor's namespace that knows it by its number. `ROUNDS` says how many of each; the
//! times are printed, because no test may fail on a slow machine.

#![cfg(target_os = "linux")]

mod support;

use nix::fcntl::{OFlag, open};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::*;

/// The first process of a namespace: it does what it is told, and says the number or the status. It holds no end of any
/// pipe itself: the redirections are its children's.
const FIRST: &str = r#"
while read -r what; do
    case $what in
    holds) sleep 1000 3>"$FOLDER/line" & anchor=$!; echo "$anchor" ;;
    anchor) sleep 1000 & anchor=$!; echo "$anchor" ;;
    hears) LD_PRELOAD=$LIBRARY ANCHOR_FD=3 sleep 1000 3<"$FOLDER/line" 9>"$FOLDER/end" & host=$!; echo "$host" ;;
    knows) LD_PRELOAD=$LIBRARY ANCHOR_PID=$anchor sleep 1000 9>"$FOLDER/end" & host=$!; echo "$host" ;;
    kill) kill -KILL "$anchor" ;;
    status) wait "$host"; echo "$?" ;;
    esac
done
"#;

/// `test -> unshare -> sh (the first of its namespace) -> what it is told`
fn namespace(folder: &Path) -> Echo {
    let mut command = Command::new("unshare");
    without_library(&mut command)
        .args([
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
            "sh",
            "-c",
            FIRST,
        ])
        .env("FOLDER", folder)
        .env("LIBRARY", LIBRARY.as_os_str())
        .env("ANCHOR_LOG", folder.join("log"))
        .stderr(Stdio::null()); // the shell's obituaries
    Echo::spawn(&mut command)
}

fn told(first: &mut Echo, what: &str) -> String {
    first.send(what);
    first.line()
}

/// One death: the anchor is what `anchors` was told to make, the host what `hosts` was. From the word to kill it to the
/// end of the host, which alone holds the other pipe.
fn death(folder: &Path, anchors: &mut Echo, hosts: Option<&mut Echo>, way: &str) -> Duration {
    let end = open(
        &folder.join("end"),
        OFlag::O_RDONLY | OFlag::O_NONBLOCK,
        Mode::empty(),
    )
    .unwrap();
    let log = folder.join("log");
    std::fs::write(&log, "").unwrap();
    let mut hosts = hosts;
    let mut ask = |anchors: &mut Echo, what: &str| match &mut hosts {
        Some(hosts) => told(hosts, what),
        None => told(anchors, what),
    };
    let (anchor, host) = match way {
        "fd 3" => (told(anchors, "holds"), ask(anchors, "hears")),
        _ => (told(anchors, "anchor"), ask(anchors, "knows")),
    };
    let armed = match way {
        "fd 3" => format!("libanchor[{host}]: armed: anchor fd 3: thread with descriptor 3, "),
        _ => format!("libanchor[{host}]: armed: anchor {anchor}: thread with pidfd, "),
    };
    wait_until("an armed host", || {
        std::fs::read_to_string(&log).unwrap().starts_with(&armed)
    });
    let start = Instant::now();
    anchors.send("kill");
    let mut entry = [PollFd::new(end.as_fd(), PollFlags::empty())];
    assert_eq!(
        poll(&mut entry, PollTimeout::try_from(CEILING).unwrap()).unwrap(),
        1
    );
    let time = start.elapsed();
    assert_eq!(ask(anchors, "status"), "143");
    time
}

#[test]
fn a_hang_up_is_heard_across_namespaces() {
    if !nix::unistd::geteuid().is_root() {
        return left_out("PID namespaces want root");
    }
    let rounds = std::env::var("ROUNDS").map_or(50, |rounds| rounds.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for name in ["line", "end"] {
        mkfifo(&folder.join(name), Mode::S_IRWXU).unwrap();
    }
    let (mut one, mut other) = (namespace(folder), namespace(folder));
    let (mut heard, mut known) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        heard.push(death(folder, &mut one, Some(&mut other), "fd 3"));
        known.push(death(folder, &mut one, None, "pidfd"));
    }
    println!(
        "From the word to kill the anchor to the host's end, {rounds} of {rounds} each, interleaved, in microseconds:"
    );
    for (name, times) in [
        ("ANCHOR_FD, across two PID namespaces", &mut heard),
        ("ANCHOR_PID, in one", &mut known),
    ] {
        times.sort();
        let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1e6;
        println!("  {name:36}  median {:>6.0}  p99 {:>6.0}", at(50), at(99));
    }
}

// The control: by its number the host is inert there, and lives.
#[test]
fn a_number_says_nothing_across_namespaces() {
    if !nix::unistd::geteuid().is_root() {
        return left_out("PID namespaces want root");
    }
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut anchor = sibling();
    let mut command = Command::new("unshare");
    without_library(&mut command)
        .args(["--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c"])
        .arg("LD_PRELOAD=$LIBRARY ANCHOR_PID=$ANCHOR ANCHOR_ID=$ID cat; true")
        .env("LIBRARY", LIBRARY.as_os_str())
        .env("ANCHOR", anchor.pid().to_string())
        .env("ID", identity(anchor.pid()))
        .env("ANCHOR_LOG", &log);
    let mut echo = Echo::spawn(&mut command);
    echo.assert_lives();
    anchor.kill_and_reap();
    echo.assert_lives();
    let said = std::fs::read_to_string(&log).unwrap();
    assert!(
        said.contains("inert: ") && said.contains(": in another PID namespace"),
        "{said}"
    );
}
