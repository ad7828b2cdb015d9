//! What commands do, callable without a command line: plain values in, plain results out. What is to be said on the way
//! goes to a [`Ui`]; nothing here knows arguments, terminals or exit codes.

pub mod auto_release;
pub mod by_hand;
pub mod commit_message;
pub mod remote_branches;
mod session;
mod trace;
mod ui;

pub use remote_branches::Asker;
pub use session::{Session, judged};
pub use ui::{Silent, Ui};
