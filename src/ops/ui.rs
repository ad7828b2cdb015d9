//! Where operations say what is to be known while they are at work.

use std::io;
use std::process::{Command, ExitStatus};

use lane_core::report::Report;

/// Whoever waits for an operation.
pub trait Ui {
    /// Something to know that stops nothing.
    fn note(&self, text: &str);

    /// Something that was done beside what was asked for.
    fn message(&self, text: &str);

    /// The same where it is not worth a word to whoever asked for less, or to a program.
    fn detail(&self, text: &str);

    /// A verdict on the way, before what depends on it.
    fn verdict(&self, report: &Report);

    /// Runs a git command whose words, such as how far it is, are for whoever waits.
    ///
    /// # Errors
    /// It cannot be started.
    fn run_git(&self, command: &mut Command) -> io::Result<ExitStatus>;

    /// git's option for how such a command speaks: how far it is, or only what is wrong.
    fn progress(&self) -> Option<&'static str>;

    /// Whether less was asked for.
    fn is_quiet(&self) -> bool;
}

/// Nobody waits.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Ui for Silent {
    fn note(&self, _: &str) {}

    fn message(&self, _: &str) {}

    fn detail(&self, _: &str) {}

    fn verdict(&self, _: &Report) {}

    fn run_git(&self, command: &mut Command) -> io::Result<ExitStatus> {
        command.stderr(std::process::Stdio::null()).status()
    }

    fn progress(&self) -> Option<&'static str> {
        Some("--quiet")
    }

    fn is_quiet(&self) -> bool {
        true
    }
}
