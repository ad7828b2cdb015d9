//! The hooks of harnesses in worktrees that came later.

use crate::harness::{self, Change};
use crate::install::program;
use lane_core::error::Error;
use lane_core::harness::Harness;
use lane_core::policy::Plan;
use lane_git::Repository;

/// Writes the hooks of the harnesses that this repository uses into each worktree that lacks them: those whose hooks are in
/// its worktrees already. Files that git tracks are left to maintainers.
///
/// # Errors
/// A file cannot be read or written.
pub fn renew(repo: &dyn Repository, _plan: &Plan) -> Result<Vec<Change>, Error> {
    let wanted: Vec<&'static Harness> = harness::local(repo)?;
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut changes = harness::renew(repo, &wanted, &program::own_path()?)?;
    changes.retain(|change| change.state != harness::FileOutcome::AlreadyThere);
    Ok(changes)
}
