//! The guard: the command's parent. It reaps, passes on what the front is sent, and ends the tree when the anchor
//! dies. It stays as long as there is somebody below it, and holds nothing of the caller's.

use super::Watched;
use super::ending::{Ending, Pass};
use super::journal::{Event, Journal};
use super::link::{Link, Word};
use super::start::{leave_the_caller, number, start};
use super::system::lookout::Lookout;
use super::system::signals::Signals;
use super::system::{bond, job};
use super::terms::Terms;
use super::tree::Tree;
use crate::processes::Handle;
use std::process::Command;
use std::time::{Duration, Instant};

struct Guard {
    /// `None` when the front is gone.
    link: Option<Link>,
    front: Handle,
    /// Whether there is somebody who ends the tree by its death, and has not yet.
    anchored: bool,
    /// `None` when it has ended.
    command: Option<i32>,
    command_is_stopped: bool,
    lookout: Lookout,
    journal: Journal,
}

/// Starts the command and stays. Nothing that the front has to clean up is cleaned up here: this never returns.
pub fn run(
    mut link: Link,
    front: Handle,
    anchor: Watched,
    terms: Terms,
    journal: Journal,
    mut command: Command,
    signals: &Signals,
) -> ! {
    let anchored = anchor.is_any();
    // ORDER: before there is a command that could leave an orphan.
    let started = || {
        bond::adopt_orphans()?;
        let lookout = Lookout::open(anchor)?;
        lookout.mark(&mut command);
        Ok((lookout, start(command, signals.before())?))
    };
    let started: std::io::Result<_> = started();
    let (lookout, command) = match started {
        Ok(started) => started,
        Err(error) => {
            link.say(Word::Refused(error.raw_os_error().unwrap_or(libc::EINVAL)));
            exit();
        }
    };
    let mut kept = lookout.descriptors();
    kept.push(number(&link));
    kept.extend(front.kept());
    leave_the_caller(&kept);
    let mut guard = Guard {
        link: Some(link),
        front,
        anchored,
        command: Some(command),
        command_is_stopped: false,
        lookout,
        journal,
    };
    guard.tell_event(Event::Armed(command));
    guard.stay(&terms)
}

impl Guard {
    fn stay(mut self, terms: &Terms) -> ! {
        let mut ending: Option<Ending> = None;
        let mut next_pass = None;
        while self.reap() || !self.lookout.is_alone() {
            // Without an anchor, or when it is dead and everybody who is meant with it, there is the command to wait for.
            let nothing_to_guard = terms.alone || (!self.anchored && ending.is_none());
            if self.command.is_none() && nothing_to_guard {
                break;
            }
            let due = next_pass.is_none_or(|at| at <= Instant::now());
            if let Some(passes) = ending.as_mut().filter(|_| due) {
                let mut tree = Tree::of(&mut self.lookout, terms, self.command);
                let pass = passes.pass(&mut tree);
                for event in tree.events() {
                    self.tell_event(event);
                }
                match pass {
                    Pass::Again(pause) => next_pass = Some(Instant::now() + pause),
                    // Not the end yet: a command that is to be left alone would not outlive its guard.
                    Pass::Nobody => {
                        (ending, next_pass) = (None, None);
                        continue;
                    }
                    Pass::OutOfReach(pid) => {
                        self.tell(Word::OutOfReach(pid));
                        break;
                    }
                }
            }
            let pause = next_pass.map(|at| at.saturating_duration_since(Instant::now()));
            if self.wait(pause) {
                self.anchored = false;
                self.tell_event(Event::Fired);
                ending = Some(Ending::new(terms.signal, terms.grace, Instant::now()));
                // Stopped with the command, it could not say how that one ends.
                let _ = self.front.send(libc::SIGCONT);
            }
        }
        exit()
    }

    /// Waits for what comes, at most so long, and does what it asks for. `true`: the anchor has died.
    fn wait(&mut self, at_most: Option<Duration>) -> bool {
        let came = self.lookout.wait(self.link.as_ref(), at_most);
        if came.said {
            self.listen();
        }
        came.died
    }

    /// What the front says, or that it is gone.
    fn listen(&mut self) {
        match self.link.as_mut().and_then(Link::next) {
            Some(Word::Signal(libc::SIGCONT)) => self.go_on(),
            Some(Word::Signal(number)) => self.send(number),
            Some(_) => {}
            // It stands for the command: who kills it has meant the command. What the command has started goes on, as
            // it would without us, until its anchor dies.
            None => {
                self.link = None;
                self.send(libc::SIGKILL);
            }
        }
    }

    /// A SIGCONT is not handed on like the others: it takes back what has stopped the command *since*.
    ///
    /// RACE: 1. a shell continues the group, front and command  2. ^Z stops the command  3. what the front had in 1 is
    ///   handed on, and ^Z is undone. A command that is stopped stays so while its front does: then 1 was before 2. One
    ///   that is not stopped is told only if it wants to know; for such a one the instant between the look and the signal
    ///   stays open.
    fn go_on(&mut self) {
        self.reap();
        let (Some(command), front) = (self.command, nix::unistd::getppid().as_raw()) else {
            return;
        };
        let wanted = if self.command_is_stopped {
            !job::is_stopped(front)
        } else {
            job::catches(command, libc::SIGCONT)
        };
        if wanted {
            self.send(libc::SIGCONT);
        }
    }

    fn send(&self, number: i32) {
        if let Some(command) = self.command {
            // SAFETY: numbers only. The command is a child that has not been waited for: the number is its own.
            unsafe { libc::kill(command, number) };
        }
    }

    fn tell(&mut self, word: Word) {
        if let Some(link) = &mut self.link {
            link.say(word);
        }
    }

    fn tell_event(&mut self, event: Event) {
        self.journal.tell(event, self.link.as_mut());
    }

    /// Takes every child that has ended; sees how the command fares. `false`: there is no child left.
    fn reap(&mut self) -> bool {
        loop {
            let (mut status, flags) = (0, libc::WNOHANG | libc::WUNTRACED | libc::WCONTINUED);
            // SAFETY: room for one status.
            let pid = unsafe { libc::waitpid(-1, &raw mut status, flags | bond::EVERY_CHILD) };
            match pid {
                0 => return true,
                -1 => return false,
                pid if self.command == Some(pid) => self.command_has(status),
                _ => {}
            }
        }
    }

    /// The front does as the command: whoever waits for it sees a job that stops and goes on.
    ///
    /// RACE: a front that stopped itself when told could 1. be told  2. be continued, with the command  3. stop, for
    ///   ever. Both come from here, in the order in which the kernel reports them: the last one holds. The price is that
    ///   it is always SIGSTOP, which a shell may show in other words than ^Z.
    fn command_has(&mut self, status: i32) {
        self.command_is_stopped = libc::WIFSTOPPED(status);
        if libc::WIFSTOPPED(status) {
            let _ = self.front.send(libc::SIGSTOP);
        } else if libc::WIFCONTINUED(status) {
            let _ = self.front.send(libc::SIGCONT);
        } else {
            self.command = None;
            self.tell(Word::Ended(status));
            let _ = self.front.send(libc::SIGCONT);
        }
    }
}

fn exit() -> ! {
    // SAFETY: no handlers of the front's are run a second time.
    unsafe { libc::_exit(0) }
}
