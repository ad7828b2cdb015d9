//! Small files of ours in the common git folder, and the locks beside them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;

/// Opens a file that serves as a lock, and makes it and its folder where they are missing. The system gives a lock
/// on it back when its holder dies.
///
/// # Errors
/// The folder cannot be written.
pub fn lock_file(path: &Path) -> io::Result<File> {
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

/// Waits until nobody else has the lock, and takes it; whoever drops the file releases it.
///
/// # Errors
/// As for opening it.
pub fn locked(path: &Path) -> io::Result<File> {
    let file = lock_file(path)?;
    file.lock().map(|()| file)
}

/// The bytes of a file, or of what a link leads to. Opening a pipe would wait for whoever writes into it, so what is no file is
/// not opened.
///
/// # Errors
/// It is not a file, has more than `most` bytes, or cannot be read.
pub fn read_file(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("it is larger than {} MB", most >> 20)));
    }
    Ok(bytes)
}

/// Replaces a file, in one piece. Several processes may do so at the same time; the last one stands.
///
/// # Errors
/// It cannot be written.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

/// Where a file of the user's is written before it gets its name: always there, so that what a killed process leaves is found
/// by the next one.
pub fn beside(path: &Path) -> PathBuf {
    path.with_file_name(format!(".{}.lane-new", path.file_name().unwrap_or_default().display()))
}

/// Writes a file there, whole and on disk, in place of what a killed process has left. Nothing is left where it cannot be
/// written.
///
/// # Errors
/// It cannot be written.
pub fn write_beside(path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    let beside = beside(path);
    let _ = fs::remove_file(&beside);
    let written = File::create_new(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written.map(|()| beside)
}

/// Replaces a file by JSON, in one piece, under a lock.
///
/// # Errors
/// It cannot be written.
pub fn write_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    let beside = path.with_extension("new");
    fs::write(&beside, text + "\n").and_then(|()| fs::rename(&beside, path))
}
