//! Reports of coverage on disk.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::LARGEST;

/// The bytes of a report.
///
/// # Errors
/// Why it cannot be read, in words.
pub(super) fn bytes_of(path: &Path) -> Result<Vec<u8>, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Err("it is not a file".to_owned());
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("it is larger than {} MB", LARGEST >> 20));
    }
    Ok(bytes)
}
