//! `git lane port`

use serde_json::json;

use crate::cli::Outcome;
use crate::cli::candidates;
use crate::cli::output::{Output, note_with_help};
use crate::cli::session;
use crate::commands::env::agent;
use crate::ops::Session;
use crate::ports::{self, Service};
use crate::setup;
use lane_core::error::Error;
use lane_core::policy::scalar::Ports;
use lane_core::report::quote;
use lane_git::Repository;

/// Print the stable port of a service of this worktree
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The service, or any other name
    #[arg(value_name = "NAME", add = candidates::services())]
    pub name: String,
    /// The agent, in its own worktree [default: the one that works here]
    #[arg(long, value_name = "ID", add = candidates::agents())]
    pub agent: Option<String>,
    /// Release the port for other services
    #[arg(long)]
    pub release: bool,
}

/// Prints the port of a service of this worktree.
///
/// # Errors
/// The agent has no ports, or none is left.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let session = session::open(output, None)?;
    let agent = agent(&session, args.agent.as_deref())?;
    let id = &agent.id.value;
    let Some(range) = &agent.ports else {
        return Err(Error::usage(
            format!("{id} has no ports in {}", session.loaded.plan.source.name),
            format!("add a range: `agents.{id}.ports: 8080-8099`"),
        ));
    };
    if args.name.trim().is_empty() || args.name.contains(char::is_control) {
        return Err(Error::usage(
            format!("`{}` is not a valid service name", args.name.escape_debug()),
            "use one word, such as the service's folder: git lane port api",
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
            output.print(&format!("{} has no port any more; {port} is free again\n", args.name))?;
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
fn note_stranger(session: &Session, args: &Args, id: &str, port: u16) -> Result<(), Error> {
    let here = session.repo.layout().worktree.clone();
    let own = setup::root_of(&session.repo, &session.loaded.plan, id)?;
    for taken in ports::probe(Ports { first: port, last: port }) {
        if ![&here, &own].into_iter().flatten().any(|root| taken.is_of(root)) {
            note_with_help(
                &format!("{}, from outside {id}'s worktree", taken.words()),
                &format!(
                    "stop it, or get another port: git lane port {} --release\nthen rerun this",
                    quote(args.name.as_bytes())
                ),
            );
        }
    }
    Ok(())
}
