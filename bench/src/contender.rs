//! Who takes part in death to death: each as its manual recommends it.

use crate::programs::Programs;
use std::path::Path;

/// How anchor and host stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Situation {
    /// The anchor has started the contender, and there are so many launchers between that one and the host.
    Below(usize),
    /// Somebody else has, who lives on.
    Stranger,
    /// The anchor has, and nobody reaps it.
    Zombie,
}

pub const SITUATIONS: [Situation; 5] = [
    Situation::Below(0),
    Situation::Below(1),
    Situation::Below(3),
    Situation::Stranger,
    Situation::Zombie,
];

impl Situation {
    pub fn name(self) -> &'static str {
        match self {
            Self::Below(0) => "child",
            Self::Below(1) => "1 between",
            Self::Below(_) => "3 between",
            Self::Stranger => "no relation",
            Self::Zombie => "anchor not reaped",
        }
    }
}

/// The host's own program.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Host {
    /// programs/host.c
    C,
    /// programs/host.py, which looks in this way and after so many seconds.
    Python(&'static str, f64),
}

#[derive(Clone, Debug)]
pub struct Contender {
    pub name: &'static str,
    /// What stands before the command. `{anchor}` is the anchor's number.
    pub prefix: Vec<String>,
    /// What the anchor itself is started by.
    pub around: Vec<String>,
    /// The library and its variables are in the environment.
    pub preloads: bool,
    pub host: Host,
    /// The package that brings it, for its version.
    pub package: &'static str,
}

impl Contender {
    /// What has to be typed, for the page.
    pub fn command(&self) -> String {
        let mut words = Vec::new();
        if !self.around.is_empty() {
            return format!("{} APP, which starts COMMAND", self.around.join(" "));
        }
        if self.preloads {
            words.push("LD_PRELOAD=libanchor.so ANCHOR_PID=PID ANCHOR_ID=ID".to_owned());
        }
        for word in &self.prefix {
            // The launcher, wherever it was built.
            let file = Path::new(word).file_name().filter(|_| Path::new(word).is_file());
            words.push(
                file.and_then(|name| name.to_str())
                    .unwrap_or(word)
                    .replace("{anchor}", "PID"),
            );
        }
        words.push(match self.host {
            Host::C => "COMMAND".to_owned(),
            Host::Python("none", _) => "python3 COMMAND".to_owned(),
            Host::Python("psutil", every) => {
                format!("a thread: psutil.Process(PID).is_running(), every {every} s")
            }
            Host::Python(_, every) => format!("a thread: os.kill(PID, 0), every {every} s"),
        });
        words.join(" ")
    }

    /// Between two looks it may sleep so long.
    pub fn interval(&self) -> f64 {
        match self.host {
            Host::Python(_, seconds) => seconds,
            Host::C => 0.002,
        }
    }
}

pub const KERNEL: &str = "PDEATHSIG alone";
pub const LIBANCHOR: &str = "libanchor";
pub const NOTHING: &str = "nothing";
pub const NOTHING_PYTHON: &str = "nothing, in Python";

pub fn contenders(programs: &Programs) -> Vec<Contender> {
    let plain = |name, words: &str, package| Contender {
        name,
        prefix: words.split_whitespace().map(str::to_owned).collect(),
        around: Vec::new(),
        preloads: false,
        host: Host::C,
        package,
    };
    let python = |name, way, seconds, package| Contender {
        host: Host::Python(way, seconds),
        ..plain(name, "", package)
    };
    let anchored = programs.anchored.display();
    vec![
        plain(KERNEL, "setpriv --pdeathsig TERM", "util-linux"),
        Contender {
            preloads: true,
            ..plain(LIBANCHOR, "", "")
        },
        plain(
            "anchored --supervise",
            &format!("{anchored} --supervise --pid {{anchor}} --"),
            "",
        ),
        // -s: it is not PID 1 here, and says that it wants this then.
        plain("tini -p", "tini -s -g -p SIGTERM --", "tini"),
        plain("bwrap", "bwrap --dev-bind / / --die-with-parent --", "bubblewrap"),
        plain(
            "bwrap, with a PID namespace",
            "bwrap --dev-bind / / --unshare-pid --proc /proc --die-with-parent --",
            "bubblewrap",
        ),
        plain("dumb-init", "dumb-init --", "dumb-init"),
        plain(
            "setpriv and dumb-init",
            "setpriv --pdeathsig TERM dumb-init --",
            "dumb-init",
        ),
        plain("catatonit", "catatonit --", "catatonit"),
        plain(
            "setpriv and catatonit",
            "setpriv --pdeathsig TERM catatonit -g --",
            "catatonit",
        ),
        python("a polling thread, 0.5 s", "kill", 0.5, "python3"),
        python("psutil, 1 s", "psutil", 1.0, "python3-psutil"),
        Contender {
            around: "systemd-run --quiet --pipe --wait --collect --service-type=exec"
                .split(' ')
                .map(str::to_owned)
                .collect(),
            ..plain("a systemd unit", "", "systemd")
        },
        plain(NOTHING, "", ""),
        python(NOTHING_PYTHON, "none", 1.0, "python3"),
    ]
}
