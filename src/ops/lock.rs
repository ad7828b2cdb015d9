//! Taking locks, all of them or none.

use std::collections::BTreeSet;

use super::auto_release::{self, Landing};
use super::{Session, by_hand};
use crate::gather::landed_paths;
use crate::locks::log::LockHead;
use crate::locks::manager::LockManager;
use crate::locks::waiting::Waiting;
use crate::machine::ThisMachine;
use lane_core::error::Error;
use lane_core::facts::RepoPath;
use lane_core::locks::protocol::{Claim, Refusal, TakeMode};
use lane_core::locks::record::LockEventKind;
use lane_core::locks::scope::Scope;
use lane_core::locks::world::Process;
use lane_core::report::quote;
use lane_git::{Read, Repository};

/// What somebody wants to hold.
pub struct LockOptions {
    /// Who.
    pub agent: String,
    /// What.
    pub scopes: Vec<Scope>,
    /// For how many seconds.
    pub ttl: u64,
    /// The process that it is held for.
    pub process: Option<Process>,
    /// What it is for.
    pub reason: Option<String>,
    /// How it is taken.
    pub mode: LockMode,
}

/// How locks are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum LockMode {
    /// At once, or not.
    Now,
    /// After so many seconds in the queue at most.
    Wait(u64),
    /// Away from whoever has them.
    Steal,
    /// Again, where they are the agent's already.
    Renew,
}

/// Takes locks. What was refused, and why; nothing is held then that was not before. `tell`: for what is waited, and how.
///
/// # Errors
/// The records cannot be read or written.
pub fn lock(
    session: &Session,
    manager: &mut LockManager<'_>,
    world: &ThisMachine,
    wanted: &LockOptions,
    tell: &mut dyn FnMut(&str, &Waiting<'_>),
) -> Result<Result<Vec<LockHead>, (Scope, Refusal)>, Error> {
    let LockOptions { agent, scopes, mode: how, .. } = wanted;
    let worktree = session.location();
    by_hand::give_back(session, manager, None);
    let landing = Landing { kept_locks: Some((agent, scopes)), pushed_tip: None };
    auto_release::release_landed(session, manager, &landing);
    let repository = manager.repository();
    let claims: Vec<Claim<'_>> = scopes
        .iter()
        .map(|scope| Claim {
            ttl: wanted.ttl,
            process: wanted.process,
            repository: repository.as_deref(),
            ..Claim::of_return(scope, agent, &worktree, wanted.reason.as_deref()).on_base(session.base())
        })
        .collect();
    let mut taking = LockTask { how: *how, world, tell, done: Vec::new() };
    let stopped = taking.all(manager, &claims);
    if matches!(stopped, Ok(None)) {
        return Ok(Ok(taking.done));
    }
    if let Some(first) = claims.first() {
        undo(session, manager, &taking.done, first);
    }
    Ok(match stopped? {
        Some((claim, refusal)) => Err((claim.scope.clone(), refusal)),
        None => Ok(taking.done),
    })
}

/// Several locks, taken one after the other.
struct LockTask<'a> {
    how: LockMode,
    world: &'a ThisMachine,
    tell: &'a mut dyn FnMut(&str, &Waiting<'_>),
    done: Vec<LockHead>,
}

impl LockTask<'_> {
    /// Takes all of them; the one that was refused, and why.
    fn all<'c, 's>(
        &mut self,
        manager: &mut LockManager<'_>,
        claims: &'c [Claim<'s>],
    ) -> Result<Option<(&'c Claim<'s>, Refusal)>, Error> {
        // While one is waited for, those before it live with this process: if it is killed, they are free.
        let is_long = matches!(self.how, LockMode::Wait(_)) && claims.len() > 1;
        let here = if is_long { self.world.process(std::process::id()) } else { None };
        let mut held: Vec<Claim<'s>> = Vec::new();
        for claim in claims {
            let mut meanwhile = claim.clone();
            // What one had before stays as it was, whatever becomes of the rest.
            match manager.own_lease(claim)?.filter(|_| is_long) {
                Some(own) => (meanwhile.process, meanwhile.ttl) = (manager.process_of(&own), own.stake.ttl),
                None => meanwhile.process = here.or(claim.process),
            }
            match self.take_lock(manager, &meanwhile, &held)? {
                Ok(tip) => self.done.push(tip),
                Err(refusal) => return Ok(Some((claim, refusal))),
            }
            held.push(meanwhile);
        }
        if is_long {
            // None of them may have changed hands meanwhile.
            for (at, claim) in claims.iter().enumerate() {
                let (kind, generation) = {
                    let event = &self.done[at].record.event;
                    (event.kind, event.generation)
                };
                match manager.claim(claim, TakeMode::Renew)? {
                    Ok(mut tip) => {
                        // To this command it is still what it was when it was taken.
                        if tip.record.event.generation == generation {
                            tip.record.event.kind = kind;
                        }
                        self.done[at] = tip;
                    }
                    Err(refusal) => {
                        let lost = Refusal::Lost(claim.scope.text.clone(), Box::new(refusal));
                        return Ok(Some((claim, lost)));
                    }
                }
            }
        }
        Ok(None)
    }

    fn take_lock(
        &mut self,
        manager: &mut LockManager<'_>,
        claim: &Claim<'_>,
        kept: &[Claim<'_>],
    ) -> Result<crate::locks::manager::Outcome, Error> {
        let patience = match self.how {
            LockMode::Steal => return manager.claim(claim, TakeMode::Steal),
            LockMode::Renew => return manager.claim(claim, TakeMode::Renew),
            LockMode::Now | LockMode::Wait(0) => return manager.claim(claim, TakeMode::Take { pass: 0 }),
            LockMode::Wait(patience) => patience,
        };
        let process = self.world.process(std::process::id());
        let ticket = Claim { ttl: patience, process, ..claim.clone() };
        manager.wait(claim, &ticket, kept, &mut |waiting| (self.tell)(&claim.scope.text, waiting))
    }
}

/// Releases what this command took before it was refused something else, and nothing that was held before.
fn undo(session: &Session, manager: &mut LockManager<'_>, done: &[LockHead], claim: &Claim<'_>) {
    for tip in done.iter().filter(|tip| tip.record.event.kind != LockEventKind::Renew) {
        let event = &tip.record.event;
        let Some(scope) = Scope::from_record(&tip.record.area, &event.scope) else {
            continue;
        };
        let reason = Some("another lock of the same command was refused");
        let back = Claim {
            base: claim.base.clone(),
            ..Claim::of_return(&scope, claim.agent, claim.worktree, reason)
        };
        // What somebody else has by now is not there to be released.
        if manager.release(&back, Some(event.generation)).is_err() {
            let word = quote(event.scope.as_bytes());
            session.ui.message(&format!("`{}` is still held: git lane unlock {word}", event.scope));
        }
    }
}

/// The files under the locks that the base has in a newer version, which this branch does not contain.
///
/// # Errors
/// Commits cannot be read.
pub fn missing(session: &Session, done: &[LockHead]) -> Read<BTreeSet<RepoPath>> {
    let (Some(base), Some(head)) = (session.base(), session.repo.head()?.oid) else {
        return Ok(BTreeSet::new());
    };
    let scope = |tip: &LockHead| Scope::from_record(&tip.record.area, &tip.record.event.scope);
    let scopes: Vec<Scope> = done.iter().filter_map(scope).collect();
    let scopes: Vec<&Scope> = scopes.iter().collect();
    landed_paths::missing_in(&session.repo, &session.loaded.plan, base, head, &scopes)
}
