//! The last step: the anchor is dead, the host ends. Asked first, then killed, and where even that has no effect
//! (PID 1 of a PID namespace, pid_namespaces(7)) it exits by our own call.

use crate::log::{self, Side};
use crate::settings::Settings;
use crate::sys::{process, signals, thread, time};
use anchor_contract::{Grace, Signal};

/// Asks the host to end, so that its own graceful shutdown runs. Nothing more can be done if that is refused: the
/// grace follows anyway.
pub fn ask(signal: Signal) {
    let _ = signals::send_to_host(signal);
}

/// In the watcher: gives the host its grace, then ends it. Never returns.
pub fn keep_grace(settings: &Settings) -> ! {
    let Grace::Kill(time) = settings.grace else {
        thread::exit()
    };
    // Where the kernel refuses every kind of sleep the grace is short; the host still ends.
    time::sleep(time);
    let mut line = log::event("escalated", settings.anchor);
    time.print(line.text("SIGKILL, still alive after "));
    settings.log.write(Side::Watcher, &mut line);
    force(settings.signal)
}

/// Ends the host. Never returns.
pub fn force(signal: Signal) -> ! {
    signals::kill_host();
    // Still here: no signal ends this process, but its own exit does, with the status a shell would show.
    process::exit_host(signal.exit_status())
}

/// Says that the host is about to be ended. ORDER: before it is asked; most programs end at once.
pub fn tell_fired(settings: &Settings, side: Side, why: &str, kernel_asked: bool) {
    let mut line = log::event("fired", settings.anchor);
    line.text(why).text(if kernel_asked {
        "; the kernel has asked with "
    } else {
        "; asking with "
    });
    settings.signal.print(&mut line);
    match settings.grace {
        Grace::Never => line.text(", no SIGKILL"),
        Grace::Kill(time) => {
            time.print(line.text(", SIGKILL after "));
            &mut line
        }
    };
    settings.log.write(side, &mut line);
}
