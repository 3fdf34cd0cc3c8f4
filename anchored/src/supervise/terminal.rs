//! Whether a signal was the terminal's, where the kernel does not say so.
//!
//! KERNEL: with a signal that is caught macOS tells who was running when it was sent (XNU, bsd/kern/kern_sig.c). For a key
//! or a changed window that is whoever writes to the other side of the terminal: the terminal's program, which is never in
//! the session that it has made, or nobody. A shell that continues or ends its jobs is in their session.
//!
//! What is misjudged: a signal of these that somebody outside the session sends to the front alone, while that is in the
//! foreground. It is not handed on. The other way round every ^C would be had twice.

/// What is known of a signal of those that terminals send.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances {
    /// Whether the group of this process is the foreground one of its terminal.
    pub in_foreground: bool,
    /// The session of this process.
    pub session: i32,
    /// The sender's; `None` where there is no sender, or none that can be seen.
    pub senders: Option<i32>,
}

impl Circumstances {
    /// Whether the terminal has sent it, to the whole group.
    pub fn by_terminal(self) -> bool {
        self.in_foreground && self.senders != Some(self.session)
    }
}

#[cfg(test)]
mod tests {
    use super::Circumstances;

    #[test]
    fn a_key_is_the_terminals_and_a_shells_signal_is_not() {
        let key = Circumstances {
            in_foreground: true,
            session: 100,
            senders: Some(50),
        };
        assert!(key.by_terminal());
        assert!(Circumstances { senders: None, ..key }.by_terminal());
        let shell = Circumstances {
            senders: Some(100),
            ..key
        };
        assert!(!shell.by_terminal());
    }

    #[test]
    fn nobody_types_to_the_background() {
        for senders in [None, Some(50), Some(100)] {
            let sent = Circumstances {
                in_foreground: false,
                session: 100,
                senders,
            };
            assert!(!sent.by_terminal(), "{senders:?}");
        }
    }
}
