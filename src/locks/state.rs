//! What git-lane keeps beside the locks, in `lane/locks` of the common git folder: a guard that lets one
//! process at a time move refs, what was last, and caches that may be lost at any time.

use std::cell::Cell;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::guard::Guard;
use lane_core::error::Error;
use lane_core::locks::liveness::Seen;
use lane_core::locks::world::World;
use lane_git::kept;

/// The folder of what is kept.
#[derive(Debug, Clone)]
pub(crate) struct State {
    common_dir: PathBuf,
    folder: PathBuf,
    /// Nothing is kept where nothing may be written.
    is_read_only: bool,
    /// Whoever had the guard stood still: it is not waited for a second time.
    is_stuck: Cell<bool>,
}

/// When the remote's locks were read last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Synced {
    /// The remote.
    pub remote: String,
    /// The start of the machine that the time counts from.
    pub boot: Option<String>,
    /// When, in milliseconds.
    pub uptime: u64,
}

/// What tells a repository apart, and the file it is written in: a copy of it is another file.
#[derive(Debug, Serialize, Deserialize)]
struct Identity {
    id: String,
    file: Option<(u64, u64)>,
}

/// A file's device and number.
#[cfg(unix)]
fn file_of(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).ok().map(|data| (data.dev(), data.ino()))
}

#[cfg(not(unix))]
fn file_of(_: &Path) -> Option<(u64, u64)> {
    None
}

#[derive(Debug, Serialize, Deserialize)]
struct Sights {
    boot: Option<String>,
    seen: Seen,
}

/// The last event of an area that is known to have happened here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Floor {
    /// Its commit.
    pub oid: String,
    /// The highest generation given out by then.
    pub generation: u64,
}

/// How long to wait for whoever has the guard. They have it for milliseconds, unless they were stopped.
const STANDSTILL: Duration = Duration::from_secs(5);

const GUARD: &str = "guard";
const SEEN: &str = "seen.json";
const SYNCED: &str = "synced.json";
const FLOOR: &str = "floor-";
const REPOSITORY: &str = "repository.json";

impl State {
    /// The same, if nothing may be written there.
    pub fn read_only(self, is_read_only: bool) -> Self {
        Self { is_read_only, ..self }
    }

    /// Of a repository.
    pub fn of(common_dir: &Path) -> Self {
        Self::in_worktree(common_dir, "lane/locks")
    }

    /// What is kept beside the requests of a repository.
    pub fn of_requests(common_dir: &Path) -> Self {
        Self::in_worktree(common_dir, "lane/requests")
    }

    fn in_worktree(common_dir: &Path, folder: &str) -> Self {
        let (common_dir, folder) = (common_dir.to_owned(), common_dir.join(folder));
        Self { common_dir, folder, is_read_only: false, is_stuck: Cell::new(false) }
    }

    /// Waits until nobody else moves refs of locks. `None`: the file system has no such guards, or somebody
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
        let guard = Guard::take(&path, &self.common_dir, limit).map_err(|error| {
            Error::write(
                format!("{} cannot be written: {error}", path.display()),
                "nothing was changed; look at the room on the disk and at the folder's permissions",
            )
        })?;
        self.is_stuck.set(guard.is_none());
        Ok(guard)
    }

    /// The last event of the area whose ref ends so, as far as anybody noted it.
    pub fn floor(&self, part: &str) -> Option<Floor> {
        self.read(&format!("{FLOOR}{part}"))
    }

    /// The last parts of all refs whose last event was noted.
    pub fn floors(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names.filter_map(|name| name.strip_prefix(FLOOR).map(str::to_owned)).collect()
    }

    /// Notes the last event of an area: a ref that is gone or moved back is known by it.
    pub fn keep_floor(&self, part: &str, floor: &Floor) {
        self.write(&format!("{FLOOR}{part}"), floor);
    }

    /// What tells this repository apart from every other, its clones among them; made when first asked for.
    pub fn repository(&self, nonce: impl FnOnce() -> String) -> Option<String> {
        let path = self.folder.join(REPOSITORY);
        let known = || {
            let known = self.read::<Identity>(REPOSITORY)?;
            (known.file == file_of(&path)).then_some(known.id)
        };
        if self.is_read_only {
            return known();
        }
        known().or_else(|| {
            let beside = self.folder.join(format!(".{REPOSITORY}.{}", std::process::id()));
            let _ = fs::create_dir_all(&self.folder);
            let made = File::create(&beside).and_then(|mut file| {
                let identity = Identity { id: nonce(), file: file_of(&beside) };
                file.write_all(&serde_json::to_vec(&identity)?)
            });
            // One that came with a copy is another repository's. Of several that make one at the same time the
            // first stands.
            if self.read::<Identity>(REPOSITORY).is_some_and(|known| known.file != file_of(&path)) {
                let _ = fs::rename(&beside, &path);
            } else if made.is_ok() {
                let _ = fs::hard_link(&beside, &path);
            }
            let _ = fs::remove_file(beside);
            known()
        })
    }

    /// What was seen to stand still since this machine was started.
    pub fn seen(&self, world: &dyn World) -> Seen {
        let boot = &world.machine().boot;
        let sights = self.read::<Sights>(SEEN).filter(|sights| boot.is_some() && sights.boot == *boot);
        sights.map(|sights| sights.seen).unwrap_or_default()
    }

    /// Keeps what was seen. Losing it costs others patience, and nothing else.
    pub fn keep_seen(&self, seen: &Seen, world: &dyn World) {
        let boot = world.machine().boot.clone();
        self.write(SEEN, &Sights { boot, seen: seen.clone() });
    }

    /// Milliseconds since the remote's locks were read last, if they ever were.
    pub fn age(&self, remote: &str, world: &dyn World) -> Option<u64> {
        let synced = self.read::<Synced>(SYNCED)?;
        let boot = &world.machine().boot;
        let is_ours = boot.is_some() && synced.boot == *boot && synced.remote == remote;
        is_ours.then(|| world.now().uptime.checked_sub(synced.uptime)).flatten()
    }

    /// Keeps when the remote's locks were read.
    pub fn keep_synced(&self, remote: &str, world: &dyn World) {
        let (boot, uptime) = (world.machine().boot.clone(), world.now().uptime);
        self.write(SYNCED, &Synced { remote: remote.to_owned(), boot, uptime });
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_slice(&fs::read(self.folder.join(name)).ok()?).ok()
    }

    fn write(&self, name: &str, value: &impl Serialize) {
        if self.is_read_only {
            return;
        }
        let write = || -> std::io::Result<()> {
            fs::create_dir_all(&self.folder)?;
            kept::replace(&self.folder.join(name), &serde_json::to_vec(value)?)
        };
        let _ = write();
    }

    /// Removes all that is kept here; locks themselves are refs, and stay.
    pub fn forget(&self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let _ = fs::remove_file(entry.path());
        }
        let _ = fs::remove_dir(&self.folder);
    }
}
