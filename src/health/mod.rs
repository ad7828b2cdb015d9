//! How services are: their checks, commands and addresses, asked side by side, each within its time.

mod commands;
mod http;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub use commands::{Printed, print_logs};
pub use lane_core::health::{State, Verdict};

use lane_core::agent_env::AgentEnv;
use lane_core::error::Error;
use lane_core::policy::model::Check;

/// The most that is read of what a check prints, or of the body of an answer.
const OUTPUT: u64 = 256 * 1024;
/// How often it is looked at whether the addresses have answered.
const TICK: Duration = Duration::from_millis(5);
/// Addresses that are asked at a time.
const REQUESTS: usize = 16;

/// A command, and where it runs.
#[derive(Debug, Clone)]
pub struct Command {
    /// For sh.
    pub command: String,
    /// The folder that it runs in.
    pub folder: PathBuf,
    /// The agent's variables, where it is an agent's.
    pub environment: Option<Arc<AgentEnv>>,
    /// Variables beside those.
    pub variables: Vec<(&'static str, String)>,
    /// How long it may take.
    pub timeout: Duration,
}

/// What is asked about a service.
#[derive(Debug, Clone)]
pub enum Question {
    /// A command is run.
    Command(Command),
    /// An address is asked, within a time.
    Address(String, Duration),
    /// Nothing: it is known why it cannot be.
    None(Verdict),
}

/// A check that is ready to be made.
#[derive(Debug, Clone)]
pub struct Probe<'p> {
    /// What the answer is held against.
    pub check: Check<'p>,
    /// What is asked.
    pub question: Question,
}

/// What was found out about a service.
#[derive(Debug, Clone)]
pub struct Finding {
    /// How it is.
    pub verdict: Verdict,
    /// What was printed, or the body of the answer; without the agent's secrets.
    pub output: String,
    /// The exit code of the command.
    pub exit_code: Option<u8>,
    /// The status of the answer.
    pub status: Option<u16>,
    /// How long it took.
    pub time: Duration,
}

impl Finding {
    fn of(verdict: Verdict) -> Self {
        Self { verdict, output: String::new(), exit_code: None, status: None, time: Duration::ZERO }
    }
}

/// How a service is, for whoever asks.
#[derive(Debug, Clone)]
pub struct ServiceHealth {
    /// The agent whose lane has it.
    pub agent: Option<String>,
    /// The service.
    pub service: String,
    /// What was asked, as it was asked.
    pub check: String,
    /// What was found out.
    pub finding: Finding,
}

/// Asks everything, and returns the answers in the order of the questions, with the signal that ended it, if one did.
///
/// # Errors
/// The folder for what is printed cannot be made, or nothing can be started.
pub fn ask(probes: &[Probe<'_>], logs: &std::path::Path) -> Result<(Vec<Finding>, Option<u8>), Error> {
    let is_over = AtomicBool::new(false);
    let mut findings: Vec<Option<Finding>> = probes
        .iter()
        .map(|probe| match &probe.question {
            Question::None(verdict) => Some(Finding::of(verdict.clone())),
            _ => None,
        })
        .collect();
    let cannot = |error: std::io::Error| {
        Error::write(format!("signals cannot be caught: {error}"), "run it again, or without --health")
    };
    let mut interrupts = lane_os::Interrupts::catch().map_err(cannot)?;
    let (found, answers, caught) = std::thread::scope(|scope| {
        let answers = scope.spawn(|| http::ask(probes, &is_over));
        let found = commands::ask(probes, logs, &is_over);
        is_over.fetch_or(found.is_err(), Ordering::Relaxed);
        let mut caught = None;
        while !answers.is_finished() {
            caught = caught.or(interrupts.pending());
            is_over.fetch_or(caught.is_some(), Ordering::Relaxed);
            std::thread::sleep(TICK);
        }
        (found, answers.join().unwrap_or_default(), caught)
    });
    let (found, signal) = found?;
    let signal = signal.or(caught);
    for (at, finding) in found.into_iter().chain(answers) {
        findings[at] = Some(finding);
    }
    let unasked = || Finding::of(Verdict::unknown("interrupted"));
    Ok((findings.into_iter().map(|found| found.unwrap_or_else(unasked)).collect(), signal))
}
