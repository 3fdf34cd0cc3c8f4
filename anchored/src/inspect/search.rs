//! Finds a command's program as exec does: execvp(3) for the search, execve(2) for the interpreters.

use super::elf::{Elf, Link};
use super::image::{self, Image};
use super::script::{self, Script};
use super::{Found, Program, privilege};
use crate::failure::{Failure, plain, shown};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag};
use nix::unistd::{AccessFlags, Gid, Uid, access, faccessat};
use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// How many files may stand before the program, each interpreted by the next, and what exec says of one more: fs/exec.c,
/// `exec_binprm`; XNU's `exec_shell_imgact`.
const DEEPEST: (usize, Errno) = if cfg!(target_os = "macos") {
    (1, Errno::ENOEXEC)
} else {
    (5, Errno::ELOOP)
};

/// Who runs a file that the kernel does not take for a program. musl's execvp leaves it at the failure.
const SHELL: Option<&str> = if cfg!(target_env = "musl") {
    None
} else {
    Some("/bin/sh")
};

/// Where a program is searched without a PATH, confstr(3).
const DEFAULT_PATH: &str = if cfg!(target_env = "musl") {
    "/usr/local/bin:/bin:/usr/bin"
} else {
    "/bin:/usr/bin"
};

/// Why exec refuses.
struct Refusal {
    errno: Errno,
    /// Whom it is about, where that is not the command itself.
    whom: Option<String>,
}

/// Finds it by its name or path. `Err`: 127 where it is not there, 126 where it cannot be run.
pub fn find(name: &OsStr) -> Result<Found, Failure> {
    let found = if name.is_empty() {
        Err(Errno::ENOENT.into())
    } else if name.as_bytes().contains(&b'/') {
        follow(Path::new(name))
    } else {
        search(
            name,
            std::env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into()),
        )
    };
    found.map_err(|refusal| {
        let error = io::Error::from(refusal.errno);
        let failure = Failure::of_exec(name, &error);
        match refusal.whom {
            Some(whom) => {
                let (name, why) = (shown(name), plain(&error));
                Failure::with(failure.status(), format_args!("{name}: {whom}: {why}"))
            }
            None => failure,
        }
    })
}

fn search(name: &OsStr, path: OsString) -> Result<Found, Refusal> {
    let mut last = Refusal::from(Errno::ENOENT);
    for folder in path.as_bytes().split(|byte| *byte == b':') {
        // An empty entry is the working directory.
        let refusal = match follow(&Path::new(OsStr::from_bytes(folder)).join(name)) {
            Ok(found) => return Ok(found),
            Err(refusal) => refusal,
        };
        match refusal.errno {
            // One that is there and cannot be run is what is told in the end, if none can.
            Errno::EACCES => last = refusal,
            Errno::ENOENT | Errno::ESTALE | Errno::ENOTDIR | Errno::ENODEV | Errno::ETIMEDOUT => {
                if last.errno != Errno::EACCES && refusal.whom.is_some() {
                    last = refusal;
                }
            }
            _ => return Err(refusal),
        }
    }
    Err(last)
}

/// What execvp does with one path.
fn follow(path: &Path) -> Result<Found, Refusal> {
    match (kernel(path), SHELL) {
        (
            Err(Refusal {
                errno: Errno::ENOEXEC,
                ..
            }),
            Some(shell),
        ) => {
            let mut found = kernel(Path::new(shell))?;
            let script = Script {
                file: path.to_owned(),
                interpreter: shell.into(),
                argument: None,
                by_shell: true,
            };
            found.scripts.insert(0, script);
            Ok(found)
        }
        (result, _) => result,
    }
}

/// What execve does with it.
fn kernel(path: &Path) -> Result<Found, Refusal> {
    let mut scripts: Vec<Script> = Vec::new();
    let mut file = path.to_owned();
    loop {
        let whom = scripts
            .last()
            .map(|_| format!("its interpreter {}", shown(file.as_os_str())));
        let refused = |errno| Refusal { errno, whom };
        let is = look(&file).map_err(refused)?;
        match is {
            Is::Script(interpreter, argument) => {
                let (deepest, errno) = DEEPEST;
                if scripts.len() == deepest {
                    return Err(errno.into());
                }
                scripts.push(Script {
                    file: std::mem::replace(&mut file, interpreter.clone()),
                    interpreter,
                    argument,
                    by_shell: false,
                });
            }
            Is::Program(image, raised) => {
                loader_is_there(&image)?;
                let image = Some(image);
                return Ok(Found {
                    scripts,
                    program: Program { file, image, raised },
                });
            }
            Is::Unreadable => {
                let program = Program {
                    file,
                    image: None,
                    raised: None,
                };
                return Ok(Found { scripts, program });
            }
        }
    }
}

enum Is {
    Script(PathBuf, Option<OsString>),
    Program(Image, Option<&'static str>),
    Unreadable,
}

/// Looks at a file that is to be executed.
fn look(path: &Path) -> Result<Is, Errno> {
    may_execute(path)?;
    // What is there may have become a pipe since.
    let flags = (OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits();
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(Is::Unreadable),
        Err(error) => return Err(errno(&error)),
    };
    let mut buffer = [0; script::BYTES_READ];
    let start = start(&file, &mut buffer).map_err(|error| errno(&error))?;
    if start.starts_with(b"#!") {
        let (interpreter, argument) = script::line(start).ok_or(Errno::ENOEXEC)?;
        return Ok(Is::Script(interpreter, argument));
    }
    let raised = privilege::raised(&file, path);
    let image = image::read(file).ok_or(Errno::ENOEXEC)?;
    Ok(Is::Program(image, raised))
}

/// Whether exec opens it: a file, executable by whom this process is, on a file system without noexec.
fn may_execute(path: &Path) -> Result<(), Errno> {
    // KERNEL: faccessat2(2) is what containers of some years ago answer with EPERM, because they do not know it; so it
    // is asked only where access(2), which asks for the real ids, would say something else than exec.
    if Uid::current() == Uid::effective() && Gid::current() == Gid::effective() {
        access(path, AccessFlags::X_OK)?;
    } else {
        faccessat(AT_FDCWD, path, AccessFlags::X_OK, AtFlags::AT_EACCESS)?;
    }
    if path.metadata().map_err(|error| errno(&error))?.is_file() {
        Ok(())
    } else {
        Err(Errno::EACCES)
    }
}

fn start<'a>(file: &File, buffer: &'a mut [u8]) -> io::Result<&'a [u8]> {
    let mut length = 0;
    while let Some(room) = buffer.get_mut(length..).filter(|room| !room.is_empty()) {
        match file.read_at(room, length as u64) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(buffer.get(..length).unwrap_or_default())
}

/// The kernel opens the loader too. That of another machine is the emulator's to find.
fn loader_is_there(image: &Image) -> Result<(), Refusal> {
    match image {
        Image::Elf(Elf {
            target,
            link: Link::Dynamic(loader),
        }) if target.is_own() => may_execute(loader).map_err(|errno| Refusal {
            errno,
            whom: Some(format!("its loader {}", loader.display())),
        }),
        _ => Ok(()),
    }
}

fn errno(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Self {
        Self { errno, whom: None }
    }
}
