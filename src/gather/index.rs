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
    let mut left = count;
    while left > 0 {
        let (entries, len) = plain_entries(file.fill_buf()?, left, version, hash_len);
        file.consume(len);
        left -= entries;
        at += len as u64;
        // One that goes over the buffer's end, or that is not plain.
        if left > 0 {
            match skip_entry(&mut file, version, hash_len)? {
                Some(len) => at += len,
                None => return Ok(None),
            }
            left -= 1;
        }
    }
    let mut tree = None;
    while at + 8 <= end {
        let head: [u8; 8] = take(&mut file)?;
        let size = word(&head[4..]);
        at += 8 + u64::from(size);
        match &head[..4] {
            // Sparse: folders stand for what is in them, under the same root.
            b"sdir" => file.seek_relative(i64::from(size))?,
            // A split index, or what a later git may think of: in small letters, whoever does not know it
            // does not understand the index.
            [b'a'..=b'z', ..] => return Ok(None),
            b"TREE" if at <= end => {
                let mut body = vec![0; size as usize];
                file.read_exact(&mut body)?;
                match root_of(&body, count, hash_len) {
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

const STAT: usize = 40;
const STAGE: u16 = 0x3000;
const EXTENDED: u16 = 0x4000;
const LONG: u64 = 0x0fff;

/// How many entries, at most `left`, lie whole and plain at the start of a buffer, and their length.
fn plain_entries(buffer: &[u8], left: u32, version: u32, hash_len: usize) -> (u32, usize) {
    let fixed = STAT + hash_len + 2;
    let (mut entries, mut at) = (0, 0);
    if version == 4 {
        return (0, 0); // their lengths do not stand in them
    }
    while entries < left {
        let Some(&[high, low]) = buffer.get(at + fixed - 2..at + fixed) else {
            break;
        };
        let flags = u16::from_be_bytes([high, low]);
        let name = usize::from(flags & LONG as u16);
        let end = at + ((fixed + name) / 8 + 1) * 8;
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
fn skip_entry<R: Read + Seek>(
    file: &mut BufReader<R>,
    version: u32,
    hash_len: usize,
) -> io::Result<Option<u64>> {
    const INTENT_TO_ADD: u16 = 0x2000;
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

/// The root's id, if every node is valid and the tree has as many entries as the index. A node: its path and
/// a NUL, the number of entries (-1: not valid) and of subtrees, the id; then those subtrees.
fn root_of(body: &[u8], count: u32, hash_len: usize) -> Option<Oid> {
    let mut rest = body;
    let mut root = None;
    let mut left: u64 = 1;
    while left > 0 {
        let path = memchr::memchr(0, rest)?;
        let (entries, after) = number(&rest[path + 1..], b' ')?;
        let (subtrees, after) = number(after, b'\n')?;
        let (id, after) = after.split_at_checked(hash_len)?;
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
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn what_is_no_index_has_no_tree() {
        for bytes in [&b""[..], b"DIRC\0\0\0\x02\xff\xff\xff\xff", &[b'x'; 100], b"DIRC\0\0\0\x02\0\0\0\0"] {
            assert!(!matches!(cached_tree(Cursor::new(bytes), 20), Ok(Some(_))));
        }
    }
    const ROOT: [u8; 20] = [7; 20];

    /// An index of version 2 with these names, and these extensions.
    fn index(names: &[&str], extensions: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
        let mut bytes = [b"DIRC".as_slice(), &[0, 0, 0, 2], &(names.len() as u32).to_be_bytes()].concat();
        for name in names {
            bytes.extend([b'1'; STAT + 20]);
            bytes.extend((name.len().min(0xfff) as u16).to_be_bytes());
            bytes.extend(name.as_bytes());
            bytes.extend(vec![0; (62 + name.len()) / 8 * 8 + 8 - 62 - name.len()]);
        }
        for (name, body) in extensions {
            bytes.extend(*name);
            bytes.extend((body.len() as u32).to_be_bytes());
            bytes.extend(body);
        }
        bytes.extend([0; 20]);
        bytes
    }

    fn node(path: &str, numbers: &str, id: [u8; 20]) -> Vec<u8> {
        [path.as_bytes(), b"\0", numbers.as_bytes(), b"\n", &id].concat()
    }

    fn found(names: &[&str], extensions: &[(&[u8; 4], Vec<u8>)]) -> Option<Oid> {
        cached_tree(Cursor::new(index(names, extensions)), 20).expect("reads")
    }

    #[test]
    fn a_tree_counts_if_every_node_is_valid_and_all_entries_are_in_it() {
        let names = ["a", "b/c"];
        let sub = |numbers| node("b", numbers, [9; 20]);
        let tree = |root, sub: &[u8]| vec![(b"TREE", [node("", root, ROOT).as_slice(), sub].concat())];
        assert_eq!(found(&names, &tree("2 1", &sub("1 0"))), Oid::from_bytes(&ROOT));
        assert_eq!(found(&names, &tree("2 1", &sub("-1 0"))), None, "a folder has changed");
        assert_eq!(found(&names, &tree("-1 1", &sub("1 0"))), None, "the root has changed");
        assert_eq!(found(&names, &tree("3 1", &sub("1 0"))), None, "of another index");
        assert_eq!(found(&names, &tree("2 2", &sub("1 0"))), None, "a node is missing");
        assert_eq!(found(&names, &tree("2 0", &sub("1 0"))), None, "a node too many");
        assert_eq!(found(&names, &[]), None);
    }

    #[test]
    fn extensions_that_must_be_known_are() {
        let with = |name| found(&["a"], &[(name, vec![1; 9]), (b"TREE", node("", "1 0", ROOT))]);
        for name in [b"REUC", b"UNTR", b"EOIE", b"sdir"] {
            assert_eq!(with(name), Oid::from_bytes(&ROOT));
        }
        for name in [b"link", b"new!"] {
            assert_eq!(with(name), None);
        }
    }

    #[test]
    fn entries_are_walked_over_the_ends_of_the_buffer() {
        let long = "x".repeat(5000);
        let names: Vec<String> = (0..3000).map(|n| format!("{n:05}{}", &long[..n % 131])).collect();
        let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
        names.extend([long.as_str(), "y", &long[..0xfff], "z"]);
        let tree = node("", &format!("{} 0", names.len()), ROOT);
        assert_eq!(found(&names, &[(b"TREE", tree)]), Oid::from_bytes(&ROOT));
        let text = "TREE\u{1}";
        assert_eq!(found(&[text, "TREE"], &[]), None, "a name is no extension");
    }
}
