//! Objects that were written lately and mostly lie loose: their size and their contents read in one go.

use std::io::Read as _;

use super::repository::not_a_file;
use super::*;
use crate::attributes::{NUL_WITHIN, has_nul};

impl Git2Repository {
    /// See [`Repository::recent_blob`].
    pub(super) fn loose_blob(&self, oid: Oid, most: usize, is_text: bool) -> Read<Option<Vec<u8>>> {
        let found = self.read_loose(oid, &self.blob_misses, |stream, size, kind| {
            if kind != ObjectType::Blob || size > most {
                return Some((None, kind));
            }
            let mut content = vec![0; if is_text { size } else { size.min(NUL_WITHIN) }];
            stream.read_exact(&mut content).ok()?;
            if content.len() < size && !has_nul(&content) {
                content.resize(size, 0);
                stream.read_exact(&mut content[NUL_WITHIN..]).ok()?;
            }
            Some((Some(content), kind))
        });
        match found {
            Some((content, ObjectType::Blob)) => Ok(content),
            Some(_) => Err(not_a_file(oid)),
            None => self.blob_up_to(oid, most),
        }
    }

    /// See [`Repository::blob_start`].
    pub(super) fn loose_start(&self, oid: Oid) -> Read<Vec<u8>> {
        let found = self.read_loose(oid, &self.blob_misses, |stream, size, kind| {
            let mut content = vec![0; size.min(NUL_WITHIN)];
            stream.read_exact(&mut content).ok()?;
            (kind == ObjectType::Blob).then_some(content)
        });
        match found {
            Some(content) => Ok(content),
            None => {
                let mut content = self.blob(oid)?;
                content.truncate(NUL_WITHIN);
                Ok(content)
            }
        }
    }

    /// See [`Repository::small_tree`].
    pub(super) fn loose_tree(&self, oid: Oid, most: usize) -> Read<Option<RawTree>> {
        let found = self.read_loose(oid, &self.tree_misses, |stream, size, kind| {
            if kind != ObjectType::Tree || size > most {
                return Some(None);
            }
            let mut content = vec![0; size];
            stream.read_exact(&mut content).ok().map(|()| Some(content))
        });
        match found {
            Some(Some(content)) => RawTree::new(oid, &content).map(Some),
            Some(None) => Ok(None),
            None if self.size(oid)? > most => Ok(None),
            None => self.raw_tree(oid).map(Some),
        }
    }

    /// Reads an object as a stream, which libgit2 has for loose ones alone: its size and its contents in one go. `None` where
    /// it is not loose, or `read` fails, or the last ones were not loose either.
    fn read_loose<T>(
        &self,
        oid: Oid,
        misses: &Cell<u8>,
        read: impl FnOnce(&mut git2::OdbReader<'_>, usize, ObjectType) -> Option<T>,
    ) -> Option<T> {
        /// After so many in a row the next ones are likely packed as well.
        const MISSES: u8 = 16;
        if misses.get() >= MISSES {
            return None;
        }
        let found = || {
            let objects = self.git.odb().ok()?;
            let (mut stream, size, kind) =
                objects.reader(git2::Oid::from_bytes(oid.as_bytes()).ok()?).ok()?;
            read(&mut stream, size, kind)
        };
        let found = found();
        misses.set(if found.is_some() { 0 } else { misses.get() + 1 });
        found
    }
}
