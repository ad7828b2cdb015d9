//! Writing configuration files as git does: `<file>.lock` is created, written, and renamed.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use gix_lock::acquire::Fail;

use super::os::{read, unwritable};
use lane_core::error::Error;

/// How long to wait for another writer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A configuration file that nobody else writes while this lives. What was staged and not committed
/// is forgotten with it.
pub(super) struct LockedFile {
    file: gix_lock::File,
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
        let mut lock = target.clone().into_os_string();
        lock.push(".lock");
        let mark = Mark::new(Path::new(&lock));
        let file = gix_lock::File::acquire(&target, Fail::AfterDurationWithBackoff(PATIENCE), None, 0, None);
        let file = file.map_err(|error| refused(Path::new(&lock), error.downcast_any_ref()))?;
        mark.set(file.lock_path());
        let text = read(&target)?;
        Ok(Self { file, text, staged: PendingWrite::Unchanged, _mark: mark })
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
        let target = self.file.resource_path();
        let written = self.file.with_mut(|file| {
            if let Ok(data) = fs::metadata(&target) {
                file.set_permissions(data.permissions())?;
            }
            file.write_all(&text)?;
            file.sync_all()
        });
        written.map_err(|error| unwritable(&target, &error))?;
        self.staged = PendingWrite::Written;
        Ok(())
    }

    /// Whether committing changes anything.
    pub fn is_changed(&self) -> bool {
        !matches!(self.staged, PendingWrite::Unchanged)
    }

    /// Puts what was staged in force, at once.
    pub fn commit(self) -> Result<(), Error> {
        let target = self.file.resource_path();
        let done = match self.staged {
            PendingWrite::Unchanged => Ok(()),
            PendingWrite::Written => self.file.commit().map(drop).map_err(|failed| failed.error),
            PendingWrite::Removed => fs::remove_file(&target),
        };
        done.map_err(|error| unwritable(&target, &error))
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
            if super::os::is_at(&file, lock) {
                let _ = fs::remove_file(lock);
            }
            let _ = fs::remove_file(&mark.0);
        }
        mark
    }

    /// Gives the file its second name, where the file system has such a thing.
    fn set(&self, lock: &Path) {
        lane_os::link_twice(lock, &self.0);
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
    }
}
