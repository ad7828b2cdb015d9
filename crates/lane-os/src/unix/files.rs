//! Files: whose they are, who may use them, and which is which.

use std::ffi::OsStr;
use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::OFlags;

/// The path that bytes name.
pub fn path_of(bytes: &[u8]) -> PathBuf {
    OsStr::from_bytes(bytes).into()
}

/// A path as the bytes that a script or a configuration file holds.
pub fn bytes_of(path: &Path) -> Vec<u8> {
    path.as_os_str().as_bytes().to_vec()
}

/// Bytes of git as the system's own text; `None` where it has no such text.
pub fn os_str(bytes: &[u8]) -> Option<&OsStr> {
    Some(OsStr::from_bytes(bytes))
}

/// Whether two paths that were looked at lead to one file or folder.
pub fn is_same((_, one): (&Path, &Metadata), (_, two): (&Path, &Metadata)) -> bool {
    file_id(one) == file_id(two)
}

/// A file's device and number, where the system has such.
pub fn file_id(data: &Metadata) -> Option<(u64, u64)> {
    Some((data.dev(), data.ino()))
}

/// What changes with a file's content, for comparing it with what it was.
pub fn stamp(data: &Metadata) -> String {
    format!("{}:{}:{}:{}.{}", data.dev(), data.ino(), data.len(), data.mtime(), data.mtime_nsec())
}

/// Whether the system would start a file of which it says this.
pub fn may_execute(data: &Metadata) -> bool {
    data.permissions().mode() & 0o111 != 0
}

/// Lets everybody read and execute a file.
///
/// # Errors
/// The system refuses.
pub fn make_executable(file: &File) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(0o755))
}

/// Lets nobody but this user use a file.
///
/// # Errors
/// The system refuses.
pub fn set_private(path: &Path, is_executable: bool) -> io::Result<()> {
    std::fs::set_permissions(path, Permissions::from_mode(if is_executable { 0o700 } else { 0o600 }))
}

/// A file that is made is this user's alone.
pub fn private_file(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

/// A folder that is made is this user's alone.
pub fn private_folder(builder: &mut DirBuilder) -> &mut DirBuilder {
    builder.mode(0o700)
}

/// Whether a file or folder is this user's.
pub fn is_own(data: &Metadata) -> bool {
    data.uid() == rustix::process::geteuid().as_raw()
}

/// Whether it is a file that has no other name elsewhere.
pub fn is_plain(data: &Metadata) -> bool {
    data.is_file() && data.nlink() <= 1
}

/// Whether an open file has no name any more.
pub fn is_removed(data: &Metadata) -> bool {
    data.nlink() == 0
}

/// Whether an open file still stands at a path.
pub fn is_at(file: &File, path: &Path) -> bool {
    matches!((file.metadata(), std::fs::metadata(path)), (Ok(a), Ok(b)) if file_id(&a) == file_id(&b))
}

/// Gives a file a second name, where that can be done and tells who made it.
pub fn link_twice(file: &Path, name: &Path) -> io::Result<()> {
    std::fs::hard_link(file, name)
}

/// When a file was touched. One that was given a time to come was touched when it was given that.
///
/// # Errors
/// The system does not tell.
pub fn touched(data: &Metadata) -> io::Result<SystemTime> {
    let seconds = u64::try_from(data.ctime()).unwrap_or(0);
    let nanos = u32::try_from(data.ctime_nsec()).unwrap_or(0);
    let changed = UNIX_EPOCH + Duration::new(seconds, nanos);
    data.modified().map(|modified| modified.min(changed))
}

/// Opens a file without following a link, and without waiting for whoever reads a pipe.
///
/// # Errors
/// It is a link, which [`is_link_error`] tells, or cannot be opened.
pub fn open_no_follow(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    options.custom_flags(flags.bits().cast_signed()).open(path)
}

/// Whether a file was not opened because it is a link.
pub fn is_link_error(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

/// Makes a symbolic link.
///
/// # Errors
/// The system refuses.
pub fn symlink(target: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, at)
}
