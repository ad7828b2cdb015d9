//! The trees that a process has read.

use rustc_hash::FxHashMap;

use super::raw_tree::RawTree;
use lane_core::facts::Oid;

/// Trees that were read: the one that is judged is compared with several others.
#[derive(Default)]
pub(crate) struct RecentTrees {
    pub of: FxHashMap<Oid, RawTree>,
    bytes: usize,
}

impl RecentTrees {
    /// The most that is kept, in bytes.
    const MOST: usize = 8 << 20;

    /// Keeps one; where that would be too much, all others are forgotten.
    pub fn keep(&mut self, oid: Oid, tree: &RawTree) {
        if self.bytes + tree.size() > Self::MOST {
            *self = Self::default();
        }
        self.bytes += tree.size();
        self.of.insert(oid, tree.clone());
    }
}
