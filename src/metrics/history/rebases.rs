//! Conflicts in rebases, from the journal: `git lane sync` and `git lane push` note there that one stopped. git itself keeps
//! no trace of them.

use super::super::Query;
use crate::journal;
use lane_core::metrics::{ConflictKind, LostMerge, Metrics, Missing};
use lane_core::policy::model::Journal;
use lane_core::text::plain;
use lane_git::Repository;

/// The rebases of the period that stopped, oldest first.
pub fn stopped(query: &Query, metrics: &mut Metrics) -> Vec<LostMerge> {
    let mut missing = |reason: String, help: &str| {
        let (what, help) = ("conflicts".to_owned(), Some(help.to_owned()));
        metrics.missing.push(Missing { what, reason, help });
    };
    if query.plan.policy.metrics.journal.value == Journal::Off {
        missing(
            "conflicts in rebases are not known: the policy keeps no journal".to_owned(),
            "in policy.yaml: metrics: { journal: on }",
        );
        return Vec::new();
    }
    let common_dir = &query.repo.layout().common_dir;
    match journal::conflicts(common_dir, query.period.from, query.period.to) {
        Ok(entries) => entries
            .into_iter()
            .map(|entry| LostMerge {
                kind: ConflictKind::Rebase,
                commit: None,
                at: Some(entry.at),
                agents: entry.agent.map(|agent| plain(&agent)).into_iter().collect(),
                files: entry.files.iter().map(|file| plain(file)).collect(),
            })
            .collect(),
        Err(error) => {
            let place = common_dir.join("lane").display().to_string();
            missing(
                format!("conflicts in rebases could not be read: {error}"),
                &format!("check the permissions of {place}"),
            );
            Vec::new()
        }
    }
}
