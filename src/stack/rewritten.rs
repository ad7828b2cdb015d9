//! A branch that another was based on, and that has changed since.

use std::collections::{HashMap, HashSet};
use std::io::ErrorKind;
use std::path::Path;

use super::{SHORT, is_part};
use lane_core::error::Error;
use lane_core::facts::{Message, Oid};
use lane_git::command::{in_worktree, run as run_git};
use lane_git::{Read, Repository};

/// The commits of a branch above what it is to be merged into.
pub(super) struct OwnCommits<'a> {
    repo: &'a dyn Repository,
    root: &'a Path,
    tip: Oid,
    places: HashMap<Oid, usize>,
}

impl<'a> OwnCommits<'a> {
    /// `own`: parents before children; `tip`: the last of them.
    pub(super) fn new(repo: &'a dyn Repository, root: &'a Path, tip: Oid, own: &[Oid]) -> Self {
        Self { repo, root, tip, places: own.iter().enumerate().map(|(at, oid)| (*oid, at)).collect() }
    }

    /// The place of a commit among them.
    pub(super) fn place(&self, oid: Oid) -> Option<usize> {
        self.places.get(&oid).copied()
    }

    /// The commit at which they left a branch whose tip is none of them, and its place: by the branch's log, and only if the
    /// branch still has, in some form, all that would be left out here.
    pub(super) fn left(&self, reference: &str, new: Oid) -> Result<Option<(usize, Oid)>, Error> {
        if !self.is_in_log(reference)? {
            return Ok(None);
        }
        // Based on these itself; or moved back to where these begin, which leaves the commits to them.
        let common = self.repo.merge_base(new, &[self.tip])?;
        if common == Some(self.tip) || common == Some(new) {
            return Ok(None);
        }
        let Some(left) = fork_point(self.root, reference, self.tip)?.filter(|left| *left != self.tip) else {
            return Ok(None);
        };
        match self.place(left) {
            Some(at) if self.is_replaced(left, new)? => Ok(Some((at, left))),
            _ => Ok(None),
        }
    }

    /// The same for a branch of this repository; `pushed`: what the remote has of it.
    pub(super) fn left_here(
        &self,
        reference: &str,
        new: Oid,
        pushed: Option<Oid>,
    ) -> Result<Option<(usize, Oid)>, Error> {
        if is_part(self.repo, new, pushed)? {
            return Ok(None);
        }
        let left = self.left(reference, new)?;
        // What was cut from the same commit is beside it, not below.
        Ok(left.filter(|(_, left)| first_of(self.root, reference).is_some_and(|first| first != *left)))
    }

    /// Whether the log of a branch has any of them: without, nobody has to ask git.
    fn is_in_log(&self, reference: &str) -> Read<bool> {
        let path = self.repo.layout().common_dir.join("logs").join(reference);
        match std::fs::read_to_string(path) {
            Ok(log) => {
                let mut moves = log.lines().filter_map(|line| line.split(' ').nth(1));
                Ok(moves.any(|oid| Oid::from_hex(oid).is_some_and(|oid| self.places.contains_key(&oid))))
            }
            // Where git keeps logs elsewhere, it knows.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Ok(!self.repo.config("extensions.refstorage")?.is_empty())
            }
            Err(_) => Ok(true),
        }
    }

    /// Whether a branch has what it had at `left`: each commit again, by its author, its date and its subject, or all of it in
    /// other commits.
    fn is_replaced(&self, left: Oid, new: Oid) -> Read<bool> {
        let key = |oid: Oid| -> Read<(String, i64, String)> {
            let commit = self.repo.commit(oid)?;
            Ok((commit.author, commit.authored, Message { text: commit.message }.subject()))
        };
        let gone = self.repo.commits(&[left], &[new])?;
        let come: HashSet<_> =
            self.repo.commits(&[new], &[left])?.into_iter().map(key).collect::<Read<_>>()?;
        let mut is_again = true;
        for oid in gone.into_iter().filter(|oid| self.places.contains_key(oid)) {
            is_again &= come.contains(&key(oid)?);
        }
        if is_again {
            return Ok(true);
        }
        let (merged, open) = self.repo.merged(new, left)?;
        Ok(open.is_empty() && merged == self.repo.commit(new)?.tree)
    }
}

/// The commit at which a branch was made, by the oldest entry of its log.
fn first_of(root: &Path, reference: &str) -> Option<Oid> {
    let mut git = in_worktree(root);
    git.args(["reflog", "show", "--format=%H", reference, "--"]);
    let ran = run_git(git, None, SHORT).ok().filter(|ran| ran.ok)?;
    Oid::from_hex(ran.stdout.lines().next_back()?.trim())
}

/// Where a commit left a ref that was rewritten since, by the ref's log: git-merge-base(1).
fn fork_point(root: &Path, reference: &str, tip: Oid) -> Result<Option<Oid>, Error> {
    let mut git = in_worktree(root);
    git.args(["merge-base", "--fork-point", reference, &tip.to_string()]);
    let ran = run_git(git, None, SHORT)?;
    Ok(Oid::from_hex(ran.stdout.trim()).filter(|_| ran.ok))
}
