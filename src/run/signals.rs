//! A child that gets the signals that this process is sent.

use std::process::Command;

/// Runs a command to its end, and passes signals on to it.
///
/// # Errors
/// It cannot be started.
#[cfg(unix)]
pub(super) fn run(command: &mut Command) -> std::io::Result<u8> {
    use rustix::process::{Pid, Signal, kill_process};
    use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
    use std::os::unix::process::ExitStatusExt;

    // What was ignored before stays so, for the command as well: that is what nohup(1) does.
    let ignored = ignored();
    let caught = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2];
    let caught = caught.into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0);
    // Before the child is there, so that none is lost.
    let mut signals = signal_hook::iterator::Signals::new(std::iter::once(SIGCHLD).chain(caught))?;
    let mut child = command.spawn()?;
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let known = [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM, Signal::USR1, Signal::USR2];
    let code = |status: std::process::ExitStatus| {
        let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
        code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
    };
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(code(status));
        }
        for signal in signals.wait() {
            // Its end is seen above; until it is waited for there, its number is nobody else's.
            let is_key = signal == SIGINT || signal == SIGQUIT;
            if signal == SIGCHLD || is_key && is_in_foreground() {
                continue;
            }
            let same = known.into_iter().find(|known| known.as_raw() == signal);
            if let (Some(id), Some(same)) = (id, same) {
                let _ = kill_process(id, same);
            }
        }
    }
}

/// Whether the terminal's keys reach the whole group that this process is in, its child with it: wherever standard
/// input comes from.
#[cfg(unix)]
fn is_in_foreground() -> bool {
    let terminal = std::fs::File::open("/dev/tty").ok();
    let group = terminal.and_then(|terminal| rustix::termios::tcgetpgrp(terminal).ok());
    group.is_some_and(|group| group == rustix::process::getpgrp())
}

/// The signals that this process ignores, one bit each, the first for signal 1; as far as the system tells:
/// proc(5), `SigIgn`.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

#[cfg(not(unix))]
pub(super) fn run(command: &mut Command) -> std::io::Result<u8> {
    let status = command.status()?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

/// The signals that ask this process to end, where they were not ignored before.
pub(crate) struct Interrupts {
    #[cfg(unix)]
    signals: signal_hook::iterator::Signals,
}

#[cfg(unix)]
impl Interrupts {
    /// Catches them from now on.
    ///
    /// # Errors
    /// The system refuses.
    pub(crate) fn catch() -> std::io::Result<Self> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
        let ignored = ignored();
        let caught = [SIGHUP, SIGINT, SIGQUIT, SIGTERM].into_iter();
        let signals =
            signal_hook::iterator::Signals::new(caught.filter(|signal| ignored >> (signal - 1) & 1 == 0))?;
        Ok(Self { signals })
    }

    /// One that came.
    pub(crate) fn pending(&mut self) -> Option<u8> {
        self.signals.pending().next().and_then(|signal| u8::try_from(signal).ok())
    }
}

#[cfg(not(unix))]
impl Interrupts {
    pub(crate) fn catch() -> std::io::Result<Self> {
        Ok(Self {})
    }

    pub(crate) fn pending(&mut self) -> Option<u8> {
        None
    }
}

/// The signals that ask this process to end, as they come from now on. The second one ends it at once, whatever it is at.
///
/// # Errors
/// The system refuses.
#[cfg(unix)]
pub fn interrupts() -> std::io::Result<std::sync::mpsc::Receiver<u8>> {
    let mut caught = Interrupts::catch()?;
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for (count, signal) in caught.signals.forever().enumerate() {
            if count > 0 {
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
            let _ = sender.send(u8::try_from(signal).unwrap_or(u8::MAX));
        }
    });
    Ok(receiver)
}

/// The system ends the process by itself.
///
/// # Errors
/// Never.
#[cfg(not(unix))]
pub fn interrupts() -> std::io::Result<std::sync::mpsc::Receiver<u8>> {
    let (sender, receiver) = std::sync::mpsc::channel();
    // Without a sender there would be nothing to wait for.
    std::mem::forget(sender);
    Ok(receiver)
}
