//! Locks as commands and hooks use them: read, judge, change, try again.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::liveness::{Judge, Seen};
use super::machine::{Process, World};
use super::markers;
use super::protocol::{self, Claim, Manner, Refusal};
use super::record::{Kind, Lease, Record, Stake};
use super::scope::lockable;
use super::store::{Store, Tip};
use crate::error::Error;
use crate::facts::{LockClaim, Unavailable};
use crate::gather::{Layout, Repository};
use crate::policy::Plan;

/// How long to try while others are always faster.
const PERSISTENCE: Duration = Duration::from_secs(60);
/// How long a free lock is kept for whoever is next in the queue and cannot be seen to be gone.
const TURN: u64 = 10_000;
/// For how long a waiter goes on while the remote does not answer, in milliseconds.
const DEAF: u64 = 60_000;
/// How often a waiter looks where looking costs next to nothing.
const LOOK: Duration = Duration::from_millis(25);

/// What became of a wish: the area's new record, or why not.
pub type Outcome = Result<Tip, Refusal>;

/// What makes the next record of one, or says why not.
pub type Step<'s> = &'s mut dyn FnMut(Option<&Record>, &Judge<'_>) -> Result<Record, Refusal>;

/// The locks of one repository.
pub struct Keeper<'a> {
    layout: &'a Layout,
    plan: &'a Plan,
    world: &'a dyn World,
    store: Store<'a>,
    seen: Seen,
    /// What did not work out and stands in nobody's way.
    pub notes: Vec<String>,
}

/// One area, or a ref where one should be.
#[derive(Debug, Clone)]
pub struct AreaLocks {
    /// The area's name; `None` where a ref does not tell.
    pub area: Option<String>,
    /// The ref that speaks for it.
    pub reference: String,
    /// Its record; `None` where it was never locked.
    pub tip: Result<Option<Tip>, Error>,
}

/// An event that is written and not yet in force.
#[derive(Debug, Clone)]
pub struct Renewal {
    /// What is renewed.
    pub scopes: Vec<String>,
    /// What the ref has to hold for it.
    pub old: Option<crate::facts::Oid>,
    /// What it will hold.
    pub tip: Tip,
}

/// What somebody who waits is told.
#[derive(Debug)]
pub struct Waiting<'a> {
    /// What is in the way.
    pub refusal: &'a Refusal,
    /// How many stand in front.
    pub ahead: usize,
}

impl<'a> Keeper<'a> {
    /// The locks of a repository.
    pub fn new(repo: &'a dyn Repository, plan: &'a Plan, world: &'a dyn World) -> Self {
        let store = Store::new(repo, plan);
        let seen = store.state.seen(world);
        Self { layout: repo.layout(), plan, world, store, seen, notes: Vec::new() }
    }

    /// Where records lie.
    pub fn store(&self) -> &Store<'a> {
        &self.store
    }

    /// Waits so long for a remote, and no longer.
    pub fn set_patience(&mut self, limit: Duration) {
        self.store.set_patience(limit);
    }

    /// Judges what lives, at this moment.
    pub fn judge(&self) -> Judge<'_> {
        Judge::new(self.plan, self.world, &self.seen)
    }

    /// Reads the remote's locks anew, unless that was done in the last so many milliseconds.
    ///
    /// # Errors
    /// The remote cannot be reached.
    pub fn refresh(&mut self, max_age: u64) -> Result<(), Error> {
        if self.store.age(self.world).is_some_and(|age| age < max_age) {
            return Ok(());
        }
        self.reread()
    }

    /// Reads the remote's locks, and shows what is new.
    fn reread(&mut self) -> Result<(), Error> {
        if self.store.refresh(self.world)? {
            self.show();
        }
        Ok(())
    }

    /// The record of one area as it is known here.
    ///
    /// # Errors
    /// There is a ref, and it holds no record.
    pub fn tip(&mut self, area: &str) -> Result<Option<Tip>, Error> {
        let tip = self.store.read(area)?;
        self.look(tip.as_ref().map(|tip| &tip.record));
        Ok(tip)
    }

    fn look(&mut self, record: Option<&Record>) {
        if self.seen.look(record.into_iter(), self.world) {
            self.store.state.keep_seen(&self.seen, self.world);
        }
    }

    /// All areas that have locks, and whatever else lies among their refs.
    ///
    /// # Errors
    /// The refs cannot be listed.
    pub fn areas(&mut self) -> Result<Vec<AreaLocks>, Error> {
        let view = self.store.view()?;
        let mut others = self.store.read_all()?;
        let mut found = Vec::new();
        for area in lockable(self.plan) {
            let reference = self.store.reference(area)?;
            others.remove(&format!("{view}/{}", self.store.last_part(area)?));
            found.push(AreaLocks { area: Some(area.to_owned()), reference, tip: self.store.read(area) });
        }
        for (reference, tip) in others {
            let area = tip.as_ref().ok().and_then(|tip| Some(tip.as_ref()?.record.area.clone()));
            // A record under another name than its own speaks for nobody.
            let is_misplaced = area.as_ref().is_some_and(|area| {
                self.store.last_part(area).is_ok_and(|part| !reference.ends_with(&format!("/{part}")))
            });
            let tip = if is_misplaced { Err(misplaced(&reference)) } else { tip };
            found.push(AreaLocks { area, reference, tip });
        }
        let records: Vec<Record> =
            found.iter().filter_map(|area| Some(area.tip.as_ref().ok()?.as_ref()?.record.clone())).collect();
        if self.seen.look(records.iter(), self.world) | self.seen.forget(&records) {
            self.store.state.keep_seen(&self.seen, self.world);
        }
        Ok(found)
    }

    /// Makes `ls .locks/` tell the truth in all worktrees.
    pub fn show(&mut self) {
        // One at a time: an older truth must not be written over a newer one.
        let shown = (|| -> Result<(), Error> {
            let _guard = self.store.state.guard()?;
            let areas = self.areas()?;
            let judge = self.judge();
            let known = areas.iter().filter_map(|area| area.tip.as_ref().ok()?.as_ref());
            let leases =
                known.flat_map(|tip| tip.record.leases.iter().map(|l| (tip.record.area.as_str(), l)));
            let leases = leases.filter(|(_, lease)| !judge.lease(lease).is_over());
            let (now, ttl) = (judge.now().wall, self.plan.policy.locks.ttl.value.seconds);
            let mut claims = markers::by_hand(self.layout, &self.plan.policy)?;
            claims.retain(|claim| now < claim.since.saturating_add_unsigned(ttl));
            let wanted = markers::wanted(leases, &claims);
            markers::show(self.layout, &wanted)
                .map_err(|reason| Error::write(reason, "git lane locks shows them"))
        })();
        if let Err(error) = shown {
            self.notes.push(error.to_string());
        }
    }

    /// Changes an area's record by one step, again and again until the step is refused, or was made from
    /// what the record was at that instant.
    ///
    /// # Errors
    /// Something cannot be read or written.
    pub fn change(&mut self, area: &str, step: Step<'_>) -> Result<Outcome, Error> {
        let started = Instant::now();
        let is_local = self.store.remote_name().is_none();
        let mut is_fresh = is_local;
        let mut pause = 10;
        loop {
            let guard = if is_local { self.store.state.guard()? } else { None };
            let old = self.tip(area)?;
            let next = step(old.as_ref().map(|tip| &tip.record), &self.judge());
            match next {
                Err(refusal) if is_fresh => return Ok(Err(refusal)),
                Err(_) => {}
                Ok(next) => match self.store.swap(old.as_ref(), &next, self.world, guard.as_ref())? {
                    Some(tip) => {
                        drop(guard);
                        if !matches!(tip.record.event.kind, Kind::Wait | Kind::Leave) {
                            self.show();
                        }
                        return Ok(Ok(tip));
                    }
                    None if started.elapsed() > PERSISTENCE => return Err(too_slow(area)),
                    None => {
                        drop(guard);
                        sleep(self.around(pause));
                        pause = (pause * 2).min(400);
                    }
                },
            }
            self.reread()?;
            is_fresh = true;
        }
    }

    /// A pause of about so many milliseconds: two that collided should not do so again.
    fn around(&self, millis: u64) -> Duration {
        let random = u64::from_str_radix(&self.world.nonce(), 16).unwrap_or(0);
        Duration::from_millis(millis / 2 + random % millis.max(1))
    }

    /// Takes, renews or steals a lock.
    ///
    /// # Errors
    /// Something cannot be read or written.
    pub fn claim(&mut self, claim: &Claim<'_>, manner: Manner) -> Result<Outcome, Error> {
        let marker = self.marker_against(claim)?;
        if manner != Manner::Steal
            && let Some(marker) = marker
        {
            return Ok(Err(Refusal::Marked(marker)));
        }
        let area = claim.scope.area.clone();
        self.change(&area, &mut |record, judge| {
            let mut next = protocol::claim(record, claim, manner, judge)?;
            if let Some(marker) = &marker {
                protocol::rob(&mut next, marker);
            }
            Ok(next)
        })
    }

    /// Gives back what an agent holds; `only`: the lock of this generation.
    ///
    /// # Errors
    /// Something cannot be read or written.
    pub fn release(&mut self, claim: &Claim<'_>, only: Option<u64>) -> Result<Outcome, Error> {
        let area = claim.scope.area.clone();
        self.change(&area, &mut |record, judge| protocol::release(record, claim, only, judge))
    }

    /// The claim by hand that holds the area, if it is another agent's.
    fn marker_against(&self, claim: &Claim<'_>) -> Result<Option<LockClaim>, Error> {
        let claims = markers::by_hand(self.layout, &self.plan.policy)?;
        let (now, ttl) = (self.world.now().wall, self.plan.policy.locks.ttl.value.seconds);
        let holding = LockClaim::holding(&claims, &claim.scope.area, now, ttl);
        Ok(holding.filter(|marker| marker.agent != claim.agent).cloned())
    }

    /// Takes a lock, and waits for it if it must: first come, first served. `ticket`: the same wish, for
    /// the process that waits and for as long as it waits.
    ///
    /// # Errors
    /// Something cannot be read or written.
    pub fn wait(
        &mut self,
        claim: &Claim<'_>,
        ticket: &Claim<'_>,
        tell: &mut dyn FnMut(&Waiting<'_>),
    ) -> Result<Outcome, Error> {
        let area = claim.scope.area.clone();
        let start = self.world.now().uptime;
        let mut nonce: Option<String> = None;
        // Who is first in a queue before a free lock, and since when that is so.
        let mut turn: Option<(String, u64)> = None;
        let mut exchange = Duration::ZERO;
        // Since when the remote does not answer.
        let mut deaf: Option<u64> = None;
        loop {
            let now = self.world.now().uptime;
            let pass = turn.as_ref().map_or(0, |(_, since)| now.saturating_sub(*since) / TURN);
            let manner = Manner::Take { pass: usize::try_from(pass).unwrap_or(usize::MAX) };
            let refusal = match self.try_claim(claim, manner)? {
                Ok(tip) => return Ok(Ok(tip)),
                Err(refusal) => refusal,
            };
            if now.saturating_sub(start) >= ticket.ttl.saturating_mul(1_000) {
                self.leave(ticket, nonce.as_deref())?;
                return Ok(Err(refusal));
            }
            turn = match (&refusal, turn.take()) {
                (Refusal::Queued(ahead), before) => ahead.first().map(|first| match before {
                    Some((nonce, since)) if nonce == first.nonce => (nonce, since),
                    _ => (first.nonce.clone(), now),
                }),
                _ => None,
            };
            let tip = self.tip(&area)?;
            let queue = tip.as_ref().map(|tip| tip.record.queue.as_slice()).unwrap_or_default();
            if !matches!(refusal, Refusal::Marked(_)) && position(queue, nonce.as_deref()).is_none() {
                nonce = self.enqueue(ticket)?;
            }
            let ahead = position(queue, nonce.as_deref()).unwrap_or(queue.len());
            tell(&Waiting { refusal: &refusal, ahead });
            if self.store.remote_name().is_none() {
                sleep(LOOK);
                continue;
            }
            // As often as ten times the time that it takes, but every few seconds.
            let pause = (exchange * 10).clamp(Duration::from_millis(100), Duration::from_secs(3));
            sleep(self.around(u64::try_from(pause.as_millis()).unwrap_or(3_000)));
            let asked = Instant::now();
            match self.refresh(u64::try_from(pause.as_millis()).unwrap_or(0) / 2) {
                Ok(()) => (exchange, deaf) = (exchange.max(asked.elapsed()), None),
                // A network that comes and goes costs nobody the place in the queue.
                Err(error) if *deaf.get_or_insert(now) + DEAF < now => return Err(error),
                Err(_) => {}
            }
        }
    }

    /// Looks first, without keeping anybody out, whether there is any use in trying.
    fn try_claim(&mut self, claim: &Claim<'_>, manner: Manner) -> Result<Outcome, Error> {
        let tip = self.tip(&claim.scope.area)?;
        let record = tip.as_ref().map(|tip| &tip.record);
        match protocol::claim(record, claim, manner, &self.judge()) {
            Ok(_) => self.claim(claim, manner),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    fn enqueue(&mut self, ticket: &Claim<'_>) -> Result<Option<String>, Error> {
        let area = ticket.scope.area.clone();
        let mut nonce = None;
        let done = self.change(&area, &mut |record, judge| {
            let (next, own) = protocol::wait(record, ticket, judge);
            nonce = Some(own);
            Ok(next)
        })?;
        Ok(done.ok().and(nonce))
    }

    fn leave(&mut self, ticket: &Claim<'_>, nonce: Option<&str>) -> Result<(), Error> {
        let Some(nonce) = nonce else {
            return Ok(());
        };
        let area = ticket.scope.area.clone();
        self.change(&area, &mut |record, judge| {
            record.and_then(|record| protocol::leave(record, nonce, ticket, judge)).ok_or(Refusal::NotHeld)
        })
        .map(|_| ())
    }

    /// One event for each area in which an agent holds something: all of it lives on, beside the push of a
    /// commit. The events are written, and no ref moves yet.
    ///
    /// # Errors
    /// A record cannot be read or written.
    pub fn renewals(&mut self, agent: &str, worktree: &str, pushed: &str) -> Result<Vec<Renewal>, Error> {
        let mut renewals: Vec<Renewal> = Vec::new();
        for (old, lease) in self.held_by(agent)? {
            let last = renewals.last().filter(|last| last.tip.record.area == old.record.area);
            let (from, first) = match last {
                Some(last) => (last.tip.clone(), last.old),
                None => (old.clone(), Some(old.oid)),
            };
            let scope = lease.stake.scope_in(&old.record.area);
            let (ttl, process) = (lease.stake.ttl, self.process_of(&lease));
            let (reason, pushed, base) = (None, Some(pushed), None);
            let claim = Claim { scope: &scope, agent, ttl, reason, process, worktree, pushed, base };
            let next = protocol::claim(Some(&from.record), &claim, Manner::Renew, &self.judge());
            let Ok(record) = next else {
                continue; // it ended at this very moment
            };
            let tip = self.store.write(Some(&from), &record)?;
            let area = &old.record.area;
            let before = renewals.iter().position(|renewal| renewal.tip.record.area == *area);
            let mut scopes = before.map(|at| renewals.remove(at).scopes).unwrap_or_default();
            scopes.push(scope.text);
            renewals.push(Renewal { scopes, old: first, tip });
        }
        Ok(renewals)
    }

    /// Begins the life of all that an agent holds anew: what was renewed, or the first scope that changed
    /// hands just now.
    ///
    /// # Errors
    /// Something cannot be read or written.
    pub fn renew_all(&mut self, agent: &str, worktree: &str) -> Result<Result<Vec<String>, String>, Error> {
        let mut renewed = Vec::new();
        for (old, lease) in self.held_by(agent)? {
            let scope = lease.stake.scope_in(&old.record.area);
            let (ttl, process) = (lease.stake.ttl, self.process_of(&lease));
            let (reason, pushed, base) = (None, None, None);
            let claim = Claim { scope: &scope, agent, ttl, reason, process, worktree, pushed, base };
            if self.claim(&claim, Manner::Renew)?.is_err() {
                return Ok(Err(scope.text));
            }
            renewed.push(scope.text);
        }
        Ok(Ok(renewed))
    }

    /// Whether the lock is still what it was when a renewal was prepared, or the renewal itself.
    ///
    /// # Errors
    /// A record cannot be read.
    pub fn stands(&mut self, renewal: &Renewal) -> Result<bool, Error> {
        let now = self.tip(&renewal.tip.record.area)?.map(|tip| tip.oid);
        Ok(now == renewal.old || now == Some(renewal.tip.oid))
    }

    /// The process a lock is held for, if its number means the same one here.
    fn process_of(&self, lease: &Lease) -> Option<Process> {
        let is_ours = lease.stake.machine.shares_processes(self.world.machine());
        lease.stake.process.filter(|_| is_ours)
    }

    /// The whole of what an agent holds and that still lives, by area, each with the area's record.
    ///
    /// # Errors
    /// A record cannot be read.
    pub fn held_by(&mut self, agent: &str) -> Result<Vec<(Tip, Lease)>, Error> {
        let mut held = Vec::new();
        for area in lockable(self.plan) {
            let Some(tip) = self.tip(area)? else {
                continue;
            };
            let judge = self.judge();
            let own = tip.record.leases.iter().filter(|lease| lease.stake.agent == agent);
            for lease in own.filter(|lease| !judge.lease(lease).is_over()) {
                held.push((tip.clone(), lease.clone()));
            }
        }
        Ok(held)
    }
}

fn position(queue: &[Stake], nonce: Option<&str>) -> Option<usize> {
    queue.iter().position(|ticket| Some(ticket.nonce.as_str()) == nonce)
}

fn misplaced(reference: &str) -> Error {
    Unavailable::new(
        format!("the lock ref {reference} holds no lock: its record belongs under another name"),
        "git-lane did not put it there; nobody goes by it",
    )
    .into()
}

fn too_slow(area: &str) -> Error {
    Unavailable::new(
        format!("the lock `{area}` was changed by others each time that it was tried"),
        format!("try again, or stand in the queue: git lane lock {area} --wait 10m"),
    )
    .into()
}
