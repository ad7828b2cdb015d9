//! The staged tree's id, read out of the index file: git keeps it in the TREE extension, and brings
//! it up to date before it runs pre-commit.
//!
//! Format: gitformat-index(5). Where the extensions begin is found by walking the entries, so that no file name can
//! pass for one; or it is known already, and then all from there to the end has to be extensions.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use sha1::{Digest, Sha1};

use super::repository::{Read as Reading, Repository};
use lane_core::facts::{Oid, Unavailable};

/// How much of the index is in memory at a time.
const BUFFER: usize = 32 << 10;

/// The length of what stands before the entries.
const HEADER: usize = 12;

/// The length of an id: git's own plumbing reads the indexes of repositories whose ids are longer.
pub const ID: usize = 20;

/// The tree that an index would be committed as: from the TREE extension if that is valid, else
/// built in memory. An index that does not exist is an empty one.
///
/// # Errors
/// The index cannot be read.
pub fn staged_tree(repo: &dyn Repository, index: &Path) -> Reading<Option<Oid>> {
    open(index)?.map(|file| tree_in(repo, index, file)).transpose()
}

/// The tree of an open index: see [`staged_tree`].
pub fn tree_in(repo: &dyn Repository, index: &Path, file: File) -> Reading<Oid> {
    match tree_of(repo, file, None) {
        Some(found) => Ok(found.tree),
        None => repo.index_tree(index),
    }
}

/// Opens an index; `None` where there is none.
pub fn open(index: &Path) -> Reading<Option<File>> {
    match File::open(index) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Unavailable::new(
            format!("the index {} cannot be read: {error}", index.display()),
            "check the permissions of the file",
        )),
    }
}

/// What the TREE extension says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CachedTree {
    /// The root.
    pub tree: Oid,
    /// Where the index's extensions begin, in bytes.
    pub extensions: u64,
}

/// The tree of an index, if its TREE extension is valid; whatever is odd about it is for a whole reader to judge.
/// `guess`: where extensions may begin.
pub fn tree_of(repo: &dyn Repository, index: File, guess: Option<u64>) -> Option<CachedTree> {
    cached_tree(index, guess).ok().flatten().filter(|found| repo.has(found.tree))
}

/// The root of a valid TREE extension; `None` where there is none, or where the index has something
/// that the extension does not speak of. Entries pass through one small buffer. `guess`: as in [`tree_of`].
///
/// # Errors
/// The file cannot be read, or ends too early.
pub fn cached_tree(mut file: impl Read + Seek, guess: Option<u64>) -> io::Result<Option<CachedTree>> {
    let end = file.seek(SeekFrom::End(0))?.saturating_sub(ID as u64);
    let told = end_of_entries(&mut file, end)?;
    let mut file = BufReader::with_capacity(BUFFER, file);
    file.rewind()?;
    let header: [u8; HEADER] = read_array(&mut file)?;
    if &header[..4] != b"DIRC" {
        return Ok(None);
    }
    let (version, count) = (word(&header[4..]), word(&header[8..]));
    // No entry need be looked at: TREE is marked as not valid for one that is not simply part of the tree.
    for extensions in told.into_iter().chain(guess).filter(|at| (HEADER as u64..end).contains(at)) {
        if let Ok(Some(tree)) = tree_from(&mut file, extensions, end, count) {
            return Ok(Some(CachedTree { tree, extensions }));
        }
    }
    seek_to(&mut file, HEADER as u64)?;
    let Some(entries) = skip_entries(&mut file, version, count)? else {
        return Ok(None);
    };
    let extensions = HEADER as u64 + entries;
    Ok(tree_from(&mut file, extensions, end, count)?.map(|tree| CachedTree { tree, extensions }))
}

/// The length of all entries, which are passed over; `None` if one of them is not simply part of the tree.
fn skip_entries<R: Read + Seek>(
    file: &mut BufReader<R>,
    version: u32,
    count: u32,
) -> io::Result<Option<u64>> {
    let (mut left, mut whole) = (count, 0);
    while left > 0 {
        let (entries, len) = plain_entries(file.fill_buf()?, left, version);
        file.consume(len);
        left -= entries;
        whole += len as u64;
        // One that goes over the buffer's end, or that is not plain.
        if left > 0 {
            match skip_entry(file, version)? {
                Some(len) => whole += len,
                None => return Ok(None),
            }
            left -= 1;
        }
    }
    Ok(Some(whole))
}

/// The root that the extensions from here to the end tell of; `None` if they do not end there, or do not tell.
fn tree_from<R: Read + Seek>(
    file: &mut BufReader<R>,
    begin: u64,
    end: u64,
    count: u32,
) -> io::Result<Option<Oid>> {
    seek_to(file, begin)?;
    let (mut at, mut tree) = (begin, None);
    while at + 8 <= end {
        let head: [u8; 8] = read_array(file)?;
        let size = word(&head[4..]);
        at += 8 + u64::from(size);
        match &head[..4] {
            b"TREE" if at <= end => {
                let mut body = vec![0; size as usize];
                file.read_exact(&mut body)?;
                match root_of(&body, count) {
                    Some(root) => tree = Some(root),
                    None => return Ok(None),
                }
            }
            // Sparse: folders stand for what is in them, under the same root.
            b"sdir" | [b'A'..=b'Z', ..] => file.seek_relative(i64::from(size))?,
            // A split index, or what a later git may think of: in small letters, whoever does not know it
            // does not understand the index.
            _ => return Ok(None),
        }
    }
    Ok(tree.filter(|_| at == end))
}

/// Where the extensions begin, by what the last of them says (EOIE, which git writes where `index.threads` or
/// `index.recordEndOfIndexEntries` is set); `None` where it is missing, or where its hash of the names and sizes
/// of the others does not hold: then git itself does not believe it. `end`: where the index's own hash begins.
fn end_of_entries(file: &mut (impl Read + Seek), end: u64) -> io::Result<Option<u64>> {
    const SIZE: usize = 4 + ID;
    let Some(last) = end.checked_sub(8 + SIZE as u64).filter(|last| *last >= HEADER as u64) else {
        return Ok(None);
    };
    file.seek(SeekFrom::Start(last))?;
    let said: [u8; 8 + SIZE] = read_array(file)?;
    if &said[..4] != b"EOIE" || word(&said[4..]) as usize != SIZE {
        return Ok(None);
    }
    let begin = u64::from(word(&said[8..]));
    let mut at = begin;
    let mut hash = Sha1::new();
    while at >= HEADER as u64 && at + 8 <= last {
        file.seek(SeekFrom::Start(at))?;
        let head: [u8; 8] = read_array(file)?;
        hash.update(head);
        at += 8 + u64::from(word(&head[4..]));
    }
    Ok((at == last && hash.finalize()[..] == said[12..]).then_some(begin))
}

/// Goes to a place, and keeps what is in the buffer where it lies there.
fn seek_to<R: Read + Seek>(file: &mut BufReader<R>, at: u64) -> io::Result<()> {
    let here = file.stream_position()?;
    file.seek_relative(at as i64 - here as i64)
}

fn word(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |word, byte| word << 8 | u32::from(*byte))
}

pub fn read_array<const N: usize>(file: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

const STAT: usize = 40;
const STAGE: u16 = 0x3000;
const EXTENDED: u16 = 0x4000;
const LONG: u64 = 0x0fff;

/// How many entries, at most `left`, lie whole and plain at the start of a buffer, and their length.
fn plain_entries(buffer: &[u8], left: u32, version: u32) -> (u32, usize) {
    let fixed = STAT + ID + 2;
    let (mut entries, mut at) = (0, 0);
    while entries < left {
        let Some(&[high, low]) = buffer.get(at + fixed - 2..at + fixed) else {
            break;
        };
        let flags = u16::from_be_bytes([high, low]);
        let name = usize::from(flags & LONG as u16);
        let end = if version == 4 {
            // How much to cut off the last name, in one byte most times; then the rest of this one.
            let rest = match buffer.get(at + fixed..) {
                Some([0..=0x7f, rest @ ..]) => rest,
                _ => break,
            };
            let Some(end) = memchr::memchr(0, rest) else {
                break;
            };
            at + fixed + 1 + end + 1
        } else {
            at + ((fixed + name) / 8 + 1) * 8
        };
        if flags & (STAGE | EXTENDED) != 0 || name as u64 == LONG || end > buffer.len() {
            break;
        }
        entries += 1;
        at = end;
    }
    (entries, at)
}

/// The length of the entry that begins here, which is passed over; `None` for one that is not simply
/// part of the tree.
fn skip_entry<R: Read + Seek>(file: &mut BufReader<R>, version: u32) -> io::Result<Option<u64>> {
    const INTENT_TO_ADD: u16 = 0x2000;
    let fixed: [u8; STAT + ID + 2] = read_array(file)?;
    let first = u16::from_be_bytes([fixed[STAT + ID], fixed[STAT + ID + 1]]);
    let mut len = fixed.len() as u64;
    if first & STAGE != 0 {
        return Ok(None);
    }
    if first & EXTENDED != 0 {
        let second = u16::from_be_bytes(read_array(file)?);
        if version < 3 || second & INTENT_TO_ADD != 0 {
            return Ok(None);
        }
        len += 2;
    }
    if version == 4 {
        // How much of the last name to cut off, then the rest of this one.
        loop {
            let [byte] = read_array(file)?;
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

/// The root's id, if every node is valid and the tree has as many entries as the index. A node: its path and
/// a NUL, the number of entries (-1: not valid) and of subtrees, the id; then those subtrees.
fn root_of(body: &[u8], count: u32) -> Option<Oid> {
    let mut rest = body;
    let mut root = None;
    let mut left: u64 = 1;
    while left > 0 {
        let path = memchr::memchr(0, rest)?;
        let (entries, after) = number(&rest[path + 1..], b' ')?;
        let (subtrees, after) = number(after, b'\n')?;
        let (id, after) = after.split_at_checked(ID)?;
        if root.is_none() {
            if path > 0 || entries != count {
                return None;
            }
            root = Some(Oid::from_bytes(id)?);
        }
        left = left - 1 + u64::from(subtrees);
        rest = after;
    }
    root.filter(|_| rest.is_empty())
}

/// A number that is not negative, up to the byte that ends it, and what is behind.
fn number(bytes: &[u8], end: u8) -> Option<(u32, &[u8])> {
    let mut number: u32 = 0;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'0'..=b'9' => number = number.checked_mul(10)?.checked_add(u32::from(byte - b'0'))?,
            _ if *byte == end && at > 0 => return Some((number, &bytes[at + 1..])),
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests;
