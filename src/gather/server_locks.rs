//! Locks as a server sees them: read from its own refs and from the push, and nothing is written.

use std::collections::BTreeSet;

use super::collector::Collector;
use super::locks::{held_lock, lock_events, taken_locks, unavailable};
use super::push::PushLine;
use crate::locks::log::{LockHead, LockLog};
use crate::machine::ThisMachine;
use lane_core::facts::{Change, HeldLock, Locks, Oid, RefUpdate, TakenLock, Unavailable};
use lane_core::locks::liveness::{Judge, Observations};
use lane_core::locks::record::{Lease, LockRecord};
use lane_core::policy::Plan;
use lane_git::worktrees::worktrees;
use lane_git::{Read, RefTarget, Repository};

/// What the server knows of the locks on some areas. An event in the push may take a lock away, and gives none: git may
/// take the work and refuse the event, and nothing tells a hook whether a push is atomic.
///
/// The locks lie here where `locks.remote` is the remote whose branches count, or where agents work in
/// worktrees of this very repository. What stands still here was seen by nobody, so that a lock of another
/// machine counts as alive until another takes its place.
pub(super) fn locks(
    repo: &dyn Repository,
    plan: &Plan,
    changes: &[Change],
    areas: &BTreeSet<&str>,
    pushed: &[PushLine],
) -> Read<Locks> {
    let log = LockLog::new(repo, plan);
    let is_here = match &plan.policy.locks.remote {
        Some(remote) => remote.value == plan.policy.remote.value,
        None => !worktrees(repo.layout())?.is_empty(),
    };
    let mut found = Locks { is_elsewhere: !is_here, ..Locks::default() };
    if !is_here {
        return Ok(found);
    }
    let (world, seen) = (ThisMachine::new(), Observations::default());
    let judge = Judge::new(plan, &world, &seen);
    for area in areas {
        let name = log.reference(area).map_err(unavailable)?;
        // git takes an event only on top of what the ref holds: one that was made before another agent's is none.
        let now = value_of(repo, &name)?;
        let line = pushed.iter().find(|line| line.remote_ref == name && line.remote == now);
        let recorded = log.read_ref(&name, Some(area)).map_err(unavailable);
        let (tip, before, refspec) = match line.and_then(|line| line.local) {
            Some(oid) => {
                let tip = LockHead { oid, record: record(repo, &name, oid, Some(area))?, files: () };
                // What lies there may be broken, which this push may repair.
                (Some(tip), recorded.ok().flatten(), Some(format!("{oid}:{name}")))
            }
            None => (recorded?, None, None),
        };
        let Some(tip) = tip else {
            continue;
        };
        let is_alive = |lease: &&Lease| !judge.lease(lease).is_over();
        let recorded = |generation: u64| {
            let leases = before.iter().flat_map(|tip| &tip.record.leases);
            leases.filter(is_alive).any(|lease| lease.generation == generation)
        };
        found.leases.extend(tip.record.leases.iter().filter(is_alive).map(|lease| {
            let pushed_by = refspec.clone().filter(|_| !recorded(lease.generation));
            HeldLock { pushed_by, ..held_lock(area, lease, &judge) }
        }));
        let last = before.as_ref().map_or(0, |tip| tip.record.generation);
        found.taken.extend(
            taken_locks(repo, plan, &log, &tip, changes).map_err(unavailable)?.into_iter().map(|taken| {
                let pushed_by = refspec.clone().filter(|_| taken.generation > last);
                TakenLock { pushed_by, ..taken }
            }),
        );
    }
    Ok(found)
}

/// What a ref itself holds; nothing where it points to another one.
pub(super) fn value_of(repo: &dyn Repository, name: &str) -> Read<Option<Oid>> {
    Ok(match repo.ref_target(name)? {
        Some(RefTarget::Object(oid)) => Some(oid),
        Some(RefTarget::Symbolic) | None => None,
    })
}

fn record(repo: &dyn Repository, name: &str, oid: Oid, area: Option<&str>) -> Read<LockRecord> {
    let commit = repo.commit(oid)?;
    let parsed = LockRecord::parse(&commit.message, area).and_then(|record| {
        // No part of a project comes in this way.
        match repo.tree(commit.tree) {
            Ok(entries) if entries.is_empty() => Ok(record),
            Ok(_) => Err("it has files".to_owned()),
            Err(why) => Err(why.reason),
        }
    });
    parsed.map_err(|reason| no_lock(name, &reason))
}

fn no_lock(name: &str, reason: &str) -> Unavailable {
    Unavailable::new(
        format!("the push would leave {name} without a lock: {reason}"),
        "leave lock refs to git lane lock, unlock and push",
    )
}

impl Collector<'_> {
    /// What a push makes of a ref of locks: cheap, for there are many. In whose names its new events were
    /// written is what counts.
    pub(super) fn received_lock(&self, line: &PushLine) -> Read<Option<Change>> {
        let name = &line.remote_ref;
        let Some(part) = self.plan.policy.locks.lock_of(name) else {
            return Ok(None);
        };
        let (mut change, tip) = self.received_events(line, |reason| no_lock(name, reason))?;
        if let Some(tip) = tip {
            let last = record(self.repo, name, tip, None)?;
            if LockLog::new(self.repo, self.plan).reference(&last.area).map_err(unavailable)? != *name {
                return Err(no_lock(name, "its record belongs to another name"));
            }
            change.lock_events =
                Some(lock_events(self.repo, self.plan, self.environment.now, part, line.remote, tip)?);
        }
        Ok(Some(change))
    }

    /// What a push makes of a ref on which each commit is an event, and the last of those to be read; `None`:
    /// it only takes some away. `refused`: what is said of a ref that would hold none.
    pub(super) fn received_events(
        &self,
        line: &PushLine,
        refused: impl FnOnce(&str) -> Unavailable,
    ) -> Read<(Change, Option<Oid>)> {
        let mut change = Change {
            reference: Some(line.remote_ref.clone()),
            base: self.base.map(|base| base.oid),
            update: Some(RefUpdate::Delete),
            ..Change::default()
        };
        let Some(local) = line.local else {
            return Ok((change, None));
        };
        let Some(tip) = self.repo.peel(local)?.filter(|tip| *tip == local) else {
            return Err(refused("it does not point to a commit"));
        };
        change.head = Some(tip);
        let update = match line.remote {
            None => RefUpdate::Create,
            Some(old) if self.repo.merge_base(old, &[tip])? == Some(old) => RefUpdate::Forward,
            Some(_) => RefUpdate::Rewrite,
        };
        change.update = Some(update);
        Ok((change, Some(tip).filter(|_| update != RefUpdate::Rewrite)))
    }
}
