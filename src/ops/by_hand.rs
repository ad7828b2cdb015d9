//! Claims by hand that commits rely on: each becomes a lock with a generation, and ends when its file is removed.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Session;
use crate::gather::Request;
use crate::locks::manager::LockManager;
use crate::locks::markers;
use crate::machine::ThisMachine;
use lane_core::error::Error;
use lane_core::facts::{Facts, HeldLock, LockClaim};
use lane_core::identity;
use lane_core::locks::protocol::{Claim, TakeMode};
use lane_core::locks::record::Lease;
use lane_core::locks::scope::{Scope, lockable};
use lane_core::policy::model::Access;
use lane_core::report::{Report, Verdict};
use lane_core::text::help_block;
use lane_git::Repository;

/// How long a commit waits for the remote that has the locks.
const BRIEFLY: Duration = Duration::from_secs(5);
/// Those who wait stand behind a manual claim, however many they are.
const BEFORE_ALL: TakeMode = TakeMode::Take { pass: usize::MAX };

/// Judges what is staged. Where the verdict lets it through by a manual claim, the lock is taken for it; whether one was.
///
/// # Errors
/// Something without which nothing can be judged cannot be read.
pub fn judge(session: &Session, request: &Request) -> Result<(Report, bool), Error> {
    let (mut report, mut facts) = session.judge_with_facts(request)?;
    let world = ThisMachine::new();
    let manager = || {
        let mut manager = LockManager::new(&session.repo, &session.loaded.plan, &world);
        manager.set_patience(BRIEFLY);
        manager
    };
    let layout = session.repo.layout();
    let is_removed = |lock: &HeldLock| {
        let place = lock.by_hand.as_deref();
        place.is_some_and(|place| markers::is_removed(layout, place, &lock.scope.area, &lock.agent))
    };
    let leases = facts.locks.known().map(|locks| locks.leases.as_slice()).unwrap_or_default();
    if leases.iter().any(is_removed) && give_back(session, &mut manager(), None) {
        (report, facts) = session.judge_with_facts(request)?;
    }
    let relied_on = if report.verdict == Verdict::Pass { relied_on(session, &facts) } else { Vec::new() };
    let mut is_taken = false;
    for claim in relied_on {
        match take_lock(session, &mut manager(), &facts, &claim) {
            Ok(true) => is_taken = true,
            // Somebody stole it in that moment, or had it at the remote already.
            Ok(false) => return Ok((session.judge(request)?, is_taken)),
            Err(error) => session.ui.note(&format!(
                "the manual claim of {} on `{}` has no generation yet: {error}\n{}",
                claim.agent,
                claim.area,
                help_block(&format!("the push needs the lock: git lane lock {}", claim.area), false)
                    .trim_end()
            )),
        }
    }
    Ok((report, is_taken))
}

/// The agent's own manual claims without which it could not change what is staged.
fn relied_on(session: &Session, facts: &Facts) -> Vec<LockClaim> {
    let plan = &session.loaded.plan;
    let Some(locks) = facts.locks.known().filter(|locks| !locks.markers.is_empty()) else {
        return Vec::new();
    };
    let Some(change) = facts.changes.first() else {
        return Vec::new();
    };
    let who = identity::resolve(plan, facts, change);
    let Some(agent) = who.agent() else {
        return Vec::new();
    };
    let mut areas: BTreeSet<&str> = BTreeSet::new();
    for file in change.staged.known().into_iter().flatten() {
        let is_held = |area: &str| {
            locks.leases.iter().any(|lock| {
                lock.scope.area == area
                    && lock.agent == agent
                    && lock.scope.has(&file.path.0, file.is_folder(), plan.folds_case())
            })
        };
        let locked = plan.areas_of(file).filter(|area| area.access.value == Access::Lock);
        areas.extend(locked.map(|area| area.name.value.as_str()).filter(|area| !is_held(area)));
    }
    let ttl = plan.policy.locks.ttl.value.seconds;
    let here = session.location();
    let claim = |area: &str| {
        let holding = LockClaim::holding(&locks.markers, area, facts.now, ttl)?;
        let is_near = |claim: &&LockClaim| claim.area == area && claim.agent == agent && claim.place == here;
        // The file that the agent will remove is the one in front of it.
        let own = locks.markers.iter().find(is_near).unwrap_or(holding);
        (holding.agent == agent).then(|| own.clone())
    };
    areas.into_iter().filter_map(claim).collect()
}

/// Takes the lock that a manual claim stands for; false: another agent has it.
fn take_lock(
    session: &Session,
    manager: &mut LockManager<'_>,
    facts: &Facts,
    marker: &LockClaim,
) -> Result<bool, Error> {
    // Nobody waits twice for a remote that does not answer.
    if let Some(doubt) = facts.locks.known().and_then(|locks| locks.doubt.as_ref()) {
        return Err(Error::write(doubt.clone(), "the push will ask again"));
    }
    let (scope, worktree) = (Scope::of_area(&marker.area), session.location());
    let repository = manager.repository();
    let claim = Claim {
        ttl: session.loaded.plan.policy.locks.ttl.value.seconds,
        repository: repository.as_deref(),
        by_hand: Some(marker.place.clone()),
        ..Claim::of_return(&scope, &marker.agent, &worktree, Some("claimed manually")).on_base(session.base())
    };
    let taken = manager.claim(&claim, BEFORE_ALL)?;
    manager.take_notes().iter().for_each(|note| log::debug!("{note}"));
    Ok(taken.is_ok())
}

/// Releases the locks of this repository whose manual claim was removed, and says so; whether there was one. Nothing
/// is looked at where no lock came from such a claim. `spared`: an agent whose locks stay as they are.
pub fn give_back(session: &Session, manager: &mut LockManager<'_>, spared: Option<&str>) -> bool {
    let mut has_any = false;
    for area in lockable(&session.loaded.plan) {
        let Ok(Some(tip)) = manager.tip(area) else {
            continue;
        };
        for lease in &tip.record.leases {
            has_any |= spared != Some(lease.stake.agent.as_str()) && end(session, manager, area, lease);
        }
    }
    has_any
}

/// Ends one lock if its manual claim was removed.
fn end(session: &Session, manager: &mut LockManager<'_>, area: &str, lease: &Lease) -> bool {
    let Lease { stake, generation, by_hand: Some(place), .. } = lease else {
        return false;
    };
    let agent = &stake.agent;
    let own = manager.repository();
    if own.is_none()
        || stake.repository != own
        || manager.judge().lease(lease).is_over()
        || !markers::is_removed(session.repo.layout(), place, area, agent)
    {
        return false;
    }
    let scope = stake.scope_in(area);
    let reason = Some("its file was removed");
    let claim = Claim::of_return(&scope, agent, &stake.worktree, reason).on_base(session.base());
    match manager.release(&claim, Some(*generation)) {
        Ok(Ok(_)) => {
            let file = lane_core::locks::scope::file_name(area, area, agent);
            session.ui.message(&format!("released `{area}` of {agent}: {place}/.locks/{file} was removed"));
            true
        }
        Ok(Err(_)) => false, // somebody else was faster
        Err(error) => {
            log::debug!("{area} stays locked: {error}");
            false
        }
    }
}
