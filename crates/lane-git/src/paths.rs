//! Paths, joined.

use std::path::{Component, Path, PathBuf};

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
