//! What a plain rebase would lose.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::outcome::RebaseOutcome;
use lane_core::error::Error;
use lane_core::facts::{Oid, RepoPath, Unavailable};
use lane_core::report::quote;
use lane_git::Repository;
use lane_git::command::{in_worktree, run as run_git};
use lane_git::tree_diff::tree_diff;

/// How many paths one git is asked about.
const AT_ONCE: usize = 500;

/// What speaks against a rebase of `before` on `onto` in the worktree at `root`: merges of the branch have something
/// of their own, or files that are in no commit lie where it would write. git takes ignored ones for expendable.
pub fn of(
    repo: &dyn Repository,
    root: &Path,
    onto: Oid,
    before: Oid,
    by_hand: &str,
) -> Result<Option<RebaseOutcome>, Error> {
    let own = repo.commits(&[before], &[onto])?;
    let (old, new) = (repo.commit(before)?.tree, repo.commit(onto)?.tree);
    let mut steps = vec![(Some(old), new)];
    for oid in own {
        let commit = repo.commit(oid)?;
        if commit.parents.len() > 1 {
            return Ok(Some(RebaseOutcome::Busy {
                why: format!("{} is a merge with changes of its own, which a rebase would drop", oid.short()),
                help: Some(format!("by hand: {by_hand}")),
            }));
        }
        let parent = commit.parents.first().map(|parent| repo.commit(*parent)).transpose()?;
        steps.push((parent.map(|parent| parent.tree), commit.tree));
    }
    let mut there = BTreeSet::new();
    for (from, to) in steps {
        let added = tree_diff(repo, from, Some(to))?.into_iter().filter(|file| file.old.is_none());
        there.extend(added.filter_map(|file| blocking_path(root, &file.path)));
    }
    let there: Vec<PathBuf> = there.into_iter().collect();
    for some in there.chunks(AT_ONCE) {
        let mut git = in_worktree(root);
        git.args(["--literal-pathspecs", "ls-files", "--others", "-z", "--"]).args(some);
        let ran = run_git(git, None, super::SHORT)?;
        if !ran.ok {
            let reason = format!("uncommitted files could not be listed: {}", ran.error_text());
            return Err(Unavailable::new(reason, "git status").into());
        }
        if let Some(path) = ran.stdout_bytes.split(|byte| *byte == 0).find(|path| !path.is_empty()) {
            let path = RepoPath(path.to_vec());
            return Ok(Some(RebaseOutcome::Busy {
                why: format!("{path} is not committed, and the rebase would overwrite it"),
                help: Some(format!("move it out of the worktree: {path}")),
            }));
        }
    }
    Ok(None)
}

/// The rebase that keeps merges, which somebody has to look at while it runs. `with_stack`: branches below it go along.
pub(super) fn by_hand(
    root: &Path,
    onto: &str,
    landed: Option<Oid>,
    with_stack: bool,
    is_anothers: bool,
) -> String {
    let place = match is_anothers {
        true => format!("git -C {}", quote(root.as_os_str().as_encoded_bytes())),
        false => "git".to_owned(),
    };
    let along = if with_stack { " --update-refs" } else { "" };
    let onto = quote(onto.as_bytes());
    match landed {
        Some(landed) => format!("{place} rebase --rebase-merges{along} --onto {onto} {landed}"),
        None => format!("{place} rebase --rebase-merges{along} {onto}"),
    }
}

/// What lies where a file would be written: the file, or a file where one of its folders would be; from the root.
fn blocking_path(root: &Path, path: &RepoPath) -> Option<PathBuf> {
    let path = lane_os::path_of(&path.0);
    let mut below = PathBuf::new();
    for part in path.components() {
        below.push(part);
        let data = root.join(&below).symlink_metadata().ok()?;
        if !data.is_dir() {
            return Some(below);
        }
    }
    Some(below)
}
