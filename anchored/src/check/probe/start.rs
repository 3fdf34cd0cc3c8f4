//! Starts the stand-in anchor and the command.

use super::own;
use crate::cli::Line;
use crate::decide::Decision;
use crate::failure::Failure;
use crate::run;
use nix::fcntl::OFlag;
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{ForkResult, Pid, fork, getppid, pause, pipe2, setsid};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// How the stand-in and the command are started.
pub struct Start<'a> {
    pub decision: &'a Decision,
    /// The signals that the command blocks from its start.
    pub mask: SigSet,
}

impl Start<'_> {
    /// Makes the stand-in, and the command below it. Both numbers.
    pub fn all(&self, line: &Line) -> Result<(i32, i32), Failure> {
        let (from, to) = pipe2(OFlag::O_CLOEXEC).map_err(own)?;
        let (mut from, to) = (File::from(from), File::from(to));
        let above = Pid::this();
        // SAFETY: this process has one thread, so the child may do what any process may.
        let stand_in = match unsafe { fork() }.map_err(own)? {
            ForkResult::Child => {
                drop(from);
                self.stand_in(line, above, to)
            }
            ForkResult::Parent { child } => child.as_raw(),
        };
        drop(to);
        let name = line.command.first().expect("the line has a command");
        if line.pid.is_some() {
            let child = self.command(line, stand_in)?.spawn();
            let child = child.map_err(|error| Failure::of_exec(name, &error))?;
            return Ok((stand_in, number(&child)));
        }
        let mut answer = String::new();
        let read = from.read_to_string(&mut answer);
        read.map_err(|error| Failure::own(format_args!("--probe: {error}")))?;
        let answer = answer
            .split_once(' ')
            .map(|(what, number)| (what, number.parse()));
        match answer {
            Some(("started", Ok(command))) => Ok((stand_in, command)),
            Some(("errno", Ok(errno))) => Err(Failure::of_exec(name, &io::Error::from_raw_os_error(errno))),
            _ => Err(Failure::own("--probe: the stand-in anchor could not be started")),
        }
    }

    /// The stand-in's life: it starts the command from its main thread, as a parent would, and waits to be killed.
    fn stand_in(&self, line: &Line, above: Pid, mut answer: File) -> ! {
        // RACE: the parent may have died before the line that ties this process to it.
        if prctl::set_pdeathsig(Signal::SIGKILL).is_err() || getppid() != above {
            std::process::exit(1);
        }
        if line.pid.is_none() {
            let command = self.command(line, Pid::this().as_raw());
            let said = match command.map(|mut command| command.spawn()) {
                Ok(Ok(child)) => format!("started {}", child.id()),
                Ok(Err(error)) => format!("errno {}", error.raw_os_error().unwrap_or(0)),
                Err(_) => String::new(),
            };
            let _ = answer.write_all(said.as_bytes());
        }
        drop(answer);
        loop {
            pause();
        }
    }

    /// The command as [`run`] makes it, heard by nobody and away from the terminal.
    fn command(&self, line: &Line, anchor: i32) -> Result<Command, Failure> {
        let mut line = line.clone();
        (line.pid, line.fd) = (u32::try_from(anchor).ok(), None);
        let (name, arguments) = line.command.split_first().expect("the line has a command");
        let mut command = Command::new(name);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        run::give(&run::anchor(&line)?, self.decision, &mut command);
        let mask = self.mask;
        let prepare = move || {
            mask.thread_set_mask()?;
            setsid()?;
            Ok(())
        };
        // SAFETY: two system calls. That there is a closure at all makes std use execvp(3), as `run` does, and not
        // posix_spawnp(3), which has no shell run what the kernel does not take for a program.
        unsafe { command.pre_exec(prepare) };
        Ok(command)
    }
}

fn number(child: &Child) -> i32 {
    i32::try_from(child.id()).unwrap_or(i32::MAX)
}
