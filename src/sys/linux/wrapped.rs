//! The functions that this library exports: those of the C library in whose way a watcher would be, and those that it
//! must follow. Each does what it would do without us; [`stand_down`] does the rest.
//!
//! This is the one place where the machine's room calls upwards, because here it is the host that calls.
//!
//! `initgroups` is among them because the C libraries reach their own `setgroups` from it without asking the dynamic
//! loader. Not among them: setfsuid(2) and setfsgid(2), which are the calling thread's alone.

use super::arch::numbers;
use super::call::{Errno, call, enter};
use super::errno;
use super::next_symbol::next_symbol;
use crate::stand_down::{self, Needs};
use core::ffi::{CStr, c_char, c_int, c_long, c_ulong};
use core::sync::atomic::{AtomicUsize, Ordering};
use libc::{gid_t, size_t, uid_t};

/// A function of the C library's: its name, and its address once it was looked for.
///
/// GUEST: apart. Together they would be data to write to that is not zero at first, a page of it in every process.
struct Real {
    name: &'static CStr,
    address: &'static AtomicUsize,
}

const NOT_LOOKED_FOR: usize = 0;
const NOT_THERE: usize = usize::MAX;

impl Real {
    fn address(&self) -> Option<usize> {
        let mut address = self.address.load(Ordering::Relaxed);
        if address == NOT_LOOKED_FOR {
            address = next_symbol(self.name).unwrap_or(NOT_THERE);
            self.address.store(address, Ordering::Relaxed);
        }
        (address != NOT_THERE).then_some(address)
    }
}

/// A call of the host's.
struct Call {
    real: Real,
    arguments: [usize; 5],
    /// What stands for it where there is no C library: a system call and its arguments.
    number: c_long,
    instead: [usize; 5],
}

impl Call {
    fn make(&self) -> c_int {
        let [a, b, c, d, e] = self.arguments;
        let Some(address) = self.real.address() else {
            // SAFETY: the system call of this name, or the one that it stands for, with the host's arguments.
            return answer(unsafe { enter(self.number, self.instead) });
        };
        // SAFETY: the function of this name in the C library. It takes at most five integers or pointers, in
        // registers, of which it reads as many and as much as it has parameters, whatever we call it with (System V
        // ABI for x86-64, 3.2.3; AAPCS64, 6.8.2); on the 32-bit machine it finds them on the stack, which is ours to
        // clear. To the one that takes a variable number, prctl(2), this is the same: on Linux all three pass such
        // arguments where they would pass named ones, and what the x86-64 one is told of vector registers it only saves.
        let real: extern "C" fn(usize, usize, usize, usize, usize) -> c_int =
            unsafe { core::mem::transmute(address) };
        real(a, b, c, d, e)
    }
}

/// `name(arguments) needs what, else`, without a C library, `this system call`.
macro_rules! wrapped {
    ($($name:ident($($argument:ident: $type:ty),*) needs $needs:expr, else $number:ident($($value:expr),*);)*) => { $(
        /// As the C library's function of this name.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $name($($argument: $type),*) -> c_int {
            static ADDRESS: AtomicUsize = AtomicUsize::new(NOT_LOOKED_FOR);
            const NAME: &CStr = match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => c"",
            };
            let call = Call {
                real: Real { name: NAME, address: &ADDRESS },
                arguments: five([$($argument as usize),*]),
                number: numbers::$number,
                instead: five([$($value as usize),*]),
            };
            stand_down::during($needs, &mut || call.make())
        }
    )* };
}

/// Fills up with zeros.
fn five<const N: usize>(given: [usize; N]) -> [usize; 5] {
    let mut all = [0; 5];
    for (place, argument) in all.iter_mut().zip(given) {
        *place = argument;
    }
    all
}

const SAME: u32 = u32::MAX;

wrapped! {
    unshare(flags: c_int) needs of_unshare(flags), else SYS_unshare(flags);
    setns(fd: c_int, kind: c_int) needs of_setns(fd, kind), else SYS_setns(fd, kind);
    setuid(id: uid_t) needs Needs::SameCredentials, else SYS_setuid(id);
    seteuid(id: uid_t) needs Needs::SameCredentials, else SYS_setresuid(SAME, id, SAME);
    setreuid(real_id: uid_t, id: uid_t) needs Needs::SameCredentials, else SYS_setreuid(real_id, id);
    setresuid(real_id: uid_t, id: uid_t, saved: uid_t) needs Needs::SameCredentials,
        else SYS_setresuid(real_id, id, saved);
    setgid(id: gid_t) needs Needs::SameCredentials, else SYS_setgid(id);
    setegid(id: gid_t) needs Needs::SameCredentials, else SYS_setresgid(SAME, id, SAME);
    setregid(real_id: gid_t, id: gid_t) needs Needs::SameCredentials, else SYS_setregid(real_id, id);
    setresgid(real_id: gid_t, id: gid_t, saved: gid_t) needs Needs::SameCredentials,
        else SYS_setresgid(real_id, id, saved);
    setgroups(size: size_t, list: *const gid_t) needs Needs::SameCredentials, else SYS_setgroups(size, list);
    // Without a C library there is nobody who knows a user's groups: a call that no kernel since 3.1 knows and every
    // machine has a number for, ENOSYS, nfsservctl(2).
    initgroups(user: *const c_char, group: gid_t) needs Needs::SameCredentials,
        else SYS_nfsservctl(user, group);
    // It has as many arguments as the operation wants, in the registers in which these are.
    prctl(operation: c_int, a: c_ulong, b: c_ulong, c: c_ulong, d: c_ulong) needs of_prctl(operation, a),
        else SYS_prctl(operation, a, b, c, d);
}

/// What the C library makes of the kernel's answer.
fn answer(answer: Result<usize, Errno>) -> c_int {
    match answer {
        Ok(value) => c_int::try_from(value).unwrap_or(0),
        Err(error) => {
            errno::set(error.0);
            -1
        }
    }
}

/// PR_SET_SECCOMP(2const): in strict mode a thread can only end itself. PR_SET_NO_NEW_PRIVS(2const): each thread's own.
fn of_prctl(operation: c_int, a: c_ulong) -> Needs {
    match (operation, a) {
        (libc::PR_SET_SECCOMP, 1) => Needs::Vigilance,
        (libc::PR_SET_NO_NEW_PRIVS, _) => Needs::SameCredentials,
        _ => Needs::Nothing,
    }
}

/// unshare(2): a user namespace is refused to a process with threads, and so are the flags that would split one.
fn of_unshare(flags: c_int) -> Needs {
    let alone = libc::CLONE_NEWUSER | libc::CLONE_THREAD | libc::CLONE_SIGHAND | libc::CLONE_VM;
    match flags {
        flags if flags & alone != 0 => Needs::Absence,
        flags => of_namespaces(flags),
    }
}

/// setns(2). `kind` may be 0: whatever the descriptor is of. A pidfd goes with a `kind` of several.
fn of_setns(fd: c_int, kind: c_int) -> Needs {
    /// ioctl_nsfs(2), Linux 4.11.
    const NS_GET_NSTYPE: usize = 0xb703;
    let kind = if kind == 0 {
        // SAFETY: reads nothing and writes nothing of ours.
        let kind = unsafe { call!(SYS_ioctl, fd, NS_GET_NSTYPE) };
        kind.ok().and_then(|kind| c_int::try_from(kind).ok()).unwrap_or(0)
    } else {
        kind
    };
    if kind == 0 || kind & (libc::CLONE_NEWUSER | libc::CLONE_NEWTIME) != 0 {
        return Needs::Absence;
    }
    of_namespaces(kind)
}

fn of_namespaces(kinds: c_int) -> Needs {
    let threads_own = libc::CLONE_NEWNS
        | libc::CLONE_NEWNET
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWCGROUP;
    // After CLONE_NEWPID no thread can be made: the watcher that is there is the last.
    if kinds & libc::CLONE_NEWPID == 0 && kinds & threads_own != 0 {
        Needs::SameNamespaces
    } else {
        Needs::Settled
    }
}
