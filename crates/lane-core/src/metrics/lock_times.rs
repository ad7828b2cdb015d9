//! Who held and waited for which lock, and how long, from the chain of events of one area.

use std::collections::BTreeMap;

use super::{Blocked, Distribution, LockArea, LockHold, LockWait, Locks, Period};
use crate::locks::record::{Cause, Lease, LockEventKind, LockRecord, Stake};
use crate::locks::scope::Scope;

/// The holds and waits of one area.
#[derive(Debug, Default)]
pub struct Timeline {
    area: String,
    holds: Vec<LockHold>,
    waits: Vec<LockWait>,
}

/// A hold that goes on, with when its life ends unless it is renewed.
struct OpenHold {
    hold: LockHold,
    ends: i64,
}

/// A wait that goes on.
struct OpenWait {
    wait: LockWait,
    ends: i64,
}

impl Timeline {
    /// Of a chain, oldest first. What the first record has may have begun before. `now`: what lives is judged by its time
    /// alone, since a report is read on any machine.
    pub fn of<'r>(area: &str, chain: impl IntoIterator<Item = &'r LockRecord>, now: i64) -> Self {
        let mut line = Self { area: area.to_owned(), ..Self::default() };
        let (mut holds, mut waits) = (BTreeMap::new(), BTreeMap::new());
        for record in chain {
            line.leases(&mut holds, record);
            line.queue(&mut waits, record);
        }
        for OpenHold { mut hold, ends } in holds.into_values() {
            if ends <= now {
                (hold.to, hold.end) = (Some(ends.max(hold.from)), "expired");
            }
            line.holds.push(hold);
        }
        for OpenWait { mut wait, ends } in waits.into_values() {
            if ends <= now {
                (wait.to, wait.is_got) = (Some(ends.max(wait.from)), Some(false));
            }
            line.waits.push(wait);
        }
        line.holds.sort_by_key(|hold| (hold.from, hold.generation));
        line.waits.sort_by(|a, b| (a.from, &a.agent).cmp(&(b.from, &b.agent)));
        line
    }

    fn leases(&mut self, open: &mut BTreeMap<u64, OpenHold>, record: &LockRecord) {
        let ended: Vec<u64> = open
            .keys()
            .filter(|generation| !record.leases.iter().any(|lease| lease.generation == **generation))
            .copied()
            .collect();
        for OpenHold { mut hold, ends } in ended.iter().filter_map(|generation| open.remove(generation)) {
            let (to, end) = end_of(&hold, ends, record);
            (hold.to, hold.end) = (Some(to.max(hold.from)), end);
            self.holds.push(hold);
        }
        for Lease { stake, generation, since, .. } in &record.leases {
            let ends = end_of_life(stake);
            let known = open.entry(*generation).or_insert_with(|| OpenHold {
                hold: LockHold {
                    area: self.area.clone(),
                    scope: stake.scope.clone(),
                    agent: stake.agent.clone(),
                    generation: *generation,
                    from: *since,
                    to: None,
                    end: "held",
                },
                ends,
            });
            known.ends = ends;
        }
    }

    fn queue(&mut self, open: &mut BTreeMap<(String, String), OpenWait>, record: &LockRecord) {
        let event = &record.event;
        let key = |ticket: &Stake| (ticket.agent.clone(), ticket.scope.clone());
        let ended =
            open.keys().filter(|known| !record.queue.iter().any(|ticket| key(ticket) == **known)).cloned();
        for key in ended.collect::<Vec<_>>() {
            let Some(OpenWait { mut wait, ends }) = open.remove(&key) else { continue };
            let is_own = event.agent == wait.agent && event.scope == wait.scope;
            let (to, is_got) = match event.kind {
                LockEventKind::Take | LockEventKind::Steal | LockEventKind::Renew if is_own => {
                    (event.at, true)
                }
                LockEventKind::Leave if is_own => (event.at, false),
                _ => (ends.min(event.at), false),
            };
            (wait.to, wait.is_got) = (Some(to.max(wait.from)), Some(is_got));
            self.waits.push(wait);
        }
        for ticket in &record.queue {
            let ends = end_of_life(ticket);
            let known = open.entry(key(ticket)).or_insert_with(|| OpenWait {
                wait: LockWait {
                    area: self.area.clone(),
                    scope: ticket.scope.clone(),
                    agent: ticket.agent.clone(),
                    from: ticket.at,
                    to: None,
                    is_got: None,
                },
                ends,
            });
            known.ends = ends;
        }
    }

    /// Puts it into the section, as far as it is in the period and of the agent, if one is asked for.
    pub fn add_to(mut self, locks: &mut Locks, period: Period, agent: Option<&str>, fold: bool) {
        self.holds.retain(|hold| is_in(period, hold.from, hold.to));
        self.waits.retain(|wait| is_in(period, wait.from, wait.to));
        let blocked = self.blocked(period, agent, fold);
        self.holds.retain(|hold| agent.is_none_or(|agent| hold.agent == agent));
        self.waits.retain(|wait| agent.is_none_or(|agent| wait.agent == agent));
        if self.holds.is_empty() && self.waits.is_empty() && blocked.is_empty() {
            return;
        }
        let ended = |words: &[&str]| {
            let is_one = |hold: &&LockHold| {
                words.contains(&hold.end) && hold.to.is_some_and(|to| (period.from..period.to).contains(&to))
            };
            self.holds.iter().filter(is_one).count()
        };
        locks.areas.push(LockArea {
            held: Distribution::of(self.holds.iter().map(|hold| seconds_in(period, hold.from, hold.to))),
            waited: Distribution::of(self.waits.iter().map(|wait| seconds_in(period, wait.from, wait.to))),
            stolen: ended(&["stolen"]),
            expired: ended(&["expired", "gone"]),
            area: self.area,
            blocked,
        });
        locks.holds.extend(self.holds);
        locks.waits.extend(self.waits);
    }

    /// Who waited for whom: for each wait, the time in which another agent held something that is in its way.
    fn blocked(&self, period: Period, agent: Option<&str>, fold: bool) -> Vec<Blocked> {
        let scope =
            |text: &str| Scope::from_record(&self.area, text).unwrap_or_else(|| Scope::of_area(&self.area));
        let mut seconds: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for wait in &self.waits {
            let (begin, end) = (wait.from.max(period.from), wait.to.unwrap_or(period.to).min(period.to));
            let wanted = scope(&wait.scope);
            // They are in order of when they were taken.
            for hold in self.holds.iter().take_while(|hold| hold.from < end) {
                let is_asked = agent.is_none_or(|agent| agent == wait.agent || agent == hold.agent);
                let (from, to) = (hold.from.max(begin), hold.to.unwrap_or(period.to).min(end));
                if from < to
                    && is_asked
                    && hold.agent != wait.agent
                    && wanted.conflicts(&scope(&hold.scope), fold)
                {
                    *seconds.entry((&wait.agent, &hold.agent)).or_default() += to.abs_diff(from);
                }
            }
        }
        let blocked = seconds.into_iter().map(|((agent, holder), seconds)| Blocked {
            agent: agent.to_owned(),
            holder: holder.to_owned(),
            seconds,
        });
        let mut blocked: Vec<Blocked> = blocked.collect();
        blocked.sort_by_key(|one| std::cmp::Reverse(one.seconds));
        blocked
    }
}

impl Locks {
    /// In the order in which it is shown, once all areas are in it.
    pub fn sort(&mut self) {
        let sum = |spread: &Option<Distribution>| spread.map_or(0, |spread| spread.sum);
        self.areas
            .sort_by_key(|area| (std::cmp::Reverse((sum(&area.waited), sum(&area.held))), area.area.clone()));
        self.holds.sort_by(|a, b| (a.from, &a.area, a.generation).cmp(&(b.from, &b.area, b.generation)));
        self.waits.sort_by(|a, b| (a.from, &a.area, &a.agent).cmp(&(b.from, &b.area, &b.agent)));
    }
}

/// How long something took, as far as it is in the period, in seconds.
pub fn seconds_in(period: Period, from: i64, to: Option<i64>) -> u64 {
    let (from, to) = (from.max(period.from), to.unwrap_or(period.to).min(period.to));
    u64::try_from(to.saturating_sub(from)).unwrap_or(0)
}

fn is_in(period: Period, from: i64, to: Option<i64>) -> bool {
    from < period.to && to.is_none_or(|to| to >= period.from)
}

fn end_of_life(stake: &Stake) -> i64 {
    stake.at.saturating_add_unsigned(stake.ttl)
}

/// When and how a hold ended that the record has no more. `ends`: when its life was over.
fn end_of(hold: &LockHold, ends: i64, record: &LockRecord) -> (i64, &'static str) {
    let event = &record.event;
    let loser = event.from.iter().find(|loser| loser.generation == hold.generation);
    match loser.map(|loser| loser.cause) {
        Some(Cause::Stolen) => (event.at, "stolen"),
        Some(Cause::Gone) => (ends.min(event.at), "gone"),
        Some(Cause::Expired) => (ends.min(event.at), "expired"),
        Some(Cause::Returned) => (event.at, "released"),
        None if event.kind == LockEventKind::Release && event.agent == hold.agent => (event.at, "released"),
        None => (ends.min(event.at), "expired"),
    }
}

#[cfg(test)]
mod tests;
