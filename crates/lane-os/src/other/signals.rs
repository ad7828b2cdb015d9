//! Signals: there are none; Ctrl-C ends a process by itself.

use std::io;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};

/// Runs a command to its end.
///
/// # Errors
/// It cannot be started.
pub fn run_and_pass_on(command: &mut Command) -> io::Result<u8> {
    command.status().map(crate::code_of)
}

/// The signals that ask this process to end: none come.
#[derive(Debug)]
pub struct Interrupts;

impl Interrupts {
    /// Catches them from now on.
    ///
    /// # Errors
    /// Never.
    pub fn catch() -> io::Result<Self> {
        Ok(Self)
    }

    /// One that came.
    pub fn pending(&mut self) -> Option<u8> {
        None
    }
}

/// The system ends the process by itself.
///
/// # Errors
/// Never.
pub fn interrupts() -> io::Result<Receiver<u8>> {
    let (sender, receiver) = channel();
    // Without a sender there would be nothing to wait for.
    std::mem::forget(sender);
    Ok(receiver)
}

/// The signal of Ctrl-C, as others number it.
pub const INTERRUPT: i32 = 2;

/// Signals that would end the process with the terminal as it is: Ctrl-C is a key there.
#[derive(Debug)]
pub struct SignalFlag;

impl SignalFlag {
    /// Keeps them from now on.
    ///
    /// # Errors
    /// Never.
    pub fn new() -> io::Result<Self> {
        Ok(Self)
    }

    /// The last one that came.
    pub fn signal(&self) -> Option<i32> {
        None
    }

    /// Ends the process as Ctrl-C would.
    pub fn end_process(&self, _: i32) {
        std::process::exit(130);
    }
}

/// Ctrl-C is another's while this lives.
#[derive(Debug)]
pub struct Held;

/// Keeps Ctrl-C from ending this process, as far as that can be done.
pub fn hold_interrupt() -> Held {
    Held
}
