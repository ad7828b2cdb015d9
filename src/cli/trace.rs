//! `LANE_LOG=debug`: what was read and why it was decided, on standard error.

use std::sync::OnceLock;
use std::time::Instant;

use super::output::complain;
use lane_core::facts::{Fact, Facts};
use lane_core::report::Report;

static START: OnceLock<Option<Instant>> = OnceLock::new();

/// Writes a line if it was asked for; the text is made only then.
pub fn debug(text: impl FnOnce() -> String) {
    let start = START.get_or_init(|| {
        let is_on = std::env::var("LANE_LOG").is_ok_and(|level| level == "debug" || level == "trace");
        is_on.then(Instant::now)
    });
    if let Some(start) = start {
        complain(&format!("lane {:>7.2} ms  {}\n", start.elapsed().as_secs_f64() * 1e3, text()));
    }
}

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
        debug(|| format!("identity: {} says {}", claim.source.name(), claim.agent));
    }
    debug(|| match &facts.locks {
        Fact::Known(locks) => format!(
            "locks: {} held, {} claimed by hand, {} taken in the past",
            locks.leases.len(),
            locks.markers.len(),
            locks.taken.len()
        ),
        Fact::Unavailable(why) => format!("locks: unavailable ({})", why.reason),
        Fact::NotGathered => "locks: not needed".to_owned(),
    });
    for change in &facts.changes {
        debug(|| {
            format!(
                "change: branch {:?}, ref {:?}, merge base {:?}, head {:?}, files {}, staged {}, commits {}",
                change.branch,
                change.reference,
                change.merge_base.map(|base| base.oid),
                change.head,
                size(&change.files),
                size(&change.staged),
                size(&change.commits)
            )
        });
    }
}

/// What was decided.
pub fn report(report: &Report) {
    for finding in &report.findings {
        debug(|| {
            let line = finding.policy.as_ref().map(|line| line.line);
            format!("{} {}: {} (policy line {line:?})", finding.level.word(), finding.rule, finding.message)
        });
    }
    debug(|| format!("verdict: {:?}, agent {:?}", report.verdict, report.agent));
}
