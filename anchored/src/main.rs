//! `anchored`: runs a program so that it ends when another process, its anchor, dies; and shows who is protected.
//!
//! The way of a command: [`cli`] reads the line, [`inspect`] finds out what the command is, [`decide`] what follows
//! from that, and [`run`] makes this process become it with the library injected, or, where injection does not reach,
//! [`supervise`] stays beside it. The other modes look at what is there: [`check`], [`list`], [`sweep`], [`print_env`].

// `--check --probe` is Linux's alone, and uses more of the same.
#![cfg_attr(not(target_os = "linux"), allow(dead_code))]

mod armed;
mod check;
mod cli;
mod command;
mod cookie;
mod decide;
mod embedded;
mod failure;
mod inspect;
mod list;
mod print_env;
mod processes;
mod run;
mod sigpipe;
mod supervise;
mod survey;
mod sweep;
mod sys;
mod table;

use cli::Mode;
use failure::Failure;
use std::process::ExitCode;

fn main() -> ExitCode {
    match act() {
        Ok(code) => code,
        Err(failure) => failure.tell(),
    }
}

fn act() -> Result<ExitCode, Failure> {
    let Some(line) = cli::read()? else {
        return Ok(ExitCode::SUCCESS);
    };
    match line.mode {
        Mode::Run => run::run(&line),
        Mode::Release => run::released(&line),
        Mode::Check => check::check(&line),
        Mode::List => list::list(&line),
        Mode::Sweep => sweep::sweep(&line),
        Mode::PrintEnv => print_env::print(&line),
    }
}
