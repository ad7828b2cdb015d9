//! `git lane join`

use serde_json::json;

use crate::cli::candidates;
use crate::cli::output::Output;
use crate::cli::session;
use crate::commands::setup;
use crate::ops::{Session, harness};
use crate::setup::join::{self, JoinOutcome, Options};
use lane_core::error::Error;
use lane_core::policy::Plan;

/// Make this worktree an agent's: branch, hooks, environment
///
/// The work in it is kept.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The agent that works in this worktree from now on
    #[arg(value_name = "ID", add = candidates::agents())]
    pub agent: Option<String>,
    /// The feature to name its branch after [default: the current branch]
    #[arg(value_name = "FEATURE")]
    pub feature: Option<String>,
    /// Show what would be done, without doing it
    #[arg(long)]
    pub dry_run: bool,
}

/// Makes this worktree an agent's.
///
/// # Errors
/// It is another agent's, or something is in the way; then all is as it was.
pub fn run(args: &Args, output: &Output) -> crate::cli::Outcome {
    let session = session::open(output, None)?;
    let binary = crate::install::program::own_path()?;
    let agent = args.agent.clone().ok_or_else(|| which(&session.loaded.plan))?;
    let options = Options { agent, feature: args.feature.clone(), dry_run: args.dry_run, binary };
    let Session { repo, environment, loaded, .. } = &session;
    let progress = setup::progress(output);
    let mut joined = join::run(repo, environment, loaded, &options, &progress)?;
    progress.end();
    let (changes, notes) = harness::renewed(repo, &loaded.plan, args.dry_run)?;
    joined.changes.extend(changes);
    joined.notes.extend(notes);
    if output.is_json() {
        let JoinOutcome { agent, root, branch, changes, notes } = &joined;
        output.print_json(&json!({
            "agent": agent, "worktree": root, "branch": branch, "dry_run": args.dry_run,
            "changes": changes, "notes": notes,
        }))?;
    } else if !output.is_quiet() {
        output.print(&as_text(&joined, args.dry_run))?;
    }
    Ok(0)
}

/// What is to be typed instead, for each agent that there is.
fn which(plan: &Plan) -> Error {
    let commands = plan.policy.agents.0.iter().map(|agent| {
        let name = agent.name.as_ref().map(|name| format!("   # {}", name.value)).unwrap_or_default();
        format!("git lane join {}{name}", agent.id.value)
    });
    Error::usage("no agent given", commands.collect::<Vec<_>>().join("\n"))
}

fn as_text(joined: &JoinOutcome, is_dry: bool) -> String {
    let JoinOutcome { agent, root, branch, changes, notes } = joined;
    let said = if changes.is_empty() { ": nothing to do" } else { "" };
    let mut text = format!("{agent}  {} on {branch}{said}\n", root.display());
    let would = if is_dry { "would " } else { "" };
    for change in changes {
        text.push_str(&format!("    {would}{change}\n"));
    }
    for note in notes {
        text.push_str(&format!("    note: {note}\n"));
    }
    text
}
