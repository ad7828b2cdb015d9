//! The temporary worktree of a landing: made for it, gone afterwards, and cleared away by the next one where its process was killed.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use lane_core::error::Error;
use lane_core::facts::{Oid, Unavailable};
use lane_git::Layout;
use lane_git::command::{CommandOutput, command, in_worktree, run};
use lane_git::worktrees::{linked_of, temporary};

/// How long git may take to write all files, or to rebase.
const LONG: Duration = Duration::from_secs(3_600);
/// The file that whoever works in a folder keeps locked.
const OWNER: &str = "owner";
/// The worktree in it.
const TREE: &str = "tree";

/// A folder for one landing.
pub struct Workspace {
    common_dir: PathBuf,
    folder: PathBuf,
    /// Locked for as long as this process lives.
    _owner: File,
}

impl Workspace {
    /// Clears away what those left who were killed.
    pub fn clear_abandoned(layout: &Layout) {
        clear(&layout.common_dir, &temporary(layout));
    }

    /// Makes one.
    ///
    /// # Errors
    /// Nothing can be written there.
    pub fn new(layout: &Layout) -> Result<Self, Error> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let common_dir = layout.common_dir.as_path();
        let all = temporary(layout);
        fs::create_dir_all(&all).map_err(|error| cannot_write(&all, &error))?;
        clear(common_dir, &all);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = all.join(format!("{}-{count}", std::process::id()));
        let owner = folder.join(OWNER);
        let make = || -> io::Result<File> {
            fs::create_dir_all(&folder)?;
            let file = File::create(&owner)?;
            file.try_lock().map_err(|error| match error {
                TryLockError::Error(error) => error,
                TryLockError::WouldBlock => io::ErrorKind::WouldBlock.into(),
            })?;
            Ok(file)
        };
        let file = make().map_err(|error| cannot_write(&owner, &error))?;
        Ok(Self { common_dir: common_dir.to_owned(), folder, _owner: file })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The worktree.
    pub fn tree(&self) -> PathBuf {
        self.folder.join(TREE)
    }

    /// Checks a commit out, on no branch.
    ///
    /// # Errors
    /// git cannot do it.
    pub fn check_out(&self, at: Oid) -> Result<(), Error> {
        let tree = self.tree();
        let mut git = if tree.is_dir() { self.git() } else { command(&self.common_dir) };
        git.env_remove("GIT_OPTIONAL_LOCKS").args(OWN_SETTINGS);
        if tree.is_dir() {
            git.args(["checkout", "--quiet", "--detach", "--force", &at.to_string()]);
        } else {
            git.args(["worktree", "add", "--quiet", "--detach"]).arg(&tree).arg(at.to_string());
        }
        let ran = run(git, None, LONG)?;
        if ran.ok {
            return Ok(());
        }
        let reason = format!("{} could not be checked out: {}", at.short(), ran.error_text());
        Err(Unavailable::new(reason, "check free space: df -h .\nthen land again").into())
    }

    /// Rebases what is checked out. `upstream`: the last commit that is left out.
    ///
    /// # Errors
    /// git cannot be started, or does not end.
    pub fn rebase(&self, onto: Oid, upstream: Oid) -> Result<CommandOutput, Error> {
        let mut git = self.git();
        git.args(OWN_SETTINGS).args(MERGE_SETTINGS).args([
            "-c",
            "rebase.updateRefs=false",
            "-c",
            "rebase.autoSquash=false",
        ]);
        git.args(["rebase", "--merge", "--quiet", "--no-autostash", "--onto"]);
        git.arg(onto.to_string()).arg(upstream.to_string());
        run(git, None, LONG)
    }

    /// The tree that a merge of a branch into a base has, stored; or the files in conflict. git-merge-tree(1), OUTPUT.
    ///
    /// # Errors
    /// git cannot do it.
    pub fn merge(&self, base: Oid, head: Oid) -> Result<Result<Oid, Vec<String>>, Error> {
        let mut git = command(&self.common_dir);
        git.args(MERGE_SETTINGS).args(["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages"]);
        git.args([base.to_string(), head.to_string()]);
        let ran = run(git, None, LONG)?;
        let mut words = ran.stdout.split('\0').filter(|word| !word.is_empty());
        match (words.next().and_then(Oid::from_hex), ran.ok) {
            (Some(tree), true) => Ok(Ok(tree)),
            (Some(_), false) => Ok(Err(words.map(str::to_owned).collect())),
            (None, _) => {
                let reason = format!("{} could not be merged: {}", head.short(), ran.error_text());
                Err(Unavailable::new(reason, "git 2.39 or newer is needed: git --version").into())
            }
        }
    }

    /// Files that a rebase stopped at.
    pub fn conflicts(&self) -> Vec<String> {
        let mut git = self.git();
        git.args(["diff", "--name-only", "--diff-filter=U", "-z"]);
        let raw = run(git, None, LONG).map(|ran| ran.stdout_bytes).unwrap_or_default();
        let paths = raw.split(|byte| *byte == 0).filter(|path| !path.is_empty());
        paths.map(|path| String::from_utf8_lossy(path).into_owned()).collect()
    }

    /// A git in the worktree, in which nothing speaks for whoever lands: the commits are the agent's.
    fn git(&self) -> std::process::Command {
        let mut git = in_worktree(&self.tree());
        git.env_remove("GIT_OPTIONAL_LOCKS").env_remove("AGENT_ID");
        git.env("GIT_EDITOR", "true").env("GIT_SEQUENCE_EDITOR", "true");
        git
    }
}

/// Whoever lands, it merges alike.
const MERGE_SETTINGS: [&str; 4] = ["-c", "merge.renames=true", "-c", "merge.directoryRenames=conflict"];
/// Nothing that is set up for people at work is started in here, and all files are here, whatever they leave out.
const OWN_SETTINGS: [&str; 4] = ["-c", "core.hooksPath=/dev/null", "-c", "core.sparseCheckout=false"];

impl Drop for Workspace {
    fn drop(&mut self) {
        remove(&self.common_dir, &self.folder);
    }
}

/// Removes the folders that nobody works in any more.
fn clear(common_dir: &Path, all: &Path) {
    for entry in fs::read_dir(all).into_iter().flatten().flatten() {
        let folder = entry.path();
        let owner = File::options().read(true).write(true).open(folder.join(OWNER));
        match owner {
            Ok(owner) if owner.try_lock().is_ok() => remove(common_dir, &folder),
            // One that was killed before it could say whose it is, long ago.
            Err(_) if is_old(&folder) => remove(common_dir, &folder),
            _ => {}
        }
    }
    // Whoever was killed while it cleared away.
    for tree in registered(common_dir).filter(|tree| tree.starts_with(all)) {
        if let Some(folder) = tree.parent().filter(|folder| !folder.exists()) {
            remove(common_dir, folder);
        }
    }
}

fn is_old(folder: &Path) -> bool {
    let modified = fs::metadata(folder).and_then(|data| data.modified());
    modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > Duration::from_secs(60)))
}

/// Removes a folder, its worktree first: nothing of it is anybody's work.
fn remove(common_dir: &Path, folder: &Path) {
    let tree = folder.join(TREE);
    if tree.exists() || registered(common_dir).any(|known| known == tree) {
        let mut git = command(common_dir);
        // Twice: one that was killed while git made it is still locked.
        git.args(["worktree", "remove", "--force", "--force"]).arg(&tree);
        let _ = run(git, None, LONG);
    }
    let _ = fs::remove_dir_all(folder);
}

/// The linked worktrees that git has a note of, whether they are there or not, those of landings among them.
fn registered(common_dir: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(common_dir.join("worktrees")).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some(linked_of(entry.path())?.root))
}

/// Something of a landing cannot be written.
pub fn cannot_write(path: &Path, error: &io::Error) -> Error {
    Error::write(
        format!("{} cannot be written: {error}", path.display()),
        "nothing was landed; check disk space and permissions, then land again",
    )
}
