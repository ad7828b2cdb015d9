//! What was found out of commits that never change, kept in the common git folder, so that the next report need not count
//! it again: [`lane_core::metrics::kept`].

use std::hash::{Hash, Hasher};
use std::path::PathBuf;

use rustc_hash::FxHasher;

use super::super::Query;
use lane_core::facts::Oid;
use lane_core::metrics::ChangeCount;
use lane_core::metrics::kept::{KEPT, Kept, MOST};
use lane_git::Repository;
use lane_git::state_file;

/// What is known from earlier reports.
pub struct Cache {
    path: PathBuf,
    head: String,
    kept: Kept,
}

impl Cache {
    /// That of a repository. It is another one where the policy leaves out other files.
    pub fn open(query: &Query) -> Self {
        let mut hasher = FxHasher::default();
        query.plan.policy.change.exclude.iter().for_each(|pattern| pattern.value.hash(&mut hasher));
        query.plan.folds_case().hash(&mut hasher);
        let head =
            format!("git-lane {} report history 1 {:016x}\n", env!("CARGO_PKG_VERSION"), hasher.finish());
        let path = query.repo.layout().common_dir.join(KEPT);
        let bytes = state_file::read_file(&path, MOST as u64).ok();
        let kept = bytes.and_then(|bytes| Kept::from_bytes(&bytes, &head)).unwrap_or_default();
        Self { path, head, kept }
    }

    /// What was counted between two commits of the base.
    pub fn count(&mut self, tip: Oid, before: Option<Oid>) -> Option<&ChangeCount> {
        self.kept.count((tip, before))
    }

    /// Keeps it.
    pub fn keep_count(&mut self, tip: Oid, before: Option<Oid>, count: &ChangeCount) {
        self.kept.keep_count((tip, before), count);
    }

    /// The files in which a merge had conflicts; none, where it had none.
    pub fn conflict(&mut self, merge: Oid) -> Option<&[String]> {
        self.kept.conflict(merge)
    }

    /// Keeps them.
    pub fn keep_conflict(&mut self, merge: Oid, files: Vec<String>) {
        self.kept.keep_conflict(merge, files);
    }

    /// Writes it down. Where git-lane has no folder yet, as in a repository that was only looked at, nothing is kept.
    pub fn save(&self) {
        if self.path.parent().is_some_and(|folder| folder.is_dir())
            && let Some(bytes) = self.kept.to_bytes(&self.head)
            && let Err(error) = state_file::replace(&self.path, &bytes)
        {
            log::debug!("what the report counted was not kept: {error}");
        }
    }
}
