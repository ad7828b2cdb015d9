//! Files as hooks and their settings are, and the errors of them.

use std::fs::Metadata;
use std::io;
use std::path::Path;

use lane_core::error::Error;
use lane_core::facts::Unavailable;
pub(crate) use lane_os::{bytes_of, is_at, is_same, is_same_file, make_executable, path_of};

/// Whether git would run this file as a hook.
pub(crate) fn is_executable(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|data| may_run(&data))
}

/// Whether the system would start a file of which it says this.
pub(crate) fn may_run(data: &Metadata) -> bool {
    data.is_file() && lane_os::may_execute(data)
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
        _ => "fix this, then rerun the command; it goes on where it stopped",
    };
    Error::write(format!("{} cannot be written: {error}", path.display()), help)
}
