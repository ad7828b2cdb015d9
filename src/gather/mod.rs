//! The only part that touches a repository: it turns events into facts.

mod address;
mod change;
pub mod change_base;
mod ci_range;
pub mod cleanup;
mod collector;
mod edit;
mod environment;
mod history;
pub mod identity;
mod inventory;
mod invocation;
pub mod landed_paths;
mod locks;
pub mod message;
pub mod parsed_policy;
pub mod policy_source;
mod push;
mod pushed_refs;
mod requests;
mod root;
mod server_locks;
pub mod server_policy;
mod source;
mod stack;
mod survey;

pub use change::{HostFacts, Request, Subject, gather};
pub use ci_range::{CiRange, locate};
pub use edit::EditSet;
pub use environment::Environment;
pub use identity::{agent_in_file, claims, rebasing_branch};
pub use inventory::inventory;
pub use invocation::Invocation;
pub use policy_source::{Base, LoadedPolicy};
pub use push::{PushLine, parse_moved_lines, parse_push_lines, parse_received_lines, received_line};
pub use survey::{survey, tracked_below};
