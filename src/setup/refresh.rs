//! The indexes of new worktrees, once nothing more is written there.
//!
//! Git tells by the times of a file and of the index whether the file has changed since, in whole seconds. What was
//! checked out in the second in which the index was written may have changed after it: until somebody writes the index
//! again, each `git status` reads all of those files again. See "Racy Git" in git's technical documentation.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::git::LIMIT;
use lane_git::command::{in_worktree, run};
use lane_git::pool;

const TICK: Duration = Duration::from_millis(20);

/// Writes the indexes again in a later second than that of any file. Nobody works there yet who could need the lock.
/// Where it fails, a later git does the same.
pub(super) fn refresh(roots: &[PathBuf]) {
    if roots.is_empty() {
        return;
    }
    // Whole seconds: the next one is later than that of whatever is there. A file system's clock goes by ticks, and is
    // some milliseconds late.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    std::thread::sleep(Duration::from_secs(now.as_secs() + 1).saturating_sub(now) + TICK);
    pool::map(roots, |root| write(root));
}

fn write(root: &Path) {
    let mut git = in_worktree(root);
    git.env("GIT_OPTIONAL_LOCKS", "1");
    git.args(["status", "--porcelain=v1", "--untracked-files=no", "--ignore-submodules=all", "--no-renames"]);
    let _ = run(git, None, LIMIT);
}
