//! `anchored`: runs a program so that it ends when another process, its anchor, dies; and shows who is protected.
//!
//! The way of a command: [`cli`] reads the line, [`inspect`] finds out what the command is, [`decide`] what follows
//! from that, and [`run`] makes this process become it with the library injected, or, where injection does not reach,
//! [`supervise`] stays beside it. The other modes look at what is there: [`check`], [`list`], [`sweep`], [`print_env`].

// Some options are of no use yet where these are not.
#![cfg_attr(not(target_os = "linux"), allow(dead_code))]

mod check;
mod cli;
mod decide;
mod failure;
mod inspect;
mod print_env;
mod run;
mod sigpipe;
mod supervise;

// What is read from /proc, and what stands on that.
#[cfg(target_os = "linux")]
mod armed;
#[cfg(target_os = "linux")]
mod command;
#[cfg(target_os = "linux")]
mod cookie;
#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod list;
#[cfg(target_os = "linux")]
mod processes;
#[cfg(target_os = "linux")]
mod survey;
#[cfg(target_os = "linux")]
mod sweep;
#[cfg(target_os = "linux")]
mod sys;
#[cfg(target_os = "linux")]
mod table;
#[cfg(not(target_os = "linux"))]
use elsewhere::{list, sweep};

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
