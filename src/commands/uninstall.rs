//! `git lane uninstall`

use crate::cli::Outcome;
use crate::cli::output::Output;
use crate::commands::install::report;
use crate::ops::edit_log;
use crate::{harness, inbox, install, setup};
use lane_git::worktrees::worktrees;
use lane_git::{GitRepo, Repository};

/// Remove the hooks, and restore everything as it was
#[derive(Debug, clap::Args)]
pub struct Args {
    /// All worktrees
    #[arg(long)]
    pub all: bool,
    /// Remove them from a bare repository
    #[arg(long, conflicts_with = "all")]
    pub server: bool,
}

/// Takes the hooks away again.
///
/// # Errors
/// What keeps it from doing so; then all is as it was.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let repo = GitRepo::open()?;
    if args.server {
        return report(&install::uninstall_server(&repo)?, output);
    }
    let lines = if args.all { setup::forget(repo.layout())? } else { Vec::new() };
    let restored = if args.all { harness::uninstall(&repo)? } else { Vec::new() };
    if args.all {
        worktrees(repo.layout())?.iter().for_each(|tree| edit_log::forget(&tree.git_dir));
        inbox::store::forget(&repo.layout().common_dir);
    }
    let mut done = install::uninstall(&repo, args.all)?;
    done.notes.extend(restored.iter().map(ToString::to_string));
    if !lines.is_empty() {
        done.notes.push(format!(
            "info/exclude no longer hides these from git: {}; check before you add all files",
            lines.join(", ")
        ));
    }
    report(&done, output)
}
