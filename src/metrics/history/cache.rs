//! What was found out of commits that never change: how large a change is, and where a merge has conflicts.

use rustc_hash::FxHashMap;

use super::super::Query;
use lane_core::facts::Oid;
use lane_core::metrics::ChangeCount;

/// What is known from earlier reports.
#[derive(Debug, Default)]
pub struct Cache {
    counts: FxHashMap<(Oid, Option<Oid>), ChangeCount>,
    conflicts: FxHashMap<Oid, Vec<String>>,
}

impl Cache {
    /// That of a repository.
    pub fn open(_query: &Query) -> Self {
        Self::default()
    }

    /// What was counted between two commits of the base.
    pub fn count(&self, tip: Oid, before: Option<Oid>) -> Option<&ChangeCount> {
        self.counts.get(&(tip, before))
    }

    /// Keeps it.
    pub fn keep_count(&mut self, tip: Oid, before: Option<Oid>, count: &ChangeCount) {
        self.counts.insert((tip, before), count.clone());
    }

    /// The files in which a merge had conflicts; none, where it had none.
    pub fn conflict(&self, merge: Oid) -> Option<&[String]> {
        self.conflicts.get(&merge).map(Vec::as_slice)
    }

    /// Keeps them.
    pub fn keep_conflict(&mut self, merge: Oid, files: Vec<String>) {
        self.conflicts.insert(merge, files);
    }

    /// Writes it down.
    pub fn save(&self) {}
}
