//! Whether an exec makes the kernel tell the loader that the environment is not to be trusted: `AT_SECURE`, getauxval(3),
//! security/commoncap.c. What a security module (SELinux, AppArmor) adds to that is not seen here.

use nix::unistd::{Gid, Uid};
use std::fs::File;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

const SET_USER_ID: u32 = 0o4000;
/// Without the group's right to execute the bit means something else, inode(7).
const SET_GROUP_ID: u32 = 0o2010;

/// What the program of this file would be that this process is not.
pub fn raised(file: &File, path: &Path) -> Option<&'static str> {
    let facts = file.metadata().ok()?;
    let mode = facts.permissions().mode();
    let set_user_id = mode & SET_USER_ID != 0;
    let set_group_id = mode & SET_GROUP_ID == SET_GROUP_ID;
    let honoured = (set_user_id || set_group_id) && system::honours_bits(file);
    // What counts is not the change but the difference that results: a set-user-id file of one's own is an ordinary
    // one, and an ordinary one is not while the effective id is not the real one.
    let user = if set_user_id && honoured {
        Uid::from_raw(facts.uid())
    } else {
        Uid::effective()
    };
    if user != Uid::current() {
        return Some(if set_user_id {
            "set-user-id"
        } else {
            "run with an effective user that is not the real one"
        });
    }
    let group = if set_group_id && honoured {
        Gid::from_raw(facts.gid())
    } else {
        Gid::effective()
    };
    if group != Gid::current() {
        return Some(if set_group_id {
            "set-group-id"
        } else {
            "run with an effective group that is not the real one"
        });
    }
    system::raised(file, path)
}

#[cfg(target_os = "linux")]
mod system {
    use nix::sys::prctl;
    use nix::sys::statvfs::{FsFlags, fstatvfs};
    use nix::unistd::Uid;
    use std::fs::File;
    use std::os::fd::AsRawFd;
    use std::path::Path;

    pub fn honours_bits(file: &File) -> bool {
        !is_nosuid(file) && !prctl::get_no_new_privs().unwrap_or(false)
    }

    fn is_nosuid(file: &File) -> bool {
        fstatvfs(file).is_ok_and(|system| system.flags().contains(FsFlags::ST_NOSUID))
    }

    pub fn raised(file: &File, _: &Path) -> Option<&'static str> {
        let raised = !Uid::current().is_root() && has_capabilities(file);
        raised.then_some("given capabilities by its file")
    }

    /// capabilities(7), "File capabilities". `no_new_privs` takes what they give, and the distrust stays.
    fn has_capabilities(file: &File) -> bool {
        let mut value = [0_u8; 24];
        // SAFETY: a NUL-terminated name; at most as many bytes are written as there is room for.
        let length = unsafe {
            libc::fgetxattr(
                file.as_raw_fd(),
                c"security.capability".as_ptr(),
                value.as_mut_ptr().cast(),
                value.len(),
            )
        };
        // `struct vfs_cap_data`: the revision with the effective bit, and then twice what is permitted and inheritable.
        let word = |index: usize| {
            value
                .chunks_exact(4)
                .nth(index)
                .is_some_and(|word| word != [0; 4])
        };
        let effective = value[0] & 1 != 0;
        length >= 12 && (effective || word(1) || (length >= 20 && word(3))) && !is_nosuid(file)
    }
}

#[cfg(target_os = "macos")]
mod system {
    use std::fs::File;
    use std::os::macos::fs::MetadataExt;
    use std::path::Path;

    /// `SF_RESTRICTED`, chflags(2): System Integrity Protection.
    const PROTECTED: u32 = 0x0008_0000;

    pub fn honours_bits(_: &File) -> bool {
        true
    }

    /// The system's own programs, by their flag or, where that is not set on them, by their folder.
    pub fn raised(file: &File, path: &Path) -> Option<&'static str> {
        let flagged = file
            .metadata()
            .is_ok_and(|facts| facts.st_flags() & PROTECTED != 0);
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let in_folder = |folder: &&str| path.starts_with(folder);
        let systems = ["/bin", "/sbin", "/usr", "/System"].iter().any(in_folder) && !in_folder(&"/usr/local");
        (flagged || systems).then_some("protected by System Integrity Protection")
    }
}
