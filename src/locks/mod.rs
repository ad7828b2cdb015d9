//! Locks that hold: exclusive, expiring, fenced, on one machine and on many.
//!
//! The store is git itself: `docs/locks.md` has the protocol. From the inside out: [`scope`] (what a lock
//! is on), [`record`] (what is stored), [`liveness`] (whether it still holds), [`protocol`] (what may
//! follow what) are pure; [`machine`] asks the system, [`store`] moves refs, [`keeper`] is what commands
//! and hooks call.

pub mod bounds;
pub(crate) mod git;
mod guard;
pub mod keeper;
pub mod liveness;
pub mod machine;
pub mod markers;
pub(crate) mod mirror;
pub(crate) mod place;
pub mod protocol;
pub mod record;
pub(crate) mod refs;
pub(crate) mod remote;
pub mod renewals;
pub mod scope;
pub(crate) mod state;
pub mod step;
pub mod store;
pub(crate) mod stored;
mod sync;
pub mod waiting;

pub(crate) use git::{TIES, command, in_worktree, run};
pub use git::{changed_files, status_files, unstaged_files};
pub(crate) use guard::Guard;
pub use remote::no_mirror;

/// Removes what is kept beside the locks and requests of a repository: caches, and nothing that says who holds what.
pub fn forget(common_dir: &std::path::Path) {
    state::State::of(common_dir).forget();
    state::State::of_requests(common_dir).forget();
}
