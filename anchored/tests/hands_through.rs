//! Supervision while the anchor lives: nothing shows that `anchored` stands between a command and whoever has started
//! it. What tini and catatonit promise, anew: statuses, signals, orphans, the terminal, PID 1.

#![cfg(target_os = "linux")]

mod support;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
use nix::unistd::geteuid;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::*;

#[test]
fn the_exit_status_is_the_commands() {
    for (script, status) in [
        ("exit 0", 0),
        ("exit 7", 7),
        ("exit 255", 255),
        ("kill -TERM $$", 143),
        ("kill -KILL $$", 137),
        ("kill -40 $$", 168),
    ] {
        let output = supervised(&[], &["sh", "-c", script]).output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{script}");
        assert_eq!(
            (&output.stdout[..], &output.stderr[..]),
            (&b""[..], &b""[..]),
            "{script}"
        );
    }
}

// trap '' PIPE
#[test]
fn what_the_caller_ignores_a_supervised_command_ignores() {
    let ignored = ["grep", "SigIgn", "/proc/self/status"];
    let beside = supervised(&[], &ignored);
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' PIPE; grep SigIgn /proc/self/status; \"$@\"", "sh"]);
    command.arg(beside.get_program()).args(beside.get_args());
    let output = command.output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[0], lines[1]);
}

#[test]
fn what_cannot_be_run_is_named_in_one_line() {
    let script = folder().join("not executable");
    std::fs::write(&script, "").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o644)).unwrap();
    let script = script.to_str().unwrap();
    for (name, status, why) in [
        ("no-such-command", 127, "No such file or directory"),
        ("/no/such/command", 127, "No such file or directory"),
        (script, 126, "Permission denied"),
        ("/", 126, "Permission denied"),
    ] {
        let output = supervised(&[], &[name]).output().unwrap();
        let line = String::from_utf8(output.stderr).unwrap();
        assert_eq!(line, format!("anchored: {name}: {why}\n"));
        assert_eq!(output.status.code(), Some(status), "{name}");
    }
}

#[test]
fn input_output_and_errors_are_the_commands() {
    let mut command = supervised(&[], &["sh", "-c", "cat; echo to errors >&2"]);
    let mut tree = Tree::spawn(command.stderr(Stdio::piped()));
    tree.assert_lives();
    tree.input = None;
    assert_eq!(tree.rest(), "");
    let errors = std::io::read_to_string(Timed(tree.front.0.stderr.take().unwrap())).unwrap();
    assert_eq!(errors, "to errors\n");
    assert_eq!(tree.code(), 0);
}

// The command starts with what `anchored` was started with: without it and with it, the same lines.
#[test]
fn masks_and_what_is_ignored_are_the_commands() {
    let script =
        "grep -E 'SigBlk|SigIgn' /proc/self/status; ls -1 /proc/self/fd | wc -l; ps -o pgid=,sid=,tty= $$";
    let told = |mut command: Command| {
        command.process_group(0);
        // SAFETY: one system call.
        unsafe { command.pre_exec(ignore_children) };
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        // The group is each time another.
        let (lines, ids) = text.trim_end().rsplit_once('\n').unwrap();
        let session = ids.split_whitespace().skip(1).collect::<Vec<_>>().join(" ");
        format!("{lines}\n{session}")
    };
    let mut control = plain("sh");
    control.args(["-c", script]);
    assert_eq!(told(supervised(&[], &["sh", "-c", script])), told(control));
}

fn ignore_children() -> std::io::Result<()> {
    // SAFETY: no handler.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
    Ok(())
}

// test -> front -> guard -> acts (says every signal)
#[test]
fn every_signal_is_handed_on_once() {
    let mut tree = Tree::spawn(&mut supervised(&[], &[STATIC.to_str().unwrap(), "signals"]));
    tree.ready();
    let not_handed_on = [
        libc::SIGKILL,
        libc::SIGSTOP,
        libc::SIGCHLD,
        libc::SIGILL,
        libc::SIGTRAP,
        libc::SIGBUS,
        libc::SIGFPE,
        libc::SIGSEGV,
        libc::SIGSYS,
    ];
    let all = (1..32).chain(34..=64);
    for number in all.filter(|number| !not_handed_on.contains(number)) {
        tree.signal(number);
        // The next line is the next signal's: none comes twice.
        assert_eq!(tree.line(), format!("signal {number}"));
    }
    tree.signal(libc::SIGKILL);
    assert_eq!(tree.rest(), "");
}

// test -> front -> guard -> acts (says every signal), by a name that is not UTF-8
#[test]
fn sigcont_is_handed_on_whatever_the_commands_name() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join(OsStr::from_bytes(b"caf\xe9"));
    copied(&*STATIC, &program);
    let mut tree = Tree::spawn(supervised(&[], &[]).arg(program).arg("signals"));
    tree.ready();
    for number in [libc::SIGCONT, libc::SIGUSR1] {
        tree.signal(number);
        assert_eq!(tree.line(), format!("signal {number}"));
    }
}

// test -> front -> guard -> acts (says every signal, and sends one to its group, the front included)
#[test]
fn what_the_command_sends_to_its_group_comes_once() {
    // Two at the same moment can become one: that it comes twice would show only now and then.
    for _ in 0..rounds() {
        let mut command = supervised(&[], &[STATIC.to_str().unwrap(), "group"]);
        let mut tree = Tree::spawn(command.process_group(0));
        assert_eq!(tree.line(), "signal 15");
        tree.ready();
        // Handed on after whatever the group had: had that come twice, it would stand here. The front takes the lowest
        // number first, and a SIGTERM that waits behind this one would swallow the next.
        tree.signal(libc::SIGPWR);
        assert_eq!(tree.line(), format!("signal {}", libc::SIGPWR));
        // The control: from somebody else.
        tree.signal(libc::SIGTERM);
        assert_eq!(tree.line(), "signal 15");
    }
}

#[test]
fn whoever_waits_sees_a_job_stop_and_go_on() {
    let mut tree = Tree::spawn(&mut supervised(&[], &["cat"]));
    tree.assert_lives();
    let front = tree.front.pid();
    let command = children(tree.guard())[0];
    for continued in [front, command].repeat(rounds()) {
        signal(command, libc::SIGSTOP);
        wait_until("the front is stopped", || state(front) == Some('T'));
        tree.send("are you there");
        signal(continued, libc::SIGCONT);
        assert_eq!(tree.line(), "are you there");
        wait_until("the front goes on", || state(front) != Some('T'));
    }
    // A stopped one that is killed is seen to end.
    signal(command, libc::SIGSTOP);
    wait_until("the front is stopped", || state(front) == Some('T'));
    kill_now(command);
    assert_eq!(tree.code(), 137);
}

// test -> front -> guard -> acts
//                        -> acts (10,000 times: an orphan that ends)
#[test]
fn ten_thousand_orphans_leave_nothing() {
    let memory = |orphans: usize| {
        let many = orphans.to_string();
        let mut tree = Tree::spawn(&mut supervised(
            &[],
            &[STATIC.to_str().unwrap(), "orphans", &many],
        ));
        for so_far in (1000..orphans).step_by(1000) {
            assert_eq!(tree.line(), format!("orphans {so_far}"));
        }
        let command = tree.ready();
        let guard = tree.guard();
        wait_until("all are reaped", || children(guard) == [command]);
        let memory = status_field(guard, "VmHWM");
        tree.front.kill_and_reap();
        memory.trim_end_matches(" kB").parse::<u64>().unwrap()
    };
    let (few, many) = (memory(10), memory(10_000));
    assert!(many < few + 512, "{few} kB with 10, {many} kB with 10000");
}

/// Where there are no PID namespaces to be had, it says so.
fn namespaces() -> bool {
    let made = Command::new("unshare")
        .args(["--pid", "--fork", "--mount-proc", "true"])
        .output();
    let made = geteuid().is_root() && made.is_ok_and(|output| output.status.success());
    if !made {
        left_out("PID namespaces: want root");
    }
    made
}

fn init(command: &[&str]) -> Command {
    let mut unshare = plain("unshare");
    unshare
        .args([
            "--pid",
            "--fork",
            "--mount-proc",
            "--kill-child",
            ANCHORED,
            "--supervise",
        ])
        .args(command)
        // It complains by itself when its child is killed.
        .stderr(Stdio::null());
    unshare
}

// test -> unshare -> front (PID 1) -> guard -> acts
#[test]
fn as_pid_1_it_hands_on_and_reaps() {
    if !namespaces() {
        return;
    }
    let mut tree = Tree::spawn(&mut init(&[STATIC.to_str().unwrap(), "signals"]));
    tree.ready();
    let front = children(tree.front.pid())[0];
    assert_eq!(status_field(front, "NSpid").split_whitespace().last(), Some("1"));
    for number in [libc::SIGTERM, libc::SIGINT, libc::SIGUSR1, libc::SIGCONT] {
        signal(front, number);
        assert_eq!(tree.line(), format!("signal {number}"));
    }
    // Somebody who comes from outside and loses its parent is PID 1's.
    let mut enters = plain("nsenter");
    enters.args(["--pid", "--mount", "--target", &front.to_string()]);
    let mut stranger = Tree::spawn(enters.args([STATIC.to_str().unwrap(), "leaves"]));
    stranger.ready();
    assert_eq!(stranger.code(), 5);
    let guard = guard_of(front);
    let mut orphan = 0;
    wait_until("it is PID 1's", || {
        orphan = children(front).into_iter().find(|pid| *pid != guard).unwrap_or(0);
        orphan != 0
    });
    kill_now(orphan);
    wait_until("it is reaped", || children(front) == [guard]);
    signal(front, libc::SIGKILL);
    assert_eq!(tree.rest(), "");
}

#[test]
fn as_pid_1_it_ends_with_its_command_and_everybody_with_it() {
    if !namespaces() {
        return;
    }
    let script = format!(
        "{} orphans 1000 & {} daemon & read line; exit 3",
        STATIC.display(),
        STATIC.display()
    );
    let mut tree = Tree::spawn(&mut init(&[
        "sh",
        "-c",
        &format!("exec 3<&0; {{ {script}; }} <&3"),
    ]));
    tree.ready();
    tree.ready();
    let guard = guard_of(children(tree.front.pid())[0]);
    wait_until("orphans are reaped", || {
        children(guard).iter().all(|pid| !is_gone(*pid))
    });
    tree.send("");
    assert_eq!(tree.rest(), "");
    assert_eq!(tree.code(), 3);
}

/// Makes descriptor 0 the terminal of this session, which has none.
fn take_terminal() -> std::io::Result<()> {
    // SAFETY: wants no memory.
    let taken = unsafe { libc::ioctl(0, libc::TIOCSCTTY, 0) };
    nix::errno::Errno::result(taken)?;
    Ok(())
}

/// A terminal, with what is read from it. It does not echo.
struct Terminal {
    screen: BufReader<Timed<File>>,
    keys: File,
    owned: Owned,
}

impl Terminal {
    /// Starts a command as the leader of a session with a terminal of its own.
    fn of(command: &mut Command) -> Self {
        let (master, side) = terminal::terminal();
        let mut modes = tcgetattr(&side).unwrap();
        modes.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(&side, SetArg::TCSANOW, &modes).unwrap();
        let copy = || side.try_clone().unwrap();
        command.stdin(copy()).stdout(copy()).stderr(copy());
        // SAFETY: system calls only.
        unsafe {
            command.pre_exec(|| {
                nix::unistd::setsid()?;
                take_terminal()
            })
        };
        let owned = Owned(command.spawn().unwrap());
        Self {
            keys: master.try_clone().unwrap(),
            screen: BufReader::new(Timed(master)),
            owned,
        }
    }

    fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Presses ^C until a prompt shows. A shell that is just handing the terminal over takes one for itself. And Enter, so
    /// that what the terminal shows of it is a line.
    fn interrupts(&mut self) {
        let (mut done, since) = (false, Instant::now());
        while !done {
            self.types("\x03\n");
            let pressed = Instant::now();
            while !done && pressed.elapsed() < Duration::from_secs(2) {
                done = self.has_prompted();
            }
            assert!(since.elapsed() < CEILING, "no prompt after ^C");
        }
    }

    /// Whether there is a line with a prompt by now.
    fn has_prompted(&mut self) -> bool {
        let screen = self.screen.get_ref();
        let mut entry = [PollFd::new(screen.0.as_fd(), PollFlags::POLLIN)];
        if self.screen.buffer().is_empty() && poll(&mut entry, PollTimeout::from(50_u8)).unwrap() == 0 {
            return false;
        }
        self.line().contains("prompt")
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.screen.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Reads on until a line has `text`.
    fn shows(&mut self, text: &str) {
        loop {
            let mut line = String::new();
            let length = self.screen.read_line(&mut line).unwrap();
            assert_ne!(length, 0, "the screen ends before {text:?}");
            if line.contains(text) {
                return;
            }
        }
    }
}

// test -> front (leads the session, its group is the foreground) -> guard -> acts (says every signal)
#[test]
fn the_terminals_keys_come_once() {
    let mut terminal = Terminal::of(&mut supervised(&[], &[STATIC.to_str().unwrap(), "signals"]));
    assert!(terminal.line().starts_with("ready"));
    for (key, number) in [
        ("\x03", libc::SIGINT),
        ("\x1c", libc::SIGQUIT),
        ("\x1a", libc::SIGTSTP),
    ] {
        terminal.types(key);
        assert_eq!(terminal.line(), format!("signal {number}"));
        // Handed on after whatever the key sent: had that come twice, it would stand here. The front takes the lowest
        // number first, and a SIGTSTP that waits behind this one would swallow the next.
        signal(terminal.owned.pid(), libc::SIGPWR);
        assert_eq!(terminal.line(), format!("signal {}", libc::SIGPWR));
        // The control: from a person, not from the terminal.
        signal(terminal.owned.pid(), number);
        assert_eq!(terminal.line(), format!("signal {number}"));
    }
}

/// A shell at its first prompt.
fn shell() -> Terminal {
    let mut shell = plain("bash");
    shell.args(["--norc", "--noprofile", "--noediting", "-i"]);
    let mut terminal = Terminal::of(shell.env("PS1", "prompt\\n").env("LC_ALL", "C"));
    terminal.shows("prompt");
    terminal
}

// test -> bash (leads the session) -> front -> guard -> sed
#[test]
fn a_shell_stops_it_and_brings_it_back() {
    let mut terminal = shell();
    // What is typed shows at once; what the command makes of it, when it has the terminal.
    terminal.types(&format!("{ANCHORED} --supervise sed -u 's/.*/[&]/'\n"));
    terminal.types("one\n");
    terminal.shows("[one]");
    for _ in 0..rounds() {
        terminal.types("\x1a");
        terminal.shows("Stopped");
        terminal.shows("prompt");
        terminal.types("fg\n");
        terminal.shows("--supervise sed");
        terminal.types("two\n");
        terminal.shows("[two]");
    }
    terminal.interrupts();
    terminal.types("echo status $?\n");
    terminal.shows("status 130");
}

// test -> bash (leads the session) -> front -> guard -> sh (in the foreground, stays)
//                                  -> sh (reads the terminal, which only the foreground may)
#[test]
fn a_pipeline_keeps_the_terminal() {
    let mut terminal = shell();
    let reads = "read from; read line </dev/tty; echo $from: $line";
    let command = format!("{ANCHORED} --supervise sh -c 'echo pipe; exec sleep 1000' | sh -c '{reads}'\n");
    terminal.types(&command);
    terminal.types("terminal\n");
    terminal.shows("pipe: terminal");
    terminal.interrupts();
}
