//! What git-lane keeps beside a log, in a folder below `lane` of the common git folder: a guard that lets one
//! process at a time move refs, what was last, and caches that may be lost at any time.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::guard::Guard;
use super::record::LogKind;
use lane_core::error::Error;
use lane_git::state_file;

/// The files beside a log.
#[derive(Debug, Clone)]
pub(crate) struct LocalFiles {
    common_dir: PathBuf,
    folder: PathBuf,
    /// Nothing is kept where nothing may be written.
    is_read_only: bool,
    /// Whoever had the guard stood still: it is not waited for a second time.
    is_stuck: Cell<bool>,
}

/// The last event of a ref that is known to have happened here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floor {
    /// Its commit.
    pub oid: String,
    /// The highest generation given out by then; 0 where the log has none.
    pub generation: u64,
}

/// How long to wait for whoever has the guard. They have it for milliseconds, unless they were stopped.
const STANDSTILL: Duration = Duration::from_secs(5);

const GUARD: &str = "guard";
const FLOOR: &str = "floor-";

impl LocalFiles {
    /// The same, if nothing may be written there.
    pub fn read_only(self, is_read_only: bool) -> Self {
        Self { is_read_only, ..self }
    }

    /// Those of a kind of log in a repository.
    pub fn of(common_dir: &Path, kind: &LogKind) -> Self {
        let folder = kind.folder;
        let (common_dir, folder) = (common_dir.to_owned(), common_dir.join(folder));
        Self { common_dir, folder, is_read_only: false, is_stuck: Cell::new(false) }
    }

    /// Whether nothing may be written there.
    pub fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    /// The path of one of them.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Waits until nobody else moves refs of the log. `None`: the file system has no such guards, or somebody
    /// stands still with it; then git's own locks alone decide, as they do in the end anyway.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn guard(&self) -> Result<Option<Guard>, Error> {
        if self.is_read_only {
            return Ok(None);
        }
        let path = self.folder.join(GUARD);
        let limit = if self.is_stuck.get() { Duration::ZERO } else { STANDSTILL };
        let guard = Guard::acquire(&path, &self.common_dir, limit).map_err(|error| {
            Error::write(
                format!("{} cannot be written: {error}", path.display()),
                "nothing was changed; check disk space and the permissions of the folder",
            )
        })?;
        self.is_stuck.set(guard.is_none());
        Ok(guard)
    }

    /// The last event of the ref whose name ends so, as far as anybody noted it.
    pub fn floor(&self, part: &str) -> Option<Floor> {
        self.read(&format!("{FLOOR}{part}"))
    }

    /// The last parts of all refs whose last event was noted.
    pub fn floors(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names.filter_map(|name| name.strip_prefix(FLOOR).map(str::to_owned)).collect()
    }

    /// Notes the last event of a ref: one that is gone or moved back is known by it.
    pub fn keep_floor(&self, part: &str, floor: &Floor) {
        self.write(&format!("{FLOOR}{part}"), floor);
    }

    /// What a JSON file of the folder says, if it is there and whole.
    pub fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_slice(&fs::read(self.folder.join(name)).ok()?).ok()
    }

    /// Writes a JSON file of the folder, which may get lost.
    pub fn write(&self, name: &str, value: &impl Serialize) {
        if self.is_read_only {
            return;
        }
        let write = || -> std::io::Result<()> {
            fs::create_dir_all(&self.folder)?;
            state_file::replace(&self.folder.join(name), &serde_json::to_vec(value)?)
        };
        let _ = write();
    }

    /// Removes all of them; records themselves are in refs, and stay.
    pub fn forget(&self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let _ = fs::remove_file(entry.path());
        }
        let _ = fs::remove_dir(&self.folder);
    }
}
