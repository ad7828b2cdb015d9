//! What a proposal is made of.

use super::{Kind, TrackedPath};
use lane_core::policy::Inventory;

/// What was seen of a repository.
#[derive(Debug, Clone)]
pub struct Survey {
    /// The repository's name.
    pub name: String,
    /// The base branch.
    pub base: String,
    /// The remote that it is pushed to.
    pub remote: String,
    /// What git tracks.
    pub files: Vec<TrackedPath>,
    /// The files that say how it is divided, of those that [`input_files`] names.
    pub texts: Vec<Text>,
    /// Linked worktrees: folder relative to the main one, and branch.
    pub worktrees: Vec<(String, Option<String>)>,
    /// What could not be looked at.
    pub notes: Vec<String>,
}

impl Default for Survey {
    fn default() -> Self {
        Self {
            name: String::new(),
            base: String::new(),
            remote: "origin".to_owned(),
            files: Vec::new(),
            texts: Vec::new(),
            worktrees: Vec::new(),
            notes: Vec::new(),
        }
    }
}

/// A file that was read, or why it was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// From the root.
    pub path: String,
    /// What is in it.
    pub content: Result<String, String>,
}

impl Survey {
    /// The files, as what a policy speaks of.
    pub fn inventory(&self) -> Inventory {
        let files = self.files.iter().map(|file| (file.path.clone().into_bytes(), file.kind != Kind::File));
        Inventory { files: files.collect(), ..Inventory::default() }
    }
}
