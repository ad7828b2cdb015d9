//! What may follow what: from an area's record to its next one, or why not. Pure functions; whether the
//! next record becomes the area's is decided by a compare-and-swap on the one it was made from.

use super::liveness::{Judge, Liveness};
use super::record::{Cause, Lease, LockEvent, LockEventKind, LockRecord, Loser, Stake};
use super::scope::Scope;
use super::world::Process;
use crate::facts::{LockClaim, Oid};

/// What somebody wants.
#[derive(Debug, Clone)]
pub struct Claim<'a> {
    /// On what.
    pub scope: &'a Scope,
    /// For whom.
    pub agent: &'a str,
    /// For how long, in seconds.
    pub ttl: u64,
    /// Why.
    pub reason: Option<&'a str>,
    /// The process it is for.
    pub process: Option<Process>,
    /// The worktree.
    pub worktree: &'a str,
    /// What tells apart the repositories of one machine.
    pub repository: Option<&'a str>,
    /// The commit that is pushed together with it.
    pub pushed: Option<&'a str>,
    /// The tip of the base, as it is known here.
    pub base: Option<String>,
    /// The worktree in which the area was claimed manually.
    pub by_hand: Option<String>,
}

/// How badly it is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakeMode {
    /// If it is free and nobody stands in front, apart from so many.
    Take {
        /// How many of those in front may be passed over.
        pass: usize,
    },
    /// Only if one has it.
    Renew,
    /// Whoever has it.
    Steal,
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Another agent holds it.
    Held(Box<Lease>, Liveness),
    /// It is free, and others wait for it.
    Queued(Vec<Stake>),
    /// Another agent claimed the area by hand.
    Marked(LockClaim),
    /// Nobody holds it, so it can be neither renewed nor released.
    NotHeld,
    /// This scope, which the same command had taken before, is another's by now, and why.
    Lost(String, Box<Refusal>),
}

/// The next record after somebody takes, renews or steals a lock.
///
/// # Errors
/// Why they may not.
pub fn claim(
    record: Option<&LockRecord>,
    claim: &Claim<'_>,
    manner: TakeMode,
    judge: &Judge<'_>,
) -> Result<LockRecord, Refusal> {
    let area = claim.scope.area.as_str();
    let leases = record.map(|record| record.leases.as_slice()).unwrap_or_default();
    let conflicts = |lease: &Lease| judge.conflict(claim.scope, &lease.stake.scope_in(area));
    let is_own = |lease: &Lease| lease.stake.agent == claim.agent && lease.stake.scope == claim.scope.text;
    let own = leases.iter().find(|lease| is_own(lease));
    let others: Vec<&Lease> =
        leases.iter().filter(|lease| lease.stake.agent != claim.agent && conflicts(lease)).collect();
    if manner != TakeMode::Steal
        && let Some(held) = others.iter().find(|lease| !judge.lease(lease).is_over())
    {
        return Err(Refusal::Held(Box::new((*held).clone()), judge.lease(held)));
    }
    let is_alive = own.is_some_and(|own| !judge.lease(own).is_over());
    if manner == TakeMode::Renew && own.is_none() {
        return Err(Refusal::NotHeld);
    }
    if let (TakeMode::Take { pass }, false) = (manner, is_alive) {
        let ahead = ahead(record, claim, judge);
        if ahead.len() > pass {
            return Err(Refusal::Queued(ahead));
        }
    }
    let from: Vec<Loser> = others.iter().map(|lease| loser(lease, judge)).collect();
    let is_theft = from.iter().any(|loser| loser.cause == Cause::Stolen);
    let stake = stake(claim, judge);
    // Whoever takes the lock by a command no longer holds it by a file.
    let by_hand = match manner {
        TakeMode::Renew => own.and_then(|own| own.by_hand.clone()),
        TakeMode::Take { .. } | TakeMode::Steal => claim.by_hand.clone(),
    };
    let mut event = event(claim, judge);
    let (kind, mut lease) = match own.filter(|_| is_alive) {
        Some(own) => {
            let reason = claim.reason.map(str::to_owned).or(own.reason.clone());
            (LockEventKind::Renew, Lease { stake, reason, by_hand, ..own.clone() })
        }
        None => (LockEventKind::Take, new_lease(record, claim, stake, by_hand, judge)),
    };
    event.kind = if is_theft { LockEventKind::Steal } else { kind };
    event.generation = lease.generation;
    lease.from.extend(from.clone());
    event.from = from;
    let mut next = follow(record, area, event, judge);
    next.leases.retain(|lease| !is_own(lease) && (lease.stake.agent == claim.agent || !conflicts(lease)));
    next.queue.retain(|ticket| !(ticket.agent == claim.agent && ticket.scope == claim.scope.text));
    next.generation = next.generation.max(lease.generation);
    next.leases.push(lease);
    next.leases.sort_by_key(|lease| lease.generation);
    Ok(next)
}

fn new_lease(
    record: Option<&LockRecord>,
    claim: &Claim<'_>,
    stake: Stake,
    by_hand: Option<String>,
    judge: &Judge<'_>,
) -> Lease {
    Lease {
        stake,
        generation: record.map_or(0, |record| record.generation) + 1,
        since: judge.now().wall,
        reason: claim.reason.map(str::to_owned),
        base: claim.base.clone(),
        by_hand,
        from: Vec::new(),
    }
}

/// Writes down that a manual claim ended by being stolen.
pub fn steal_from_claim(next: &mut LockRecord, marker: &LockClaim) {
    let (agent, scope) = (marker.agent.clone(), marker.area.clone());
    let loser = Loser { agent, scope, generation: 0, cause: Cause::Stolen };
    let own = next.leases.iter_mut().find(|lease| lease.generation == next.event.generation);
    own.into_iter().for_each(|lease| lease.from.push(loser.clone()));
    next.event.kind = LockEventKind::Steal;
    next.event.from.push(loser);
}

/// Those who wait in front: all who still wait, or those who came before one's own ticket.
fn ahead(record: Option<&LockRecord>, claim: &Claim<'_>, judge: &Judge<'_>) -> Vec<Stake> {
    let queue = record.map(|record| record.queue.as_slice()).unwrap_or_default();
    let is_own = |ticket: &&Stake| ticket.agent == claim.agent && ticket.scope == claim.scope.text;
    let area = &claim.scope.area;
    let before = queue.iter().take_while(|ticket| !is_own(ticket));
    let rivals = before.filter(|ticket| ticket.agent != claim.agent);
    let rivals = rivals.filter(|ticket| judge.conflict(claim.scope, &ticket.scope_in(area)));
    rivals.filter(|ticket| judge.waits(ticket)).cloned().collect()
}

impl<'a> Claim<'a> {
    /// The same with the tip of the base as it is known here.
    #[must_use]
    pub fn on_base(self, base: Option<Oid>) -> Self {
        Self { base: base.map(|oid| oid.to_string()), ..self }
    }

    /// What somebody who gives something back says.
    pub fn of_return(scope: &'a Scope, agent: &'a str, worktree: &'a str, reason: Option<&'a str>) -> Self {
        let (ttl, process, repository, pushed, base) = (0, None, None, None, None);
        Self { scope, agent, ttl, reason, process, worktree, repository, pushed, base, by_hand: None }
    }
}

/// The next record after somebody releases what they hold: the scope itself, or, for a whole area,
/// everything of theirs in it. `only`: what has this generation, and nothing else.
///
/// # Errors
/// It is another's, or of no agent.
pub fn release(
    record: Option<&LockRecord>,
    claim: &Claim<'_>,
    only: Option<u64>,
    judge: &Judge<'_>,
) -> Result<LockRecord, Refusal> {
    let area = claim.scope.area.as_str();
    let leases = record.map(|record| record.leases.as_slice()).unwrap_or_default();
    let is_own = |lease: &Lease| {
        let is_meant = match only {
            Some(generation) => lease.generation == generation,
            None => claim.scope.is_area() || lease.stake.scope == claim.scope.text,
        };
        lease.stake.agent == claim.agent && is_meant
    };
    let Some(generation) = leases.iter().filter(|lease| is_own(lease)).map(|lease| lease.generation).max()
    else {
        let alive = |lease: &&Lease| !judge.lease(lease).is_over();
        let rival = leases
            .iter()
            .filter(alive)
            .find(|lease| judge.conflict(claim.scope, &lease.stake.scope_in(area)));
        return Err(rival
            .map_or(Refusal::NotHeld, |lease| Refusal::Held(Box::new(lease.clone()), judge.lease(lease))));
    };
    let mut event = LockEvent {
        kind: LockEventKind::Release,
        generation,
        base: claim.base.clone(),
        ..event(claim, judge)
    };
    let own = || leases.iter().filter(|lease| is_own(lease));
    // What was typed tells of one lock under its own name.
    if own().count() > 1 || own().any(|lease| lease.stake.scope != claim.scope.text) {
        let returned = |lease| Loser { cause: Cause::Returned, ..loser(lease, judge) };
        event.from = own().map(returned).collect();
    }
    let mut next = follow(record, area, event, judge);
    next.leases.retain(|lease| !is_own(lease));
    Ok(next)
}

/// The next record after somebody stands in the queue, and the nonce of their ticket.
pub fn wait(record: Option<&LockRecord>, claim: &Claim<'_>, judge: &Judge<'_>) -> (LockRecord, String) {
    let event = LockEvent { kind: LockEventKind::Wait, ..event(claim, judge) };
    let mut next = follow(record, &claim.scope.area, event, judge);
    let ticket = stake(claim, judge);
    let nonce = ticket.nonce.clone();
    next.queue.push(ticket);
    (next, nonce)
}

/// The next record after somebody who stands in the queue shows that they still do, at their old place, and
/// the nonce that the ticket has from now on; `None` where they do not stand in it.
pub fn go_on_waiting(
    record: &LockRecord,
    nonce: &str,
    claim: &Claim<'_>,
    judge: &Judge<'_>,
) -> Option<(LockRecord, String)> {
    record.queue.iter().find(|ticket| ticket.nonce == nonce)?;
    let event = LockEvent { kind: LockEventKind::Wait, ..event(claim, judge) };
    let mut next = follow(Some(record), &claim.scope.area, event, judge);
    let ticket = stake(claim, judge);
    let own = ticket.nonce.clone();
    match next.queue.iter_mut().find(|ticket| ticket.nonce == nonce) {
        Some(old) => *old = ticket,
        None => next.queue.push(ticket), // it had just run out
    }
    Some((next, own))
}

/// The next record after somebody pushes work that was done under a lock which they released: nobody can
/// have taken it in between, or this is not the next one.
pub fn push(record: &LockRecord, claim: &Claim<'_>, judge: &Judge<'_>) -> LockRecord {
    let event = LockEvent { kind: LockEventKind::Push, ..event(claim, judge) };
    follow(Some(record), &claim.scope.area, event, judge)
}

/// The next record after somebody leaves the queue; `None` where they do not stand in it.
pub fn leave(record: &LockRecord, nonce: &str, claim: &Claim<'_>, judge: &Judge<'_>) -> Option<LockRecord> {
    record.queue.iter().find(|ticket| ticket.nonce == nonce)?;
    let event = LockEvent { kind: LockEventKind::Leave, ..event(claim, judge) };
    let mut next = follow(Some(record), &claim.scope.area, event, judge);
    next.queue.retain(|ticket| ticket.nonce != nonce);
    Some(next)
}

/// The record as it was, with another event; who waits no longer is out of the queue.
fn follow(record: Option<&LockRecord>, area: &str, event: LockEvent, judge: &Judge<'_>) -> LockRecord {
    let Some(record) = record else {
        return LockRecord::first(area, event);
    };
    let mut next = LockRecord { event, ..record.clone() };
    next.queue.retain(|ticket| judge.waits(ticket));
    next
}

fn loser(lease: &Lease, judge: &Judge<'_>) -> Loser {
    let cause = match judge.lease(lease) {
        Liveness::Ended(cause) => cause,
        Liveness::Alive(_) | Liveness::Orphaned(_) => Cause::Stolen,
    };
    let Stake { agent, scope, .. } = &lease.stake;
    Loser { agent: agent.clone(), scope: scope.clone(), generation: lease.generation, cause }
}

fn stake(claim: &Claim<'_>, judge: &Judge<'_>) -> Stake {
    let (now, world) = (judge.now(), judge.world());
    Stake {
        agent: claim.agent.to_owned(),
        scope: claim.scope.text.clone(),
        ttl: claim.ttl,
        nonce: world.nonce(),
        uptime: now.uptime,
        at: now.wall,
        machine: world.machine().clone(),
        process: claim.process,
        worktree: claim.worktree.to_owned(),
        repository: claim.repository.map(str::to_owned),
    }
}

fn event(claim: &Claim<'_>, judge: &Judge<'_>) -> LockEvent {
    LockEvent {
        kind: LockEventKind::Take,
        agent: claim.agent.to_owned(),
        scope: claim.scope.text.clone(),
        generation: 0,
        at: judge.now().wall,
        host: judge.world().machine().host.clone(),
        worktree: claim.worktree.to_owned(),
        reason: claim.reason.map(str::to_owned),
        from: Vec::new(),
        pushed: claim.pushed.map(str::to_owned),
        base: None,
    }
}

#[cfg(test)]
mod tests;
