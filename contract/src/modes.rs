//! The settings that are one of a few words: scope, parent death signal, strict, disable.

use crate::{Holder, Line, Setting, Variable, variables};

/// `ANCHOR_SCOPE`: which processes that inherit the variables are hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every descendant.
    Tree,
    /// The process that was given the variable. Its first load fills in who that is and writes it back to its own
    /// environment (`self:PID:START`), so that its descendants can tell that they are others.
    Itself(Option<Holder>),
}

impl Scope {
    /// Appends the value as [`Setting::parse`] reads it.
    pub fn print(&self, line: &mut Line) {
        match self {
            Self::Tree => line.text("tree"),
            Self::Itself(None) => line.text("self"),
            Self::Itself(Some(holder)) => {
                holder.print(line.text("self:"));
                line
            }
        };
    }
}

impl Setting for Scope {
    const VARIABLE: &'static Variable = &variables::SCOPE;

    fn parse(value: &[u8]) -> Option<Self> {
        match value {
            b"tree" => Some(Self::Tree),
            b"self" => Some(Self::Itself(None)),
            _ => Holder::parse(value.strip_prefix(b"self:")?).map(|holder| Self::Itself(Some(holder))),
        }
    }
}

/// `ANCHOR_PDEATHSIG`: when the kernel's parent death signal is set too, PR_SET_PDEATHSIG(2const).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pdeathsig {
    /// Where it can only mean the anchor's death.
    Auto,
    /// Whoever the parent is, and whichever of its threads made us.
    Always,
    /// Not at all.
    Never,
}

impl Setting for Pdeathsig {
    const VARIABLE: &'static Variable = &variables::PDEATHSIG;

    fn parse(value: &[u8]) -> Option<Self> {
        match value {
            b"auto" => Some(Self::Auto),
            b"always" => Some(Self::Always),
            b"never" => Some(Self::Never),
            _ => None,
        }
    }
}

/// `ANCHOR_STRICT`: whether a host that cannot be armed does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strict(pub bool);

impl Setting for Strict {
    const VARIABLE: &'static Variable = &variables::STRICT;

    fn parse(value: &[u8]) -> Option<Self> {
        switch(value).map(Self)
    }
}

/// `ANCHOR_DISABLE`: whether the library does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disable(pub bool);

impl Setting for Disable {
    const VARIABLE: &'static Variable = &variables::DISABLE;

    fn parse(value: &[u8]) -> Option<Self> {
        switch(value).map(Self)
    }
}

fn switch(value: &[u8]) -> Option<bool> {
    match value {
        b"1" => Some(true),
        b"0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Disable, Pdeathsig, Scope, Strict};
    use crate::{Line, Setting};

    #[test]
    fn a_printed_scope_reads_as_itself() {
        for text in ["tree", "self", "self:12:345678"] {
            let scope = Scope::parse(text.as_bytes()).unwrap();
            let mut line = Line::new();
            scope.print(&mut line);
            assert_eq!(line.as_bytes(), text.as_bytes());
        }
    }

    #[test]
    fn other_words_are_refused() {
        for bad in ["Tree", "all", "self:", "self:1", "self:0:1", "self:1:2:3"] {
            assert_eq!(Scope::parse(bad.as_bytes()), None, "{bad}");
        }
        for bad in ["yes", "true", "2", "on"] {
            assert_eq!(Strict::parse(bad.as_bytes()), None, "{bad}");
            assert_eq!(Disable::parse(bad.as_bytes()), None, "{bad}");
            assert_eq!(Pdeathsig::parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
