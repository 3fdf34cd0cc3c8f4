//! Starts a program as cheaply as one can, posix_spawn(3), and takes the time until it is reaped.

use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::time::Instant;

/// A program with its arguments and its whole environment, made once: nothing of that is in the time.
pub struct Program {
    words: Vec<CString>,
    environment: Vec<CString>,
}

impl Program {
    pub fn new(words: &[impl AsRef<OsStr>], environment: &[(String, String)]) -> Result<Self, String> {
        let c = |bytes: &[u8]| CString::new(bytes).map_err(|why| why.to_string());
        let pairs = environment.iter().map(|(name, value)| format!("{name}={value}"));
        Ok(Self {
            words: words
                .iter()
                .map(|word| c(word.as_ref().as_bytes()))
                .collect::<Result<_, _>>()?,
            environment: pairs.map(|pair| c(pair.as_bytes())).collect::<Result<_, _>>()?,
        })
    }

    /// Microseconds from the start to the end; `None` where it has not ended with status 0.
    pub fn time(&self) -> Result<Option<f64>, String> {
        let pointers = |strings: &[CString]| -> Vec<*mut libc::c_char> {
            let all = strings.iter().map(|string| string.as_ptr().cast_mut());
            all.chain([std::ptr::null_mut()]).collect()
        };
        let (words, environment) = (pointers(&self.words), pointers(&self.environment));
        let (mut pid, mut status) = (0, 0);
        let begun = Instant::now();
        // SAFETY: both arrays end with a null pointer, and what they point to lives; nothing else is asked for.
        let error = unsafe {
            libc::posix_spawn(
                &mut pid,
                words[0],
                std::ptr::null(),
                std::ptr::null(),
                words.as_ptr(),
                environment.as_ptr(),
            )
        };
        if error != 0 {
            let why = std::io::Error::from_raw_os_error(error);
            return Err(format!("{}: {why}", self.words[0].to_string_lossy()));
        }
        // SAFETY: a child of ours, and a place for its status.
        unsafe { libc::waitpid(pid, &mut status, 0) };
        let took = begun.elapsed();
        Ok((status == 0).then_some(took.as_secs_f64() * 1e6))
    }
}
