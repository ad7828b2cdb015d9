//! Archives: tar.gz and zip, with the same bytes for the same files.

use std::io::{Cursor, Write};

use flate2::{Compression, GzBuilder};

/// A file in an archive.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its path, with `/` between.
    pub path: String,
    /// Whether it is a program.
    pub is_program: bool,
    /// What it holds.
    pub bytes: Vec<u8>,
}

impl Entry {
    /// A file that is no program.
    pub fn file(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), is_program: false, bytes: bytes.into() }
    }

    /// A program.
    pub fn program(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), is_program: true, bytes: bytes.into() }
    }

    fn mode(&self) -> u32 {
        if self.is_program { 0o755 } else { 0o644 }
    }
}

/// How all files of an archive are written.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// When each of them was last changed, in seconds since 1970: **one** time for all, since hooks take
    /// `git-lane-hook` only where it is not older than `git-lane`.
    pub time: u64,
    /// Whether to compress.
    pub is_packed: bool,
}

impl Form {
    fn level(self) -> u32 {
        if self.is_packed { 9 } else { 0 }
    }
}

/// A tar.gz of files, in their order.
///
/// # Errors
/// A path is too long.
pub fn tar_gz(entries: &[Entry], form: Form) -> Result<Vec<u8>, String> {
    let write = || {
        let out = GzBuilder::new().mtime(0).write(Vec::new(), Compression::new(form.level()));
        let mut tar = tar::Builder::new(out);
        for entry in entries {
            let mut header = tar::Header::new_ustar();
            header.set_size(entry.bytes.len() as u64);
            header.set_mode(entry.mode());
            header.set_mtime(form.time);
            tar.append_data(&mut header, &entry.path, entry.bytes.as_slice())?;
        }
        tar.into_inner()?.finish()
    };
    write().map_err(|error: std::io::Error| format!("the archive cannot be written: {error}"))
}

/// A zip of files, in their order.
///
/// # Errors
/// A time before 1980, or a path that occurs twice.
pub fn zip(entries: &[Entry], form: Form) -> Result<Vec<u8>, String> {
    use zip::write::{FileOptions, SimpleFileOptions, ZipWriter};
    let method = match form.is_packed {
        true => zip::CompressionMethod::Deflated,
        false => zip::CompressionMethod::Stored,
    };
    let options: SimpleFileOptions = FileOptions::default().last_modified_time(dos_time(form.time)?);
    let options = options.compression_method(method);
    let write = || {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for entry in entries {
            zip.start_file(entry.path.as_str(), options.unix_permissions(entry.mode()))?;
            zip.write_all(&entry.bytes)?;
        }
        Ok(zip.finish()?.into_inner())
    };
    write().map_err(|error: zip::result::ZipError| format!("the archive cannot be written: {error}"))
}

/// A time as a zip has it, in UTC.
fn dos_time(time: u64) -> Result<zip::DateTime, String> {
    let at = civil(time)?;
    let number = |value: i8| u8::try_from(value).unwrap_or_default();
    let year = u16::try_from(at.year()).unwrap_or_default();
    let (date, clock) =
        ([at.month(), at.day()].map(number), [at.hour(), at.minute(), at.second()].map(number));
    zip::DateTime::from_date_and_time(year, date[0], date[1], clock[0], clock[1], clock[2])
        .map_err(|error| format!("a zip cannot have the time {time}: {error}"))
}

/// A time in seconds since 1970 as date and clock in UTC.
pub(crate) fn civil(time: u64) -> Result<jiff::civil::DateTime, String> {
    let at = i64::try_from(time).ok().and_then(|time| jiff::Timestamp::from_second(time).ok());
    let at = at.ok_or_else(|| format!("{time} is no time"))?;
    Ok(jiff::tz::Offset::UTC.to_datetime(at))
}
