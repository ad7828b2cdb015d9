//! The staged tree that `pre-commit` found, noted for the `commit-msg` of the same commit: an index of 200,000 files is
//! 20 MB, and all of its entries stand before what says the tree.
//!
//! The note says of which index it is by the hash of all that is in it. It is kept where whoever can write it could as
//! well take the hooks away; nothing but that one hook goes by it. Every other time the extensions are looked for first
//! where they began the last time, and only what is found there is believed.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom};
use std::path::Path;

use super::index;
use super::repository::{Read, Repository};
use crate::state_file;
use lane_core::facts::{Event, Oid};

/// The file's name below the common git folder. One for all worktrees: a note of another one's index is none.
pub const NOTE: &str = "lane/staged-tree";

/// The size from which on reading an index takes longer than noting what was found, in bytes.
const LARGE: u64 = 1 << 20;

/// What was noted.
struct CacheEntry<'n> {
    /// What the index is known by that it was noted of.
    index: &'n str,
    /// Where the extensions of that index begin: those of the next one begin there as well, unless a file came or went.
    extensions: u64,
    tree: Oid,
}

/// The tree that an index would be committed as: see [`index::staged_tree`]. `event`: what asks.
///
/// # Errors
/// The index cannot be read.
pub fn staged_tree(repo: &dyn Repository, path: &Path, event: Event) -> Read<Option<Oid>> {
    let Some(mut file) = index::open(path)? else {
        return Ok(None);
    };
    let known_by = match event {
        Event::PreCommit | Event::CommitMsg => known_by(&mut file),
        _ => None,
    };
    let Some(known_by) = known_by else {
        return index::tree_in(repo, path, file).map(Some);
    };
    let note = repo.layout().common_dir.join(NOTE);
    let text = fs::read_to_string(&note).unwrap_or_default();
    let noted = parse(&text);
    if let (Event::CommitMsg, Some(noted)) = (event, &noted)
        && known_by.says_all
        && noted.index == known_by.text
        && repo.has(noted.tree)
    {
        return Ok(Some(noted.tree));
    }
    let Some(found) = index::tree_of(repo, file, noted.map(|noted| noted.extensions)) else {
        return repo.index_tree(path).map(Some);
    };
    if event == Event::PreCommit {
        // Where it cannot be noted, the next hook reads the index again.
        let _ = state_file::replace(
            &note,
            format!("{} {} {}\n", known_by.text, found.extensions, found.tree).as_bytes(),
        );
    }
    Ok(Some(found.tree))
}

/// What an index is known by.
struct IndexKey {
    /// Its size, and the hash at its end.
    text: String,
    /// Whether there is a hash: `index.skipHash` leaves it out.
    says_all: bool,
}

/// `None` of an index that is quickly read.
fn known_by(file: &mut File) -> Option<IndexKey> {
    let len = file.metadata().ok()?.len();
    if len < LARGE {
        return None;
    }
    file.seek(SeekFrom::End(-(index::ID as i64))).ok()?;
    let hash = Oid::from_bytes(&index::read_array::<{ index::ID }>(file).ok()?)?;
    Some(IndexKey { text: format!("{len} {hash}"), says_all: !hash.is_zero() })
}

fn parse(note: &str) -> Option<CacheEntry<'_>> {
    let (rest, tree) = note.strip_suffix('\n')?.rsplit_once(' ')?;
    let (index, extensions) = rest.rsplit_once(' ')?;
    Some(CacheEntry { index, extensions: extensions.parse().ok()?, tree: Oid::from_hex(tree)? })
}
