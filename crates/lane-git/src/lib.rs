//! Repositories as git has them: one trait, two readers of it (libgit2, and git's own plumbing), and what is found out
//! with them: trees, renames, lines, attributes, the index, the commit graph, worktrees.

pub mod attributes;
mod budget;
pub mod command;
mod git2_repo;
mod git_repo;
mod history;
pub mod in_progress;
mod index;
pub mod lines;
mod merge_file;
mod paths;
mod plumbing;
pub mod pool;
mod raw_commit;
pub mod raw_tree;
mod recent_trees;
mod ref_store;
pub mod renames;
mod repository;
pub mod revision;
pub mod scratch;
mod similarity;
pub mod state_file;
pub mod stream;
pub mod tree_cache;
pub mod tree_diff;
pub mod worktrees;

pub use budget::Budget;
pub use git_repo::GitRepo;
pub use git2_repo::{Git2Repository, added_lines};
pub use index::{CachedTree, cached_tree, staged_tree};
pub use merge_file::merged_file;
pub use paths::join;
pub use plumbing::Plumbing;
pub use repository::{
    FOLDER, Head, Kind, Layout, ObjectWriter, RawCommit, Read, RefTarget, Repository, TreeEntry, config_bool,
    find_in_tree, shallow_edge,
};
pub use scratch::Scratch;
