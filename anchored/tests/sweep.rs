//! `anchored --sweep`: ends what a dead anchor has left behind, and nothing else.

#![cfg(target_os = "linux")]

mod lists;

use lists::*;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const KILLED: i32 = libc::SIGKILL;
const ASKED: i32 = libc::SIGTERM;

/// A grace in which whoever is asked comes to say so, and a sweep to look, on a machine with much else to do. It is waited
/// for.
const UNHURRIED: &str = "15s";

fn sweep(anchor: &Anchor) -> Command {
    anchored("--sweep", anchor.pid())
}

#[test]
fn what_a_dead_anchor_left_behind_is_asked_to_end() {
    // test -> sleep (anchor, dead), waits (static; stopped; asked with another signal)
    let mut anchor = Anchor::new();
    let mut without = Host::start(&mut anchor.cookie(&STATIC));
    let mut stopped = Host::start(&mut anchor.cookie(&STATIC));
    stopped.stop();
    let mut interrupted = Host::start(anchor.cookie(&STATIC).env("ANCHOR_SIGNAL", "INT"));
    let mut real_time = Host::start(anchor.cookie(&STATIC).env("ANCHOR_SIGNAL", "40"));
    // The controls: with the anchor alive, nothing happens to any.
    let mut stranger = Host::start(&mut bare(&*STATIC));
    let said = run(&mut sweep(&anchor));
    assert_eq!((said.status, said.out.as_str()), (0, ""));
    for host in [&mut without, &mut interrupted, &mut real_time] {
        host.assert_lives();
    }
    assert_eq!(
        seen(&listed(anchor.pid()), stopped.pid()),
        "alive, not armed: static"
    );
    anchor.owned.kill_and_reap();
    let said = run(&mut sweep(&anchor));
    assert_eq!((said.status, said.err.as_str()), (0, ""), "{}", said.out);
    let line = |host: &Host, what: &str| {
        let line = format!("{}: {what}: {}\n", host.pid(), STATIC.display());
        assert!(said.out.contains(&line), "{line} is not in {}", said.out);
    };
    line(&without, "asked with SIGTERM");
    line(&stopped, "asked with SIGTERM");
    line(&interrupted, "asked with SIGINT");
    line(&real_time, "asked with signal 40");
    assert_eq!(said.out.lines().count(), 4, "{}", said.out);
    assert_eq!(without.owned.ended_by(), ASKED);
    assert_eq!(stopped.owned.ended_by(), ASKED);
    assert_eq!(interrupted.owned.ended_by(), libc::SIGINT);
    assert_eq!(real_time.owned.ended_by(), 40);
    stranger.assert_lives();
}

#[test]
fn what_does_not_end_is_killed_after_its_grace() {
    // test -> sleep (anchor, dead), waits (blocks the signal; the control ends at once)
    let mut anchor = Anchor::new();
    let mut deaf = Host::start(anchor.cookie(&STATIC).arg("blocks").env("ANCHOR_GRACE", "200ms"));
    let mut control = Host::start(&mut anchor.cookie(&STATIC));
    anchor.owned.kill_and_reap();
    let said = run(&mut sweep(&anchor));
    assert_eq!(said.status, 0, "{}", said.out);
    let killed = format!("{}: killed: {} blocks\n", deaf.pid(), STATIC.display());
    assert!(said.out.ends_with(&killed), "{}", said.out);
    assert_eq!(said.out.lines().count(), 3, "{}", said.out);
    assert!(is_pending(deaf.pid(), ASKED), "killed, and not asked before");
    assert_eq!(deaf.owned.ended_by(), KILLED);
    assert_eq!(deaf.rest(), "");
    assert_eq!(control.owned.ended_by(), ASKED);
}

/// Whether a process has been sent a signal that it has not come to. KERNEL: a zombie still has them, proc_pid_status(5),
/// and takes no more. A handler says the same only where it runs before the grace is over.
fn is_pending(pid: i32, signal: i32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let set = status.lines().find_map(|line| line.strip_prefix("ShdPnd:"));
    let set = u64::from_str_radix(set.unwrap().trim(), 16).unwrap();
    set >> (signal - 1) & 1 == 1
}

#[test]
fn what_is_asked_and_nothing_more_is_left_and_said_to_be() {
    // test -> sleep (anchor, dead), waits (has a handler and goes on)
    let mut anchor = Anchor::new();
    let mut deaf = Host::start(anchor.cookie(&STATIC).arg("handles").env("ANCHOR_GRACE", "never"));
    anchor.owned.kill_and_reap();
    let said = run(&mut sweep(&anchor));
    assert_eq!(said.status, 1);
    assert!(said.out.contains(": still there: "), "{}", said.out);
    assert_eq!(deaf.line(), "asked");
    deaf.assert_lives();
}

#[test]
fn what_is_meant_to_live_or_is_not_certain_is_left_alone() {
    // test -> sleep (anchor, dead), waits (each with a reason to live; the control has none)
    let mut anchor = Anchor::new();
    let start = |name: &str, value: &str| Host::start(anchor.cookie(&STATIC).env(name, value));
    let mut living = [
        start("ANCHOR_DISABLE", "1"),
        start("ANCHOR_SKIP", "waits-*"),
        start("ANCHOR_SCOPE", "self:1:1"),
        start("ANCHOR_SCOPE", "self"),
        start("ANCHOR_ID", ""),
        start("ANCHOR_ID", "0:0"),
        start("ANCHOR_ID", &anchor.other_namespace()),
        Host::start(&mut bare(&*STATIC)),
    ];
    let mut control = start("ANCHOR_SCOPE", "tree");
    anchor.owned.kill_and_reap();
    let said = run(&mut sweep(&anchor));
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    assert_eq!(said.out.lines().count(), 1, "{}", said.out);
    assert_eq!(control.owned.ended_by(), ASKED);
    living.iter_mut().for_each(Host::assert_lives);
}

#[test]
fn who_is_named_by_the_scope_is_ended() {
    // test -> sleep (anchor, dead), sh (execs) = waits, named by ANCHOR_SCOPE
    let mut anchor = Anchor::new();
    let named = "ANCHOR_SCOPE=self:$$:$(cut -d' ' -f22 /proc/$$/stat) exec \"$0\"";
    let mut host = Host::start(
        anchor
            .cookie(Path::new("/bin/sh"))
            .args(["-c", named])
            .arg(&*STATIC),
    );
    anchor.owned.kill_and_reap();
    assert_eq!(run(&mut sweep(&anchor)).status, 0);
    assert_eq!(host.owned.ended_by(), ASKED);
}

#[test]
fn a_recycled_number_is_a_dead_anchor_and_its_new_owner_is_not() {
    // test -> sleep (has the number now), waits (told of who had it before; the control told of who has it)
    let older = Older::new();
    let anchor = older.anchor();
    let mut orphan = older.start(anchor.cookie(&STATIC).env("ANCHOR_ID", anchor.other_start()));
    let mut control = Host::start(&mut anchor.cookie(&STATIC));
    // Started with a number that was changed and an identity that was kept: its anchor may well live.
    let mut changed = Host::start(anchor.cookie(&STATIC).env("ANCHOR_ID", anchor.other_start()));
    assert_eq!(run(&mut sweep(&anchor)).status, 0);
    assert_eq!(orphan.owned.ended_by(), ASKED);
    control.assert_lives();
    changed.assert_lives();
    assert_eq!(
        seen(&listed(anchor.pid()), control.pid()),
        "alive, not armed: static"
    );
}

#[test]
fn a_zombie_is_a_dead_anchor() {
    // test -> sleep (anchor, dead and not reaped), waits
    let mut anchor = Anchor::new();
    let mut host = Host::start(&mut anchor.cookie(&STATIC));
    anchor.owned.0.kill().unwrap();
    wait_for_exit(anchor.pid());
    assert_eq!(run(&mut sweep(&anchor)).status, 0);
    assert_eq!(host.owned.ended_by(), ASKED);
}

#[test]
fn dry_run_ends_nothing() {
    // test -> sleep (anchor, dead), waits
    let mut anchor = Anchor::new();
    let mut host = Host::start(&mut anchor.cookie(&STATIC));
    let nothing = run(sweep(&anchor).arg("--dry-run"));
    assert_eq!((nothing.status, nothing.out.as_str()), (0, ""));
    anchor.owned.kill_and_reap();
    let said = run(sweep(&anchor).arg("--dry-run"));
    let line = format!(
        "{}: would be asked with SIGTERM: {}\n",
        host.pid(),
        STATIC.display()
    );
    assert_eq!((said.status, said.out), (1, line));
    host.assert_lives();
    // The control: without it, the same host ends.
    assert_eq!(run(&mut sweep(&anchor)).status, 0);
    assert_eq!(host.owned.ended_by(), ASKED);
}

#[test]
fn a_stopped_host_with_a_watcher_goes_on_and_is_asked_once() {
    // test -> sleep (anchor, dead), waits (host, stopped; has a handler and goes on)
    let mut anchor = Anchor::new();
    let mut command = anchor.injected(&DYNAMIC);
    let mut host = Host::start(command.arg("handles").env("ANCHOR_GRACE", UNHURRIED)).armed();
    host.stop();
    anchor.owned.kill_and_reap();
    let said = run(&mut sweep(&anchor));
    assert_eq!(said.status, 0, "{}", said.out);
    assert!(
        said.out.contains(": continued, left to its watcher: "),
        "{}",
        said.out
    );
    assert!(!said.out.contains("asked"), "{}", said.out);
    assert_eq!(host.owned.ended_by(), KILLED);
    assert_eq!(host.rest(), "asked\n");
}

#[test]
fn a_host_within_its_grace_is_left_to_its_watcher() {
    // test -> sleep (anchor, dead), waits (host; has a handler and goes on)
    let mut anchor = Anchor::new();
    let mut command = anchor.injected(&DYNAMIC);
    let mut host = Host::start(command.arg("handles").env("ANCHOR_GRACE", UNHURRIED)).armed();
    anchor.owned.kill_and_reap();
    // Its watcher has fired.
    assert_eq!(host.line(), "asked");
    let said = run(&mut sweep(&anchor));
    assert!(said.out.contains(": left to its watcher: "), "{}", said.out);
    assert_eq!(said.status, 0);
    assert_eq!(host.owned.ended_by(), KILLED);
    assert_eq!(host.rest(), "");
}

#[test]
fn a_host_whose_watcher_does_nothing_is_killed_after_its_grace() {
    // test -> sleep (has the number), waits (told of who had it before; a thread that only has the watcher's name)
    let older = Older::new();
    let anchor = older.anchor();
    let named = |id: &str| {
        let mut command = anchor.injected(&DYNAMIC);
        command.env("ANCHOR_GRACE", "300ms").env("ANCHOR_ID", id);
        // The library leaves a program with this argument alone.
        command.args(["named", "--type=zygote"]);
        command
    };
    let mut orphan = older.start(&named(&anchor.other_start()));
    let mut control = Host::start(&mut named(&anchor.id));
    assert_eq!(seen(&listed(anchor.pid()), orphan.pid()), "recycled, thread");
    let said = run(&mut sweep(&anchor));
    assert_eq!(said.status, 0, "{}", said.out);
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!(lines.len(), 2, "{}", said.out);
    assert!(lines[0].contains(": left to its watcher: ") && lines[1].contains(": killed: "));
    assert_eq!(orphan.owned.ended_by(), KILLED);
    control.assert_lives();
}

#[test]
fn what_is_supervised_is_left_to_its_supervisor_for_its_grace() {
    // test -> sleep (anchor, dead), anchored (a shell of that name) -> waits; then a shell of another name -> waits
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let below = |name: &str, grace: &str| {
        let shell = folder.path().join(name);
        copied(std::fs::canonicalize("/bin/sh").unwrap(), &shell);
        let mut anchor = Anchor::new();
        let (pid, id) = (anchor.pid(), anchor.id.clone());
        let script = format!("ANCHOR_PID={pid} ANCHOR_ID={id} ANCHOR_GRACE={grace} \"$0\"; exit 7");
        let (_host, _group) = Host::start_group(bare(&shell).args(["-c", &script]).arg(&*STATIC));
        anchor.owned.kill_and_reap();
        let said = run(&mut sweep(&anchor));
        assert_eq!((said.status, said.err.as_str()), (0, ""));
        let whats = said
            .out
            .lines()
            .map(|line| line.split(": ").nth(1).unwrap().to_owned());
        whats.collect::<Vec<_>>()
    };
    assert_eq!(below("anchored", "300ms"), ["left to its supervisor", "killed"]);
    assert_eq!(below("another", "60s"), ["asked with SIGTERM"]);
}

#[test]
fn whoever_started_the_sweep_is_not_swept() {
    // test -> sleep (anchor, dead), waits (the control), sh (told of it too) -> anchored --sweep (told of it too)
    let mut anchor = Anchor::new();
    let mut control = Host::start(&mut anchor.cookie(&STATIC));
    let mut shell = anchor.cookie(Path::new("/bin/sh"));
    let script = "\"$0\" --sweep --pid \"$1\"; echo \"status $?\"";
    shell.args(["-c", script, ANCHORED, &anchor.pid().to_string()]);
    anchor.owned.kill_and_reap();
    let said = run(&mut shell);
    assert!(said.out.ends_with("status 0\n"), "{}", said.out);
    assert_eq!(said.out.lines().count(), 2, "{}", said.out);
    assert_eq!(control.owned.ended_by(), ASKED);
}

#[test]
fn a_process_that_may_not_be_signalled_is_named() {
    // test -> sleep (anchor, dead), waits (of root), anchored --sweep (of nobody, who may read and not signal)
    if !is_root() {
        return left_out("a process of another user: needs root");
    }
    let mut anchor = Anchor::new();
    let mut host = Host::start(&mut anchor.cookie(&STATIC));
    anchor.owned.kill_and_reap();
    let readable = tempfile::tempdir().unwrap();
    open_to_all(readable.path());
    let program = readable.path().join("anchored");
    copied(ANCHORED, &program);
    let mut command = bare("setpriv");
    command
        .args([
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "--no-new-privs",
        ])
        .args([
            "--bounding-set=-all,+sys_ptrace,+dac_read_search",
            "--inh-caps=-all,+sys_ptrace,+dac_read_search",
            "--ambient-caps=-all,+sys_ptrace,+dac_read_search",
        ])
        .arg(&program)
        .args(["--sweep", "--pid", &anchor.pid().to_string()]);
    let said = run(&mut command);
    let line = format!(
        "anchored: {}: {}: Operation not permitted\n",
        host.pid(),
        STATIC.display()
    );
    assert_eq!(
        (said.status, said.err.as_str(), said.out.as_str()),
        (1, line.as_str(), "")
    );
    host.assert_lives();
    // The control: who may, does.
    assert_eq!(run(&mut sweep(&anchor)).status, 0);
    assert_eq!(host.owned.ended_by(), ASKED);
}

fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Set where the test is PID 1 of a namespace of its own.
const INSIDE: &str = "LISTS_INSIDE";

#[test]
fn among_a_thousand_others_and_recycled_numbers_nobody_else_is_touched() {
    // test -> unshare -> this very test (PID 1) -> what `inside` says
    if std::env::var_os(INSIDE).is_some() {
        return inside();
    }
    let mut command = bare("unshare");
    if !is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    let said = command
        .args(["--pid", "--fork", "--kill-child", "--mount-proc"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .arg("among_a_thousand_others_and_recycled_numbers_nobody_else_is_touched")
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&said.stdout),
        String::from_utf8_lossy(&said.stderr),
    );
    assert!(
        said.status.success() && out.contains("1 passed") && out.contains("rounds swept"),
        "{out}\n{err}"
    );
}

/// How often the number of a dead anchor goes to a stranger.
const ROUNDS: usize = 20;

/// test (PID 1) -> waits (a thousand children that pause); each round: sleep (anchor, dead), waits (told of it), waits
/// -> its child, a stranger with the anchor's number, and another one with the orphan's once that has ended.
fn inside() {
    let lowered = lower_pid_max();
    let crowd = Host::start(bare(&*DYNAMIC).args(["crowd", "1000"]));
    let unrelated = everybody();
    assert!(unrelated.len() >= 1002, "{}", unrelated.len());
    let stranger_with = |number: i32| {
        let way = if lowered { "until" } else { "told" };
        Host::start(bare(&*DYNAMIC).args([way, &number.to_string()]))
    };
    for round in 0..ROUNDS {
        let mut anchor = Anchor::new();
        let mut orphan = Host::start(&mut anchor.cookie(&STATIC));
        let control = Host::start(&mut bare(&*STATIC));
        // In every other round the number is nobody's.
        let was = anchor.pid();
        // KERNEL: a start is counted in ticks. Whoever got the number within the anchor's own would be taken for it, and
        // the orphan kept.
        wait_until("another tick", || {
            let start = anchor.id.split_once(':').unwrap().1;
            now_in_ticks() > start.parse().unwrap()
        });
        anchor.owned.kill_and_reap();
        let mut family = (round % 2 == 0).then(|| stranger_with(was));
        let before = everybody();
        assert_eq!(before.iter().any(|(pid, _)| *pid == was), family.is_some());
        // The whole machine, as far as it goes here.
        let said = run(bare(ANCHORED).arg("--sweep"));
        assert_eq!((said.status, said.err.as_str()), (0, ""), "{}", said.out);
        assert_eq!(said.out.lines().count(), 1, "{}", said.out);
        assert_eq!(orphan.owned.ended_by(), ASKED);
        let mut expected = before;
        expected.retain(|(pid, _)| *pid != orphan.pid());
        assert_eq!(everybody(), expected);
        // And the swept one's number goes to a stranger, whom the next sweep does not know.
        let mut heir = stranger_with(orphan.pid());
        let before = everybody();
        let said = run(bare(ANCHORED).arg("--sweep"));
        assert_eq!((said.status, said.out.as_str()), (0, ""));
        assert_eq!(everybody(), before);
        heir.assert_lives();
        family.iter_mut().for_each(Host::assert_lives);
        drop(control);
    }
    sweeps_while_numbers_come_round();
    let missing: Vec<_> = unrelated.difference(&everybody()).cloned().collect();
    assert_eq!(
        missing,
        [],
        "unrelated ones of {}, the crowd being {}",
        unrelated.len(),
        crowd.pid()
    );
    drop(crowd);
    println!("{ROUNDS} rounds swept, pid_max lowered: {lowered}");
}

/// Sweep upon sweep while orphans die and their numbers go to strangers at once: only an orphan is ever ended.
fn sweeps_while_numbers_come_round() {
    let mut strangers = Vec::new();
    for _ in 0..30 {
        let mut anchor = Anchor::new();
        let mut orphans: Vec<Host> = (0..5).map(|_| Host::start(&mut anchor.cookie(&STATIC))).collect();
        anchor.owned.kill_and_reap();
        let sweep = bare(ANCHORED)
            .arg("--sweep")
            .stdout(std::process::Stdio::null())
            .spawn();
        let mut sweep = Owned(sweep.unwrap());
        // Some end by themselves, under the eyes of the sweep, and others come.
        for orphan in orphans.drain(..3) {
            drop(orphan);
            strangers.push(Host::start(&mut bare(&*STATIC)));
        }
        assert!(sweep.0.wait().unwrap().success());
        for mut orphan in orphans {
            assert_eq!(orphan.owned.ended_by(), ASKED);
        }
    }
    strangers.iter_mut().for_each(Host::assert_lives);
}

/// Every process here but those that are only waiting to be reaped, by number and start.
fn everybody() -> BTreeSet<(i32, String)> {
    let numbers = std::fs::read_dir("/proc").unwrap().flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let living = |pid: i32| {
        let folder = format!("/proc/{pid}");
        let lives = !matches!(state(Path::new(&folder)), Some('Z') | None);
        lives.then(|| (pid, identity(pid)))
    };
    numbers.filter_map(living).collect()
}

/// The time since boot in hundredths of a second, which every architecture of ours has for ticks.
fn now_in_ticks() -> u64 {
    let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
    let now = uptime.split(' ').next().unwrap().replace('.', "");
    now.parse().unwrap()
}

/// KERNEL: since Linux 6.14 a PID namespace has a limit of its own; before that, this would be the machine's.
fn lower_pid_max() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release
        .split(['.', '-'])
        .map(|part| part.parse::<u32>().unwrap_or(0));
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    version >= (6, 14) && std::fs::write("/proc/sys/kernel/pid_max", "1500").is_ok()
}

#[test]
fn a_proc_of_another_namespace_is_refused() {
    // test -> unshare -> anchored --sweep, to whom the numbers of /proc are those of others
    let mut command = bare("unshare");
    if !is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    let command = command.args(["--pid", "--fork"]).arg(ANCHORED);
    let said = run(command.args(["--sweep", "--pid", "1"]));
    assert_eq!((said.status, said.out.as_str()), (125, ""));
    assert_eq!(said.err, "anchored: /proc: not of this PID namespace\n");
}

#[test]
fn what_an_orphan_starts_when_it_is_asked_is_swept_too() {
    // test -> sleep (anchor, dead), sh (asked, starts waits and ends) -> sleep; all told of the anchor
    let mut anchor = Anchor::new();
    let script = "trap '\"$0\" >/dev/null </dev/null & exit 0' TERM; echo ready; sleep 1000 & wait";
    let mut shell = anchor.cookie(Path::new("/bin/sh"));
    shell.args(["-c", script]).arg(&*STATIC);
    let (mut host, _group) = Host::start_group(&mut shell);
    anchor.owned.kill_and_reap();
    let said = run(&mut sweep(&anchor));
    assert_eq!((said.status, said.err.as_str()), (0, ""), "{}", said.out);
    let late = format!(": asked with SIGTERM: {}\n", STATIC.display());
    assert!(said.out.ends_with(&late), "{}", said.out);
    wait_for_exit(host.pid());
    assert!(host.owned.0.wait().unwrap().success());
    assert!(listed(anchor.pid()).is_empty());
}
