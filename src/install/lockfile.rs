//! Writing configuration files as git does: `<file>.lock` is created, written, and renamed.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::os::{read, unwritable};
use lane_core::error::Error;

/// How long to wait for another writer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A configuration file that nobody else writes while this lives. What was staged and not committed
/// is forgotten with it.
pub(super) struct Locked {
    target: PathBuf,
    lock: PathBuf,
    file: Option<File>,
    /// What the file holds now.
    pub text: Option<Vec<u8>>,
    staged: Staged,
}

enum Staged {
    Unchanged,
    Written,
    Removed,
}

impl Locked {
    /// Locks a file that may not be there yet, and reads it.
    pub fn take(path: &Path) -> Result<Self, Error> {
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let mut lock = target.clone().into_os_string();
        lock.push(".lock");
        let lock = PathBuf::from(lock);
        let file = create(&lock)?;
        let mut locked = Self { target, lock, file: Some(file), text: None, staged: Staged::Unchanged };
        locked.text = read(&locked.target)?;
        Ok(locked)
    }

    /// Writes the new text beside the file; `None`: it will be removed.
    pub fn stage(&mut self, text: Option<Vec<u8>>) -> Result<(), Error> {
        if text == self.text {
            return Ok(());
        }
        let Some(text) = text else {
            self.staged = Staged::Removed;
            return Ok(());
        };
        let Some(mut file) = self.file.take() else {
            return Ok(());
        };
        let mut write = || {
            if let Ok(data) = fs::metadata(&self.target) {
                file.set_permissions(data.permissions())?;
            }
            file.write_all(&text)?;
            file.sync_all()
        };
        write().map_err(|error| unwritable(&self.target, &error))?;
        self.staged = Staged::Written;
        Ok(())
    }

    /// Whether committing changes anything.
    pub fn is_changed(&self) -> bool {
        !matches!(self.staged, Staged::Unchanged)
    }

    /// Puts what was staged in force, at once.
    pub fn commit(mut self) -> Result<(), Error> {
        drop(self.file.take());
        let done = match self.staged {
            Staged::Unchanged => Ok(()),
            Staged::Written => fs::rename(&self.lock, &self.target),
            Staged::Removed => fs::remove_file(&self.target),
        };
        // A lock that was renamed away is not ours to remove any more: it may be the next writer's.
        if done.is_ok() && matches!(self.staged, Staged::Written) {
            let _ = fs::remove_file(name_of_ours(&self.lock));
            self.lock = PathBuf::new();
        }
        done.map_err(|error| unwritable(&self.target, &error))
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        if !self.lock.as_os_str().is_empty() {
            let _ = fs::remove_file(&self.lock);
            let _ = fs::remove_file(name_of_ours(&self.lock));
        }
    }
}

/// A second name of a lock file that is ours.
fn name_of_ours(lock: &Path) -> PathBuf {
    let mut name = lock.as_os_str().to_owned();
    name.push(".lane");
    name.into()
}

/// Clears away what an installer left that was killed: installers hold a lock of their own, so that none is at
/// work now; and a lock file is theirs if it is the file that has the second name, too.
#[cfg(unix)]
fn clear_leftover(lock: &Path) {
    let ours = name_of_ours(lock);
    if let Ok(file) = File::open(&ours) {
        if super::os::is_at(&file, lock) {
            let _ = fs::remove_file(lock);
        }
        let _ = fs::remove_file(&ours);
    }
}

/// Makes a lock file that has both names from the first moment on; without the second one where the file
/// system has no such thing.
#[cfg(unix)]
fn create_once(lock: &Path) -> std::io::Result<File> {
    let ours = name_of_ours(lock);
    let new = |path: &Path| OpenOptions::new().write(true).create_new(true).open(path);
    let Ok(file) = new(&ours) else {
        return new(lock);
    };
    match fs::hard_link(&ours, lock) {
        Ok(()) => Ok(file),
        Err(error) => {
            let _ = fs::remove_file(&ours);
            if error.kind() == ErrorKind::AlreadyExists { Err(error) } else { new(lock) }
        }
    }
}

#[cfg(not(unix))]
fn clear_leftover(_: &Path) {}

#[cfg(not(unix))]
fn create_once(lock: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(lock)
}

fn create(lock: &Path) -> Result<File, Error> {
    let started = Instant::now();
    let mut pause = Duration::from_millis(2);
    clear_leftover(lock);
    loop {
        match create_once(lock) {
            Ok(file) => return Ok(file),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                if started.elapsed() >= PATIENCE {
                    return Err(Error::write(
                        format!("{} is there: another git process is writing that file", lock.display()),
                        format!(
                            "try again when it is done; if no git process runs, remove the file: rm {}",
                            lane_core::report::quote(&super::os::bytes_of(lock))
                        ),
                    ));
                }
            }
            Err(error) => return Err(unwritable(lock, &error)),
        }
        sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_killed_installers_lock_is_cleared_away_and_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let (target, lock) = (folder.path().join("config"), folder.path().join("config.lock"));
        std::mem::forget(Locked::take(&target).unwrap());
        assert!(lock.exists(), "as if killed");
        let mut locked = Locked::take(&target).unwrap();
        locked.stage(Some(b"x".to_vec())).unwrap();
        locked.commit().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the file alone is left");
        // Another git's: a second name that is not its own says nothing.
        fs::write(&lock, "").unwrap();
        fs::write(name_of_ours(&lock), "").unwrap();
        assert!(Locked::take(&target).is_err());
        assert!(lock.exists());
    }
}
