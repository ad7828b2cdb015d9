//! Conflicts that there would be: open branches of agents, merged in memory.

use std::time::Duration;

use super::super::Query;
use crate::conflicts::Forecast;
use crate::status;
use lane_core::error::Error;
use lane_core::metrics::{ConflictKind, LostMerge, Metrics, Missing};

/// How long all merges together may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Puts the conflicts into the report that `git lane conflicts` would tell of now.
pub fn read(query: &Query, metrics: &mut Metrics) {
    if let Err(why) = tell(query, metrics) {
        metrics.missing.push(Missing {
            what: "forecast".to_owned(),
            reason: format!("conflicts of open branches could not be determined: {why}"),
            help: Some("git lane conflicts".to_owned()),
        });
    }
}

fn tell(query: &Query, metrics: &mut Metrics) -> Result<(), Error> {
    let lines = status::heads(query.repo, query.plan)?;
    let mut unknown = 0;
    for pair in status::clashes(query.repo, query.loaded, &lines, PATIENCE) {
        let sides = [&pair.one, &pair.two].map(|side| side.split(' ').next().unwrap_or_default().to_owned());
        let agents: Vec<String> =
            sides.into_iter().filter(|side| query.plan.policy.agent(side).is_some()).collect();
        if query.agent.is_some_and(|agent| agents.iter().all(|other| other != agent)) {
            continue;
        }
        match pair.forecast {
            Forecast::Clean => {}
            Forecast::Unknown(_) => unknown += 1,
            Forecast::Conflicts(files) => metrics.conflicts.forecast.push(LostMerge {
                kind: ConflictKind::Forecast,
                commit: None,
                at: None,
                agents,
                files: files.iter().map(|clash| clash.path.to_string()).collect(),
            }),
        }
    }
    if unknown > 0 {
        metrics.missing.push(Missing {
            what: "forecast".to_owned(),
            reason: format!("whether {unknown} pairs of open branches conflict could not be determined"),
            help: Some("git lane conflicts".to_owned()),
        });
    }
    Ok(())
}
