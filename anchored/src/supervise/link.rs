//! What the front and the guard tell each other, over a pair of sockets. Its end tells each of the other's death.

use super::journal::Event;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// To the guard: hand this signal to the command.
    Signal(i32),
    /// To the front: the command could not be run, an errno.
    Refused(i32),
    /// To the front: how the command has ended, as waitpid(2) has it.
    Ended(i32),
    /// To the front: this process cannot be ended by us, and nothing else is left to end.
    OutOfReach(i32),
    /// To the front: this is to be shown on its stderr.
    Event(Event),
}

/// One side.
#[derive(Debug)]
pub struct Link(UnixStream);

/// Both.
pub fn pair() -> std::io::Result<(Link, Link)> {
    let (near, far) = UnixStream::pair()?;
    Ok((Link(near), Link(far)))
}

impl Link {
    /// Tells the other side. Where there is none, there is nobody to know.
    pub fn say(&mut self, word: Word) {
        let (kind, number) = match word {
            Word::Signal(number) => (0, number),
            Word::Refused(number) => (1, number),
            Word::Ended(number) => (2, number),
            Word::OutOfReach(number) => (3, number),
            Word::Event(Event::Armed(pid)) => (4, pid),
            Word::Event(Event::Fired) => (5, 0),
            Word::Event(Event::Asked(pid)) => (6, pid),
            Word::Event(Event::Killed(pid)) => (7, pid),
        };
        let mut text = [0; 8];
        text[..4].copy_from_slice(&i32::to_ne_bytes(kind));
        text[4..].copy_from_slice(&number.to_ne_bytes());
        let _ = self.0.write_all(&text);
    }

    /// Waits for the next word. `None`: the other side is gone.
    pub fn next(&mut self) -> Option<Word> {
        let (mut kind, mut number) = ([0; 4], [0; 4]);
        self.0.read_exact(&mut kind).ok()?;
        self.0.read_exact(&mut number).ok()?;
        let number = i32::from_ne_bytes(number);
        match i32::from_ne_bytes(kind) {
            0 => Some(Word::Signal(number)),
            1 => Some(Word::Refused(number)),
            2 => Some(Word::Ended(number)),
            3 => Some(Word::OutOfReach(number)),
            4 => Some(Word::Event(Event::Armed(number))),
            5 => Some(Word::Event(Event::Fired)),
            6 => Some(Word::Event(Event::Asked(number))),
            7 => Some(Word::Event(Event::Killed(number))),
            _ => None,
        }
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
