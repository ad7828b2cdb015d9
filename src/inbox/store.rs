//! What was seen, kept in the common git folder: a folder for each reader, a file for each way in which it is told.
//!
//! A file is replaced in one piece under a lock, and several may do so at once: what one has noted, no other takes back. One that
//! is damaged counts as empty: things are shown once more, and none is lost.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lane_core::inbox::Seen;
use lane_git::state_file;
use sha2::{Digest, Sha256};

/// The folder of them.
const FOLDER: &str = "lane/inbox";
/// The most bytes that a file may have: more than what is kept at most.
const MOST: u64 = 4 << 20;
/// How long to wait for whoever writes; they need milliseconds.
const STANDSTILL: Duration = Duration::from_secs(3);

/// Who reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reader {
    /// An agent what concerns it.
    Agent(String),
    /// A maintainer, by e-mail address; what concerns an agent, where one was named.
    Maintainer(String, Option<String>),
}

impl Reader {
    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::Agent(agent) | Self::Maintainer(_, Some(agent)) => agent.clone(),
            Self::Maintainer(..) => "all agents".to_owned(),
        }
    }

    fn folder(&self) -> PathBuf {
        match self {
            Self::Agent(agent) => Path::new("agents").join(agent),
            Self::Maintainer(address, agent) => {
                let digest = Sha256::digest(address.as_bytes());
                let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
                let agent = agent.as_ref().map(|agent| format!("-{agent}")).unwrap_or_default();
                Path::new("maintainers").join(name + &agent)
            }
        }
    }
}

/// What one reader has seen in one way.
#[derive(Debug, Clone)]
pub struct SeenFile {
    path: PathBuf,
}

impl SeenFile {
    /// What a reader has read itself.
    pub fn inbox(common_dir: &Path, reader: &Reader) -> Self {
        Self::named(common_dir, reader, "read")
    }

    /// What a watcher has told a reader by one of its channels.
    pub fn channel(common_dir: &Path, reader: &Reader, channel: &str) -> Self {
        Self::named(common_dir, reader, &format!("watch-{channel}"))
    }

    fn named(common_dir: &Path, reader: &Reader, name: &str) -> Self {
        Self { path: common_dir.join(FOLDER).join(reader.folder()).join(format!("{name}.json")) }
    }

    /// What was seen; nothing where that cannot be read.
    pub fn read(&self) -> Seen {
        let bytes = state_file::read_file(&self.path, MOST).ok();
        bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Begins it with what another one has, unless it is there: what was read before is no news to a new channel.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn begin_with(&self, other: &Self) -> io::Result<()> {
        if self.path.exists() {
            return Ok(());
        }
        let known = other.read();
        self.update(|seen| {
            seen.marks.extend(known.marks);
            true
        })
    }

    /// Changes it from what it is at that moment. `change`: whether there is anything to be kept.
    ///
    /// # Errors
    /// It cannot be written, or somebody has stood still with it.
    pub fn update(&self, change: impl FnOnce(&mut Seen) -> bool) -> io::Result<()> {
        let guard = state_file::lock_file(&self.path.with_extension("lock"))?;
        wait(&guard)?;
        let mut seen = self.read();
        if change(&mut seen) {
            state_file::replace(&self.path, &serde_json::to_vec(&seen)?)?;
        }
        Ok(())
    }
}

fn wait(guard: &File) -> io::Result<()> {
    let started = Instant::now();
    loop {
        match guard.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if started.elapsed() > STANDSTILL => {
                return Err(io::Error::other("another process has stood still with it"));
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// The one watcher of a reader, until it is dropped.
#[derive(Debug)]
pub struct WatchGuard {
    file: File,
}

impl Drop for WatchGuard {
    /// A child that is being started this moment still has the file open until it is another program: closing it here would
    /// not let go of the lock.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

impl WatchGuard {
    /// Becomes it; `None`: there is one.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn acquire(common_dir: &Path, reader: &Reader) -> io::Result<Option<Self>> {
        let path = common_dir.join(FOLDER).join(reader.folder()).join("watch.lock");
        let file = state_file::lock_file(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// Removes what all readers have seen.
pub fn forget(common_dir: &Path) {
    let _ = fs::remove_dir_all(common_dir.join(FOLDER));
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use lane_core::inbox::{CONFLICT, Notice};

    fn notice(mark: &str) -> [Notice; 1] {
        [Notice::new(&CONFLICT, None, 0, vec![mark.to_owned()])]
    }

    #[test]
    fn what_two_write_at_once_is_kept_of_both() {
        let folder = tempfile::tempdir().unwrap();
        let file = SeenFile::inbox(folder.path(), &Reader::Agent("a1".into()));
        std::thread::scope(|scope| {
            for at in 0..8 {
                let file = &file;
                scope.spawn(move || {
                    for round in 0..20 {
                        file.update(|seen| {
                            seen.add(&notice(&format!("{at}-{round}")), 1);
                            true
                        })
                        .unwrap();
                    }
                });
            }
        });
        assert_eq!(file.read().marks.len(), 160);
    }

    #[test]
    fn damage_is_nothing_seen_and_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let reader = Reader::Maintainer("a@b".into(), Some("a1".into()));
        let file = SeenFile::channel(folder.path(), &reader, "exec");
        let add = |mark: &str| {
            file.update(|seen| {
                seen.add(&notice(mark), 1);
                true
            })
        };
        add("x").unwrap();
        for damage in ["", "{\"marks\":", "[]", "\0\0"] {
            fs::write(&file.path, damage).unwrap();
            assert_eq!(file.read(), Seen::default(), "{damage:?}");
        }
        add("y").unwrap();
        assert!(file.read().marks.contains_key("y"));
    }

    #[test]
    fn one_watcher_for_a_reader() {
        let folder = tempfile::tempdir().unwrap();
        let reader = Reader::Agent("a1".into());
        let first = WatchGuard::acquire(folder.path(), &reader).unwrap();
        assert!(first.is_some());
        assert!(WatchGuard::acquire(folder.path(), &reader).unwrap().is_none());
        assert!(WatchGuard::acquire(folder.path(), &Reader::Agent("a2".into())).unwrap().is_some());
        drop(first);
        assert!(WatchGuard::acquire(folder.path(), &reader).unwrap().is_some());
    }
}
