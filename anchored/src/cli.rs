//! The command line: one definition, from which help, man page and completions are made too.

use crate::failure::{Failure, plain, shown};
use anchor_contract::{AnchorFd, Grace, LogTarget, Pid, Scope, Setting, Signal, Skip};
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, ValueEnum};
use clap_complete::Shell as Shells;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;

/// The line as clap reads it.
#[allow(rustdoc::broken_intra_doc_links)] // what stands on the options is the help's text
#[derive(Parser, Debug)]
#[command(
    name = "anchored",
    version,
    about = "Runs a program so that it ends when another process, its anchor, dies.",
    override_usage = "anchored [OPTIONS] [--] COMMAND [ARG]...\n       anchored --check|--release [OPTIONS] [--] COMMAND [ARG]...\n       anchored --list|--sweep|--print-env [OPTIONS]",
    after_help = "Exit status: the command's own, or 128 and the signal's number; 125 if anchored itself fails or is misused, \
                  126 if the command cannot be run, 127 if it is not found. \
                  --check: 0 if the command would be injected, 3 if supervised, 4 if left alone; 5 if it would be \
                  injected and --probe saw a process that was not armed. \
                  --sweep: 0 if nothing is left behind, 1 if something is; with --dry-run 1 if something would be ended."
)]
pub struct Cli {
    #[command(flatten)]
    modes: Modes,

    /// The anchor; default: the parent of anchored [ANCHOR_PID]
    #[arg(long, value_name = "PID", value_parser = value::<Pid>())]
    pid: Option<OsString>,

    /// A descriptor that anchored has inherited, whose hang-up is the anchor's death: instead of a process, or with --pid
    /// beside it [ANCHOR_FD]
    #[arg(long, value_name = "N", value_parser = value::<AnchorFd>())]
    fd: Option<OsString>,

    /// What the program is asked with: a name or a number [ANCHOR_SIGNAL, default TERM]
    #[arg(long, value_name = "SIGNAL", value_parser = value::<Signal>())]
    signal: Option<OsString>,

    /// How long it then has until SIGKILL: 10s, 500ms, 0, never [ANCHOR_GRACE, default 10s]
    #[arg(long, value_name = "TIME", value_parser = value::<Grace>())]
    grace: Option<OsString>,

    /// Who is meant: tree, every descendant too; or self, the program alone [ANCHOR_SCOPE, default tree]
    #[arg(long, value_name = "SCOPE", value_parser = value::<Scope>())]
    scope: Option<OsString>,

    /// Programs to leave alone, by a glob of their names; may be given again [ANCHOR_SKIP]
    #[arg(long, value_name = "GLOB", value_parser = globs())]
    skip: Vec<OsString>,

    /// Where one line an event is written: a file, or stderr [ANCHOR_LOG]
    #[arg(long, value_name = "FILE", value_parser = value::<LogTarget>())]
    log: Option<OsString>,

    /// What cannot be anchored is not run [ANCHOR_STRICT]
    #[arg(long)]
    strict: bool,

    /// Whether anchored stays beside the command: where injection does not reach it (auto), always, or never [default auto]
    #[arg(long, value_name = "WHEN", num_args = 0..=1, require_equals = true, default_missing_value = "always")]
    supervise: Option<When>,

    /// As JSON [--check, --list]
    #[arg(long)]
    json: bool,

    /// Run the command for a moment, below an anchor of its own, and say what was really armed [--check]
    #[arg(long)]
    probe: bool,

    /// End nothing, only show [--sweep]
    #[arg(long)]
    dry_run: bool,

    /// For which reader [--print-env, default sh]
    #[arg(long, value_name = "SHELL")]
    shell: Option<Shell>,

    /// Print a man page, or a shell's completions
    #[arg(long, value_name = "WHAT", hide = true)]
    generate: Option<Generate>,

    /// The command and its arguments
    #[arg(value_name = "COMMAND", trailing_var_arg = true, allow_hyphen_values = false)]
    command: Vec<OsString>,
}

#[derive(Args, Debug)]
#[group(multiple = false)]
#[allow(clippy::struct_excessive_bools)] // one flag a mode; clap sees to it that there is one at most
struct Modes {
    /// Say how the command would be anchored, and why
    #[arg(long)]
    check: bool,
    /// Show the anchored processes of this machine
    #[arg(long)]
    list: bool,
    /// End what an anchor that is gone has left behind
    #[arg(long)]
    sweep: bool,
    /// Print what a parent has to set
    #[arg(long)]
    print_env: bool,
    /// Run the command unanchored: a daemon that is meant to live on
    #[arg(long)]
    release: bool,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Run,
    Check,
    List,
    Sweep,
    PrintEnv,
    Release,
}

/// When `anchored` stays beside the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum When {
    Auto,
    Always,
    Never,
}

/// Who reads what `--print-env` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    Sh,
    Fish,
    Json,
}

/// What is made from this definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Generate {
    Man,
    Bash,
    Zsh,
    Fish,
}

/// A line that was understood.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // each is an option
pub struct Line {
    pub mode: Mode,
    /// The anchor's number, where one was named.
    pub pid: Option<u32>,
    /// The number of a descriptor, where one was named.
    pub fd: Option<AnchorFd>,
    pub signal: Option<OsString>,
    pub grace: Option<OsString>,
    pub scope: Option<OsString>,
    /// Globs, as `ANCHOR_SKIP` takes them.
    pub skip: Option<OsString>,
    pub log: Option<OsString>,
    pub strict: bool,
    pub supervise: When,
    pub json: bool,
    pub probe: bool,
    pub dry_run: bool,
    pub shell: Shell,
    /// The command and its arguments; empty only in modes that have none.
    pub command: Vec<OsString>,
}

/// Reads the line. `None`: help or version was asked for, and has been printed.
pub fn read() -> Result<Option<Line>, Failure> {
    read_from(std::env::args_os())
}

fn read_from(words: impl IntoIterator<Item = OsString>) -> Result<Option<Line>, Failure> {
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            let shown = error.print();
            return shown
                .map(|()| None)
                .map_err(|error| Failure::own(format_args!("stdout: {}", plain(&error))));
        }
        Err(error) => return Err(Failure::own(first_line(&error))),
    };
    match cli.generate {
        Some(what) => generate(what).map(|()| None),
        None => line(cli).map(Some),
    }
}

/// Prints the man page or completions.
fn generate(what: Generate) -> Result<(), Failure> {
    let (mut command, mut text) = (Cli::command(), Vec::new());
    let shell = match what {
        Generate::Man => None,
        Generate::Bash => Some(Shells::Bash),
        Generate::Zsh => Some(Shells::Zsh),
        Generate::Fish => Some(Shells::Fish),
    };
    match shell {
        Some(shell) => clap_complete::generate(shell, &mut command, "anchored", &mut text),
        None => clap_mangen::Man::new(command)
            .render(&mut text)
            .map_err(|error| Failure::own(plain(&error)))?,
    }
    let written = std::io::stdout().lock().write_all(&text);
    written.map_err(|error| Failure::own(format_args!("stdout: {}", plain(&error))))
}

/// clap explains at length; a message of ours is one line.
fn first_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.is_empty())
        .collect();
    let whole = lines.join(" ");
    let message = whole.strip_prefix("error: ").unwrap_or(&whole);
    format!("{message}; see anchored --help")
}

fn line(cli: Cli) -> Result<Line, Failure> {
    let modes = &cli.modes;
    let mode = match (
        modes.check,
        modes.list,
        modes.sweep,
        modes.print_env,
        modes.release,
    ) {
        (true, ..) => Mode::Check,
        (_, true, ..) => Mode::List,
        (_, _, true, ..) => Mode::Sweep,
        (_, _, _, true, _) => Mode::PrintEnv,
        (.., true) => Mode::Release,
        _ => Mode::Run,
    };
    let wants_command = matches!(mode, Mode::Run | Mode::Check | Mode::Release);
    if wants_command && cli.command.is_empty() {
        return Err(Failure::own("COMMAND: missing; see anchored --help"));
    }
    if let Some(word) = cli.command.first().filter(|_| !wants_command) {
        return Err(Failure::own(format_args!(
            "{}: not expected here; see anchored --help",
            shown(word)
        )));
    }
    misplaced(&cli, mode)?;
    let pid = cli
        .pid
        .and_then(|pid| pid.to_str().and_then(|pid| pid.parse().ok()));
    let skip = cli.skip.join(OsStr::new(":"));
    Ok(Line {
        mode,
        pid,
        fd: cli.fd.and_then(|fd| AnchorFd::parse(fd.as_bytes())),
        signal: cli.signal,
        grace: cli.grace,
        scope: cli.scope,
        skip: (!skip.is_empty()).then_some(skip),
        log: cli.log.map(whole).transpose()?,
        strict: cli.strict,
        supervise: cli.supervise.unwrap_or(When::Auto),
        json: cli.json,
        probe: cli.probe,
        dry_run: cli.dry_run,
        shell: cli.shell.unwrap_or(Shell::Sh),
        command: cli.command,
    })
}

/// An option that says nothing to this mode is a mistake of whoever typed it: it would be believed to be obeyed.
fn misplaced(cli: &Cli, mode: Mode) -> Result<(), Failure> {
    let sets = matches!(mode, Mode::Run | Mode::Check | Mode::PrintEnv);
    let runs = matches!(mode, Mode::Run | Mode::Check);
    let shows = matches!(mode, Mode::Check | Mode::List);
    let all = [
        ("--pid", cli.pid.is_some(), mode != Mode::Release),
        ("--fd", cli.fd.is_some(), sets),
        ("--signal", cli.signal.is_some(), sets),
        ("--grace", cli.grace.is_some(), sets),
        ("--scope", cli.scope.is_some(), sets),
        ("--skip", !cli.skip.is_empty(), sets),
        ("--log", cli.log.is_some(), sets),
        ("--strict", cli.strict, sets),
        ("--supervise", cli.supervise.is_some(), runs),
        ("--json", cli.json, shows),
        ("--probe", cli.probe, mode == Mode::Check),
        ("--dry-run", cli.dry_run, mode == Mode::Sweep),
        ("--shell", cli.shell.is_some(), mode == Mode::PrintEnv),
    ];
    match all.iter().find(|(_, given, fits)| *given && !fits) {
        Some((name, ..)) => Err(Failure::own(format_args!(
            "{name}: not with this mode; see anchored --help"
        ))),
        None => Ok(()),
    }
}

/// A log's path as it is meant here: the programs of the tree are in other folders.
fn whole(log: OsString) -> Result<OsString, Failure> {
    if LogTarget::parse(log.as_bytes()) == Some(LogTarget::Stderr) {
        return Ok(log);
    }
    std::path::absolute(&log)
        .map(OsString::from)
        .map_err(|error| Failure::own(format_args!("--log: {}: {}", shown(&log), plain(&error))))
}

/// A value as the contract's variable takes it.
fn value<T: Setting>() -> impl TypedValueParser<Value = OsString> {
    taken(|bytes| T::parse(bytes).is_some(), T::VARIABLE.accepts)
}

fn globs() -> impl TypedValueParser<Value = OsString> {
    taken(|bytes| Skip::parse(bytes).is_some(), Skip::VARIABLE.accepts)
}

/// Any bytes that fit, but never none: a variable that is empty is unset.
fn taken(fits: fn(&[u8]) -> bool, accepts: &'static str) -> impl TypedValueParser<Value = OsString> {
    OsStringValueParser::new().try_map(move |value| {
        let good = !value.is_empty() && fits(value.as_bytes());
        good.then_some(value).ok_or_else(|| format!("want {accepts}"))
    })
}
