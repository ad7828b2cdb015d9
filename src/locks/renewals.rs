//! What lives on beside a push: an event for each lock that its work was done under.

use super::log::LockHead;
use super::manager::LockManager;
use lane_core::error::Error;
use lane_core::facts::Oid;
use lane_core::locks::liveness::Judge;
use lane_core::locks::protocol::{self, Claim, TakeMode};
use lane_core::locks::record::{Lease, LockEvent};
use lane_core::locks::scope::{Scope, lockable};
use lane_core::locks::world::Process;

/// An event that is written and not yet in force.
#[derive(Debug, Clone)]
pub struct Renewal {
    /// What is renewed.
    pub scopes: Vec<String>,
    /// What the ref has to hold for it.
    pub old: Option<Oid>,
    /// What it will hold.
    pub tip: LockHead,
}

/// What became of a renewal that was pushed and not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RejectedRenewal {
    /// The ref is what it was: something else kept the push out.
    Stands,
    /// Another event came first, and took the lock from nobody.
    Moved,
    /// Another agent has this scope by now.
    Lost(String),
}

impl LockManager<'_> {
    /// One event for each area in which an agent holds something, or of which a pushed commit says that it
    /// was made under its lock: all of it lives on, or stands still, beside the push. The events are written,
    /// and no ref moves yet. `areas`: those of the commits.
    ///
    /// # Errors
    /// A record cannot be read or written.
    pub fn renewals(
        &mut self,
        agent: &str,
        worktree: &str,
        pushed: &str,
        areas: &[String],
    ) -> Result<Vec<Renewal>, Error> {
        let repository = self.repository();
        let mut renewals: Vec<Renewal> = Vec::new();
        for (old, lease) in self.leases_of(agent) {
            let at = renewals.iter().position(|renewal| renewal.tip.record.area == old.record.area);
            let before = at.map(|at| renewals.remove(at));
            let from = before.as_ref().map_or(&old, |before| &before.tip);
            let scope = lease.stake.scope_in(&old.record.area);
            let again = self.renewal_claim(&lease, &scope, agent, worktree, repository.as_deref());
            let claim = Claim { pushed: Some(pushed), ..again };
            let next = protocol::claim(Some(&from.record), &claim, TakeMode::Renew, &self.judge());
            let Ok(record) = next else {
                renewals.extend(before);
                continue; // it ended at this very moment
            };
            let tip = self.log.write(Some(from), &record, ())?;
            let mut scopes = before.map(|before| before.scopes).unwrap_or_default();
            scopes.push(scope.text);
            renewals.push(Renewal { scopes, old: Some(old.oid), tip });
        }
        for area in areas {
            if renewals.iter().any(|renewal| renewal.tip.record.area == *area) {
                continue;
            }
            // What cannot be read is for the pre-push hook to refuse.
            let Ok(Some(old)) = self.tip(area) else {
                continue;
            };
            let scope = Scope::of_area(area);
            let claim = Claim { pushed: Some(pushed), ..Claim::of_return(&scope, agent, worktree, None) };
            let record = protocol::push(&old.record, &claim, &self.judge());
            let tip = self.log.write(Some(&old), &record, ())?;
            renewals.push(Renewal { scopes: Vec::new(), old: Some(old.oid), tip });
        }
        Ok(renewals)
    }

    /// The claim that begins a lease's life again.
    fn renewal_claim<'c>(
        &self,
        lease: &Lease,
        scope: &'c Scope,
        agent: &'c str,
        worktree: &'c str,
        repository: Option<&'c str>,
    ) -> Claim<'c> {
        let (ttl, process) = (lease.stake.ttl, self.process_of(lease));
        Claim { ttl, process, repository, ..Claim::of_return(scope, agent, worktree, None) }
    }

    /// What tells this repository apart from others on the same machine.
    pub fn repository(&self) -> Option<String> {
        self.log.files().repository(|| self.world.nonce())
    }

    /// Begins the life of all that an agent holds again: what was renewed, or the first scope that changed
    /// hands just now.
    ///
    /// # Errors
    /// Something cannot be read or written.
    pub fn renew_all(&mut self, agent: &str, worktree: &str) -> Result<Result<Vec<String>, String>, Error> {
        self.renew_where(agent, worktree, |_, _| true)
    }

    /// The same for what has lived more than half of its life.
    ///
    /// # Errors
    /// Something cannot be read or written.
    pub fn renew_old(&mut self, agent: &str, worktree: &str) -> Result<Result<Vec<String>, String>, Error> {
        self.renew_where(agent, worktree, |lease, judge| {
            judge.lease(lease).remaining() < lease.stake.ttl.saturating_mul(1_000) / 2
        })
    }

    fn renew_where(
        &mut self,
        agent: &str,
        worktree: &str,
        is_wanted: impl Fn(&Lease, &Judge<'_>) -> bool,
    ) -> Result<Result<Vec<String>, String>, Error> {
        let repository = self.repository();
        let mut renewed = Vec::new();
        for (old, lease) in self.leases_of(agent) {
            if !is_wanted(&lease, &self.judge()) {
                continue;
            }
            let scope = lease.stake.scope_in(&old.record.area);
            let claim = self.renewal_claim(&lease, &scope, agent, worktree, repository.as_deref());
            if self.claim(&claim, TakeMode::Renew)?.is_err() {
                return Ok(Err(scope.text));
            }
            renewed.push(scope.text);
        }
        Ok(Ok(renewed))
    }

    /// What became of a renewal that was pushed and not taken.
    ///
    /// # Errors
    /// A record cannot be read.
    pub fn fate(&mut self, renewal: &Renewal) -> Result<RejectedRenewal, Error> {
        let LockEvent { agent, .. } = &renewal.tip.record.event;
        let now = self.tip(&renewal.tip.record.area)?;
        let oid = now.as_ref().map(|tip| tip.oid);
        if oid == renewal.old || oid == Some(renewal.tip.oid) {
            return Ok(RejectedRenewal::Stands);
        }
        let judge = self.judge();
        let leases =
            now.iter().flat_map(|tip| &tip.record.leases).filter(|lease| !judge.lease(lease).is_over());
        let rivals: Vec<&Lease> = leases.filter(|lease| lease.stake.agent != *agent).collect();
        let lost = renewal.scopes.iter().find(|scope| {
            let scope = Scope::from_record(&renewal.tip.record.area, scope);
            let other = |lease: &&Lease| lease.stake.scope_in(&renewal.tip.record.area);
            scope.is_some_and(|scope| rivals.iter().any(|lease| judge.conflict(&scope, &other(lease))))
        });
        Ok(lost.map_or(RejectedRenewal::Moved, |scope| RejectedRenewal::Lost(scope.clone())))
    }

    /// The process a lock is held for, if its number means the same one here.
    pub fn process_of(&self, lease: &Lease) -> Option<Process> {
        let is_ours = lease.stake.machine.shares_processes(self.world.machine());
        lease.stake.process.filter(|_| is_ours)
    }

    /// What whoever claims something holds of just that, if it lives.
    ///
    /// # Errors
    /// The record cannot be read.
    pub fn own_lease(&mut self, claim: &Claim<'_>) -> Result<Option<Lease>, Error> {
        let tip = self.tip(&claim.scope.area)?;
        let judge = self.judge();
        let is_own = |lease: &&Lease| {
            lease.stake.agent == claim.agent
                && lease.stake.scope == claim.scope.text
                && !judge.lease(lease).is_over()
        };
        Ok(tip.and_then(|tip| tip.record.leases.iter().find(is_own).cloned()))
    }

    /// The whole of what an agent holds and that still lives, by area, each with the area's record. An area
    /// that cannot be read is noted: it is in the way of nobody who does not need it.
    pub fn leases_of(&mut self, agent: &str) -> Vec<(LockHead, Lease)> {
        let mut held = Vec::new();
        for area in lockable(self.plan) {
            let tip = match self.tip(area) {
                Ok(Some(tip)) => tip,
                Ok(None) => continue,
                Err(error) => {
                    self.notes.push(error.to_string());
                    continue;
                }
            };
            let judge = self.judge();
            let own = tip.record.leases.iter().filter(|lease| lease.stake.agent == agent);
            for lease in own.filter(|lease| !judge.lease(lease).is_over()) {
                held.push((tip.clone(), lease.clone()));
            }
        }
        held
    }
}
