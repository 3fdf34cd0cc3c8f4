//! Every variable's value, but `ANCHOR_ID`'s and `ANCHOR_SKIP`'s: both parsers agree, and what is printed reads as
//! itself.

#![no_main]

use anchor_contract::{
    AnchorFd, Disable, FileId, Grace, Holder, Line, LogTarget, Millis, Pdeathsig, Pid, Poll, Scope, Setting,
    Signal, Strict,
};
use anchor_fuzz::{naive::values, printed};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|value: &[u8]| {
    pid(value);
    fd(value);
    times(value);
    signal(value);
    scope(value);
    words(value);
    line(value);
});

fn pid(value: &[u8]) {
    let pid = Pid::parse(value);
    let wanted = values::number(value).filter(|number| (1..=4_194_304).contains(number));
    assert_eq!(pid.map(Pid::number), wanted);
    let Some(pid) = pid else { return };
    let text = printed(|line| {
        line.number(pid.number());
    });
    assert_eq!(Pid::parse(&text), Some(pid));
    assert_eq!(Pid::from_raw(pid.raw()), Some(pid));
}

fn fd(value: &[u8]) {
    let fd = AnchorFd::parse(value);
    let at = value.iter().position(|byte| *byte == b':');
    let (number, rest) = match at {
        None => (values::number(value), Some(None)),
        Some(at) => (
            values::number(&value[..at]),
            values::pair(&value[at + 1..], ':').map(|(device, inode, _)| Some(FileId { device, inode })),
        ),
    };
    let number = number.and_then(|number| i32::try_from(number).ok());
    assert_eq!(fd.map(|fd| (fd.raw(), fd.file)), number.zip(rest));
    let Some(fd) = fd else { return };
    assert_eq!(AnchorFd::parse(&printed(|line| fd.print(line))), Some(fd));
    assert_eq!(AnchorFd::new(fd.raw(), fd.file), Some(fd));
}

fn times(value: &[u8]) {
    let grace = Grace::parse(value);
    let kill = |grace| match grace {
        Grace::Kill(time) => Some(u64::from(Millis::count(time))),
        Grace::Never => None,
    };
    let wanted = values::millis(value);
    assert_eq!(grace.and_then(kill), if value == b"0" { Some(0) } else { wanted });
    assert_eq!(grace == Some(Grace::Never), value == b"never");
    let poll = Poll::parse(value);
    assert_eq!(
        poll.map(|poll| poll.0.count().into()),
        wanted.filter(|count| *count > 0)
    );
    if let Some(Grace::Kill(time)) = grace {
        let text = printed(|line| time.print(line));
        assert_eq!(Grace::parse(&text), grace);
    }
}

fn signal(value: &[u8]) {
    let signal = Signal::parse(value);
    let number = signal.map(|signal| u64::from(signal.raw().unsigned_abs()));
    assert_eq!(number, values::signal(value));
    let Some(signal) = signal else { return };
    assert_eq!(signal.exit_status(), 128 + signal.raw());
    let text = printed(|line| signal.print(line));
    let value = text.strip_prefix(b"signal ").unwrap_or(&text);
    assert_eq!(Signal::parse(value), Some(signal));
}

fn scope(value: &[u8]) {
    let scope = Scope::parse(value);
    let holder = value
        .strip_prefix(b"self:")
        .and_then(|rest| values::pair(rest, ':'))
        .filter(|(pid, ..)| (1..=0x7fff_ffff).contains(pid));
    let wanted = match (value, holder) {
        (b"tree", _) => Some(Scope::Tree),
        (b"self", _) => Some(Scope::Itself(None)),
        (_, Some((pid, start, _))) => {
            let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
            pid.map(|pid| Scope::Itself(Some(Holder { pid, start })))
        }
        _ => None,
    };
    assert_eq!(scope, wanted);
    if let Some(scope) = scope {
        let text = printed(|line| scope.print(line));
        assert_eq!(Scope::parse(&text), Some(scope));
    }
}

fn words(value: &[u8]) {
    let word = match value {
        b"auto" => Some(Pdeathsig::Auto),
        b"always" => Some(Pdeathsig::Always),
        b"never" => Some(Pdeathsig::Never),
        _ => None,
    };
    assert_eq!(Pdeathsig::parse(value), word);
    let switch = values::number(value).filter(|number| *number < 2 && value.len() == 1);
    let switch = switch.map(|number| number == 1);
    assert_eq!(Strict::parse(value), switch.map(Strict));
    assert_eq!(Disable::parse(value), switch.map(Disable));
    let to_stderr = LogTarget::parse(value) == Some(LogTarget::Stderr);
    assert_eq!(to_stderr, value == b"stderr");
}

/// Whatever a value is, what is said of it is one printable line that a pipe takes in one piece.
fn line(value: &[u8]) {
    let mut line = Line::new();
    let quoted = line.quoted(value).as_bytes();
    assert!(quoted.iter().all(|byte| (b' '..=b'~').contains(byte)));
    assert_eq!(quoted.len(), if value.len() > 80 { 83 } else { value.len() });
    let whole = line.raw(value).end();
    assert!(whole.len() <= 512 && whole.ends_with(b"\n"));
}
