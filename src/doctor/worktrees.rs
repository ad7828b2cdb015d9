//! Whether the worktrees are whole.

use super::Check;
use crate::status::{lanes, open_error};
use lane_core::error::Error;
use lane_core::policy::Plan;
use lane_git::Repository;

const WORKTREES: &str = "worktrees";

/// One line for each worktree that git has and cannot use, or one for all of them.
pub(super) fn examine(repo: &dyn Repository, plan: &Plan) -> Vec<Check> {
    let lanes = match lanes(repo, plan) {
        Ok(lanes) => lanes,
        Err(error) => return vec![Check::error(WORKTREES, &error)],
    };
    let there: Vec<_> = lanes.iter().filter(|lane| lane.git_dir.is_some() || lane.root.exists()).collect();
    let broken: Vec<Check> = there
        .iter()
        .filter_map(|lane| open_error(repo.layout(), lane))
        .map(|why| Check::error(WORKTREES, &Error::from(why)))
        .collect();
    match (broken.is_empty(), there.len()) {
        (false, _) => broken,
        (true, 0 | 1) => Vec::new(),
        (true, count) => vec![Check::ok(WORKTREES, format!("{count}, all intact"))],
    }
}
