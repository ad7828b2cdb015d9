//! The only part that touches a repository: it turns events into facts.

mod address;
mod attribute_file;
mod attributes;
mod change;
mod environment;
mod gatherer;
mod git2_repo;
mod identity;
mod index;
mod job;
pub mod lines;
mod locks;
pub mod message;
pub mod policy_source;
mod push;
mod renames;
mod repository;
mod requests;
mod server_locks;
pub mod server_policy;
mod similarity;
mod survey;
pub mod tree_diff;
pub mod under_way;
pub mod worktrees;

pub use change::{Request, Subject, Told, gather};
pub use environment::Environment;
pub use git2_repo::Git2Repository;
pub use identity::{claims, rebasing_branch};
pub use index::staged_tree;
pub use job::{Located, locate};
pub use policy_source::Loaded;
pub use push::{PushLine, parse_push_lines, parse_received_lines, received_line};
pub use repository::{Head, Layout, ObjectWriter, RawCommit, Read, RefTarget, Repository, config_bool};
pub use survey::survey;
