//! Paths: as the bytes that git and files of ours hold, and joined.

use std::path::{Component, Path, PathBuf};

/// The path that bytes name.
#[cfg(unix)]
pub fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    std::ffi::OsStr::from_bytes(bytes).into()
}

/// The path that bytes name; what is no UTF-8 in them is replaced.
#[cfg(not(unix))]
pub fn path_of(bytes: &[u8]) -> PathBuf {
    String::from_utf8_lossy(bytes).into_owned().into()
}

/// Joins two paths, and takes `.` and `..` out by the text alone: no link is followed.
pub fn join(from: &Path, path: &Path) -> PathBuf {
    let mut joined = from.to_owned();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(joined.pop()),
            Component::CurDir => {}
            part => joined.push(part),
        }
    }
    joined
}
