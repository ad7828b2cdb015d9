//! What git is in the middle of in a worktree.

use std::path::Path;

/// Something that takes several steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InProgress {
    /// What git keeps in the worktree's git folder meanwhile: gitrepository-layout(5), git-status(1).
    file: &'static str,
    /// The word for it: `rebase`.
    pub word: &'static str,
    /// The same as the subject of a sentence: `a rebase`.
    pub what: &'static str,
    /// How to come to an end of it.
    pub help: &'static str,
}

/// What lies between the picks of several, and means nothing else.
const SEQUENCER: &str = "sequencer";

/// Where git keeps a rebase that picks commits.
const REBASE: &str = "rebase-merge";
/// How a rebase ends whose branch is where it has to be.
const QUIT: &str = "end it; the branch is rebased, and one that moved meanwhile stays: git rebase --quit";

const ALL: [InProgress; 8] = [
    InProgress {
        file: REBASE,
        word: "rebase",
        what: "a rebase",
        help: "continue: git rebase --continue\nor abort: git rebase --abort",
    },
    InProgress {
        file: "rebase-apply/applying",
        word: "am",
        what: "git am",
        help: "continue: git am --continue\nor skip this patch: git am --skip\nor abort: git am --abort",
    },
    InProgress {
        file: "rebase-apply",
        word: "rebase",
        what: "a rebase",
        help: "continue: git rebase --continue\nor abort: git rebase --abort",
    },
    InProgress {
        file: "MERGE_HEAD",
        word: "merge",
        what: "a merge",
        help: "continue: git merge --continue\nor abort: git merge --abort",
    },
    InProgress {
        file: "CHERRY_PICK_HEAD",
        word: "cherry-pick",
        what: "a cherry-pick",
        help: "continue: git cherry-pick --continue\nor abort: git cherry-pick --abort",
    },
    InProgress {
        file: "REVERT_HEAD",
        word: "revert",
        what: "a revert",
        help: "continue: git revert --continue\nor abort: git revert --abort",
    },
    InProgress {
        file: SEQUENCER,
        word: "cherry-pick",
        what: "a sequence of picks",
        help: "continue: git cherry-pick --continue\nor abort: git cherry-pick --abort",
    },
    InProgress {
        file: "BISECT_LOG",
        word: "bisect",
        what: "a bisection",
        help: "continue: git bisect reset",
    },
];

/// All that is in progress in a worktree with this git folder, the rest of a sequence of picks included.
pub fn all_under_way(git_dir: &Path) -> impl Iterator<Item = InProgress> {
    ALL.into_iter().filter(|it| git_dir.join(it.file).exists())
}

/// What git is in the middle of, but for the rest of a sequence of picks.
pub fn in_progress(git_dir: &Path) -> Option<InProgress> {
    let it = all_under_way(git_dir).find(|it| it.file != SEQUENCER)?;
    let is_over = it.file == REBASE && is_rebased(git_dir);
    Some(if is_over { InProgress { help: QUIT, ..it } } else { it })
}

/// Whether a rebase is done but for other branches, which moved meanwhile: git does not end by itself then, and goes no further.
fn is_rebased(git_dir: &Path) -> bool {
    let read = |name: &str| std::fs::read_to_string(git_dir.join(name)).unwrap_or_default();
    let (head, name) = (read("HEAD"), read(&format!("{REBASE}/head-name")));
    head.strip_prefix("ref: ").is_some_and(|head| head.trim() == name.trim())
}
