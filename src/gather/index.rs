//! The staged tree's id, read out of the index file: git keeps it in the TREE extension, and brings
//! it up to date before it runs pre-commit.
//!
//! Format: gitformat-index(5). Entries are walked, not searched, so that no file name can pass for
//! an extension.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use super::repository::{Read as Reading, Repository};
use crate::facts::{Oid, Unavailable};

/// How much of the index is in memory at a time.
const BUFFER: usize = 64 << 10;

/// The tree that an index would be committed as: from the TREE extension if that is valid, else
/// built in memory. An index that does not exist is an empty one.
///
/// # Errors
/// The index cannot be read.
pub fn staged_tree(repo: &dyn Repository, index: &Path) -> Reading<Option<Oid>> {
    let file = match File::open(index) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(Unavailable::new(
                format!("the index {} cannot be read: {error}", index.display()),
                "look at the file's permissions",
            ));
        }
    };
    // Whatever is odd about the index is for a whole reader to judge.
    match cached_tree(file, 20) {
        Ok(Some(tree)) if repo.has(tree) => Ok(Some(tree)),
        _ => repo.index_tree(index).map(Some),
    }
}

/// The root of a valid TREE extension; `None` where there is none, or where the index has something
/// that the extension does not speak of. Entries pass through one small buffer.
fn cached_tree(file: impl Read + Seek, hash_len: usize) -> io::Result<Option<Oid>> {
    let mut file = BufReader::with_capacity(BUFFER, file);
    let end = file.seek(SeekFrom::End(0))?.saturating_sub(hash_len as u64);
    file.rewind()?;
    let header: [u8; 12] = take(&mut file)?;
    if &header[..4] != b"DIRC" {
        return Ok(None);
    }
    let (version, count) = (word(&header[4..]), word(&header[8..]));
    let mut at = 12;
    for _ in 0..count {
        match skip_entry(&mut file, version, hash_len)? {
            Some(len) => at += len,
            None => return Ok(None),
        }
    }
    let mut tree = None;
    while at + 8 <= end {
        let head: [u8; 8] = take(&mut file)?;
        let size = word(&head[4..]);
        at += 8 + u64::from(size);
        match &head[..4] {
            b"link" => return Ok(None),
            b"TREE" if at <= end => {
                let mut body = vec![0; size as usize];
                file.read_exact(&mut body)?;
                match root_of(&body, hash_len) {
                    Some(root) => tree = Some(root),
                    None => return Ok(None),
                }
            }
            _ => file.seek_relative(i64::from(size))?,
        }
    }
    Ok(tree)
}

fn word(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |word, byte| word << 8 | u32::from(*byte))
}

fn take<const N: usize>(file: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// The length of the entry that begins here, which is passed over; `None` for one that is not simply
/// part of the tree.
fn skip_entry<R: Read + Seek>(
    file: &mut BufReader<R>,
    version: u32,
    hash_len: usize,
) -> io::Result<Option<u64>> {
    const STAT: usize = 40;
    const STAGE: u16 = 0x3000;
    const EXTENDED: u16 = 0x4000;
    const INTENT_TO_ADD: u16 = 0x2000;
    const LONG: u64 = 0x0fff;
    let mut fixed = [0; STAT + 32 + 2];
    let fixed = &mut fixed[..STAT + hash_len + 2];
    file.read_exact(fixed)?;
    let first = u16::from_be_bytes([fixed[STAT + hash_len], fixed[STAT + hash_len + 1]]);
    let mut len = fixed.len() as u64;
    if first & STAGE != 0 {
        return Ok(None);
    }
    if first & EXTENDED != 0 {
        let second = u16::from_be_bytes(take(file)?);
        if version < 3 || second & INTENT_TO_ADD != 0 {
            return Ok(None);
        }
        len += 2;
    }
    if version == 4 {
        // How much of the last name to cut off, then the rest of this one.
        loop {
            let [byte] = take(file)?;
            len += 1;
            if byte & 0x80 == 0 {
                break;
            }
        }
        return Ok(Some(len + skip_name(file)?));
    }
    let known = u64::from(first) & LONG;
    // One to eight NULs, so that the entry's length is a multiple of eight.
    let (name, passed) = if known < LONG { (known, 0) } else { skip_name(file).map(|len| (len - 1, len))? };
    let whole = ((len + name) / 8 + 1) * 8;
    file.seek_relative((whole - len - passed) as i64)?;
    Ok(Some(whole))
}

/// The length of a name and the NUL after it, which are passed over.
fn skip_name(file: &mut impl BufRead) -> io::Result<u64> {
    let mut len = 0;
    loop {
        let buffer = file.fill_buf()?;
        if buffer.is_empty() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let end = buffer.iter().position(|byte| *byte == 0);
        let taken = end.map_or(buffer.len(), |end| end + 1);
        len += taken as u64;
        file.consume(taken);
        if end.is_some() {
            return Ok(len);
        }
    }
}

/// The first node: an empty path, the number of entries (-1: not valid), the number of subtrees, the id.
fn root_of(body: &[u8], hash_len: usize) -> Option<Oid> {
    let rest = body.strip_prefix(b"\0")?;
    let line_end = rest.iter().position(|b| *b == b'\n')?;
    let line = std::str::from_utf8(&rest[..line_end]).ok()?;
    let (entries, _) = line.split_once(' ')?;
    if entries.parse::<i64>().ok()? < 0 {
        return None;
    }
    Oid::from_bytes(rest.get(line_end + 1..line_end + 1 + hash_len)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn what_is_no_index_has_no_tree() {
        for bytes in [&b""[..], b"DIRC\0\0\0\x02\xff\xff\xff\xff", &[b'x'; 100], b"DIRC\0\0\0\x02\0\0\0\0"] {
            assert!(!matches!(cached_tree(Cursor::new(bytes), 20), Ok(Some(_))));
        }
    }
}
