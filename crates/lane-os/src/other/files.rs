//! Files: whose they are, who may use them, and which is which.

use std::ffi::OsStr;
use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The path that bytes name; what is no UTF-8 in them is replaced.
pub fn path_of(bytes: &[u8]) -> PathBuf {
    String::from_utf8_lossy(bytes).into_owned().into()
}

/// A path as the bytes that a script or a configuration file holds: with slashes, as git writes it.
pub fn bytes_of(path: &Path) -> Vec<u8> {
    path.to_string_lossy().replace('\\', "/").into_bytes()
}

/// Bytes of git as the system's own text; `None` where it has no such text.
pub fn os_str(bytes: &[u8]) -> Option<&OsStr> {
    std::str::from_utf8(bytes).ok().map(OsStr::new)
}

/// Whether two paths that were looked at lead to one file or folder.
pub fn is_same((one, _): (&Path, &Metadata), (two, _): (&Path, &Metadata)) -> bool {
    matches!((one.canonicalize(), two.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// A file's device and number, where the system has such.
pub fn file_id(_: &Metadata) -> Option<(u64, u64)> {
    None
}

/// What changes with a file's content, for comparing it with what it was.
pub fn stamp(data: &Metadata) -> String {
    format!("{}:{:?}", data.len(), data.modified().ok())
}

/// Whether the system would start a file of which it says this: the name alone tells, or git's own sh does.
pub fn may_execute(_: &Metadata) -> bool {
    true
}

/// Lets everybody read and execute a file, as everybody may.
///
/// # Errors
/// Never.
pub fn make_executable(_: &File) -> io::Result<()> {
    Ok(())
}

/// Lets nobody but this user use a file: as the folder says in which it lies.
///
/// # Errors
/// Never.
pub fn set_private(_: &Path, _: bool) -> io::Result<()> {
    Ok(())
}

/// A file that is made is whose the folder says in which it lies.
pub fn private_file(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// A folder that is made is whose the folder says in which it lies.
pub fn private_folder(builder: &mut DirBuilder) -> &mut DirBuilder {
    builder
}

/// Whether a file or folder is this user's: not told here.
pub fn is_own(_: &Metadata) -> bool {
    true
}

/// Whether it is a file.
pub fn is_plain(data: &Metadata) -> bool {
    data.is_file()
}

/// Whether an open file has no name any more: it cannot be removed here.
pub fn is_removed(_: &Metadata) -> bool {
    false
}

/// Whether an open file still stands at a path: it cannot be removed here.
pub fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

/// Gives a file a second name, where that can be done and tells who made it: not here.
pub fn link_twice(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// When a file was touched.
///
/// # Errors
/// The system does not tell.
pub fn touched(data: &Metadata) -> io::Result<SystemTime> {
    data.modified()
}

/// Opens a file without following a link.
///
/// # Errors
/// It is a link, which [`is_link_error`] tells, or cannot be opened.
pub fn open_no_follow(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    if std::fs::symlink_metadata(path).is_ok_and(|data| data.is_symlink()) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    options.open(path)
}

/// Whether a file was not opened because it is a link.
pub fn is_link_error(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
}

/// Makes a symbolic link: that wants a right which few users have.
///
/// # Errors
/// Always.
pub fn symlink(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::Error::other("links cannot be made here"))
}
