//! What is kept beside the locks alone: what was seen to stand still, when the remote was read last, and what
//! tells this repository apart.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::event_log::LocalFiles;
use lane_core::locks::liveness::Observations;
use lane_core::locks::world::World;

const SEEN: &str = "seen.json";
const SYNCED: &str = "synced.json";
const REPOSITORY: &str = "repository.json";

/// When the remote's locks were read last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct SyncStamp {
    /// The remote.
    remote: String,
    /// The start of the machine that the time counts from.
    boot: Option<String>,
    /// When, in milliseconds.
    uptime: u64,
}

/// What tells a repository apart, and the file it is written in: a copy of it is another file.
#[derive(Debug, Serialize, Deserialize)]
struct Identity {
    id: String,
    file: Option<(u64, u64)>,
}

/// A file's device and number.
fn file_of(path: &Path) -> Option<(u64, u64)> {
    lane_os::file_id(&fs::metadata(path).ok()?)
}

#[derive(Debug, Serialize, Deserialize)]
struct SavedObservations {
    boot: Option<String>,
    seen: Observations,
}

impl LocalFiles {
    /// What tells this repository apart from every other, its clones among them; made when first asked for.
    pub fn repository(&self, nonce: impl FnOnce() -> String) -> Option<String> {
        let path = self.path(REPOSITORY);
        let known = || {
            let known = self.read::<Identity>(REPOSITORY)?;
            (known.file == file_of(&path)).then_some(known.id)
        };
        if self.is_read_only() {
            return known();
        }
        known().or_else(|| {
            let beside = self.path(&format!(".{REPOSITORY}.{}", std::process::id()));
            let _ = path.parent().map(fs::create_dir_all);
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
    pub fn seen(&self, world: &dyn World) -> Observations {
        let is_ours = |sights: &SavedObservations| {
            let boot = &world.machine().boot;
            boot.is_some() && sights.boot == *boot
        };
        self.read::<SavedObservations>(SEEN).filter(is_ours).map(|sights| sights.seen).unwrap_or_default()
    }

    /// Keeps what was seen. Losing it costs others patience, and nothing else.
    pub fn keep_seen(&self, seen: &Observations, world: &dyn World) {
        let boot = world.machine().boot.clone();
        self.write(SEEN, &SavedObservations { boot, seen: seen.clone() });
    }

    /// Milliseconds since the remote's locks were read last, if they ever were.
    pub fn age(&self, remote: &str, world: &dyn World) -> Option<u64> {
        let synced = self.read::<SyncStamp>(SYNCED)?;
        let boot = &world.machine().boot;
        let is_ours = boot.is_some() && synced.boot == *boot && synced.remote == remote;
        is_ours.then(|| world.now().uptime.checked_sub(synced.uptime)).flatten()
    }

    /// Keeps when the remote's locks were read.
    pub fn keep_synced(&self, remote: &str, world: &dyn World) {
        let (boot, uptime) = (world.machine().boot.clone(), world.now().uptime);
        self.write(SYNCED, &SyncStamp { remote: remote.to_owned(), boot, uptime });
    }
}
