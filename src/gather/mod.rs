//! The only part that touches a repository: it turns events into facts.

mod address;
mod change;
pub mod change_base;
pub mod cleanup;
mod edited;
mod environment;
mod gatherer;
mod history;
pub mod identity;
mod inventory;
mod invocation;
mod job;
pub mod landed;
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
mod stacked;
mod survey;

pub use change::{Request, Subject, Told, gather};
pub use edited::Edited;
pub use environment::Environment;
pub use identity::{agent_in_file, claims, rebasing_branch};
pub use inventory::inventory;
pub use invocation::Invocation;
pub use job::{Located, locate};
pub use policy_source::Loaded;
pub use push::{PushLine, parse_push_lines, parse_received_lines, received_line};
pub use survey::{survey, tracked_below};
