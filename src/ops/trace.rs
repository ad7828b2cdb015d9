//! What was read and why it was decided, for whoever looks into it.

use lane_core::facts::{Fact, Facts};
use lane_core::report::Report;
use log::debug;

/// What was gathered.
pub fn facts(facts: &Facts) {
    fn size<T>(fact: &Fact<Vec<T>>) -> String {
        match fact {
            Fact::Known(items) => items.len().to_string(),
            Fact::Unavailable(why) => format!("unavailable ({})", why.reason),
            Fact::NotGathered => "not needed".to_owned(),
        }
    }
    for claim in &facts.claims {
        debug!("identity: {} says {}", claim.source.name(), claim.agent);
    }
    match &facts.locks {
        Fact::Known(locks) => debug!(
            "locks: {} held, {} claimed manually, {} taken in the past",
            locks.leases.len(),
            locks.markers.len(),
            locks.taken.len()
        ),
        Fact::Unavailable(why) => debug!("locks: unavailable ({})", why.reason),
        Fact::NotGathered => debug!("locks: not needed"),
    }
    for change in &facts.changes {
        debug!(
            "change: branch {:?}, ref {:?}, merge base {:?}, head {:?}, files {}, staged {}, commits {}",
            change.branch,
            change.reference,
            change.merge_base.map(|base| base.oid),
            change.head,
            size(&change.files),
            size(&change.staged),
            size(&change.commits)
        );
    }
}

/// What was decided.
pub fn report(report: &Report) {
    for finding in &report.findings {
        let line = finding.policy.as_ref().map(|line| line.line);
        debug!("{} {}: {} (policy line {line:?})", finding.level.word(), finding.rule, finding.message);
    }
    debug!("verdict: {:?}, agent {:?}", report.verdict, report.agent);
}
