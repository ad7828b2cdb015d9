//! What commands do, callable without a command line: plain values in, plain results out. What is to be said on the way
//! goes to a [`Ui`]; nothing here knows arguments, terminals or exit codes.

pub mod affected;
pub mod auto_release;
pub mod briefing;
pub mod by_hand;
pub mod commit_message;
pub mod conflict_note;
pub mod drop;
pub mod edit;
pub mod edit_log;
pub mod harness;
pub mod health;
pub mod inbox;
pub mod land;
pub mod lock;
pub mod logs;
mod own_rules;
pub mod pr;
pub mod push;
pub mod remote_branches;
pub mod report;
pub mod request;
pub mod services;
mod session;
mod stopwatch;
pub mod sync;
pub mod test;
mod trace;
pub mod trial;
mod ui;
pub mod unlock;
pub mod watch;
pub mod worktree;

pub use remote_branches::CallerKind;
pub use session::{Session, judged};
pub use ui::{Silent, Ui};
