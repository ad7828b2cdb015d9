//! Signals: passed on, waited for, kept from ending this process with a terminal as it is.

use std::io;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};

use rustix::process::{Signal, kill_process};
use signal_hook::SigId;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::Signals;

/// Runs a command to its end, and passes signals on to it.
///
/// # Errors
/// It cannot be started.
pub fn run_and_pass_on(command: &mut Command) -> io::Result<u8> {
    // What was ignored before stays so, for the command as well: that is what nohup(1) does.
    let ignored = ignored();
    let caught = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2];
    let caught = caught.into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0);
    // Before the child is there, so that none is lost.
    let mut signals = Signals::new(std::iter::once(SIGCHLD).chain(caught))?;
    let mut child = command.spawn()?;
    let id = super::processes::pid(child.id());
    let known = [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM, Signal::USR1, Signal::USR2];
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(crate::code_of(status));
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
fn is_in_foreground() -> bool {
    let terminal = std::fs::File::open("/dev/tty").ok();
    let group = terminal.and_then(|terminal| rustix::termios::tcgetpgrp(terminal).ok());
    group.is_some_and(|group| group == rustix::process::getpgrp())
}

/// The signals that this process ignores, one bit each, the first for signal 1; as far as the system tells:
/// proc(5), `SigIgn`.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// The signals that ask this process to end, where they were not ignored before.
#[derive(Debug)]
pub struct Interrupts {
    signals: Signals,
}

impl Interrupts {
    /// Catches them from now on.
    ///
    /// # Errors
    /// The system refuses.
    pub fn catch() -> io::Result<Self> {
        let ignored = ignored();
        let caught = [SIGHUP, SIGINT, SIGQUIT, SIGTERM].into_iter();
        let signals = Signals::new(caught.filter(|signal| ignored >> (signal - 1) & 1 == 0))?;
        Ok(Self { signals })
    }

    /// One that came.
    pub fn pending(&mut self) -> Option<u8> {
        self.signals.pending().next().and_then(|signal| u8::try_from(signal).ok())
    }
}

/// The signals that ask this process to end, as they come from now on. The second one ends it at once, whatever it is at.
///
/// # Errors
/// The system refuses.
pub fn interrupts() -> io::Result<Receiver<u8>> {
    let mut caught = Interrupts::catch()?;
    let (sender, receiver) = channel();
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

/// The signal of Ctrl-C.
pub const INTERRUPT: i32 = SIGINT;

/// Signals that would end the process with the terminal as it is.
#[derive(Debug)]
pub struct SignalFlag(Arc<AtomicUsize>);

impl SignalFlag {
    /// Keeps them from now on.
    ///
    /// # Errors
    /// The system refuses.
    pub fn new() -> io::Result<Self> {
        let caught = Arc::new(AtomicUsize::new(0));
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
            let number = usize::try_from(signal).unwrap_or_default();
            signal_hook::flag::register_usize(signal, Arc::clone(&caught), number)?;
        }
        Ok(Self(caught))
    }

    /// The last one that came.
    pub fn signal(&self) -> Option<i32> {
        let signal = self.0.load(Ordering::Relaxed);
        (signal != 0).then(|| i32::try_from(signal).unwrap_or(SIGINT))
    }

    /// Ends the process as a signal would have.
    pub fn end_process(&self, signal: i32) {
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }
}

/// Ctrl-C does nothing while this lives.
#[derive(Debug)]
pub struct Held(Option<SigId>);

/// Keeps Ctrl-C from ending this process: it is another's that it waits for.
pub fn hold_interrupt() -> Held {
    Held(signal_hook::flag::register(SIGINT, Arc::default()).ok())
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(id) = self.0.take() {
            signal_hook::low_level::unregister(id);
        }
    }
}
