//! The bounds within which git-lane writes records: for whoever is sent one, and did not see it being made.

use super::record::{Lease, LockEventKind, LockRecord};
use super::scope::{area_of, lockable};
use crate::policy::{Plan, unknown_agent};

/// The most bytes that the message of an event may have: one lock takes about half a KiB of it.
pub const LARGEST: usize = 256 * 1024;
/// The most characters of a reason.
const REASON: usize = 300;
/// How far a clock may be ahead of ours, in seconds.
const AHEAD: i64 = 86_400;
/// For how long a place in the queue of a remote is kept at least, in seconds.
const TICKET: u64 = 60;

/// Holds what an event adds against the policy. What was there before stays, whatever the policy was then. `now`:
/// in seconds since the epoch.
///
/// # Errors
/// What git-lane does not write, as the end of a sentence.
pub fn check(plan: &Plan, before: Option<&LockRecord>, next: &LockRecord, now: i64) -> Result<(), String> {
    let (event, locks) = (&next.event, &plan.policy.locks);
    let is_time = |at: i64| (0..=now.saturating_add(AHEAD)).contains(&at);
    if event.reason.as_ref().is_some_and(|reason| reason.chars().count() > REASON) {
        return Err(format!("its reason has more than {REASON} characters"));
    }
    if event.kind == LockEventKind::Steal && event.reason.is_none() {
        return Err(format!("{} steals without a reason", event.agent));
    }
    if !is_time(event.at) {
        return Err("its time is invalid, or more than a day ahead of this machine's clock".to_owned());
    }
    let old = before.map(|before| before.leases.as_slice()).unwrap_or_default();
    for lease in next.leases.iter().filter(|lease| !old.contains(lease)) {
        let own = old.iter().find(|own| own.generation == lease.generation);
        check_lease(plan, own, next, lease)?;
        if !is_time(lease.since) || !is_time(lease.stake.at) {
            return Err("its time is invalid, or more than a day ahead of this machine's clock".to_owned());
        }
    }
    let waits = before.map(|before| before.queue.as_slice()).unwrap_or_default();
    for ticket in next.queue.iter().filter(|ticket| !waits.contains(ticket)) {
        is_of(plan, next, &ticket.agent, &ticket.scope)?;
        if ticket.ttl > locks.max_ttl.value.seconds.max(TICKET) {
            return Err(format!("{} waits for longer than `locks.max_ttl`", ticket.agent));
        }
    }
    Ok(())
}

/// A lease that is new, or was renewed.
fn check_lease(plan: &Plan, own: Option<&Lease>, record: &LockRecord, lease: &Lease) -> Result<(), String> {
    let (stake, locks) = (&lease.stake, &plan.policy.locks);
    if own.is_none() {
        is_of(plan, record, &stake.agent, &stake.scope)?;
    }
    let is_same = own.is_some_and(|own| own.stake.ttl == stake.ttl);
    let (min, max) = (&locks.min_ttl.value, &locks.max_ttl.value);
    if !is_same && !(min.seconds..=max.seconds).contains(&stake.ttl) {
        return Err(format!("the lifetime of a lock must be {min} to {max}; this one is {} s", stake.ttl));
    }
    Ok(())
}

/// Whether the policy knows the agent, and the scope is one of the record's area.
fn is_of(plan: &Plan, record: &LockRecord, agent: &str, scope: &str) -> Result<(), String> {
    if plan.policy.agent(agent).is_none() {
        return Err(unknown_agent(agent, "the policy"));
    }
    let area = record.area.as_str();
    if !lockable(plan).contains(&area) {
        return Err(format!("`{area}` is not an area with locks"));
    }
    if area_of(plan, scope) != Some(area) {
        return Err(format!("`{scope}` is not in the area `{area}`"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::record;
    use super::*;
    use crate::rules::testing::plan;

    fn fault(edit: impl FnOnce(&mut LockRecord)) -> Option<String> {
        let plan =
            plan("version: 1\nagents: {a1: {}}\nareas: [{name: common, paths: ['src/**'], access: lock}]");
        let mut next = record();
        edit(&mut next);
        check(&plan, None, &next, 1_000).err()
    }

    #[test]
    fn what_git_lane_writes() {
        assert_eq!(fault(|_| {}), None);
        assert_eq!(fault(|next| next.leases[0].stake.scope = "src/a*".into()), None);
    }

    #[test]
    fn what_it_does_not_write() {
        let says = |edit: &dyn Fn(&mut LockRecord), words: &str| {
            let said = fault(edit).unwrap_or_default();
            assert!(said.contains(words), "{words}: {said}");
        };
        says(&|next| next.leases[0].stake.ttl = 0, "the lifetime of a lock");
        says(&|next| next.leases[0].stake.ttl = u64::MAX, "the lifetime of a lock");
        says(&|next| next.leases[0].stake.agent = "a9".into(), "unknown agent");
        says(&|next| next.leases[0].stake.scope = "docs/x".into(), "not in the area");
        says(&|next| next.area = "gone".into(), "not an area with locks");
        says(&|next| next.leases[0].since = 1_000 + 2 * AHEAD, "its time");
        says(&|next| next.leases[0].stake.at = i64::MIN, "its time");
        says(&|next| next.event.at = i64::MAX, "its time");
        says(&|next| next.event.reason = Some("x".repeat(301)), "its reason");
        says(
            &|next| {
                next.event.kind = LockEventKind::Steal;
                next.event.reason = None;
            },
            "steals without a reason",
        );
        says(
            &|next| {
                let ticket = super::super::record::tests::stake("a1", "common", "t");
                next.queue.push(super::super::record::Stake { ttl: u64::MAX, ..ticket });
            },
            "waits for longer",
        );
    }
}
