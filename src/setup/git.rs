//! git's own commands, for worktrees.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use lane_core::error::Error;
use lane_git::command::{CommandOutput, command, in_worktree, run};

/// A checkout may take long.
pub(super) const LIMIT: Duration = Duration::from_secs(1_800);
/// How long to try again while other gits have their lock files.
const BUSY: Duration = Duration::from_secs(15);

/// Runs a git on the repository that all worktrees share, again while another git is in its way. `make` gives
/// the arguments again each time: the one that failed may have done the first half.
pub(super) fn common(
    common_dir: &Path,
    lock: Option<File>,
    make: &mut dyn FnMut() -> Vec<String>,
) -> Result<CommandOutput, Error> {
    let started = Instant::now();
    let mut pause = Duration::from_millis(20);
    loop {
        let mut git: Command = command(common_dir);
        git.current_dir(common_dir).args(make());
        let shared = lock.as_ref().and_then(|lock| lock.try_clone().ok());
        let ran = run(git, shared, LIMIT)?;
        if ran.ok || !is_busy(&ran.stderr) || started.elapsed() > BUSY {
            return Ok(ran);
        }
        sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(400));
    }
}

/// Whether git failed because another one had the lock file that it needed.
fn is_busy(said: &str) -> bool {
    let is_lock = said.contains(".lock") || said.contains("could not lock config file");
    // It read the list of worktrees while another one was being made.
    let is_half_made = said.contains("failed to read") && said.contains("/worktrees/");
    is_lock && said.contains("File exists") || is_half_made
}

/// Runs a git in a worktree.
pub(super) fn run_in(root: &Path, lock: Option<File>, args: &[&str]) -> Result<CommandOutput, Error> {
    let mut git = in_worktree(root);
    git.args(args);
    run(git, lock, LIMIT)
}

#[cfg(test)]
mod tests {
    use super::is_busy;

    #[test]
    fn another_git_is_in_the_way() {
        assert!(is_busy("error: could not lock config file .git/config: File exists\n"));
        assert!(is_busy("fatal: Unable to create '/x/refs/heads/y.lock': File exists."));
        assert!(is_busy("fatal: failed to read /x/worktrees/y/commondir: Success"));
        assert!(
            !is_busy("fatal: '/x' already exists") && !is_busy("fatal: a branch named 'y' already exists")
        );
    }
}
