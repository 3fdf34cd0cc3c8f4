//! The texts of `/proc` that tell one process from another, proc(5): read here for the library, the launcher and the
//! parent's side alike. What a program can write into them (its name, its arguments) may be any bytes; and whatever a
//! reader's buffer has cut off is no answer, because half a number is another number.

mod children;
mod ns_pid;
mod stat;
mod status;
mod words;

pub use children::Children;
pub use ns_pid::NsPid;
pub use stat::StatLine;
pub use status::status_value;
pub use words::arguments;
