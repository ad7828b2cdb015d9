//! Whether the harnesses for which hooks were written still ask git-lane.

use super::Check;
use crate::harness::{installed, missing_hooks};
use lane_git::Repository;

const NAME: &str = "harness hooks";

/// Nothing where none were written.
pub(super) fn examine(repo: &dyn Repository) -> Vec<Check> {
    let found = match (installed(repo), missing_hooks(repo)) {
        (Ok(installed), Ok(lost)) => (installed, lost),
        (Err(error), _) | (_, Err(error)) => return vec![Check::error(NAME, &error)],
    };
    let (installed, lost) = found;
    let check = |harness: &&'static lane_core::harness::Harness| {
        let paths: Vec<String> = lost
            .iter()
            .filter(|(id, _)| *id == harness.id)
            .map(|(_, path)| path.display().to_string())
            .collect();
        if paths.is_empty() {
            return Check::ok(NAME, format!("{} asks git-lane before it edits a file", harness.name));
        }
        Check::problem(
            NAME,
            format!("{} does not ask git-lane: its hooks are gone from {}", harness.name, paths.join(", ")),
            format!("git lane install --harness {}", harness.id),
        )
    };
    installed.iter().map(check).collect()
}
