//! What is noted of an agent's set-up, in the common git folder: `lane/setup/<agent>.json`, and a lock.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::provision::Reporter;
use super::target::Target;
use lane_core::error::Error;
use lane_core::facts::Unavailable;
use lane_git::state_file;

/// What is known of an agent's worktree.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct State {
    /// The worktree that is being made: whoever finds this takes over from one that was killed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adding: Option<PathBuf>,
    /// The worktree that is being removed: whoever finds this goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removing: Option<Removal>,
    /// The worktree that the rest is about. Another one starts over.
    pub root: Option<PathBuf>,
    /// The SHA-256 of what was written, by the file's name from the worktree's root.
    pub files: BTreeMap<String, String>,
    /// The SHA-256 of the command of each step that is done, by the step's name.
    pub steps: BTreeMap<String, String>,
    /// The SHA-256 of what steps made of files that stay local, by path from the worktree's root.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub made: BTreeMap<String, String>,
    /// The step that failed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// A worktree that git removes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Removal {
    /// Its folder.
    pub root: PathBuf,
    /// Its git folder.
    pub git_dir: PathBuf,
}

/// An agent's notes, held: nobody else sets this agent up.
#[derive(Debug)]
pub(super) struct LockedState {
    path: PathBuf,
    lock: File,
    /// The notes.
    pub state: State,
}

/// The SHA-256 of something, in hexadecimal digits.
pub(super) fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn path_of(common_dir: &Path, agent: &str) -> PathBuf {
    common_dir.join("lane/setup").join(format!("{agent}.json"))
}

/// An agent's notes as they are now.
///
/// # Errors
/// They cannot be read.
pub(super) fn read(common_dir: &Path, agent: &str) -> Result<State, Error> {
    let path = path_of(common_dir, agent);
    let unreadable = |why: String| {
        let help = format!("if it is damaged, remove it; then all steps run again: {}", path.display());
        Unavailable::new(format!("{} cannot be read: {why}", path.display()), help).into()
    };
    match fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text).map_err(|error| unreadable(error.to_string())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(State::default()),
        Err(error) => Err(unreadable(error.to_string())),
    }
}

/// Whether a worktree was begun, and a step of it failed or something was interrupted.
pub(super) fn is_unfinished(common_dir: &Path, target: &Target) -> bool {
    read(common_dir, &target.agent).is_ok_and(|state| {
        let has_begun = state.adding.is_some() || state.root.is_some();
        let is_left = |(name, hash): &(String, String)| state.steps.get(name) != Some(hash);
        state.failed.is_some() || has_begun && (state.adding.is_some() || target.steps.iter().any(is_left))
    })
}

impl LockedState {
    /// Waits for an agent's notes until nobody else has them.
    ///
    /// # Errors
    /// They cannot be read or written.
    pub fn open(common_dir: &Path, agent: &str, reporter: &dyn Reporter) -> Result<Self, Error> {
        let path = path_of(common_dir, agent);
        let name = path.with_extension("lock");
        let lock = state_file::lock_file(&name).map_err(|error| unwritable(&name, &error))?;
        if let Err(TryLockError::WouldBlock) = lock.try_lock() {
            reporter.waits(agent);
            lock.lock().map_err(|error| unwritable(&name, &error))?;
        }
        Ok(Self { state: read(common_dir, agent)?, path, lock })
    }

    /// A handle for a child process: the lock is held until that one is done, too.
    pub fn share(&self) -> Option<File> {
        self.lock.try_clone().ok()
    }

    /// Changes the notes and writes them down, in one piece.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn note(&mut self, change: impl FnOnce(&mut State)) -> Result<(), Error> {
        let before = self.state.clone();
        change(&mut self.state);
        if self.state == before {
            return Ok(());
        }
        state_file::write_json(&self.path, &self.state).map_err(|error| unwritable(&self.path, &error))
    }

    /// Forgets everything.
    ///
    /// # Errors
    /// The notes cannot be removed.
    pub fn forget(self) -> Result<(), Error> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(unwritable(&self.path, &error)),
            _ => Ok(()),
        }
    }
}

/// Something that could not be written.
pub(super) fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    Error::write(
        format!("{} cannot be written: {error}", path.display()),
        "fix this, then rerun the command; it goes on where it stopped",
    )
}
