//! `git lane env`, `git lane port` and `git lane run`

use std::ffi::OsString;
use std::path::PathBuf;

use serde_json::json;

use crate::cli::Outcome;
use crate::cli::candidates;
use crate::cli::options::Format;
use crate::cli::output::{Output, complain};
use crate::cli::session::Session;
use crate::commands::check::known_agent;
use crate::commands::lock::args::found_agent;
use crate::ports::Service;
use crate::run::{self, Job};
use crate::{ports, setup};
use lane_core::agent_env::{self, Resolved};
use lane_core::error::Error;
use lane_core::policy::model::Agent;
use lane_core::policy::scalar::Ports;
use lane_core::report::quote;
use lane_git::Repository;

/// `git lane env`
#[derive(Debug, clap::Args)]
pub struct Env {
    /// The agent; by default the one that works here
    #[arg(value_name = "ID", add = candidates::agents())]
    pub agent: Option<String>,
}

/// `git lane port`
#[derive(Debug, clap::Args)]
pub struct Port {
    /// The service, or any other name
    #[arg(value_name = "NAME", add = candidates::services())]
    pub name: String,
    /// The agent, in its own worktree; by default the one that works here
    #[arg(long, value_name = "ID", add = candidates::agents())]
    pub agent: Option<String>,
    /// Give the port back: another service may have it
    #[arg(long)]
    pub release: bool,
}

/// `git lane run`
#[derive(Debug, clap::Args)]
pub struct Run {
    /// The agent; by default the one that works here
    #[arg(value_name = "ID", add = candidates::agents())]
    pub agent: Option<String>,
    /// The command
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<OsString>,
}

/// What `git lane run` starts.
#[derive(Debug, clap::Args)]
pub struct Limited {
    /// The memory, in bytes
    #[arg(long)]
    pub memory: Option<u64>,
    /// The control group that limits it
    #[arg(long)]
    pub group: Option<PathBuf>,
    /// The command
    #[arg(last = true, required = true)]
    pub command: Vec<OsString>,
}

/// The agent that was named, or that works here.
fn agent<'s>(session: &'s Session, option: Option<&str>) -> Result<&'s Agent, Error> {
    let plan = &session.loaded.plan;
    let id = match option {
        Some(id) => {
            known_agent(plan, id)?;
            Some(id.to_owned())
        }
        None => found_agent(session, None)?,
    };
    id.and_then(|id| plan.policy.agent(&id)).ok_or_else(|| {
        Error::usage(
            "nothing here says which agent's environment is meant",
            format!("name the agent; {}", plan.policy.agents_in_words()),
        )
    })
}

/// The agent's environment; what cannot be had is named on standard error.
fn environment(session: &Session, agent: &Agent) -> Resolved {
    let policy = &session.loaded.plan.policy;
    let resolved = agent_env::among(policy, agent).resolve(&|name| std::env::var(name).ok());
    for line in resolved.complaints() {
        complain(&format!("git-lane: note: {line}\n"));
    }
    resolved
}

/// Prints an agent's environment.
///
/// # Errors
/// No such agent, or nobody says who works here.
pub fn env(args: &Env, format: Format, output: &Output) -> Outcome {
    let session = Session::open(None)?;
    let resolved = environment(&session, agent(&session, args.agent.as_deref())?);
    let text = match format {
        Format::Json => {
            output.print_json(&agent_env::as_json(&resolved))?;
            return Ok(0);
        }
        Format::Dotenv => agent_env::as_dotenv(&resolved),
        _ => agent_env::as_sh(&resolved),
    };
    output.print_data(&text)?;
    Ok(0)
}

/// Prints the port of a service of this worktree.
///
/// # Errors
/// The agent has no ports, or none is left.
pub fn port(args: &Port, output: &Output) -> Outcome {
    let session = Session::open(None)?;
    let agent = agent(&session, args.agent.as_deref())?;
    let id = &agent.id.value;
    let Some(range) = &agent.ports else {
        return Err(Error::usage(
            format!("{} gives {id} no ports", session.loaded.plan.source.name),
            format!("add a range: `agents.{id}.ports: 8080-8099`"),
        ));
    };
    if args.name.trim().is_empty() || args.name.contains(char::is_control) {
        return Err(Error::usage(
            format!("`{}` cannot be a service's name", args.name.escape_debug()),
            "write one word, such as the service's folder: git lane port api",
        ));
    }
    let layout = session.repo.layout();
    // Whoever names the agent means its own worktree, wherever that is asked.
    let named = match &args.agent {
        Some(id) => setup::worktree_name_of(&session.repo, &session.loaded.plan, id)?,
        None => None,
    };
    let worktree = named.unwrap_or_else(|| setup::worktree_name(layout));
    let service = Service { agent: id, worktree: &worktree, name: &args.name };
    if args.release {
        let port = ports::release(&layout.common_dir, &service)?;
        if output.is_json() {
            let said = json!({ "agent": id, "service": args.name, "port": port, "released": true });
            output.print_json(&said)?;
        } else {
            output.print(&format!("{} has no port any more; {port} may be given anew\n", args.name))?;
        }
        return Ok(0);
    }
    let port = ports::port_of(&layout.common_dir, &service, range.value)?;
    note_stranger(&session, args, id, port)?;
    if output.is_json() {
        output.print_json(&json!({ "agent": id, "service": args.name, "port": port }))?;
    } else {
        output.print(&format!("{port}\n"))?;
    }
    Ok(0)
}

/// Says who has the port already, unless it is a service of the agent's own worktree.
fn note_stranger(session: &Session, args: &Port, id: &str, port: u16) -> Result<(), Error> {
    let here = session.repo.layout().worktree.clone();
    let own = setup::root_of(&session.repo, &session.loaded.plan, id)?;
    for taken in ports::probe(Ports { first: port, last: port }) {
        if ![&here, &own].into_iter().flatten().any(|root| taken.is_of(root)) {
            complain(&format!(
                "git-lane: note: {}, from outside of {id}'s worktree\n  \
                 stop that, or have another port: git lane port {} --release\n  then rerun this\n",
                taken.words(),
                quote(args.name.as_bytes())
            ));
        }
    }
    Ok(())
}

/// Runs a command as an agent; its exit code.
///
/// # Errors
/// No such agent, no such worktree, or this program cannot be started once more.
pub fn run(args: &Run, output: &Output) -> Outcome {
    let session = Session::open(None)?;
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
            complain(&format!("git-lane: {text}\n"));
        }
    };
    run::run(&job, &tell)
}

/// Where it runs: here, or in the worktree of the agent that was named.
fn folder(session: &Session, agent: &Agent, is_named: bool) -> Result<PathBuf, Error> {
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    let here =
        here.map_err(|error| Error::usage(format!("this folder is gone: {error}"), "go to another"))?;
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
            format!("{} gives {id} no worktree", session.loaded.plan.source.name),
            format!("add one: `agents.{id}.worktree: ../wt-{id}`, then: git lane setup {id}"),
        )),
    }
}

/// Limits this process, then becomes the command.
pub fn limited(args: &Limited) -> u8 {
    let error = run::become_limited(args.memory, args.group.as_deref(), &args.command);
    let name = args.command.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    complain(&format!("git-lane: {name} cannot be run: {error}\n"));
    run::code_of(&error)
}
