//! The hooks of harnesses in worktrees that came later.

use crate::harness::{self, Change, FileOutcome};
use crate::install::program;
use lane_core::error::Error;
use lane_core::harness::{Harness, find};
use lane_core::policy::Plan;
use lane_git::Repository;

/// The harnesses that a repository uses: those of the policy, and those whose hooks are in its worktrees already.
fn wanted(repo: &dyn Repository, plan: &Plan) -> Result<Vec<&'static Harness>, Error> {
    let mut wanted = harness::local(repo)?;
    for word in &plan.policy.harness {
        let harness = find(&word.value).filter(|harness| wanted.iter().all(|known| known.id != harness.id));
        wanted.extend(harness);
    }
    Ok(wanted)
}

/// Writes their hooks into each worktree that lacks them. Files that git tracks are left to maintainers.
///
/// # Errors
/// A file cannot be read or written.
pub fn renew(repo: &dyn Repository, plan: &Plan) -> Result<Vec<Change>, Error> {
    let wanted = wanted(repo, plan)?;
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut changes = harness::renew(repo, &wanted, &program::own_path()?)?;
    changes.retain(|change| change.state != FileOutcome::AlreadyThere);
    Ok(changes)
}

/// The same in words for people, each with the worktree that it is about, and what is worth knowing of it; `is_dry`: only which
/// harnesses they would be.
///
/// # Errors
/// As [`renew`].
pub fn renewed(
    repo: &dyn Repository,
    plan: &Plan,
    is_dry: bool,
) -> Result<(Vec<String>, Vec<String>), Error> {
    if is_dry {
        let names: Vec<&str> = wanted(repo, plan)?.iter().map(|harness| harness.name).collect();
        let change = (!names.is_empty()).then(|| format!("write the hooks of {}", names.join(", ")));
        return Ok((change.into_iter().collect(), Vec::new()));
    }
    let changes = renew(repo, plan)?;
    let mut notes: Vec<String> = changes.iter().filter_map(|change| change.note).map(str::to_owned).collect();
    notes.dedup();
    Ok((changes.iter().map(words).collect(), notes))
}

fn words(change: &Change) -> String {
    let name = find(change.harness).map_or(change.harness, |harness| harness.name);
    format!("wrote the hooks of {name}: {}", change.path.display())
}
