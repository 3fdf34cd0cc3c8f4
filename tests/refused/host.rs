//! One host and its anchor: how they are started, what the host says, what its watcher does.

use crate::bystander::bystander;
use crate::calls::{Refusals, filter};
use crate::support::*;
use crate::watcher::{Waits, cpu_ticks, held};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::SockType;
use nix::sys::stat::fstat;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::Pid;
use once_cell::sync::Lazy;
use std::fs::{File, read_to_string};
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

static PROGRAM: Lazy<PathBuf> = Lazy::new(|| program("refused", &[]));

/// How often a watcher without events looks, in milliseconds.
pub const POLL: u64 = 10;

/// Who the anchor is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kin {
    /// test -> sleep (anchor), test -> host
    Stranger,
    /// test -> anchor -> host
    Parent,
    /// A stranger that is dead before the host is started.
    Dead,
    /// The test, which holds the other end of a pipe. No process is named.
    Pipe,
    /// A stranger, and the test that holds the other end of a socket.
    Socket,
}

/// What went wrong: a host that crashed, hung, was ended too early, or not at all.
pub type Wrong = String;

/// Where the host was never asked to end, and was ended.
pub const UNASKED: &str = "unasked";

/// Graces: one that ends soon, and one in which any machine gets round to a host's handler.
pub const HURRIED: &str = "20ms";
pub const PATIENT: &str = "20s";

pub struct Host {
    pub pid: i32,
    anchor: Option<Owned>,
    /// The anchor's end of what the host has the other end of.
    lifeline: Option<OwnedFd>,
    /// The process that was started: the host, or the anchor.
    started: Owned,
    input: ChildStdin,
    output: ChildStdout,
    errors: ChildStderr,
    /// Every watcher that was seen.
    watcher_numbers: Vec<i32>,
    anchor_is_parent: bool,
    ended: Option<WaitStatus>,
    since: Instant,
    log: PathBuf,
    _folder: tempfile::TempDir,
}

/// What the host answers: result, and its death signal.
pub type Answer = (i32, i32);

impl Host {
    /// Starts a host whose library is refused these calls, and has no others.
    pub fn start(kin: Kin, refusals: Option<&Refusals>, grace: &str, variables: &[(&str, &str)]) -> Self {
        // Which of two calls writes a log line depends on the file system.
        let folder = tempfile::tempdir_in("/dev/shm").unwrap();
        let log = folder.path().join("log");
        let mut command = Command::new(&*PROGRAM);
        let mut anchor = (!matches!(kin, Kin::Parent | Kin::Pipe)).then(sibling);
        let (lifeline, hosts_end) = match kin {
            Kin::Pipe => Some(lifeline::pipe()),
            Kin::Socket => Some(lifeline::local(SockType::Stream)),
            _ => None,
        }
        .unzip();
        let set = filter(refusals.unwrap_or_default());
        if kin == Kin::Parent {
            without_library(&mut command).arg(&*LIBRARY).arg(set);
        } else {
            without_library(&mut command).env(INJECTS, LIBRARY.as_os_str());
            command.envs(refusals.map(|_| ("REFUSED", set)));
        }
        if let Some(end) = &hosts_end {
            lifeline::held(&mut command, end);
        }
        if let Some(anchor) = &mut anchor {
            command.env("ANCHOR_PID", anchor.pid().to_string());
            if kin == Kin::Dead {
                command.env("ANCHOR_ID", identity(anchor.pid()));
                anchor.kill_and_reap();
            }
        }
        command
            .env("ANCHOR_LOG", &log)
            .env("ANCHOR_POLL", format!("{POLL}ms"))
            .env("ANCHOR_GRACE", grace)
            .envs(variables.iter().copied())
            .current_dir(folder.path())
            .process_group(bystander())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut started = Owned(command.spawn().unwrap());
        Self {
            pid: started.pid(),
            anchor: anchor.filter(|_| kin != Kin::Dead),
            lifeline,
            input: started.0.stdin.take().unwrap(),
            output: started.0.stdout.take().unwrap(),
            errors: started.0.stderr.take().unwrap(),
            started,
            watcher_numbers: Vec::new(),
            anchor_is_parent: kin == Kin::Parent,
            ended: None,
            since: Instant::now(),
            log,
            _folder: folder,
        }
    }

    /// Has the host do what a letter stands for.
    pub fn does(&mut self, letter: char) -> Result<Answer, Wrong> {
        self.input
            .write_all(&[letter as u8])
            .map_err(|_| self.ended_before(letter))?;
        self.answer(letter)
    }

    /// What the host says next. It must be an answer, and nothing else: it was not asked to end.
    pub fn answer(&mut self, letter: char) -> Result<Answer, Wrong> {
        let mut line = String::new();
        while !line.ends_with('\n') {
            let mut byte = [0];
            match read(&mut self.output, &mut byte)? {
                0 => return Err(self.ended_before(letter)),
                _ => line.push(char::from(byte[0])),
            }
        }
        let Some(rest) = line.strip_prefix(letter) else {
            return Err(format!("while the anchor lives: {line:?} for {letter}"));
        };
        let numbers: Vec<i32> = rest
            .split_whitespace()
            .map(|number| number.parse().unwrap())
            .collect();
        self.pid = numbers[1];
        Ok((numbers[0], numbers[2]))
    }

    fn ended_before(&mut self, letter: char) -> Wrong {
        if letter == 'f' || letter == '+' && self.anchor_is_parent {
            // Its number nobody has told, and its parent stays.
            let _ = self.started.0.kill();
            return "ended while the anchor lives".into();
        }
        // A filter that kills a thread may leave the watcher alone.
        let alone = |_: i32| self.watcher().is_some_and(|task| Waits::of(&task).is_some());
        if (0..50).all(|look| {
            nap();
            alone(look)
        }) {
            return "only the watcher is left".into();
        }
        let by = match self.ended() {
            WaitStatus::Signaled(_, by, _) => by.to_string(),
            other => format!("{other:?}"),
        };
        format!("ended while the anchor lives, by {by}")
    }

    /// Waits for its end.
    pub fn ended(&mut self) -> WaitStatus {
        if self.pid != self.started.pid() {
            // It becomes our child when its parent, who does not look after it, is gone.
            let _ = self.started.0.kill();
            let _ = self.started.0.wait();
        }
        let own = self.pid == self.started.pid();
        *self.ended.get_or_insert_with(|| ended(self.pid, own))
    }

    /// Waits until it is asked to end.
    pub fn is_asked(&mut self) -> Result<(), Wrong> {
        let mut byte = [0];
        read(&mut self.output, &mut byte)?;
        if byte == *b"T" {
            Ok(())
        } else {
            Err(format!("{byte:?} and not asked"))
        }
    }

    /// Whether it has ended because it could not be armed.
    pub fn does_not_run(&self) -> bool {
        matches!(self.ended, Some(WaitStatus::Exited(_, 125)))
    }

    /// What is missing of the one line with which a host says that it does not run.
    pub fn refusal(&mut self) -> Option<String> {
        let mut said = String::new();
        self.errors.read_to_string(&mut said).unwrap();
        let told = said.lines().count() == 1 && said.contains("not run, because ");
        (!told).then(|| "untold".into())
    }

    /// What was written to descriptor 2 until the host closed it. And whether no watcher has it open then.
    pub fn errors(&mut self) -> Result<(String, bool), Wrong> {
        self.does('c')?;
        let pipe = format!("pipe:[{}]", fstat(&self.errors).unwrap().st_ino);
        let (mut all, mut part) = (Vec::new(), [0; 512]);
        let deadline = Instant::now() + CEILING;
        // The watchers were seen to wait: what they hold now they hold for good. The host's parent may need a moment, and so
        // may whoever is just being started by another thread here.
        while Instant::now() < deadline {
            let held = !is_readable(&self.errors, 1) && self.watchers_hold(&pipe);
            if !is_readable(&self.errors, 10) {
                if held {
                    return Ok((String::from_utf8(all).unwrap(), false));
                }
                continue;
            }
            match self.errors.read(&mut part).unwrap() {
                0 => return Ok((String::from_utf8(all).unwrap(), true)),
                length => all.extend_from_slice(&part[..length]),
            }
        }
        Err("somebody holds the host's descriptors, and it is no watcher".into())
    }

    /// Whether a watcher has this open, the host's own or that of the parent who forked it.
    fn watchers_hold(&self, file: &str) -> bool {
        let of = |pid: i32| {
            let tasks = std::fs::read_dir(format!("/proc/{pid}/task"))
                .into_iter()
                .flatten();
            let others = tasks
                .flatten()
                .filter(move |task| task.file_name() != *pid.to_string());
            others.map(|task| task.path())
        };
        let mut watchers = of(self.pid).chain(of(self.started.pid()));
        watchers.any(|task| held(&task).is_some_and(|held| held.iter().any(|held| held.as_os_str() == file)))
    }

    /// Nobody reads its descriptor 2 any more.
    pub fn unread(&mut self) {
        self.errors = OwnedFd::from(File::open("/dev/null").unwrap()).into();
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> Result<bool, Wrong> {
        nap();
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        let status = waitid(Id::Pid(Pid::from_raw(self.pid)), flags).unwrap();
        if self.since.elapsed() > CEILING {
            return Err("armed, and not ended with its anchor".into());
        }
        Ok(status != WaitStatus::StillAlive)
    }

    /// Why it says that it is inert.
    pub fn why_inert(&self, said: &str) -> Option<String> {
        let logged = self.logged(said);
        let line = logged
            .iter()
            .rev()
            .find_map(|line| line.strip_prefix("inert: "))?;
        Some(line.split_once(": ")?.1.to_owned())
    }

    pub fn kill_anchor(&mut self) {
        match &mut self.anchor {
            Some(anchor) => anchor.kill_and_reap(),
            None if self.lifeline.is_some() => self.hang_up(),
            None => self.started.kill_and_reap(),
        }
    }

    /// The anchor's end is closed, and whoever is the anchor by number lives.
    pub fn hang_up(&mut self) {
        self.lifeline = None;
    }

    /// Waits for the end of a host that listens and goes on: it is asked once, then killed. What of that was not so.
    ///
    /// Its output ends with it: nobody else has it open.
    pub fn end(&mut self, may_stay: bool) -> Result<Vec<String>, Wrong> {
        let (mut said, mut part, mut probed) = (Vec::new(), [0; 512], false);
        let deadline = Instant::now() + CEILING;
        loop {
            let ended = is_readable(&self.output, 1) && {
                let length = self.output.read(&mut part).unwrap();
                said.extend_from_slice(&part[..length]);
                length == 0
            };
            if ended {
                break;
            }
            // No watcher any more: it is about to end, or it answers.
            if may_stay && !probed && self.watcher().is_none() {
                probed = self.input.write_all(b"e").is_ok();
            }
            if probed && said.contains(&b'e') {
                return Ok(vec!["stays".into()]);
            }
            if Instant::now() > deadline {
                return Err("armed, and not ended with its anchor".into());
            }
        }
        let mut lacks = Vec::new();
        match said.iter().filter(|byte| **byte == b'T').count() {
            0 => lacks.push(UNASKED.into()),
            1 => {}
            _ => lacks.push("asked twice".into()),
        }
        match self.ended() {
            WaitStatus::Signaled(_, Signal::SIGKILL, _) => {}
            WaitStatus::Exited(_, 143) => lacks.push("exits".into()),
            WaitStatus::Signaled(_, by, _) => lacks.push(format!("by {by}")),
            other => return Err(format!("ended otherwise: {other:?}")),
        }
        Ok(lacks)
    }

    /// The lines of the log, in its file and on descriptor 2, that are this process's, without what they all begin with.
    pub fn logged(&self, said: &str) -> Vec<String> {
        // Where getpid(2) is refused, a watcher knows its own number only.
        let is_own = |number| number == self.pid || self.watcher_numbers.contains(&number);
        let log = read_to_string(&self.log).unwrap_or_default();
        log.lines()
            .chain(said.lines())
            .filter_map(|line| line.strip_prefix("libanchor[")?.split_once("]: "))
            .filter(|(number, _)| number.parse().is_ok_and(is_own))
            .map(|(_, line)| line)
            .filter(|line| !line.starts_with("ANCHOR_LOG: "))
            .map(str::to_owned)
            .collect()
    }

    /// The watcher's folder in `/proc`. The host has no other threads.
    pub fn watcher(&self) -> Option<PathBuf> {
        let own = self.pid.to_string();
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.pid)).ok()?;
        tasks
            .flatten()
            .find(|task| task.file_name() != *own)
            .map(|task| task.path())
    }

    /// Waits until the watcher waits, or is gone.
    pub fn settled(&mut self) -> Result<Option<Waits>, Wrong> {
        let deadline = Instant::now() + CEILING;
        while Instant::now() < deadline {
            let Some(task) = self.watcher() else {
                return Ok(None);
            };
            if let Some(waits) = Waits::of(&task) {
                let number = task.file_name().unwrap().to_str().unwrap();
                self.watcher_numbers.push(number.parse().unwrap());
                return Ok(Some(waits));
            }
            if cpu_ticks(&task) > 50 {
                return Err("the watcher spins".into());
            }
            nap();
        }
        Err("the watcher never waits".into())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if self.ended.is_none() {
            // Nobody else's number: it was not reaped.
            let _ = kill(Pid::from_raw(self.pid), Signal::SIGKILL);
            self.ended();
        }
    }
}

/// Waits for the end of a process that is our child, or becomes it when its parent is reaped. `owned`: somebody else will
/// reap it, who would kill by a number that is another's by then.
fn ended(pid: i32, owned: bool) -> WaitStatus {
    let (pid, deadline) = (Pid::from_raw(pid), Instant::now() + CEILING);
    let status = || match owned {
        true => waitid(
            Id::Pid(pid),
            WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT,
        ),
        false => waitpid(pid, Some(WaitPidFlag::WNOHANG)),
    };
    while Instant::now() < deadline {
        match status() {
            Ok(WaitStatus::StillAlive) | Err(_) => nap(),
            Ok(ended) => return ended,
        }
    }
    WaitStatus::StillAlive
}

/// Whether there is something to read, or the end, within so many milliseconds.
fn is_readable(from: &impl AsFd, millis: u16) -> bool {
    let mut entry = [PollFd::new(from.as_fd(), PollFlags::POLLIN)];
    poll(&mut entry, PollTimeout::from(millis)).unwrap() > 0
}

/// Reads what there is, once there is something.
fn read(from: &mut (impl Read + AsFd), to: &mut [u8]) -> Result<usize, Wrong> {
    if is_readable(from, u16::try_from(CEILING.as_millis()).unwrap()) {
        Ok(from.read(to).unwrap())
    } else {
        Err("hangs".into())
    }
}
