//! A command run in an agent's environment, within its memory.
//!
//! The command is started by another process of ours, which limits itself, then becomes the command. This one
//! stays behind: it passes signals on, returns the exit code, and clears away.

mod batch;
mod follow;
mod limit;

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Command;

pub use batch::{Bounds, Context, End, Ended, Isolation, Task, run_all, run_all_with};
pub use follow::{Followed, follow};
pub use limit::{Limit, become_limited};

use lane_core::agent_env::AgentEnv;
use lane_core::error::Error;

/// What is to be run.
#[derive(Debug)]
pub struct Job {
    /// The program and its arguments; at least the program.
    pub command: Vec<OsString>,
    /// The folder that it runs in.
    pub folder: PathBuf,
    /// The agent's variables.
    pub environment: AgentEnv,
    /// The memory that it may use, in bytes.
    pub memory: Option<u64>,
    /// Whose it is.
    pub agent: String,
}

/// What a shell says where there is no such program, and where it cannot be run.
const NOT_FOUND: u8 = 127;
const NOT_RUN: u8 = 126;

/// Runs a command to its end; its exit code, or 128 and the signal that ended it. `tell`: is told how the memory
/// is limited.
///
/// # Errors
/// This process cannot be started once more.
pub fn run(job: &Job, tell: &dyn Fn(&str)) -> Result<u8, Error> {
    let binary = std::env::current_exe().map_err(|error| {
        Error::usage(
            format!("the path of git-lane could not be determined: {error}"),
            "run it by its full path",
        )
    })?;
    let limit = job.memory.map(|bytes| Limit::prepare(&job.agent, bytes));
    let mut command = Command::new(binary);
    command.arg("limited");
    if let Some(limit) = &limit {
        tell(&limit.words());
        command.args(limit.args());
    } else {
        tell("memory: not limited, no amount in the policy");
    }
    command.arg("--").args(&job.command).current_dir(&job.folder);
    lane_git::command::TIES.iter().copied().chain(job.environment.unset()).for_each(|name| {
        command.env_remove(name);
    });
    command.envs(job.environment.set.iter().map(|(name, value)| (name, value)));
    lane_os::run_and_pass_on(&mut command).map_err(|error| {
        Error::usage(
            format!("cannot change to {}: {error}", job.folder.display()),
            "create it: git lane setup",
        )
    })
}

/// The exit code for a program that could not be started.
pub fn code_of(error: &std::io::Error) -> u8 {
    if error.kind() == ErrorKind::NotFound { NOT_FOUND } else { NOT_RUN }
}
