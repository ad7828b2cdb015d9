//! What was found out about commits that never change, as it is kept from one report to the next: the size of a change, and
//! the files in which a merge had conflicts.
//!
//! Whatever is wrong with the bytes, they are not believed, and everything is found out again.

use std::hash::Hasher;

use rustc_hash::{FxHashMap, FxHashSet, FxHasher};
use serde::{Deserialize, Serialize};

use super::ChangeCount;
use crate::facts::{Oid, RepoPath};

/// The file's name below the common git folder.
pub const KEPT: &str = "lane/report-history";
/// How many bytes are read and written at the most.
pub const MOST: usize = 64 << 20;
/// How many changes, and how many merges, are kept.
const ROWS: usize = 200_000;

/// A change, by the commits of the base after it and before it.
pub type ChangeKey = (Oid, Option<Oid>);

/// What is known.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Kept {
    counts: FxHashMap<ChangeKey, ChangeCount>,
    conflicts: FxHashMap<Oid, Vec<String>>,
    used: FxHashSet<Oid>,
    is_new: bool,
}

/// A change: the commits after it and before it, and what [`ChangeCount`] has.
type CountRow = (Vec<u8>, Vec<u8>, Option<(u64, u64)>, usize, Vec<Vec<u8>>, (bool, bool));

#[derive(Serialize, Deserialize)]
struct Rows {
    counts: Vec<CountRow>,
    conflicts: Vec<(Vec<u8>, Vec<String>)>,
}

impl Kept {
    /// What was counted of a change.
    pub fn count(&mut self, key: ChangeKey) -> Option<&ChangeCount> {
        let found = self.counts.get(&key)?;
        self.used.insert(key.0);
        Some(found)
    }

    /// Keeps what was counted.
    pub fn keep_count(&mut self, key: ChangeKey, count: &ChangeCount) {
        self.used.insert(key.0);
        self.counts.insert(key, count.clone());
        self.is_new = true;
    }

    /// The files in which a merge had conflicts: an empty list where it had none.
    pub fn conflict(&mut self, merge: Oid) -> Option<&[String]> {
        let found = self.conflicts.get(&merge)?;
        self.used.insert(merge);
        Some(found)
    }

    /// Keeps them.
    pub fn keep_conflict(&mut self, merge: Oid, files: Vec<String>) {
        self.used.insert(merge);
        self.conflicts.insert(merge, files);
        self.is_new = true;
    }

    /// The bytes of a file, if there is anything new. `head`: what makes other numbers of the same commits. Where there is
    /// too much, what this report did not use is left out.
    pub fn to_bytes(&self, head: &str) -> Option<Vec<u8>> {
        if !self.is_new {
            return None;
        }
        let is_full = self.counts.len() > ROWS || self.conflicts.len() > ROWS;
        let is_kept = |oid: &Oid| !is_full || self.used.contains(oid);
        let counts = self.counts.iter().filter(|((tip, _), _)| is_kept(tip)).map(|((tip, before), count)| {
            let paths = count.paths.iter().map(|path| path.0.clone()).collect();
            let before = before.map(|oid| oid.as_bytes().to_vec()).unwrap_or_default();
            let flags = (count.adds, count.deletes);
            (tip.as_bytes().to_vec(), before, count.lines, count.files, paths, flags)
        });
        let conflicts = self.conflicts.iter().filter(|(merge, _)| is_kept(merge));
        let rows = Rows {
            counts: counts.take(ROWS).collect(),
            conflicts: conflicts
                .map(|(merge, files)| (merge.as_bytes().to_vec(), files.clone()))
                .take(ROWS)
                .collect(),
        };
        let body = postcard::to_stdvec(&rows).ok()?;
        let bytes = [head.as_bytes(), &checksum(&body), &body].concat();
        (bytes.len() <= MOST).then_some(bytes)
    }

    /// What a file has; `None` where it is another version's, of another policy, or damaged.
    pub fn from_bytes(bytes: &[u8], head: &str) -> Option<Self> {
        let (sum, body) = bytes.strip_prefix(head.as_bytes())?.split_first_chunk::<8>()?;
        if *sum != checksum(body) {
            return None;
        }
        let rows: Rows = postcard::from_bytes(body).ok()?;
        let mut kept = Self::default();
        for (tip, before, lines, files, paths, (adds, deletes)) in rows.counts {
            let before = if before.is_empty() { None } else { Some(Oid::from_bytes(&before)?) };
            let paths = paths.into_iter().map(RepoPath).collect();
            let count = ChangeCount { lines, files, paths, adds, deletes };
            kept.counts.insert((Oid::from_bytes(&tip)?, before), count);
        }
        for (merge, files) in rows.conflicts {
            kept.conflicts.insert(Oid::from_bytes(&merge)?, files);
        }
        Some(kept)
    }
}

fn checksum(bytes: &[u8]) -> [u8; 8] {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    hasher.finish().to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::testing::{count_of, oid};

    #[test]
    fn what_is_kept_comes_back_and_damage_is_not_believed() {
        let mut kept = Kept::default();
        assert!(kept.to_bytes("head").is_none(), "nothing is new");
        kept.keep_count((oid(2), Some(oid(1))), &count_of(&["a", "b\n"]));
        kept.keep_count((oid(1), None), &ChangeCount::default());
        kept.keep_conflict(oid(3), vec!["f".to_owned()]);
        let bytes = kept.to_bytes("head").expect("bytes");
        let mut again = Kept::from_bytes(&bytes, "head").expect("what was kept");
        assert_eq!(again.count((oid(2), Some(oid(1)))), Some(&count_of(&["a", "b\n"])));
        assert_eq!(again.count((oid(2), None)), None);
        assert_eq!(again.conflict(oid(3)), Some(&["f".to_owned()][..]));
        assert!(again.to_bytes("head").is_none(), "nothing is new");
        assert!(Kept::from_bytes(&bytes, "other").is_none());
        for cut in 0..bytes.len() {
            assert!(Kept::from_bytes(&bytes[..cut], "head").is_none(), "{cut}");
        }
        let mut damaged = bytes.clone();
        *damaged.last_mut().expect("a byte") ^= 1;
        assert!(Kept::from_bytes(&damaged, "head").is_none());
    }
}
