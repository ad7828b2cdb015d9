//! Writing configuration files as git does: `<file>.lock` is created, written, and renamed.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use gix_lock::acquire::Fail;

use super::os::{is_at, read, unwritable};
use lane_core::error::Error;

/// How long to wait until another writer is looked for again.
const PAUSE: Duration = Duration::from_millis(20);
/// How long to wait for another writer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A configuration file that nobody else writes while this lives. What was staged and not committed
/// is forgotten with it.
pub(super) struct LockedFile {
    file: Lock,
    /// The file itself, no link to it.
    target: PathBuf,
    /// What the file holds now.
    pub text: Option<Vec<u8>>,
    staged: PendingWrite,
    _mark: Mark,
}

enum PendingWrite {
    Unchanged,
    Written,
    Removed,
}

impl LockedFile {
    /// Locks a file that may not be there yet, and reads it.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let mut name = target.clone().into_os_string();
        name.push(".lock");
        let lock = PathBuf::from(name);
        let mark = Mark::new(&lock);
        let file = Lock::acquire(&target, &lock, &mark)?;
        let text = read(&target)?;
        Ok(Self { file, target, text, staged: PendingWrite::Unchanged, _mark: mark })
    }

    /// Writes the new text beside the file; `None`: it will be removed.
    pub fn stage(&mut self, text: Option<Vec<u8>>) -> Result<(), Error> {
        if text == self.text {
            return Ok(());
        }
        let Some(text) = text else {
            self.staged = PendingWrite::Removed;
            return Ok(());
        };
        let target = &self.target;
        let written = self.file.with_mut(|file| {
            if let Ok(data) = fs::metadata(target) {
                file.set_permissions(data.permissions())?;
            }
            file.write_all(&text)?;
            file.sync_all()
        });
        written.map_err(|error| unwritable(target, &error))?;
        self.staged = PendingWrite::Written;
        Ok(())
    }

    /// Whether committing changes anything.
    pub fn is_changed(&self) -> bool {
        !matches!(self.staged, PendingWrite::Unchanged)
    }

    /// Puts what was staged in force, at once.
    pub fn commit(self) -> Result<(), Error> {
        let target = &self.target;
        let done = match self.staged {
            PendingWrite::Unchanged => Ok(()),
            PendingWrite::Written => self.file.commit(target),
            PendingWrite::Removed => fs::remove_file(target),
        };
        done.map_err(|error| unwritable(target, &error))
    }
}

/// A file that is `<file>.lock`, which no other git makes while it is there.
enum Lock {
    /// The file of a mark, which got this name as its second.
    Linked(Linked),
    /// Made under this name, where the file system knows no second names.
    Made(gix_lock::File),
}

impl Lock {
    /// Waits for other writers. The mark is there first: between two calls that make the lock and mark it, whoever is killed
    /// would leave a lock that nobody knows.
    fn acquire(target: &Path, lock: &Path, mark: &Mark) -> Result<Self, Error> {
        let file = File::create_new(&mark.0).map_err(|error| unwritable(lock, &error))?;
        let started = Instant::now();
        loop {
            match lane_os::link_twice(&mark.0, lock) {
                Ok(()) => return Ok(Self::Linked(Linked { lock: lock.to_owned(), file })),
                Err(error) if error.kind() != ErrorKind::AlreadyExists => break,
                Err(error) if started.elapsed() > PATIENCE => return Err(refused(lock, Some(&error))),
                Err(_) => sleep(PAUSE),
            }
        }
        let _ = fs::remove_file(&mark.0);
        let left = PATIENCE.saturating_sub(started.elapsed());
        let file = gix_lock::File::acquire(target, Fail::AfterDurationWithBackoff(left), None, 0, None);
        file.map(Self::Made).map_err(|error| refused(lock, error.downcast_any_ref()))
    }

    fn with_mut(&mut self, write: impl FnOnce(&mut File) -> std::io::Result<()>) -> std::io::Result<()> {
        match self {
            Self::Linked(Linked { file, .. }) => write(file),
            Self::Made(file) => file.with_mut(write),
        }
    }

    fn commit(self, target: &Path) -> std::io::Result<()> {
        match self {
            Self::Linked(linked) => fs::rename(&linked.lock, target),
            Self::Made(file) => file.commit().map(drop).map_err(|failed| failed.error),
        }
    }
}

struct Linked {
    lock: PathBuf,
    file: File,
}

impl Drop for Linked {
    fn drop(&mut self) {
        // Once it has become the target, the name may be another git's.
        if is_at(&self.file, &self.lock) {
            let _ = fs::remove_file(&self.lock);
        }
    }
}

fn refused(lock: &Path, error: Option<&std::io::Error>) -> Error {
    match error {
        Some(error) if error.kind() != ErrorKind::AlreadyExists => unwritable(lock, error),
        _ => Error::write(
            format!("{} exists: another git process is writing that file", lock.display()),
            format!(
                "try again when it is done; if no git process is running, remove the file: rm {}",
                lane_core::report::quote(&super::os::bytes_of(lock))
            ),
        ),
    }
}

/// A second name of a lock file, by which one that a killed installer left is known as ours: installers hold a lock of
/// their own, so that none is at work when another begins.
struct Mark(PathBuf);

impl Mark {
    /// Clears away what was left: a lock file is ours if it is the very file that has the second name, too.
    fn new(lock: &Path) -> Self {
        let mut name = lock.as_os_str().to_owned();
        name.push(".lane");
        let mark = Self(name.into());
        if let Ok(file) = File::open(&mark.0) {
            if is_at(&file, lock) {
                let _ = fs::remove_file(lock);
            }
            let _ = fs::remove_file(&mark.0);
        }
        mark
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_killed_installers_lock_is_cleared_away_and_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let (target, lock) = (folder.path().join("config"), folder.path().join("config.lock"));
        std::mem::forget(LockedFile::open(&target).unwrap());
        assert!(lock.exists(), "as if killed");
        let mut locked = LockedFile::open(&target).unwrap();
        locked.stage(Some(b"x".to_vec())).unwrap();
        locked.commit().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the file alone is left");
        // Another git's: a second name that is not its own says nothing.
        fs::write(&lock, "").unwrap();
        fs::write(folder.path().join("config.lock.lane"), "").unwrap();
        assert!(LockedFile::open(&target).is_err());
        assert!(lock.exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "the mark is gone");
    }
}
