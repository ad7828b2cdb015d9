//! What differs between operating systems, and the errors of files.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

use lane_core::error::Error;
use lane_core::facts::Unavailable;
pub(crate) use lane_git::{is_same, is_same_file, path_of};

/// Whether git would run this file as a hook.
pub(crate) fn is_executable(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|data| may_run(&data))
}

/// Whether the system would start a file of which it says this.
pub(crate) fn may_run(data: &Metadata) -> bool {
    data.is_file() && may_execute(data)
}

#[cfg(unix)]
fn may_execute(data: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    data.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn may_execute(_: &Metadata) -> bool {
    true
}

/// Lets everybody read and execute a file.
#[cfg(unix)]
pub(crate) fn make_executable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
pub(crate) fn make_executable(_: &File) -> io::Result<()> {
    Ok(())
}

/// Whether an open file still stands at a path.
#[cfg(unix)]
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |data: Metadata| (data.dev(), data.ino());
    matches!((file.metadata().map(id), std::fs::metadata(path).map(id)), (Ok(a), Ok(b)) if a == b)
}

#[cfg(not(unix))]
pub(crate) fn is_at(_: &File, path: &Path) -> bool {
    path.exists() // an open file cannot be removed there
}

/// A path as the bytes that a script or a configuration file holds.
#[cfg(unix)]
pub(crate) fn bytes_of(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt;
    path.as_os_str().as_bytes().to_vec()
}

#[cfg(not(unix))]
pub(crate) fn bytes_of(path: &Path) -> Vec<u8> {
    path.to_string_lossy().replace('\\', "/").into_bytes()
}

/// The bytes of a file; `None` where there is none.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(unreadable(path, &error)),
    }
}

/// Whether the error says that nothing is there.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Something that could not be read.
pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Error {
    let reason = format!("{} cannot be read: {error}", path.display());
    Unavailable::new(reason, "check what it is, and its permissions").into()
}

/// Something that could not be written.
pub(crate) fn unwritable(path: &Path, error: &io::Error) -> Error {
    let help = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free some disk space, then try again",
        io::ErrorKind::PermissionDenied => "it must be writable for the installing user (see `ls -l`)",
        io::ErrorKind::ReadOnlyFilesystem => "the file system is mounted read-only",
        _ => "fix this, then try again; nothing was half done",
    };
    Error::write(format!("{} cannot be written: {error}", path.display()), help)
}
