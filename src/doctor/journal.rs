//! Whether verdicts are noted for `git lane report`.

use super::Check;
use crate::journal::{self, FILES, State};
use lane_core::policy::Plan;
use lane_core::policy::model::Journal;
use lane_git::Layout;

const JOURNAL: &str = "journal";

/// Looks at the journal of verdicts.
pub(super) fn examine(layout: &Layout, plan: &Plan) -> Vec<Check> {
    if plan.policy.metrics.journal.value == Journal::Off {
        return vec![Check::ok(
            JOURNAL,
            "verdicts are not noted: the policy says `metrics: { journal: off }`",
        )];
    }
    let path = layout.common_dir.join(FILES[0]);
    let path = path.display();
    match journal::state(&layout.common_dir) {
        State::NotInstalled => Vec::new(),
        State::Ready => vec![Check::ok(JOURNAL, format!("hooks note their verdicts in {path}"))],
        State::Replaced => vec![Check::warning(
            JOURNAL,
            format!("verdicts are not noted: {path} is not a plain file"),
            format!("move it elsewhere: {path}"),
        )],
        State::Foreign => vec![Check::warning(
            JOURNAL,
            format!("your verdicts are not noted: {path} belongs to another user"),
            "the report is that of the owner; nothing else depends on it",
        )],
    }
}
