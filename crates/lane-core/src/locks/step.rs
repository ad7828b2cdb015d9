//! Whether one record can be what git-lane made of another: for whoever is sent a lock ref, and did not see
//! it being made.

use super::record::{Lease, LockEventKind, LockRecord};

/// Holds a record against the one before it: only what its event says may have changed, and only for the
/// agent whose event it is. Time is not judged: whether another's lock had expired, only a clock knows.
///
/// # Errors
/// What cannot be, as the end of a sentence.
pub fn check(before: Option<&LockRecord>, next: &LockRecord) -> Result<(), String> {
    let event = &next.event;
    let empty = LockRecord::floor(&next.area, 0);
    let old = before.unwrap_or(&empty);
    if old.area != next.area {
        return Err(format!("it changes the lock `{}` to `{}`", old.area, next.area));
    }
    let is_next = next.generation == old.generation + 1;
    let is_taken = is_next && event.generation == next.generation;
    let may_take = matches!(event.kind, LockEventKind::Take | LockEventKind::Steal);
    if !(next.generation == old.generation || (is_taken && may_take)) {
        return Err(format!("generation {} cannot follow {}", next.generation, old.generation));
    }
    for lease in &next.leases {
        check_lease(old, next, lease)?;
    }
    for lease in &old.leases {
        let stays = next.leases.iter().any(|kept| kept.generation == lease.generation);
        let is_named = event.from.iter().any(|loser| loser.generation == lease.generation);
        // Another's lock ends by one that takes its place, and by nothing else.
        let is_replaced = is_named && makes(event.kind) && meets(next, lease);
        if !stays && !is_replaced && lease.stake.agent != event.agent {
            return Err(format!("the lock of {} disappeared without an event", lease.stake.agent));
        }
    }
    // One's own lock ends by giving it back, or by another in its place.
    let stays = |lease: &&Lease| next.leases.iter().any(|kept| kept.generation == lease.generation);
    let has_returned =
        old.leases.iter().filter(|lease| lease.stake.agent == event.agent).any(|lease| !stays(&lease));
    if has_returned && event.kind != LockEventKind::Release && !makes(event.kind) {
        return Err(format!("the lock of {} disappeared without an event", event.agent));
    }
    let is_new = |lease: &&Lease| !old.leases.iter().any(|kept| kept.generation == lease.generation);
    if let Some(lease) = next.leases.iter().filter(is_new).find(|lease| meets(next, lease)) {
        return Err(format!("{} takes what another agent holds", lease.stake.agent));
    }
    let known = |nonce: &str| old.queue.iter().any(|ticket| ticket.nonce == nonce);
    match next.queue.iter().find(|ticket| !known(&ticket.nonce) && ticket.agent != event.agent) {
        Some(ticket) => Err(format!("{} was queued by {}", ticket.agent, event.agent)),
        None => Ok(()),
    }
}

fn makes(kind: LockEventKind) -> bool {
    matches!(kind, LockEventKind::Take | LockEventKind::Steal | LockEventKind::Renew)
}

/// Whether some other agent's lease of a record meets one.
fn meets(record: &LockRecord, lease: &Lease) -> bool {
    let scope = |lease: &Lease| lease.stake.scope_in(&record.area);
    let rivals = record.leases.iter().filter(|rival| rival.stake.agent != lease.stake.agent);
    rivals.into_iter().any(|rival| scope(rival).conflicts(&scope(lease), false))
}

/// Whether a lease can be there: it was, or the event is its making.
fn check_lease(old: &LockRecord, next: &LockRecord, lease: &Lease) -> Result<(), String> {
    let event = &next.event;
    let before = old.leases.iter().find(|before| before.generation == lease.generation);
    if before == Some(lease) {
        return Ok(());
    }
    let is_own = lease.stake.agent == event.agent
        && lease.stake.scope == event.scope
        && lease.generation == event.generation;
    let is_same = before.is_none_or(|before| {
        before.stake.agent == lease.stake.agent && before.stake.scope == lease.stake.scope
    });
    let is_new = before.is_some() || lease.generation > old.generation;
    if makes(event.kind) && is_own && is_same && is_new {
        return Ok(());
    }
    Err(format!("{} was given a lock by {}", lease.stake.agent, event.agent))
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::{record, stake};
    use super::super::record::{Cause, Loser};
    use super::*;

    fn taken() -> LockRecord {
        let mut next = record();
        next.event.kind = LockEventKind::Take;
        (next.generation, next.event.generation, next.leases[0].generation) = (1, 1, 1);
        next
    }

    /// The record that follows, once something in it was changed.
    fn after(change: impl FnOnce(&mut LockRecord)) -> Result<(), String> {
        let mut next = taken();
        next.event.kind = LockEventKind::Renew;
        change(&mut next);
        check(Some(&taken()), &next)
    }

    #[test]
    fn what_its_event_says() {
        assert_eq!(check(None, &taken()), Ok(()));
        assert_eq!(after(|next| next.leases[0].stake = stake("a1", "common", "renewed")), Ok(()));
        assert_eq!(
            after(|next| {
                next.event.kind = LockEventKind::Release;
                next.leases.clear();
            }),
            Ok(())
        );
    }

    #[test]
    fn nothing_else() {
        assert!(after(|next| next.generation = 9).is_err(), "a generation out of nowhere");
        assert!(after(|next| next.leases[0].stake.agent = "a2".into()).is_err(), "another holder");
        assert!(after(|next| next.event.agent = "a2".into()).is_ok(), "nothing changed");
        let robbed = after(|next| {
            next.event.agent = "a2".into();
            next.leases.clear();
        });
        assert_eq!(robbed, Err("the lock of a1 disappeared without an event".into()));
        let theft = |kind: LockEventKind, keeps: bool| {
            after(|next| {
                (next.event.kind, next.event.agent, next.generation) = (kind, "a2".into(), 2);
                next.event.generation = 2;
                let lost =
                    Loser { agent: "a1".into(), scope: "common".into(), generation: 1, cause: Cause::Stolen };
                next.event.from = vec![lost];
                let mut own = next.leases[0].clone();
                (own.stake, own.generation) = (stake("a2", "common", "m"), 2);
                if !keeps {
                    next.leases.clear();
                }
                if kind == LockEventKind::Leave {
                    next.generation = 1;
                } else {
                    next.leases.push(own);
                }
            })
        };
        assert_eq!(theft(LockEventKind::Steal, false), Ok(()), "a theft is one that says so");
        assert_eq!(theft(LockEventKind::Take, true), Err("a2 takes what another agent holds".into()));
        assert_eq!(
            theft(LockEventKind::Leave, false),
            Err("the lock of a1 disappeared without an event".into())
        );
        let mut later = taken();
        (later.generation, later.event.generation, later.leases[0].generation) = (9, 9, 9);
        assert_eq!(check(None, &later), Err("generation 9 cannot follow 0".into()));
        let queued = after(|next| next.queue.push(stake("a3", "common", "t")));
        assert_eq!(queued, Err("a3 was queued by a1".into()));
    }
}
