//! What became of a sync.

use std::path::{Path, PathBuf};

use lane_core::facts::{Oid, RepoPath};

/// One worktree.
pub struct WorktreeSync {
    /// The worktree.
    pub root: PathBuf,
    /// Whose it is, as far as that is known.
    pub agent: Option<String>,
    /// The branch.
    pub branch: Option<String>,
    /// What was done.
    pub rebase: RebaseOutcome,
    /// Whether it was pushed; `None`: nobody tried.
    pub pushed: Option<bool>,
    /// The base of the branch, where that is not the policy's.
    pub onto: Option<String>,
}

/// What was done.
pub enum RebaseOutcome {
    /// It was up to date with the base.
    Nothing,
    /// It is up to date with the base now.
    Rebased {
        /// The tip before.
        before: Oid,
        /// The tip now.
        after: Oid,
        /// How many commits of the base are new in it.
        behind: usize,
        /// How many of its commits were left out, since the base has them in others.
        landed: usize,
        /// Whether those were of an older version of the branch that it was rebased on.
        is_newer: bool,
        /// The branches below it that went along, lowest first.
        along: Vec<MovedBranch>,
        /// What became of uncommitted work.
        aside: StashOutcome,
    },
    /// It was not touched: it is based on a branch that has not landed, and that does not go along.
    Stacked {
        /// That branch.
        on: String,
        /// The worktree in which that is checked out.
        at: Option<PathBuf>,
        /// How many commits of the base both lack; 0 where another branch below it has changed.
        behind: usize,
    },
    /// It was not touched: it is not idle, or not to be rebased.
    Busy {
        /// Why.
        why: String,
        /// What to do, if anything is.
        help: Option<String>,
    },
    /// It was not touched: these files are not committed.
    Dirty(Vec<RepoPath>),
    /// The rebase stopped.
    Stopped {
        /// At these files.
        conflicts: Vec<Conflict>,
        /// What git said.
        said: String,
        /// All is as it was before.
        is_undone: bool,
    },
    /// git did not do it.
    Failed {
        /// Why.
        reason: String,
        /// What to do.
        help: Option<String>,
    },
}

/// What became of work that a rebase put aside.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum StashOutcome {
    /// There was none, or it is back.
    Back,
    /// It is back with conflicts, and in the stash as well.
    Conflicts,
    /// It is in the stash alone.
    Kept,
}

/// A branch that a rebase took along.
pub struct MovedBranch {
    /// Its short name.
    pub branch: String,
    /// Its tip before.
    pub before: Oid,
    /// Its tip now.
    pub after: Oid,
}

/// A file that a rebase stopped at.
pub struct Conflict {
    /// The file.
    pub path: RepoPath,
    /// The last commit of the base that changed it.
    pub cause: Option<String>,
}

impl WorktreeSync {
    /// What was done with a worktree.
    pub fn new(root: &Path, worked: RebaseOutcome) -> Self {
        Self { root: root.to_owned(), agent: None, branch: None, rebase: worked, pushed: None, onto: None }
    }

    /// Whether branches below it are to be pushed with it: they went along, or it was rebased on one that is here.
    pub fn is_of_stack(&self) -> bool {
        let is_local = self.onto.as_ref().is_some_and(|onto| onto.starts_with("refs/heads/"));
        matches!(&self.rebase, RebaseOutcome::Rebased { along, .. } if is_local || !along.is_empty())
    }

    /// Whether it is up to date with the base.
    pub fn is_good(&self) -> bool {
        matches!(
            self.rebase,
            RebaseOutcome::Nothing
                | RebaseOutcome::Stacked { .. }
                | RebaseOutcome::Rebased { aside: StashOutcome::Back, .. }
        )
    }
}

impl RebaseOutcome {
    /// It was left as it is.
    pub fn busy(why: impl Into<String>, help: &str) -> Self {
        Self::Busy { why: why.into(), help: Some(help.to_owned()) }
    }
}
