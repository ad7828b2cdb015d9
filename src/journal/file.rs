//! The files of the journal. A record is one line, appended in one piece; a file that is full moves aside, and the one that
//! had moved before goes.
//!
//! Any number of processes append at a time, and none waits for another. The one that finds the file full moves it while it
//! has the file's own lock, and only if the file is still the one that it found: so no file moves twice. Whoever had it open
//! then writes to where it is now, which is read all the same.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// The names below the common git folder: the file that is written, and the one before it.
pub const FILES: [&str; 2] = ["lane/journal", "lane/journal.1"];
/// How many bytes a file has at most, but for the records that were on their way as it became full.
pub const MOST: u64 = 4 << 20;
/// As large as a file may become where nobody can move it aside.
const STUCK: u64 = 2;
/// How often the file that is written may have moved aside before this one gives up.
const TRIES: usize = 8;

/// Whether the journal can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It can.
    Ready,
    /// git-lane has no folder there.
    NotInstalled,
    /// Something else lies in its place: a link, a folder, a device.
    Replaced,
    /// It belongs to another user.
    Foreign,
}

/// Appends a line. Where there is no folder of ours, or the journal is another user's, nothing is written.
pub(super) fn append(common_dir: &Path, line: &[u8], most: u64) -> io::Result<()> {
    if !is_own_folder(common_dir) {
        return Ok(());
    }
    let path = common_dir.join(FILES[0]);
    for _ in 0..TRIES {
        let file = open(&path, OpenOptions::new().append(true).create(true))?;
        let data = file.metadata()?;
        if lane_os::is_removed(&data) {
            continue; // it moved aside twice since it was opened
        }
        if !lane_os::is_plain(&data) || !lane_os::is_own(&data) || data.len() >= most.saturating_mul(STUCK) {
            return Ok(());
        }
        if data.len() >= most && is_moved_aside(&file, &data, &path, common_dir)? {
            continue;
        }
        return write(&file, line);
    }
    Ok(())
}

/// In one piece: the rest of a record that did not fit on the disk would come after another's.
fn write(mut file: &File, line: &[u8]) -> io::Result<()> {
    loop {
        match file.write(line) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            written => return written.map(drop),
        }
    }
}

/// Moves a full file aside; whether the path is another file's by now. Not so where another process is about to do it: this
/// record still goes to the old one.
fn is_moved_aside(file: &File, data: &Metadata, path: &Path, common_dir: &Path) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(false),
        Err(TryLockError::Error(error)) => {
            log::debug!("the journal cannot be locked: {error}");
            return Ok(false);
        }
    }
    if fs::symlink_metadata(path).is_ok_and(|now| is_same(&now, data)) {
        fs::rename(path, common_dir.join(FILES[1]))?;
    }
    Ok(true)
}

/// The texts of both files, the older one first.
pub(super) fn read(common_dir: &Path) -> io::Result<Vec<Vec<u8>>> {
    let paths = FILES.map(|name| common_dir.join(name));
    let mut now = reader(&paths[0])?;
    let before = reader(&paths[1])?;
    // It moved aside between the two.
    if let (Some((_, a)), Some((_, b))) = (&now, &before)
        && is_same(a, b)
    {
        now = reader(&paths[0])?;
    }
    let mut texts = Vec::new();
    for (file, _) in before.into_iter().chain(now) {
        let mut text = Vec::new();
        file.take(MOST * (STUCK + 1)).read_to_end(&mut text)?;
        texts.push(text);
    }
    Ok(texts)
}

fn reader(path: &Path) -> io::Result<Option<(File, Metadata)>> {
    let file = match open(path, OpenOptions::new().read(true)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let data = file.metadata()?;
    if !data.is_file() {
        return Err(io::Error::other(format!("{} is not a file", path.display())));
    }
    Ok(Some((file, data)))
}

/// Whether the journal can be written, as far as that can be seen.
pub fn state(common_dir: &Path) -> State {
    match fs::symlink_metadata(folder(common_dir)) {
        Err(_) => return State::NotInstalled,
        Ok(data) if !data.is_dir() => return State::Replaced,
        Ok(data) if !lane_os::is_own(&data) => return State::Foreign,
        Ok(_) => {}
    }
    match fs::symlink_metadata(common_dir.join(FILES[0])) {
        Ok(data) if !lane_os::is_plain(&data) => State::Replaced,
        Ok(data) if !lane_os::is_own(&data) => State::Foreign,
        _ => State::Ready,
    }
}

fn folder(common_dir: &Path) -> PathBuf {
    common_dir.join("lane")
}

/// Whether git-lane's folder is there, is no link, and is this user's: what root would write there, its owner could not append
/// to.
fn is_own_folder(common_dir: &Path) -> bool {
    fs::symlink_metadata(folder(common_dir)).is_ok_and(|data| data.is_dir() && lane_os::is_own(&data))
}

/// Opens it without following a link, and without waiting for whoever reads a pipe. Nobody else may read it.
fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let opened = lane_os::open_no_follow(path, lane_os::private_file(options));
    let words = |error: io::Error| match lane_os::is_link_error(&error) {
        true => io::Error::other("it is a symbolic link"),
        false => error,
    };
    opened.map_err(words)
}

/// Whether one file was looked at twice.
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    match (lane_os::file_id(one), lane_os::file_id(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one.created().ok().zip(other.created().ok()).is_some_and(|(one, other)| one == other),
    }
}

#[cfg(test)]
mod tests;
