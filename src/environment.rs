//! The first step: the host's environment. Finds the values of the contract, and adds what descendants must inherit.

use crate::sys::environ;
use anchor_contract::{AnchorFd, AnchorId, Line, Scope, Setting, Values, Variable};

/// The environment as this process was given it.
pub struct Environment {
    values: Values<'static>,
    /// Whether valgrind runs this program: it preloads parts of itself.
    pub valgrind: bool,
}

impl Environment {
    /// Looks through the environment once. No system call, no copy.
    pub fn read() -> Self {
        let mut values = Values::none();
        let mut valgrind = false;
        environ::for_each(&mut |entry| {
            if Values::may_take(entry) {
                values.take(entry);
            } else {
                valgrind |=
                    entry.starts_with(b"LD_PRELOAD=") && entry.windows(11).any(|part| part == b"/vgpreload_");
            }
        });
        Self { values, valgrind }
    }

    /// The value of a variable that is set and not empty.
    pub fn get(&self, variable: &Variable) -> Option<&'static [u8]> {
        self.values.get(variable)
    }
}

/// What a load has found out and its descendants are to know.
pub struct Pins {
    /// Who the anchor is, where the variable did not say.
    pub id: Option<AnchorId>,
    /// Who alone is the host, where the variable said `self`.
    pub scope: Option<Scope>,
    /// Which file the anchor's descriptor is, where the variable did not say.
    pub fd: Option<AnchorFd>,
}

/// Adds the pins to the host's own environment. `false` where that cannot be: descendants then pin anew.
pub fn add(pins: &Pins) -> bool {
    let (mut id, mut scope, mut fd) = (Line::new(), Line::new(), Line::new());
    if let Some(value) = &pins.id {
        value.print(entry(&mut id, AnchorId::VARIABLE));
    }
    if let Some(value) = &pins.scope {
        value.print(entry(&mut scope, Scope::VARIABLE));
    }
    if let Some(value) = &pins.fd {
        value.print(entry(&mut fd, AnchorFd::VARIABLE));
    }
    environ::set(&[id.as_bytes(), scope.as_bytes(), fd.as_bytes()])
}

fn entry<'a>(line: &'a mut Line, variable: &Variable) -> &'a mut Line {
    line.text(variable.name).text("=")
}
