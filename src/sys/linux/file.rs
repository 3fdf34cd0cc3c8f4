//! Files that are read: opened, read at an offset, closed again when the value goes.

use super::call::{Errno, call};
use anchor_contract::FileId;
use core::ffi::CStr;
use core::mem::MaybeUninit;

/// A file that is open for reading.
pub struct File(i32);

impl File {
    /// Opens for reading, close-on-exec. The descriptor lives until the value is dropped.
    pub fn open(path: &CStr) -> Result<Self, Errno> {
        let flags = libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NOCTTY;
        // SAFETY: a NUL-terminated path.
        let fd = unsafe { call!(SYS_openat, libc::AT_FDCWD, path.as_ptr(), flags, 0) }?;
        i32::try_from(fd).map(Self).map_err(|_| Errno(libc::EBADF))
    }

    /// Reads from `offset` into `buffer`; what was read is its beginning.
    pub fn read_at<'a>(&self, buffer: &'a mut [u8], offset: usize) -> Result<&'a [u8], Errno> {
        // SAFETY: the kernel writes at most the buffer's length into it.
        let length = unsafe { call!(SYS_pread64, self.0, buffer.as_mut_ptr(), buffer.len(), offset) }?;
        Ok(buffer.get(..length).unwrap_or_default())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        close(self.0);
    }
}

/// Which file a descriptor is, and of what type (`S_IFMT`), fstat(2).
#[inline(never)] // the library is small because this is not repeated at every use
pub fn identity(fd: i32) -> Result<(FileId, u32), Errno> {
    let mut answer = MaybeUninit::<libc::stat64>::zeroed();
    // SAFETY: room for one answer; libc's layout is the kernel's.
    unsafe { call!(SYS_fstat, fd, answer.as_mut_ptr()) }?;
    // SAFETY: numbers only, zero is one of them.
    let answer = unsafe { answer.assume_init_ref() };
    let file = FileId {
        device: answer.st_dev,
        inode: answer.st_ino,
    };
    Ok((file, answer.st_mode & libc::S_IFMT))
}

/// Closes a descriptor of ours, which is the caller's to close. By a range of one, Linux 5.9, where a filter refuses
/// close(2).
pub fn close(fd: i32) {
    // SAFETY: the caller has opened it, and closes it once.
    match unsafe { call!(SYS_close, fd) } {
        // KERNEL: it is closed all the same, close(2), and the number may be somebody else's by now.
        Ok(_) | Err(Errno(libc::EBADF | libc::EINTR | libc::EIO | libc::ENOSPC | libc::EDQUOT)) => {}
        Err(_) => {
            // SAFETY: as above.
            let _ = unsafe { call!(SYS_close_range, fd, fd, 0) };
        }
    }
}
