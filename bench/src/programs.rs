//! What is measured with: the library, the launcher, and the small programs that are compiled for it.

use crate::fail;
use std::path::{Path, PathBuf};
use std::process::Command;

pub struct Programs {
    pub library: PathBuf,
    pub anchored: PathBuf,
    pub std_watcher: PathBuf,
    pub pthread_watcher: PathBuf,
    pub empty: PathBuf,
    pub anchor: PathBuf,
    pub host: PathBuf,
    pub host_py: PathBuf,
    pub still: PathBuf,
    pub tiny: PathBuf,
    pub herd: PathBuf,
    pub stdio: PathBuf,
    pub malloc: PathBuf,
    pub children: PathBuf,
    pub shared_ptr: PathBuf,
    pub makefile: PathBuf,
}

pub const PYTHON: &str = "/usr/bin/python3";

impl Programs {
    /// Compiles into `folder`. `built` has what cargo has built: the library, the launcher and the std watcher.
    pub fn compile(root: &Path, built: &Path, folder: &Path) -> Result<Self, String> {
        let own = root.join("bench/programs");
        let tests = root.join("tests/programs");
        let tax = tests.join("tax");
        let make = |compiler: &str, source: PathBuf, flags: &[&str]| -> Result<PathBuf, String> {
            let path = folder.join(source.file_stem().unwrap_or_default());
            let done = Command::new(compiler)
                .args(["-O2", "-Wall", "-Wno-unused-result", "-o"])
                .arg(&path)
                .arg(&source)
                .args(flags)
                .status();
            match done {
                Ok(status) if status.success() => Ok(path),
                Ok(status) => fail(format!("{compiler} {}: {status}", source.display())),
                Err(why) => fail(format!("{compiler}: {why}: want a compiler")),
            }
        };
        let there = |path: PathBuf| -> Result<PathBuf, String> {
            path.canonicalize()
                .map_err(|why| format!("{}: {why}: scripts/bench builds it", path.display()))
        };
        let library = ["-shared", "-fPIC", "-pthread"];
        Ok(Self {
            library: there(built.join("libanchor.so"))?,
            anchored: there(built.join("anchored"))?,
            std_watcher: there(built.join("libstd_watcher.so"))?,
            pthread_watcher: make("cc", tax.join("pthread_watcher.c"), &library)?,
            empty: make("cc", own.join("empty.c"), &library[..2])?,
            anchor: make("cc", own.join("anchor.c"), &[])?,
            host: make("cc", own.join("host.c"), &[])?,
            host_py: there(own.join("host.py"))?,
            still: make("cc", own.join("still.c"), &[])?,
            tiny: make("cc", tax.join("tiny.c"), &[])?,
            herd: make("cc", tests.join("herd.c"), &[])?,
            stdio: make("cc", tax.join("stdio.c"), &[])?,
            malloc: make("cc", tax.join("malloc.c"), &[])?,
            children: make("cc", tax.join("children.c"), &[])?,
            shared_ptr: make("g++", tax.join("shared_ptr.cpp"), &[])?,
            makefile: there(tax.join("Makefile"))?,
        })
    }
}

/// Where a program is, as a shell finds it.
pub fn found(name: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    std::env::split_paths(&paths)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}
