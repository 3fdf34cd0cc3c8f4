//! Where anchors die: starts an anchor with a contender and a host, and knows both by handle.

use crate::contender::{Contender, Host, Situation};
use crate::kernel::{self, CEILING, Processors, ready};
use crate::programs::{PYTHON, Programs, found};
use crate::start::bystander::identity_of;
use rustix::fd::{AsFd, OwnedFd};
use rustix::process::{Pid, Signal};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub struct Yard<'p> {
    pub programs: &'p Programs,
    pub processors: Processors,
    listener: UnixListener,
    socket: PathBuf,
    said: PathBuf,
}

/// Somebody who has called. The line is kept: its end is the other's.
struct Caller {
    pid: Pid,
    handle: OwnedFd,
    line: UnixStream,
}

/// An anchor and a host that are both there.
pub struct Trial<'y> {
    yard: &'y Yard<'y>,
    anchor: Caller,
    host: Caller,
    pub port: u16,
    reaps: bool,
}

impl<'p> Yard<'p> {
    pub fn open(programs: &'p Programs, processors: Processors, folder: &Path) -> Result<Self, String> {
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
            .map_err(|why| format!("PR_SET_CHILD_SUBREAPER: {why}"))?;
        let socket = folder.join("calls");
        let listener = UnixListener::bind(&socket).map_err(|why| format!("{}: {why}", socket.display()))?;
        Ok(Self {
            programs,
            processors,
            listener,
            socket,
            said: folder.join("said"),
        })
    }

    /// Both run when this returns; who watches may still be on its way: `Trial::settle`.
    pub fn start(&self, contender: &Contender, situation: Situation) -> Result<Trial<'_>, String> {
        let first = contender.around.first().or(contender.prefix.first());
        if let Some(program) = first.filter(|one| !Path::new(one).is_file() && found(one).is_none()) {
            return Err(format!("{program}: not there"));
        }
        let said = File::create(&self.said).map_err(|why| format!("{}: {why}", self.said.display()))?;
        let mut words = contender.around.clone();
        words.extend([
            self.programs.anchor.display().to_string(),
            self.socket.display().to_string(),
        ]);
        words.push(self.processors.measured.to_string());
        let top = command(&words, &[], &said)
            .spawn()
            .map_err(|why| format!("{}: {why}", words[0]))?;
        let mut anchor = self.caller(Some(top.id()))?;
        let number = anchor.pid.as_raw_nonzero().get();
        let (variables, words) = self.order(contender, situation, number)?;
        if situation == Situation::Stranger {
            anchor.say(&[])?;
            // Inherited, for nobody else would put it there.
            kernel::pin(&[self.processors.measured])?;
            let host = command(&words, &variables, &said).spawn();
            kernel::pin(&[self.processors.own])?;
            host.map_err(|why| format!("{}: {why}", words[0]))?;
        } else {
            let mut order: Vec<String> = variables
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            order.push(String::new());
            order.extend(words);
            anchor.say(&order)?;
        }
        let host = self.caller(None)?;
        let mut port = String::new();
        BufReader::new(&host.line)
            .read_line(&mut port)
            .map_err(|why| format!("the host: {why}"))?;
        Ok(Trial {
            yard: self,
            anchor,
            host,
            port: port
                .trim()
                .parse()
                .map_err(|_| format!("the host said {port:?}"))?,
            reaps: situation != Situation::Zombie,
        })
    }

    /// What the host is started with.
    fn order(&self, contender: &Contender, situation: Situation, anchor: i32) -> Result<Order, String> {
        let socket = self.socket.display().to_string();
        let number = anchor.to_string();
        let mut variables = Vec::new();
        if contender.preloads {
            let id = identity_of(anchor.unsigned_abs())?;
            variables.push(("LD_PRELOAD", self.programs.library.display().to_string()));
            variables.push(("ANCHOR_PID", number.clone()));
            variables.push(("ANCHOR_ID", id));
        }
        let mut words: Vec<String> = contender
            .prefix
            .iter()
            .map(|word| word.replace("{anchor}", &number))
            .collect();
        if let Situation::Below(launchers) = situation {
            // What follows keeps the shell from becoming its command.
            let shell = ["sh", "-c", "\"$@\"; exit $?", "launcher"].map(str::to_owned);
            (0..launchers).for_each(|_| words.extend(shell.clone()));
        }
        match contender.host {
            Host::C => words.extend([self.programs.host.display().to_string(), socket]),
            Host::Python(way, seconds) => {
                words.extend([
                    PYTHON.to_owned(),
                    self.programs.host_py.display().to_string(),
                    socket,
                ]);
                words.extend([way.to_owned(), number, seconds.to_string()]);
            }
        }
        Ok((variables, words))
    }

    /// Waits for a call; not any longer if `top`, our child, ends instead.
    fn caller(&self, top: Option<u32>) -> Result<Caller, String> {
        let deadline = Instant::now() + CEILING;
        let handle = top
            .and_then(|pid| Pid::from_raw(pid.cast_signed()))
            .map(kernel::handle)
            .transpose()?;
        let mut of = vec![self.listener.as_fd()];
        of.extend(handle.as_ref().map(AsFd::as_fd));
        while Instant::now() < deadline {
            let ready = ready(&of, deadline.saturating_duration_since(Instant::now()));
            if ready[0] {
                let (line, _) = self.listener.accept().map_err(|why| format!("accept: {why}"))?;
                let peer = rustix::net::sockopt::socket_peercred(&line)
                    .map_err(|why| format!("SO_PEERCRED: {why}"))?;
                return Ok(Caller {
                    pid: peer.pid,
                    handle: kernel::handle(peer.pid)?,
                    line,
                });
            }
            if ready.get(1) == Some(&true) {
                break;
            }
        }
        let said = std::fs::read_to_string(&self.said).unwrap_or_default();
        Err(said
            .lines()
            .next()
            .unwrap_or("it does not start, and says nothing")
            .to_owned())
    }
}

type Order = (Vec<(&'static str, String)>, Vec<String>);

fn command(words: &[String], variables: &[(&str, String)], said: &File) -> Command {
    let mut command = Command::new(&words[0]);
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    command
        .args(&words[1..])
        .env_clear()
        .env("PATH", path)
        .env("LC_ALL", "C");
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    match said.try_clone() {
        Ok(said) => command.stderr(said),
        Err(_) => command.stderr(Stdio::null()),
    };
    command
}

impl Caller {
    fn say(&mut self, order: &[String]) -> Result<(), String> {
        let text: Vec<u8> = order
            .iter()
            .flat_map(|word| [word.as_bytes(), b"\0"].concat())
            .collect();
        let length = u32::try_from(text.len()).map_err(|why| why.to_string())?;
        let message = [length.to_ne_bytes().as_slice(), &text].concat();
        self.line
            .write_all(&message)
            .map_err(|why| format!("the anchor: {why}"))
    }

    fn number(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }
}

impl Trial<'_> {
    /// Waits until nobody below the benchmark or the anchor has anything to do, and so much longer.
    pub fn settle(&self, longer: Duration) -> Result<(), String> {
        kernel::settle(|| {
            let mut all = self.members();
            all.extend(kernel::descendants(kernel::own()));
            all
        })?;
        kernel::rest(longer);
        Ok(())
    }

    /// The host and whoever keeps it company; not the anchor.
    pub fn members(&self) -> Vec<i32> {
        let mut all = kernel::descendants(self.anchor.number());
        let host = self.host.number();
        all.push(host);
        all.extend(kernel::descendants(host));
        all.sort_unstable();
        all.dedup();
        all
    }

    pub fn kill(&self) {
        let _ = rustix::process::pidfd_send_signal(&self.anchor.handle, Signal::KILL);
    }

    /// Whether the host has ended, waiting so long; its anchor is reaped on the way.
    pub fn ended(&mut self, patience: Duration) -> bool {
        let of = [self.anchor.handle.as_fd(), self.host.handle.as_fd()];
        let ready = ready(if self.reaps { &of } else { &of[1..] }, patience);
        if self.reaps && ready[0] {
            kernel::reap(&self.anchor.handle);
            self.reaps = false;
        }
        let ended = ready.last() == Some(&true);
        if ended {
            kernel::reap(&self.host.handle);
        }
        ended
    }

    pub fn apart(&self) -> bool {
        self.yard.processors.apart()
    }
}

/// Where the host lives on, as it does without anybody's help.
impl Drop for Trial<'_> {
    fn drop(&mut self) {
        for one in [&self.anchor, &self.host] {
            let _ = rustix::process::pidfd_send_signal(&one.handle, Signal::KILL);
        }
    }
}
