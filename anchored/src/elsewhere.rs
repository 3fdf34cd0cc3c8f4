//! `--list` and `--sweep` where there is no `/proc`: they say so, in one line.

/// `--list`.
pub mod list {
    use crate::cli::Line;
    use crate::failure::Failure;
    use std::process::ExitCode;

    /// Shows nothing.
    pub fn list(_: &Line) -> Result<ExitCode, Failure> {
        Err(Failure::own("--list: not on this system yet"))
    }
}

/// `--sweep`.
pub mod sweep {
    use crate::cli::Line;
    use crate::failure::Failure;
    use std::process::ExitCode;

    /// Ends nothing.
    pub fn sweep(_: &Line) -> Result<ExitCode, Failure> {
        Err(Failure::own("--sweep: not on this system yet"))
    }
}
