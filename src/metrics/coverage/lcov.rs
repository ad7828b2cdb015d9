//! lcov tracefiles: <https://github.com/linux-test-project/lcov> (`man geninfo`).

use std::path::PathBuf;

use ::lcov::{Reader, Record};

use super::CoveredLines;

/// Which lines a tracefile has, and which of them were reached.
///
/// # Errors
/// It is no tracefile; with the line.
pub(super) fn read(bytes: &[u8]) -> Result<CoveredLines, String> {
    let mut lines = CoveredLines::default();
    let mut file: Option<PathBuf> = None;
    for record in Reader::new(bytes) {
        match record.map_err(|error| error.to_string())? {
            Record::SourceFile { path } => file = Some(path),
            Record::EndOfRecord => file = None,
            Record::LineData { line, count, .. } => {
                let file =
                    file.as_deref().ok_or_else(|| format!("line {line} is of no file: SF is missing"))?;
                lines.add(file, line, count > 0);
            }
            _ => {}
        }
    }
    Ok(lines)
}
