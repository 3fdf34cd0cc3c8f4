//! Files that are read: opened, read at an offset, closed again when the value goes.

use super::call::{Errno, call};
use core::ffi::CStr;

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
        // SAFETY: the number is ours: opened above, closed once.
        let _ = unsafe { call!(SYS_close, self.0) };
    }
}
