//! Giving locks back.

use super::{Session, by_hand};
use crate::locks::manager::LockManager;
use crate::locks::markers;
use lane_core::error::Error;
use lane_core::locks::protocol::{Claim, Refusal};
use lane_core::locks::record::{Lease, LockEvent};
use lane_core::locks::scope::{Scope, lockable};
use lane_core::policy::pattern::escape;
use lane_git::Repository;

/// What is to be released.
pub enum UnlockScope {
    /// All that the agent holds.
    All,
    /// These.
    Scopes(Vec<Scope>),
}

/// What became of one scope.
pub struct UnlockedScope {
    /// The scope.
    pub scope: Scope,
    /// What became of it.
    pub state: State,
    /// The generation that ended.
    pub generation: Option<u64>,
}

/// What became of a lock.
pub enum State {
    /// It is free.
    Released(Box<LockEvent>),
    /// It was claimed manually, and is no more.
    MarkerRemoved,
    /// Another agent has it.
    Anothers(Box<Lease>),
    /// The agent holds another scope that is in its way.
    OtherScope(Box<Lease>),
    /// The agent did not hold it.
    Free,
}

/// Gives locks of an agent back.
///
/// # Errors
/// The records cannot be read or written.
pub fn unlock(
    session: &Session,
    manager: &mut LockManager<'_>,
    agent: &str,
    wanted: UnlockScope,
    reason: Option<&str>,
) -> Result<Vec<UnlockedScope>, Error> {
    let is_all = matches!(wanted, UnlockScope::All);
    let scopes = match wanted {
        UnlockScope::All => {
            manager.refresh(0)?;
            lockable(&session.loaded.plan).into_iter().map(Scope::of_area).collect()
        }
        UnlockScope::Scopes(typed) => as_locked(manager, agent, typed),
    };
    // One's own is what the command itself releases.
    by_hand::give_back(session, manager, Some(agent));
    let worktree = session.location();
    let mut done = Vec::new();
    for scope in scopes {
        let claim = Claim::of_return(&scope, agent, &worktree, reason).on_base(session.base());
        let outcome = manager.release(&claim, None)?;
        let by_hand = match scope.is_area() {
            true => markers::remove_by_hand(session.repo.layout(), &scope.area, agent)?,
            false => 0,
        };
        let generation = outcome.as_ref().ok().map(|tip| tip.record.event.generation);
        let state = match outcome {
            Ok(tip) => State::Released(Box::new(tip.record.event)),
            _ if by_hand > 0 => State::MarkerRemoved,
            Err(Refusal::Held(lease, _)) if lease.stake.agent != agent && !is_all => State::Anothers(lease),
            Err(Refusal::Held(lease, _)) if lease.stake.agent == agent => State::OtherScope(lease),
            Err(_) => State::Free,
        };
        done.push(UnlockedScope { scope, state, generation });
    }
    // Whoever was killed between the release and the markers runs it again, and finds the lock free.
    if done.iter().any(|scope| matches!(scope.state, State::Free)) {
        manager.show();
    }
    Ok(done)
}

/// The scopes that are held where what was typed means one of them: once a file with brackets in its name is
/// gone, its name is taken for a pattern.
fn as_locked(manager: &mut LockManager<'_>, agent: &str, typed: Vec<Scope>) -> Vec<Scope> {
    let held = manager.leases_of(agent);
    let own = |scope: &Scope, text: &str| {
        held.iter().any(|(tip, lease)| tip.record.area == scope.area && lease.stake.scope == text)
    };
    let meant = |scope: Scope| {
        let literal = escape(&scope.text);
        if own(&scope, &scope.text) || !own(&scope, &literal) {
            return scope;
        }
        Scope::from_record(&scope.area, &literal).unwrap_or(scope)
    };
    typed.into_iter().map(meant).collect()
}
