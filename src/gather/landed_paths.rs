//! How a change stands to what landed on its base under locks. Contents are compared, and no times.

use std::collections::{BTreeSet, HashSet};

use lane_core::facts::{Change, FileChange, FileVersion, LandedPaths, Message, Oid, RepoPath};
use lane_core::locks::scope::Scope;
use lane_core::policy::Plan;
use lane_core::policy::model::Access;
use lane_git::tree_diff::tree_diff;
use lane_git::{FOLDER, RawCommit, Read, Repository, find_in_tree};

/// How a change stands to the base. `files`: those of its files for which a lock may have to be held.
pub(super) fn landed(
    repo: &dyn Repository,
    plan: &Plan,
    change: &Change,
    files: &[&FileChange],
) -> Read<LandedPaths> {
    let is_locked = |file: &&&FileChange| plan.areas_of(file).any(|area| area.access.value == Access::Lock);
    let paths: BTreeSet<&RepoPath> = files.iter().filter(is_locked).map(|file| &file.path).collect();
    let (Some(base), Some(merge_base), Some(head)) = (change.base, change.merge_base, change.head) else {
        return Ok(LandedPaths::default());
    };
    if paths.is_empty() {
        return Ok(LandedPaths::default());
    }
    let moved = moved(repo, change, base, merge_base.oid, &paths)?;
    let mut missing = missing(repo, base, merge_base.oid, head, paths)?;
    // What is being committed may be just what landed.
    let now = change.files.known().into_iter().chain(change.staged.known()).flatten();
    let versions = Versions { repo };
    for file in now.filter(|file| missing.contains(&file.path)).collect::<Vec<_>>() {
        if versions.version_at(base, &file.path)? == file.new {
            missing.remove(&file.path);
        }
    }
    Ok(LandedPaths { missing, moved })
}

/// The paths of some scopes that the base has changed since `head` left it, and that `head` does not contain in
/// the version that the base has.
pub fn missing_in(
    repo: &dyn Repository,
    plan: &Plan,
    base: Oid,
    head: Oid,
    scopes: &[&Scope],
) -> Read<BTreeSet<RepoPath>> {
    let Some(merge_base) = repo.merge_base(base, &[head])?.filter(|oid| *oid != base) else {
        return Ok(BTreeSet::new());
    };
    let (before, after) = (repo.commit(merge_base)?.tree, repo.commit(base)?.tree);
    let mut files = tree_diff(repo, Some(before), Some(after))?;
    files.retain(|file| {
        let is_in = |scope: &Scope| {
            scope.has(&file.path.0, file.is_folder(), plan.folds_case())
                && plan.areas_of(file).any(|area| area.name.value == scope.area)
        };
        scopes.iter().any(|scope| is_in(scope))
    });
    let paths = files.iter().map(|file| &file.path).collect();
    Ok(missing(repo, base, merge_base, head, paths)?.into_iter().collect())
}

/// When the newest commit of the base that `head` lacks and that changed any of the paths was committed, in seconds since the
/// epoch, and its author's address. Not looked for further back than so many commits.
pub fn newest_change(
    repo: &dyn Repository,
    base: Oid,
    head: Oid,
    paths: &BTreeSet<RepoPath>,
) -> Read<Option<(i64, String)>> {
    const FAR: usize = 500;
    let versions = Versions { repo };
    for oid in repo.commits(&[base], &[head])?.into_iter().rev().take(FAR) {
        let commit = repo.commit(oid)?;
        for path in paths {
            if versions.is_changed_by(&commit, path)? {
                return Ok(Some((commit.time, commit.author)));
            }
        }
    }
    Ok(None)
}

/// The version of a path that a commit has.
pub fn version_at(repo: &dyn Repository, commit: Oid, path: &RepoPath) -> Read<Option<FileVersion>> {
    Versions { repo }.version_at(commit, path)
}

/// The paths that others have changed between a commit and a merge base that comes after it. Own work has one of
/// the tokens.
pub(super) fn overtaken(
    repo: &dyn Repository,
    from: Oid,
    merge_base: Oid,
    paths: &BTreeSet<&RepoPath>,
    token: &str,
) -> Read<Vec<RepoPath>> {
    let mut found = Vec::new();
    if from == merge_base || !repo.has(from) || repo.merge_base(from, &[merge_base])? == Some(merge_base) {
        return Ok(found);
    }
    let versions = Versions { repo };
    for path in paths {
        if versions.version_at(from, path)? == versions.version_at(merge_base, path)? {
            continue;
        }
        for oid in repo.commits(&[merge_base], &[from])? {
            let commit = repo.commit(oid)?;
            let message = Message { text: commit.message.clone() };
            let is_own =
                message.lock_lines().iter().any(|own| format!("{}@{}", own.scope, own.generation) == token);
            if !is_own && versions.is_changed_by(&commit, path)? {
                found.push((*path).clone());
                break;
            }
        }
    }
    Ok(found)
}

/// The paths whose version on the base is another one than at the merge base, and that nothing between the merge
/// base and `head` had in that version: a squash of one's own work is not missing.
fn missing(
    repo: &dyn Repository,
    base: Oid,
    merge_base: Oid,
    head: Oid,
    paths: BTreeSet<&RepoPath>,
) -> Read<HashSet<RepoPath>> {
    let mut found = HashSet::new();
    if base == merge_base {
        return Ok(found);
    }
    let versions = Versions { repo };
    let mut own = None;
    for path in paths {
        let newest = versions.version_at(base, path)?;
        if newest == versions.version_at(merge_base, path)? {
            continue;
        }
        let seen = match &own {
            Some(seen) => seen,
            // After a criss-cross merge there are several merge bases, each as good as the other.
            None => {
                let mut seen = repo.commits(&[head], &[base])?;
                seen.extend(repo.merge_bases(base, head)?);
                own.insert(seen)
            }
        };
        let mut is_seen = false;
        for oid in seen {
            is_seen = is_seen || versions.version_at(*oid, path)? == newest;
        }
        if !is_seen {
            found.insert(path.clone());
        }
    }
    Ok(found)
}

/// The paths that are based on another version of the base since a merge that the remote does not have: with it, what
/// was pushed before takes the place of what has landed since.
fn moved(
    repo: &dyn Repository,
    change: &Change,
    base: Oid,
    merge_base: Oid,
    paths: &BTreeSet<&RepoPath>,
) -> Read<HashSet<RepoPath>> {
    let commits = || change.commits.known().into_iter().flatten();
    let mut found = HashSet::new();
    if !commits().any(|commit| commit.parents > 1 && !commit.is_pushed) {
        return Ok(found);
    }
    let pushed: Vec<Oid> = commits().filter(|commit| commit.is_pushed).map(|commit| commit.oid).collect();
    let mut parents = HashSet::new();
    for oid in &pushed {
        parents.extend(repo.commit(*oid)?.parents);
    }
    let heads: Vec<Oid> = pushed.into_iter().filter(|oid| !parents.contains(oid)).collect();
    let versions = Versions { repo };
    // Each by itself: one that is based on the newest base says nothing of another.
    for head in heads {
        let before = repo.merge_base(base, &[head])?;
        if before == Some(merge_base) {
            continue;
        }
        for path in paths {
            let before = before.map(|before| versions.version_at(before, path)).transpose()?.flatten();
            if before != versions.version_at(merge_base, path)? {
                found.insert((*path).clone());
            }
        }
    }
    Ok(found)
}

/// Single paths in the trees of commits.
struct Versions<'r> {
    repo: &'r dyn Repository,
}

impl Versions<'_> {
    fn version_at(&self, commit: Oid, path: &RepoPath) -> Read<Option<FileVersion>> {
        self.in_tree(self.repo.commit(commit)?.tree, path)
    }

    fn in_tree(&self, tree: Oid, path: &RepoPath) -> Read<Option<FileVersion>> {
        let found = find_in_tree(self.repo, tree, &path.0)?;
        Ok(found.filter(|version| version.mode != FOLDER))
    }

    /// Whether a commit has another version of it than each of its parents.
    fn is_changed_by(&self, commit: &RawCommit, path: &RepoPath) -> Read<bool> {
        let own = self.in_tree(commit.tree, path)?;
        if commit.parents.is_empty() {
            return Ok(own.is_some());
        }
        for parent in &commit.parents {
            if self.version_at(*parent, path)? == own {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
