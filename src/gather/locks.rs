//! Locks on what a change touches.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use super::landed_paths;
use super::push::PushLine;
use super::server_locks;
use crate::locks::log::{LockHead, LockLog};
use crate::locks::manager::LockManager;
use crate::locks::markers;
use crate::machine::ThisMachine;
use lane_core::error::Error;
use lane_core::facts::{
    Change, Commit, Event, Fact, FileChange, HeldLock, LockEvents, Locks, Oid, RepoPath, Stage, TakenLock,
    Unavailable,
};
use lane_core::locks::record::{Lease, LockEventKind, LockRecord};
use lane_core::locks::scope::Scope;
use lane_core::locks::{bounds, liveness::Judge, step};
use lane_core::policy::Plan;
use lane_core::policy::model::{Access, Area};
use lane_git::{Read, Repository};

/// At a commit the locks of a remote may be known from so many milliseconds ago.
const RECENT: u64 = 10_000;
/// The fewest letters by which the name of a lock ref can be told.
const LEAST: usize = 16;
/// How long a commit waits for a remote.
const BRIEFLY: Duration = Duration::from_secs(5);

/// What is known of the locks that a change asks for.
pub(super) fn locks(
    repo: &dyn Repository,
    plan: &Plan,
    event: Event,
    changes: &[Change],
    pushed: &[PushLine],
) -> Fact<Locks> {
    let at_commit = is_at_commit(event);
    let mut areas: BTreeSet<&str> = BTreeSet::new();
    for file in changes.iter().flat_map(|change| files_to_check(change, at_commit)) {
        areas.extend(plan.areas_of(file).filter(|area| area.access.value == Access::Lock).map(name));
    }
    // Whoever touched a file in vain is told at once, whatever the commit is about.
    let mut own = Vec::new();
    if event == Event::PreCommit
        && let Some(root) = &repo.layout().worktree
        && let Err(why) = markers::in_worktree(root, &plan.policy, &mut own)
    {
        return Fact::Unavailable(why);
    }
    areas.extend(
        plan.policy.areas.iter().map(name).filter(|area| own.iter().any(|claim| claim.area == *area)),
    );
    if areas.is_empty() {
        return Fact::NotGathered;
    }
    if event == Event::Ci && plan.policy.locks.remote.is_none() {
        // They lie where the agents work.
        return Fact::Known(Locks { is_elsewhere: true, ..Locks::default() });
    }
    if event.is_server() {
        return server_locks::locks(repo, plan, changes, &areas, pushed).into();
    }
    read(repo, plan, event, changes, &areas).into()
}

/// How changes stand to what landed on their bases under locks; told before the locks are asked for.
pub(super) fn landings(repo: &dyn Repository, plan: &Plan, event: Event, changes: &mut [Change]) {
    let at_commit = is_at_commit(event);
    for change in changes {
        let mut files: Vec<&FileChange> = change.staged.known().into_iter().flatten().collect();
        if !at_commit {
            files.extend(change.files.known().into_iter().flatten());
            files.extend(change.commits.known().into_iter().flatten().flat_map(|commit| &commit.files));
        }
        change.landed = landed_paths::landed(repo, plan, change, &files).into();
    }
}

/// Whether only what is being made counts, and not what was made before.
fn is_at_commit(event: Event) -> bool {
    matches!(event.stages(), [Stage::Commit | Stage::Edit])
}

fn name(area: &Area) -> &str {
    &area.name.value
}

/// The files for which a lock may have to be held: at a commit those of the commit, else all but those
/// that come with commits alone which the remote has already.
fn files_to_check(change: &Change, at_commit: bool) -> Vec<&FileChange> {
    let staged = change.staged.known().into_iter().flatten();
    if at_commit {
        return staged.collect();
    }
    let commits = change.commits.known().into_iter().flatten();
    let (pushed, new): (Vec<&Commit>, Vec<&Commit>) = commits.partition(|commit| commit.is_pushed);
    let old: HashSet<&RepoPath> =
        pushed.iter().flat_map(|commit| &commit.files).map(|file| &file.path).collect();
    // What was pushed may be based on something else by now.
    let is_moved =
        |file: &FileChange| change.landed.known().is_some_and(|landed| landed.moved.contains(&file.path));
    let whole = change.files.known().into_iter().flatten();
    let whole = whole.filter(|file| !old.contains(&file.path) || is_moved(file));
    staged.chain(whole).chain(new.into_iter().flat_map(|commit| &commit.files)).collect()
}

fn read(
    repo: &dyn Repository,
    plan: &Plan,
    event: Event,
    changes: &[Change],
    areas: &BTreeSet<&str>,
) -> Read<Locks> {
    let layout = repo.layout();
    let world = ThisMachine::new();
    let mut manager = LockManager::new(repo, plan, &world);
    let mut found = Locks { markers: markers::by_hand(layout, &plan.policy)?, ..Locks::default() };
    if matches!(event, Event::Status | Event::Edit) {
        // Whoever shows all worktrees asked the remote once, for all of them; an edit does not wait for it.
    } else if is_at_commit(event) {
        manager.set_patience(BRIEFLY);
        // What is held and unexpired holds; that nobody else has it can wait for the push.
        found.doubt = manager.refresh(RECENT).err().map(|error| error.to_string());
    } else if let Err(error) = manager.refresh(0) {
        return Err(unavailable(error));
    }
    for area in areas {
        let Some(tip) = manager.tip(area).map_err(unavailable)? else {
            continue;
        };
        let judge = manager.judge();
        let alive = tip.record.leases.iter().filter(|lease| !judge.lease(lease).is_over());
        found.leases.extend(alive.map(|lease| held_lock(area, lease, &judge)));
        if !is_at_commit(event) {
            found.taken.extend(taken_locks(repo, plan, manager.log(), &tip, changes).map_err(unavailable)?);
        }
        if event == Event::Ci {
            let pushes = pushes(&manager, &tip, &found.taken).map_err(unavailable)?;
            for taken in &mut found.taken {
                taken.after = commits_reached(repo, changes, pushes.get(&taken.generation))?;
            }
            found.pushed.extend(commits_reached(repo, changes, pushes.get(&ANY))?);
        }
    }
    Ok(found)
}

/// A lock as rules see it.
pub(super) fn held_lock(area: &str, lease: &Lease, judge: &Judge<'_>) -> HeldLock {
    let stake = &lease.stake;
    let host = if judge.is_timed(lease) { String::new() } else { format!(" on {}", stake.machine.host) };
    HeldLock {
        scope: stake.scope_in(area),
        agent: stake.agent.clone(),
        generation: lease.generation,
        remaining: judge.lease(lease).remaining() / 1_000,
        is_firm: judge.is_firm(lease),
        is_timed: judge.is_timed(lease),
        reason: lease.reason.clone(),
        worktree: format!("{}{host}", stake.worktree),
        by_hand: lease.by_hand.clone(),
        from: lease.from.clone(),
        pushed_by: None,
    }
}

/// The lowest generation that a commit says it was made under.
fn oldest(changes: &[Change]) -> Option<u64> {
    let commits = changes.iter().filter_map(|change| change.commits.known()).flatten();
    // A squash has them anywhere; one too many costs a look further back.
    let tokens = commits.filter(|commit| !commit.is_pushed).flat_map(|commit| commit.message.lock_lines());
    tokens.map(|token| token.generation).min()
}

/// Every lock taken since that generation, oldest first, with what landed after it had ended on the paths of the
/// changes.
pub(super) fn taken_locks(
    repo: &dyn Repository,
    plan: &Plan,
    log: &LockLog<'_>,
    tip: &LockHead,
    changes: &[Change],
) -> Result<Vec<TakenLock>, Error> {
    let Some(oldest) = oldest(changes) else {
        return Ok(Vec::new());
    };
    let mut all: Vec<TakenLock> = Vec::new();
    // The base when a lock ended, by its generation.
    let mut ends: HashMap<u64, Oid> = HashMap::new();
    log.walk(tip, |at| {
        let (record, event) = (&at.record, &at.record.event);
        let own = record.leases.iter().find(|lease| lease.generation == event.generation);
        let base = event.base.as_ref().or(own.and_then(|lease| lease.base.as_ref()));
        if let Some(base) = base.and_then(|base| Oid::from_hex(base)) {
            let losers = event.from.iter().map(|loser| loser.generation);
            let released = (event.kind == LockEventKind::Release).then_some(event.generation);
            ends.extend(losers.chain(released).map(|generation| (generation, base)));
        }
        if matches!(event.kind, LockEventKind::Take | LockEventKind::Steal)
            && let Some(scope) = Scope::from_record(&record.area, &event.scope)
        {
            all.push(TakenLock {
                scope,
                agent: event.agent.clone(),
                generation: event.generation,
                kind: event.kind,
                reason: event.reason.clone(),
                at: event.at,
                from: event.from.clone(),
                after: Vec::new(),
                overtaken: HashSet::new(),
                pushed_by: None,
            });
            return event.generation <= oldest;
        }
        record.generation < oldest
    })?;
    all.reverse();
    for taken in &mut all {
        if let Some(end) = ends.get(&taken.generation) {
            taken.overtaken = overtaken(repo, plan, changes, taken, *end)?;
        }
    }
    Ok(all)
}

/// What others have landed on the paths of changes since a lock ended under which they say they were made.
fn overtaken(
    repo: &dyn Repository,
    plan: &Plan,
    changes: &[Change],
    taken: &TakenLock,
    end: Oid,
) -> Read<HashSet<(Oid, RepoPath)>> {
    let token = format!("{}@{}", taken.scope.text, taken.generation);
    let bears = |commit: &&Commit| {
        commit.message.lock_lines().iter().any(|own| format!("{}@{}", own.scope, own.generation) == token)
    };
    let mut found = HashSet::new();
    for change in changes {
        let Some(merge_base) = change.merge_base.map(|base| base.oid) else {
            continue;
        };
        let new = change.commits.known().into_iter().flatten().filter(|commit| !commit.is_pushed);
        let files = new.filter(bears).flat_map(|commit| &commit.files);
        let is_its = |file: &&FileChange| {
            taken.scope.has(&file.path.0, file.is_folder(), plan.folds_case())
                && plan.areas_of(file).any(|area| area.name.value == taken.scope.area)
        };
        let paths = files.filter(is_its).map(|file| &file.path).collect();
        let landed = landed_paths::overtaken(repo, end, merge_base, &paths, &token)?;
        found.extend(landed.into_iter().map(|path| (merge_base, path)));
    }
    Ok(found)
}

/// No generation is this one.
const ANY: u64 = 0;

/// The commits that were pushed beside an event, by the generations that were taken after it, and all of them.
fn pushes(
    manager: &LockManager<'_>,
    tip: &LockHead,
    taken: &[TakenLock],
) -> Result<HashMap<u64, Vec<Oid>>, Error> {
    let oldest = taken.iter().map(|taken| taken.generation).min().unwrap_or(u64::MAX);
    let mut later: Vec<u64> = Vec::new();
    let mut found: HashMap<u64, Vec<Oid>> = HashMap::new();
    manager.log().walk(tip, |at| {
        let event = &at.record.event;
        if let Some(oid) = event.pushed.as_deref().and_then(Oid::from_hex) {
            found.entry(ANY).or_default().push(oid);
            later.iter().for_each(|generation| found.entry(*generation).or_default().push(oid));
        }
        if matches!(event.kind, LockEventKind::Take | LockEventKind::Steal) {
            later.push(event.generation);
        }
        at.record.generation < oldest
    })?;
    Ok(found)
}

/// The commits of some changes that are part of what was pushed.
fn commits_reached(repo: &dyn Repository, changes: &[Change], pushed: Option<&Vec<Oid>>) -> Read<Vec<Oid>> {
    let mut found = Vec::new();
    let commits = || changes.iter().filter_map(|change| change.commits.known()).flatten();
    for tip in pushed.into_iter().flatten().filter(|tip| repo.has(**tip)) {
        for commit in commits().filter(|commit| !found.contains(&commit.oid)).collect::<Vec<_>>() {
            if repo.merge_base(commit.oid, &[*tip])? == Some(commit.oid) {
                found.push(commit.oid);
            }
        }
    }
    Ok(found)
}

/// What a push brings to the ref of locks whose name ends so: the events from `old` to `new`, each held
/// against the one before it.
pub(super) fn lock_events(
    repo: &dyn Repository,
    plan: &Plan,
    now: i64,
    part: &str,
    old: Option<Oid>,
    new: Oid,
) -> Read<LockEvents> {
    let mut found = LockEvents::default();
    let mut chain = Vec::new();
    let mut at = Some(new);
    while let Some(oid) = at.filter(|oid| Some(*oid) != old) {
        let commit = repo.commit(oid)?;
        if commit.message.len() > bounds::LARGEST {
            found.fault = Some(format!("{} is too large for a lock record", oid.short()));
            return Ok(found);
        }
        let record = LockRecord::parse(&commit.message, None);
        let is_plain = commit.parents.len() < 2 && repo.tree(commit.tree)?.is_empty();
        match record {
            Ok(_) if !is_plain => found.fault = Some(format!("{} contains more than an event", oid.short())),
            Ok(record) => chain.push(record),
            Err(reason) => found.fault = Some(format!("of {}: {reason}", oid.short())),
        }
        if found.fault.is_some() {
            return Ok(found);
        }
        at = commit.parents.first().copied();
    }
    // What lies there may be broken already: then it goes on from the last event that is sound.
    let (mut before, mut at) = (None, old);
    while let (None, Some(oid)) = (&before, at) {
        let commit = repo.commit(oid)?;
        before = LockRecord::parse(&commit.message, None).ok();
        at = commit.parents.first().copied();
    }
    for record in chain.into_iter().rev() {
        let hash = repo.blob_id(record.area.as_bytes())?.to_string();
        if !hash.starts_with(part) || part.len() < LEAST {
            found.fault = Some(format!("it is about the area `{}`, which has another ref", record.area));
        } else if let Err(reason) = step::check(before.as_ref(), &record)
            .and_then(|()| bounds::check(plan, before.as_ref(), &record, now))
        {
            found.fault = Some(reason);
        }
        if found.fault.is_some() {
            return Ok(found);
        }
        if !found.agents.contains(&record.event.agent) {
            found.agents.push(record.event.agent.clone());
        }
        before = Some(record);
    }
    Ok(found)
}

/// An error as a reason for which nothing can be decided.
pub(super) fn unavailable(error: Error) -> Unavailable {
    error.into()
}
