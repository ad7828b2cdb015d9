//! Merges that cannot have had a conflict, told by the changes that were counted already: neither side touched a path of the
//! other's. What the base did since the branch left it is the sum of the changes between, so that its trees need not be
//! compared again for each merge.

use std::path::Path;

use rustc_hash::FxHashMap;

use super::super::Query;
use super::cache::Cache;
use super::walk::root_of;
use lane_core::facts::{FileChange, Oid};
use lane_core::metrics::ChangeCount;
use lane_core::metrics::history::{History, Landing};
use lane_git::tree_diff::tree_diff;
use lane_git::{GitRepo, Repository, pool};

/// How many pairs of paths are compared at the most; where there are more, git merges.
const PAIRS: usize = 100_000;
/// How many merges one thread looks at before it takes more.
const CHUNK: usize = 256;

/// A merge to look at.
struct Task<'a> {
    merge: Oid,
    fork: Oid,
    theirs: Oid,
    /// The changes of the base since the branch left it.
    ours: Vec<&'a ChangeCount>,
}

/// Notes those merges of the base's line that cannot have had a conflict.
pub fn without(
    query: &Query,
    history: &History,
    landings: &[Landing],
    counts: &[&ChangeCount],
    cache: &mut Cache,
) {
    let mut at_line: FxHashMap<usize, usize> = FxHashMap::default();
    for (number, landing) in landings.iter().enumerate() {
        at_line.extend(landing.run.iter().filter_map(|place| Some((history.on_line(*place)?, number))));
    }
    let task = |landing: &Landing| {
        let (tip, place) = (history.tip(landing), landing.run.last()?);
        let before = landing.before?;
        let theirs = match tip.parents[..] {
            [one, two] => {
                if one == before {
                    two
                } else {
                    one
                }
            }
            _ => return None,
        };
        let fork = history.fork(landing)?;
        let mut between: Vec<usize> = Vec::new();
        for line in fork + 1..history.on_line(*place)? {
            between.push(*at_line.get(&line)?);
        }
        between.dedup();
        let ours: Vec<&ChangeCount> = between.into_iter().map(|number| counts[number]).collect();
        // What could not be counted may be anything.
        let is_known = ours.iter().all(|count| count.lines.is_some());
        let fork = history.commits[history.line[fork]].oid;
        is_known.then_some(Task { merge: tip.oid, fork, theirs, ours })
    };
    let is_open = |landing: &&Landing, cache: &mut Cache| {
        landing.is_merge && cache.conflict(history.tip(landing).oid).is_none()
    };
    let tasks: Vec<Task<'_>> =
        landings.iter().filter(|landing| is_open(landing, cache)).filter_map(task).collect();
    let root = root_of(query.repo);
    let chunks: Vec<&[Task<'_>]> = tasks.chunks(CHUNK).collect();
    for merge in pool::map(&chunks, |tasks| clean(&root, tasks)).into_iter().flatten() {
        cache.keep_conflict(merge, Vec::new());
    }
}

/// Those that cannot have had one.
fn clean(root: &Path, tasks: &[Task<'_>]) -> Vec<Oid> {
    let Ok(repo) = GitRepo::open_at(root) else { return Vec::new() };
    let is_clean = |task: &&Task<'_>| {
        let tree = |oid| repo.commit(oid).map(|commit| Some(commit.tree));
        let theirs = tree(task.fork).and_then(|fork| tree_diff(&repo, fork, tree(task.theirs)?));
        theirs.is_ok_and(|theirs| !may_conflict(&task.ours, &theirs))
    };
    tasks.iter().filter(is_clean).map(|task| task.merge).collect()
}

/// Whether a merge of both sides might stop.
fn may_conflict(ours: &[&ChangeCount], theirs: &[FileChange]) -> bool {
    let (adds, deletes) = (ours.iter().any(|one| one.adds), ours.iter().any(|one| one.deletes));
    let their_adds = theirs.iter().any(|file| file.old.is_none());
    let their_deletes = theirs.iter().any(|file| file.new.is_none());
    // A file that one side adds to a folder which the other side renames is moved after it, or not.
    let follows = adds && their_adds && (deletes || their_deletes);
    let paths: usize = ours.iter().map(|one| one.paths.len()).sum();
    if follows || paths.saturating_mul(theirs.len()) > PAIRS {
        return true;
    }
    let mut ours = ours.iter().flat_map(|one| &one.paths);
    ours.any(|one| theirs.iter().any(|two| meets(&one.0, &two.path.0)))
}

/// Whether two paths are one, or one is a folder of the other.
fn meets(one: &[u8], two: &[u8]) -> bool {
    let (short, long) = if one.len() < two.len() { (one, two) } else { (two, one) };
    long.strip_prefix(short).is_some_and(|rest| rest.first().is_none_or(|byte| *byte == b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lane_core::facts::{FileVersion, RepoPath};

    #[test]
    fn paths_meet_or_not() {
        for (one, two, met) in [
            ("a", "a", true),
            ("a", "a/b", true),
            ("a/b", "a", true),
            ("a", "ab", false),
            ("a/b", "a/c", false),
        ] {
            assert_eq!(meets(one.as_bytes(), two.as_bytes()), met, "{one} {two}");
        }
    }

    #[test]
    fn a_rename_may_take_what_is_added_along() {
        let version = FileVersion { mode: 0o100_644, oid: Oid::ZERO };
        let file = |path: &str, old: bool, new: bool| FileChange {
            path: RepoPath(path.into()),
            old: old.then_some(version),
            new: new.then_some(version),
        };
        let ours = |adds, deletes| ChangeCount { adds, deletes, ..ChangeCount::default() };
        assert!(may_conflict(&[&ours(true, true)], &[file("x", false, true)]));
        assert!(may_conflict(&[&ours(true, false)], &[file("x", false, true), file("y", true, false)]));
        assert!(!may_conflict(&[&ours(true, true)], &[file("x", true, true)]));
        assert!(!may_conflict(&[], &[file("x", false, true)]));
    }
}
