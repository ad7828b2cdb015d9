//! `git lane run`

use std::ffi::OsString;
use std::path::PathBuf;

use crate::cli::Outcome;
use crate::cli::candidates;
use crate::cli::output::{Output, print_error};
use crate::cli::session;
use crate::commands::env::{agent, environment};
use crate::ops::Session;
use crate::run::{self, Job};
use crate::setup;
use lane_core::error::Error;
use lane_core::policy::model::Agent;

/// Run a command in an agent's worktree and environment
///
/// The command runs within the agent's memory limit.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The agent [default: the one that works here]
    #[arg(value_name = "ID", add = candidates::agents())]
    pub agent: Option<String>,
    /// The command
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<OsString>,
}

/// Runs a command as an agent; its exit code.
///
/// # Errors
/// No such agent, no such worktree, or this program cannot be started once more.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let session = session::open(output, None)?;
    let agent = agent(&session, args.agent.as_deref())?;
    let job = Job {
        command: args.command.clone(),
        folder: folder(&session, agent, args.agent.is_some())?,
        environment: environment(&session, agent),
        memory: agent.memory.as_ref().map(|memory| memory.value.bytes),
        agent: agent.id.value.clone(),
    };
    let tell = |text: &str| {
        if output.is_verbose() {
            print_error(&format!("note: {text}\n"));
        }
    };
    run::run(&job, &tell)
}

/// Where it runs: here, or in the worktree of the agent that was named.
fn folder(session: &Session, agent: &Agent, is_named: bool) -> Result<PathBuf, Error> {
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    let here = here.map_err(|error| {
        Error::usage(format!("the current folder no longer exists: {error}"), "change to another folder")
    })?;
    if !is_named {
        return Ok(here);
    }
    let id = &agent.id.value;
    match setup::root_of(&session.repo, &session.loaded.plan, id)? {
        Some(root) if here.starts_with(&root) => Ok(here),
        Some(root) if root.is_dir() => Ok(root),
        Some(root) => Err(Error::usage(
            format!("{id} has no worktree yet: {} is not there", root.display()),
            format!("git lane setup {id}"),
        )),
        None => Err(Error::usage(
            format!("{id} has no worktree in {}", session.loaded.plan.source.name),
            format!("add one: `agents.{id}.worktree: ../wt-{id}`, then: git lane setup {id}"),
        )),
    }
}
