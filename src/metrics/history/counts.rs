//! Sizes of changes: as `git diff --numstat -M` counts them between the base before a change and after it, with the
//! attributes of the base before it.

use std::path::Path;
use std::time::{Duration, Instant};

use super::super::Query;
use super::cache::Cache;
use super::walk::root_of;
use lane_core::facts::{Oid, Unavailable};
use lane_core::metrics::history::{History, Landing};
use lane_core::metrics::{ChangeCount, Missing};
use lane_core::policy::Plan;
use lane_git::tree_diff::tree_diff;
use lane_git::{GitRepo, Read, Repository, lines, pool};

/// How long all of them may take together.
const PATIENCE: Duration = Duration::from_secs(120);
/// How many changes one thread counts before it takes more.
const CHUNK: usize = 256;

/// What was counted of a change, and why not all of it.
pub type Counted = (ChangeCount, Option<Unavailable>);

/// One change to count.
struct Task {
    at: usize,
    before: Option<Oid>,
    after: Oid,
}

/// Counts each change.
pub fn count(query: &Query, history: &History, landings: &[Landing], cache: &mut Cache) -> Vec<Counted> {
    let started = Instant::now();
    let mut counted: Vec<Counted> = vec![Counted::default(); landings.len()];
    let mut open = Vec::new();
    for (at, landing) in landings.iter().enumerate() {
        let tip = history.tip(landing);
        match cache.count(tip.oid, landing.before) {
            Some(count) => counted[at].0 = count.clone(),
            None => open.push(Task { at, before: landing.before, after: tip.tree }),
        }
    }
    let (root, plan) = (root_of(query.repo), query.plan);
    let chunks: Vec<&[Task]> = open.chunks(CHUNK).collect();
    for found in pool::map(&chunks, |tasks| of_chunk(&root, plan, tasks, started)).into_iter().flatten() {
        let (at, of) = found;
        let landing = &landings[at];
        if of.1.is_none() {
            cache.keep_count(history.tip(landing).oid, landing.before, &of.0);
        }
        counted[at] = of;
    }
    counted
}

fn of_chunk(root: &Path, plan: &Plan, tasks: &[Task], started: Instant) -> Vec<(usize, Counted)> {
    let repo = GitRepo::open_at(root);
    let of = |task: &Task| match &repo {
        Ok(_) if started.elapsed() > PATIENCE => (ChangeCount::default(), Some(too_long())),
        Ok(repo) => of_change(repo, plan, task),
        Err(why) => (ChangeCount::default(), Some(why.clone())),
    };
    tasks.iter().map(|task| (task.at, of(task))).collect()
}

fn too_long() -> Unavailable {
    Unavailable::new("counting them took too long", "ask for a shorter period: git lane report --since 2w")
}

fn of_change(repo: &GitRepo, plan: &Plan, task: &Task) -> Counted {
    let files = || -> Read<_> {
        let before = task.before.map(|oid| repo.commit(oid)).transpose()?.map(|commit| commit.tree);
        Ok((before, tree_diff(repo, before, Some(task.after))?))
    };
    let (before, files) = match files() {
        Ok(found) => found,
        Err(why) => return (ChangeCount::default(), Some(why)),
    };
    let lines = lines::count(repo, &files, before, &|path| plan.is_excluded(path));
    let mut count = ChangeCount {
        lines: None,
        files: files.len(),
        paths: files.iter().map(|file| file.path.clone()).collect(),
        adds: files.iter().any(|file| file.old.is_none()),
        deletes: files.iter().any(|file| file.new.is_none()),
    };
    match lines {
        Ok(lines) => {
            count.lines = Some((lines.added.saturating_add(lines.deleted), lines.counted));
            count.files = lines.files;
            (count, None)
        }
        Err(why) => (count, Some(why)),
    }
}

/// What to say of changes that could not be counted.
pub fn missing(counted: &[Counted]) -> Option<Missing> {
    let mut failed = counted.iter().filter_map(|(_, why)| why.as_ref());
    let first = failed.next()?;
    let count = 1 + failed.count();
    let of = counted.len();
    Some(Missing {
        what: "sizes".to_owned(),
        reason: format!("the lines of {count} of {of} changes could not be counted: {}", first.reason),
        help: first.help.clone(),
    })
}
