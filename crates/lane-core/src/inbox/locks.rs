//! Locks that become free, are got after a wait, are about to end, or are lost.

use super::notice::{mark, words};
use super::{LOCK_EXPIRING, LOCK_FREE, LOCK_LOST, LOCK_TAKEN, Notice, WINDOW};
use crate::locks::liveness::Judge;
use crate::locks::record::{Cause, Lease, LockEvent, LockEventKind, LockRecord};
use crate::locks::scope::Scope;
use crate::report::quote;

/// For how long somebody who waited is told that a lock is free, in seconds: a day.
const WISH: i64 = 86_400;
/// How long before its end a lock is said to be about to expire, in milliseconds at most.
const SOON: u64 = 10 * 60_000;

/// The events of one area, newest first, and what else counts.
pub struct Area<'a> {
    /// The records, each with the event that it followed from.
    pub chain: &'a [LockRecord],
    /// Judges what lives.
    pub judge: &'a Judge<'a>,
    /// Whether a manual claim of somebody else stands in an agent's way.
    pub is_claimed: &'a dyn Fn(&str) -> bool,
}

/// Locks as commands name them: `common@7`.
fn named(scope: &str) -> String {
    quote(scope.as_bytes())
}

impl Area<'_> {
    /// What an agent is to hear of this area's locks.
    pub fn notices(&self, agent: &str) -> Vec<Notice> {
        let Some(tip) = self.chain.first() else { return Vec::new() };
        let own = |lease: &&Lease| lease.stake.agent == agent;
        let mut found: Vec<Notice> = Vec::new();
        found.extend(tip.leases.iter().filter(own).filter_map(|lease| self.ending(tip, lease)));
        found.extend(self.lost(tip, agent));
        found.extend(self.after_waits(tip, agent));
        found
    }

    /// Milliseconds until something here changes by time alone.
    pub fn next_change(&self) -> Option<u64> {
        let leases = self.chain.first().into_iter().flat_map(|tip| &tip.leases);
        let times = leases.flat_map(|lease| {
            let left = self.judge.lease(lease).remaining();
            [left, left.saturating_sub(soon(lease))]
        });
        times.filter(|left| *left > 0).min()
    }

    fn now(&self) -> i64 {
        self.judge.now().wall
    }

    /// A lock that is over and nobody took, or soon will be.
    fn ending(&self, tip: &LockRecord, lease: &Lease) -> Option<Notice> {
        let (stake, life) = (&lease.stake, self.judge.lease(lease));
        let scope = &stake.scope;
        let token = lease.generation.to_be_bytes();
        if life.is_over() {
            let end = stake.at.saturating_add_unsigned(stake.ttl).min(self.now());
            if self.now().saturating_sub(end) >= WINDOW {
                return None;
            }
            let marks = vec![mark(&LOCK_LOST, &[tip.area.as_bytes(), &token, b"over"])];
            let text = format!("your lock on `{scope}` has expired, and nobody else has taken it");
            let notice = Notice::new(&LOCK_LOST, Some(&stake.agent), end, marks);
            return Some(notice.says(scope, &text, format!("git lane lock {}", named(scope))));
        }
        let is_soon = self.judge.is_timed(lease) && life.remaining() <= soon(lease);
        is_soon.then(|| {
            let marks = vec![mark(&LOCK_EXPIRING, &[stake.nonce.as_bytes()])];
            let left = life.remaining().div_ceil(1_000);
            let left = if left < 120 { format!("{left} s") } else { format!("{} min", left / 60) };
            let text = format!("your lock on `{scope}` expires in {left}");
            let next = format!("git lane lock {} --renew", named(scope));
            Notice::new(&LOCK_EXPIRING, Some(&stake.agent), self.now(), marks).says(scope, &text, next)
        })
    }

    /// Locks of the agent that ended because another took them.
    fn lost(&self, tip: &LockRecord, agent: &str) -> Vec<Notice> {
        let events = self.chain.iter().map(|record| &record.event).filter(|event| event.agent != agent);
        let mut found = Vec::new();
        for event in events.filter(|event| self.is_recent(event, WINDOW)) {
            for loser in event.from.iter().filter(|loser| loser.agent == agent) {
                let (scope, by) = (&loser.scope, &event.agent);
                let text = match loser.cause {
                    Cause::Returned => continue,
                    Cause::Stolen => {
                        format!("{by} stole your lock on `{scope}`{}", words(event.reason.as_deref()))
                    }
                    Cause::Expired => format!("your lock on `{scope}` had expired, and {by} took it"),
                    Cause::Gone => {
                        format!(
                            "your lock on `{scope}` was left by a process that no longer runs, and {by} took it"
                        )
                    }
                };
                let token = loser.generation.to_be_bytes();
                let marks = vec![mark(&LOCK_LOST, &[tip.area.as_bytes(), &token, by.as_bytes()])];
                let notice = Notice::new(&LOCK_LOST, Some(agent), event.at, marks).by(by);
                found.push(notice.says(scope, &text, format!("git lane locks {}", named(scope))));
            }
        }
        found
    }

    fn is_recent(&self, event: &LockEvent, window: i64) -> bool {
        self.now().saturating_sub(event.at) < window
    }

    /// What became of what the agent waited for.
    fn after_waits(&self, tip: &LockRecord, agent: &str) -> Vec<Notice> {
        let own: Vec<&LockEvent> =
            self.chain.iter().map(|record| &record.event).filter(|event| event.agent == agent).collect();
        let mut scopes: Vec<&str> = Vec::new();
        let mut found = Vec::new();
        for (at, event) in own.iter().enumerate() {
            if scopes.contains(&event.scope.as_str()) {
                continue;
            }
            scopes.push(&event.scope);
            match event.kind {
                LockEventKind::Wait | LockEventKind::Leave if self.is_recent(event, WISH) => {
                    found.extend(self.free(tip, agent, &event.scope));
                }
                LockEventKind::Take => {
                    let before = own[at + 1..].iter().find(|before| before.scope == event.scope);
                    if before.is_some_and(|before| before.kind == LockEventKind::Wait) {
                        found.extend(self.taken(tip, event));
                    }
                }
                _ => {}
            }
        }
        found
    }

    /// A lock that was got after a wait.
    fn taken(&self, tip: &LockRecord, event: &LockEvent) -> Option<Notice> {
        let lease = tip.leases.iter().find(|lease| lease.generation == event.generation)?;
        (!self.judge.lease(lease).is_over()).then(|| {
            let marks = vec![mark(&LOCK_TAKEN, &[tip.area.as_bytes(), &event.generation.to_be_bytes()])];
            let text = format!("`{}`, which you waited for, is locked for you now", event.scope);
            let next = format!("git lane locks {}", named(&event.scope));
            Notice::new(&LOCK_TAKEN, Some(&event.agent), event.at, marks).says(&event.scope, &text, next)
        })
    }

    /// A lock that nobody holds, and before which nobody stands: no process of the agent waits for it any more either.
    fn free(&self, tip: &LockRecord, agent: &str, scope: &str) -> Option<Notice> {
        let wanted = Scope::from_record(&tip.area, scope)?;
        let is_in_way = |text: &str| {
            let other = Scope::from_record(&tip.area, text).unwrap_or_else(|| Scope::of_area(&tip.area));
            self.judge.conflict(&wanted, &other)
        };
        let is_held = tip
            .leases
            .iter()
            .any(|lease| !self.judge.lease(lease).is_over() && is_in_way(&lease.stake.scope));
        let is_waited_for =
            tip.queue.iter().any(|ticket| self.judge.waits(ticket) && is_in_way(&ticket.scope));
        if is_held || is_waited_for || (self.is_claimed)(agent) {
            return None;
        }
        // Whoever released it last, or whose lock ended by itself.
        let released = self.chain.iter().map(|record| &record.event).find(|event| {
            event.kind == LockEventKind::Release && event.agent != agent && is_in_way(&event.scope)
        });
        let ended = tip.leases.iter().map(|lease| &lease.stake).find(|stake| is_in_way(&stake.scope));
        let (at, by) = match (ended, released) {
            (Some(stake), _) => {
                (stake.at.saturating_add_unsigned(stake.ttl).min(self.now()), Some(&stake.agent))
            }
            (None, Some(event)) => (event.at, Some(&event.agent)),
            (None, None) => (self.now(), None),
        };
        let parts: [&[u8]; 4] =
            [agent.as_bytes(), tip.area.as_bytes(), scope.as_bytes(), &tip.generation.to_be_bytes()];
        let notice = Notice::new(&LOCK_FREE, Some(agent), at, vec![mark(&LOCK_FREE, &parts)]);
        let notice = by.into_iter().fold(notice, |notice, by| notice.by(by));
        let text = format!("`{scope}`, which you waited for, is free");
        Some(notice.says(scope, &text, format!("git lane lock {}", named(scope))))
    }
}

/// How long before its end a lock is about to expire, in milliseconds.
fn soon(lease: &Lease) -> u64 {
    lease.stake.ttl.saturating_mul(250).min(SOON)
}

#[cfg(test)]
mod tests;
