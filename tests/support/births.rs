//! Anchors and hosts by the thousand: `tests/programs/births.c`, PID 1 of a namespace of its own, does as it is told.
//! What it makes ends with it, however a test ends.

use super::{LIBRARY, Owned, kernel_is_at_least, program, without_library};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

/// A namespace, and who rules it.
pub struct Births {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    _ruler: Owned,
    namespace: u64,
    /// The host that says what becomes of it: `tests/programs/newborn.c`.
    newborn: PathBuf,
}

/// The anchor of the moment, as the namespace knows it.
pub struct Anchor {
    pub pid: i32,
    /// Its PID namespace and its start.
    pub id: String,
    /// With its mark, where the kernel has one for each process: Linux 6.9.
    pub marked: String,
}

impl Births {
    pub fn new() -> Self {
        Self::beyond(&[], "true")
    }

    /// With more of what unshare(1) can do, and a shell's work before it begins.
    pub fn beyond(options: &[&str], before: &str) -> Self {
        let ruler = program("births", &["-static", "-pthread"]);
        let newborn = program("newborn", &[]);
        let mut command = Command::new("unshare");
        if !nix::unistd::geteuid().is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        command.args(["--pid", "--fork", "--kill-child", "--mount-proc"]);
        command.args(options);
        // What the namespace's number is, nobody else can tell before there is somebody in it.
        let script = format!("{before} && stat -Lc %i /proc/self/ns/pid && exec \"$0\"");
        command.args(["sh", "-c", &script]);
        let mut child = without_library(command.arg(ruler))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut births = Self {
            input,
            output,
            _ruler: Owned(child),
            namespace: 0,
            newborn,
        };
        births.namespace = births.answer().parse().unwrap();
        births
    }

    /// Gives an order, and returns the answer. None takes for ever.
    pub fn ask(&mut self, order: &str) -> String {
        writeln!(self.input, "{order}").unwrap();
        self.input.flush().unwrap();
        self.answer()
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "births has ended");
        assert!(!line.starts_with("births: "), "{line}");
        line.trim_end().to_owned()
    }

    /// An order that is done, or the machine is not what the tests need.
    pub fn done(&mut self, order: &str) {
        assert_eq!(self.ask(order), "ok", "{order}");
    }

    pub fn anchor(&mut self) -> Anchor {
        self.anchor_by("anchor")
    }

    /// One of another user.
    pub fn nobodys_anchor(&mut self) -> Anchor {
        self.anchor_by("nobodys-anchor")
    }

    fn anchor_by(&mut self, order: &str) -> Anchor {
        let answer = self.ask(order);
        let [pid, start, mark] = answer.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let id = format!("{}:{start}", self.namespace);
        Anchor {
            pid: pid.parse().unwrap(),
            marked: if kernel_is_at_least(6, 9) {
                format!("{id}:{mark}")
            } else {
                id.clone()
            },
            id,
        }
    }

    /// A host that reports, with the library in it. `how` is tree, pause and death; `set` what stands in its environment.
    pub fn host(&mut self, how: &str, library: &Path, set: &[&str]) {
        let newborn = self.newborn.to_str().unwrap().to_owned();
        self.run(how, library, set, &newborn);
    }

    /// The same with another program.
    pub fn run(&mut self, how: &str, library: &Path, set: &[&str], program: &str) {
        let (library, set) = (library.display(), set.join(" "));
        self.done(&format!("host {how} LD_PRELOAD={library} {set} -- {program}"));
    }

    /// As [`LIBRARY`] has it, asked and never killed: a host that nobody asks lives on, and is seen to.
    pub fn shipped(&mut self, how: &str, set: &[&str]) {
        let set = [&["ANCHOR_GRACE=never"], set].concat();
        self.host(how, &LIBRARY, &set);
    }

    /// As whom the host knows its anchor once its main has begun, empty for nobody; `None` if it has ended.
    pub fn main(&mut self) -> Option<String> {
        match self.ask("line").as_str() {
            "end" => None,
            line => match line.split_once(' ') {
                Some(("main", id)) => Some(id.to_owned()),
                None if line == "main" => Some(String::new()),
                _ => panic!("{line}"),
            },
        }
    }

    /// Whether the host answers: `false` says that it has ended.
    pub fn lives(&mut self) -> bool {
        self.done("tell are you there");
        match self.ask("line").as_str() {
            "here" => true,
            "end" => false,
            line => panic!("{line}"),
        }
    }

    /// Whether it has ended by now.
    pub fn is_gone(&mut self) -> bool {
        self.ask("gone") == "end"
    }

    /// Whether the host ends, and all that came of it: waits for it, long.
    pub fn ends(&mut self) -> bool {
        self.ask("end") == "end"
    }
}
