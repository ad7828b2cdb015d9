//! Locks and requests, from their records: whole chains of events, where they lie here or as the remote's were last.

use std::time::Duration;

use crate::event_log::{EventLog, Head};
use crate::locks::manager::LockManager;
use crate::machine::ThisMachine;
use crate::requests::log::RequestLog;
use lane_core::error::Error;
use lane_core::locks::record::LockRecord;
use lane_core::metrics::lock_times::{Timeline, seconds_in};
use lane_core::metrics::requests::{answer, summarize};
use lane_core::metrics::{Metrics, Missing};
use lane_core::requests::record::RequestRecord;

use super::Query;

/// How long the remote that has the records is waited for.
const BRIEFLY: Duration = Duration::from_secs(10);
/// How recent the remote's locks have to be, in milliseconds: as for `git lane locks`.
const RECENT: u64 = 1_000;
/// How far the clocks of those who wrote events may differ, in seconds.
const SKEW: i64 = 86_400;

/// Puts it into the report.
pub fn read(query: &Query, metrics: &mut Metrics) {
    locks(query, metrics);
    requests(query, metrics);
}

fn locks(query: &Query, metrics: &mut Metrics) {
    let world = ThisMachine::new();
    let mut manager = LockManager::new(query.repo, query.plan, &world);
    manager.set_patience(BRIEFLY);
    if let Err(error) = manager.refresh(RECENT) {
        let reason = format!("locks are shown as they were when the remote was last reached: {error}");
        metrics.missing.push(missing("locks", reason, error.help()));
    }
    let areas = match manager.areas() {
        Ok(areas) => areas,
        Err(error) => return metrics.missing.push(missing("locks", error.to_string(), error.help())),
    };
    for area in areas {
        let name = area.area.as_deref().unwrap_or(&area.reference);
        let tip = match area.tip {
            Ok(Some(tip)) => tip,
            Ok(None) => continue,
            Err(error) => {
                let reason = format!("the lock `{name}` cannot be read: {error}");
                metrics.missing.push(missing("locks", reason, error.help()));
                continue;
            }
        };
        let (mut chain, broken) = chain(manager.log(), tip, query.period.from.saturating_sub(SKEW));
        if let Some(error) = broken {
            let reason = format!("older events of the lock `{name}` cannot be read: {error}");
            metrics.missing.push(missing("locks", reason, error.help()));
        }
        chain.reverse();
        let line = Timeline::of(name, &chain, query.now.min(query.period.to));
        line.add_to(&mut metrics.locks, query.period, query.agent, query.plan.folds_case());
    }
    metrics.locks.sort();
    let held: Vec<(String, u64)> = metrics
        .locks
        .holds
        .iter()
        .map(|hold| (hold.agent.clone(), seconds_in(query.period, hold.from, hold.to)))
        .collect();
    let waited: Vec<(String, u64)> = metrics
        .locks
        .waits
        .iter()
        .map(|wait| (wait.agent.clone(), seconds_in(query.period, wait.from, wait.to)))
        .collect();
    held.iter().for_each(|(agent, seconds)| metrics.row(Some(agent)).locks_held += seconds);
    waited.iter().for_each(|(agent, seconds)| metrics.row(Some(agent)).locks_waited += seconds);
}

/// The chain below a head, newest first, back to the first event before a time, whose record has what was held by then; and
/// what is wrong with the rest.
fn chain(
    log: &EventLog<'_, LockRecord>,
    tip: Head<LockRecord>,
    since: i64,
) -> (Vec<LockRecord>, Option<Error>) {
    let mut records: Vec<LockRecord> = Vec::new();
    let walked = log.walk(&tip, |head| {
        records.push(head.record.clone());
        head.record.event.at < since
    });
    (records, walked.err())
}

fn requests(query: &Query, metrics: &mut Metrics) {
    let mut log = RequestLog::new(query.repo, query.plan);
    log.set_patience(BRIEFLY);
    if let Err(error) = log.refresh() {
        let reason = format!("requests are shown as they were when the remote was last reached: {error}");
        metrics.missing.push(missing("requests", reason, error.help()));
    }
    let heads = match log.all() {
        Ok(heads) => heads,
        Err(error) => return metrics.missing.push(missing("requests", error.to_string(), error.help())),
    };
    let mut answers = Vec::new();
    for (id, head) in heads {
        let head = head.and_then(|head| {
            let chain = log.chain(&head)?;
            Ok(chain.into_iter().rev().map(|head| head.record).collect::<Vec<RequestRecord>>())
        });
        match head {
            Ok(chain) => answers.extend(answer(query.plan, &chain)),
            Err(error) => {
                let reason = format!("the request {id} cannot be read: {error}");
                metrics.missing.push(missing("requests", reason, error.help()));
            }
        }
    }
    metrics.requests = summarize(answers, query.period, query.agent, query.now);
    let period = query.period;
    let submitted = metrics.requests.all.iter();
    let submitted = submitted.filter(|one| (period.from..period.to).contains(&one.submitted));
    let known = |by: &&str| query.plan.policy.agent(by).is_some();
    let by: Vec<String> = submitted.map(|one| one.by.as_str()).filter(known).map(str::to_owned).collect();
    for agent in by {
        if query.agent.is_none_or(|only| only == agent) {
            metrics.row(Some(&agent)).requests += 1;
        }
    }
}

fn missing(what: &str, reason: String, help: Option<String>) -> Missing {
    Missing { what: what.to_owned(), reason, help }
}
