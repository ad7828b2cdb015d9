//! Who holds what, and who waits.

use std::time::Duration;

use super::{Line, Lock};
use crate::locks::manager::LockManager;
use crate::machine::ThisMachine;
use lane_core::locks::record::plain;
use lane_core::policy::Plan;
use lane_core::policy::model::Access;
use lane_git::Repository;

/// The locks of a remote are shown as they were up to so many milliseconds ago.
const RECENT: u64 = 10_000;
/// How long the remote that has them may take.
const BRIEFLY: Duration = Duration::from_secs(3);

/// Locks and tickets of the queue, each with its agent.
#[derive(Default)]
pub(super) struct LockStatus {
    locks: Vec<(String, Lock)>,
    waits: Vec<(String, String)>,
}

/// Reads the locks of all areas. What cannot be read is noted.
pub(super) fn read(repo: &dyn Repository, plan: &Plan, notes: &mut Vec<String>) -> LockStatus {
    let mut held = LockStatus::default();
    if !plan.has_area(Access::Lock) {
        return held;
    }
    let world = ThisMachine::new();
    let mut manager = LockManager::new(repo, plan, &world);
    manager.set_patience(BRIEFLY);
    if let Err(error) = manager.refresh(RECENT) {
        notes.push(format!("locks as last known: {error}"));
    }
    let areas = match manager.areas() {
        Ok(areas) => areas,
        Err(error) => {
            notes.push(format!("locks cannot be read: {error}"));
            return held;
        }
    };
    let judge = manager.judge();
    for area in areas {
        let tip = match area.tip {
            Ok(tip) => tip,
            Err(error) => {
                notes.push(error.to_string());
                continue;
            }
        };
        let Some(tip) = tip else { continue };
        for lease in tip.record.leases.iter().filter(|lease| !judge.lease(lease).is_over()) {
            let left = judge.lease(lease).remaining().div_ceil(1_000);
            let reason = lease.reason.as_deref().map(plain);
            let lock = Lock { scope: plain(&lease.stake.scope), left, reason };
            held.locks.push((lease.stake.agent.clone(), lock));
        }
        let waiting = tip.record.queue.iter().filter(|ticket| judge.waits(ticket));
        held.waits.extend(waiting.map(|ticket| (ticket.agent.clone(), plain(&ticket.scope))));
    }
    held
}

/// Puts them into the first line of each agent.
pub(super) fn fill(lines: &mut [Line], held: LockStatus) {
    let mut of = |agent: &str, put: &mut dyn FnMut(&mut Line)| {
        if let Some(line) = lines.iter_mut().find(|line| line.agent.as_deref() == Some(agent)) {
            put(line);
        }
    };
    for (agent, lock) in held.locks {
        of(&agent, &mut |line| line.locks.push(lock.clone()));
    }
    for (agent, scope) in held.waits {
        of(&agent, &mut |line| line.waits.push(scope.clone()));
    }
}
