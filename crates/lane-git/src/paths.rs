//! Paths: as the bytes that git and files of ours hold, and joined.

use std::fs::Metadata;
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

/// Whether two paths lead to one file or folder. Both have to be there.
pub fn is_same_file(one: &Path, two: &Path) -> bool {
    let look = |path| std::fs::metadata(path);
    matches!((look(one), look(two)), (Ok(a), Ok(b)) if is_same((one, &a), (two, &b)))
}

/// The same of two paths that were looked at already.
#[cfg(unix)]
pub fn is_same((_, one): (&Path, &Metadata), (_, two): (&Path, &Metadata)) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (two.dev(), two.ino())
}

/// The same of two paths that were looked at already.
#[cfg(not(unix))]
pub fn is_same((one, _): (&Path, &Metadata), (two, _): (&Path, &Metadata)) -> bool {
    matches!((one.canonicalize(), two.canonicalize()), (Ok(a), Ok(b)) if a == b)
}
