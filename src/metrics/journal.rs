//! Verdicts, from the journal that the hooks write.

use crate::journal;
use lane_core::metrics::refusals::summarize;
use lane_core::metrics::words::timestamp;
use lane_core::metrics::{Metrics, Missing};
use lane_core::policy::model::Journal;
use lane_git::Repository;

use super::Query;

/// Puts it into the report.
pub fn read(query: &Query, metrics: &mut Metrics) {
    let common_dir = &query.repo.layout().common_dir;
    let mut missing = |reason: String, help: &str| {
        let help = Some(help.to_owned()).filter(|help| !help.is_empty());
        metrics.missing.push(Missing { what: "refusals".to_owned(), reason, help });
    };
    if query.plan.policy.metrics.journal.value == Journal::Off {
        missing(
            "what was refused is not known: the policy keeps no journal".to_owned(),
            "in policy.yaml: metrics: { journal: on }",
        );
    }
    let records = match journal::read(common_dir) {
        Ok(records) => records,
        Err(error) => {
            let path = common_dir.join(journal::FILES[0]).display().to_string();
            return missing(
                format!("the journal of verdicts cannot be read: {error}"),
                &format!("check what {path} is; hooks begin a new one once it is renamed"),
            );
        }
    };
    let Some(first) = records.entries.first() else {
        if query.plan.policy.metrics.journal.value == Journal::On {
            missing(
                "what was refused is not known: the journal has no verdict yet; hooks write it".to_owned(),
                "git lane doctor",
            );
        }
        return;
    };
    if first.at > query.period.from {
        missing(
            format!("refusals before {} are not known: the journal begins there", timestamp(first.at)),
            "",
        );
    }
    if records.torn > 0 {
        missing(format!("{} in the journal cannot be read", count(records.torn)), "");
    }
    metrics.refusals = summarize(&records.entries, query.period, query.agent);
    metrics.refusals.torn = records.torn;
    let refused: Vec<Option<String>> =
        metrics.refusals.all.iter().map(|refusal| refusal.agent.clone()).collect();
    for agent in refused {
        metrics.row(agent.as_deref()).refusals += 1;
    }
}

fn count(records: usize) -> String {
    if records == 1 { "1 record".to_owned() } else { format!("{records} records") }
}
