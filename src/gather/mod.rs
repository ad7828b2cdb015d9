//! The only part that touches a repository: it turns events into facts.

mod address;
mod attribute_file;
mod attributes;
mod change;
pub mod cleanup;
mod commit_graph;
mod environment;
mod gatherer;
mod git2_repo;
mod history;
mod identity;
mod index;
mod inventory;
mod invocation;
mod job;
pub mod lines;
mod locks;
pub mod message;
pub mod noted_tree;
mod opened;
pub mod parsed_policy;
mod plumbing;
pub mod policy_source;
mod push;
mod pushed_refs;
mod raw_tree;
mod renames;
mod repository;
mod requests;
pub mod revision;
pub(crate) mod scratch;
mod server_locks;
pub mod server_policy;
mod similarity;
mod stream;
mod survey;
pub mod tree_diff;
pub mod under_way;
pub mod worktrees;

pub use change::{Request, Subject, Told, gather};
pub use environment::Environment;
pub use git2_repo::Git2Repository;
pub use identity::{claims, rebasing_branch};
pub use index::staged_tree;
pub use inventory::inventory;
pub use invocation::Invocation;
pub use job::{Located, locate};
pub use opened::Opened;
pub use plumbing::Plumbing;
pub use policy_source::Loaded;
pub use push::{PushLine, parse_push_lines, parse_received_lines, received_line};
pub use repository::{
    FOLDER, Head, Layout, ObjectWriter, RawCommit, Read, RefTarget, Repository, config_bool,
};
pub(crate) use scratch::Scratch;
pub use survey::survey;
