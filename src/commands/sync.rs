//! `git lane sync`

mod text;

use serde_json::json;

use crate::cli::Outcome;
use crate::cli::output::Output;
use crate::cli::session;
use crate::commands::push;
use crate::ops::Session;
use crate::ops::push::PushOptions;
use crate::ops::sync::{self, RebaseOutcome, RebaseTarget, WorktreeSync};
use lane_core::text::help_block;
use lane_git::Repository;

/// Rebase this branch on the base as the remote has it
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Push afterwards, unless someone else pushed to the branch meanwhile
    #[arg(long)]
    pub push: bool,
    /// Sync all worktrees without uncommitted changes or an operation in progress
    #[arg(long)]
    pub all: bool,
    /// Stash uncommitted work, and restore it afterwards
    #[arg(long, conflicts_with = "all")]
    pub autostash: bool,
}

/// Fetches, rebases this branch on the base, or all branches whose worktrees are idle. Exit code 1 where one was
/// not rebased, for whatever is to be mended there.
///
/// # Errors
/// No repository, no policy, no base, or a remote that cannot be reached.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let session = sync::fetch(session::open_to_work(output, None)?)?;
    let onto = RebaseTarget::base(&session)?;
    if args.all {
        return all(&session, &onto, args, output);
    }
    let mut done = sync::here(&session, &onto, args.autostash)?;
    if !output.is_json() {
        text::print_sync(&done, &onto.reference, output)?;
        let remote = &session.loaded.plan.policy.remote.value;
        let has_remote = !session.repo.config(&format!("remote.{remote}.url"))?.is_empty();
        if done.is_of_stack() && has_remote && !args.push && !output.is_quiet() {
            output.print(&help_block("push them: git lane push --stack --force-with-lease", false))?;
        }
    }
    let mut code = u8::from(!done.is_good());
    if args.push && done.is_good() {
        let options = PushOptions { replaces: true, with_stack: true };
        code = push::branch(&session, options, output)?.0;
        done.pushed = Some(code == 0);
    }
    if output.is_json() {
        output.print_json(&json!({ "schema": 1, "base": onto.oid, "worktrees": [text::json(&done)] }))?;
    }
    Ok(code)
}

fn all(session: &Session, onto: &RebaseTarget<'_>, args: &Args, output: &Output) -> Outcome {
    let found = sync::all(session, onto, args.push, &mut |done| match output.is_json() {
        true => Ok(()),
        false => text::print_sync(done, &onto.reference, output),
    })?;
    if output.is_json() {
        let trees: Vec<_> = found.iter().map(text::json).collect();
        output.print_json(&json!({ "schema": 1, "base": onto.oid, "worktrees": trees }))?;
    }
    let is_good = |done: &WorktreeSync| {
        (done.is_good() || matches!(done.rebase, RebaseOutcome::Busy { .. })) && done.pushed != Some(false)
    };
    Ok(if found.iter().all(is_good) { 0 } else { 1 })
}
