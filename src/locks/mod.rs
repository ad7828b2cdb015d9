//! Locks that hold: exclusive, expiring, fenced, on one machine and on many.
//!
//! The store is git itself: `docs/locks.md` has the protocol. From the inside out: [`scope`] (what a lock
//! is on), [`record`] (what is stored), [`liveness`] (whether it still holds), [`protocol`] (what may
//! follow what) are pure; [`machine`] asks the system, [`store`] moves refs, [`keeper`] is what commands
//! and hooks call.

mod guard;
pub mod keeper;
pub mod machine;
pub mod markers;
pub(crate) mod mirror;
pub(crate) mod place;
pub(crate) mod refs;
pub(crate) mod remote;
pub mod renewals;
pub(crate) mod state;
pub mod store;
mod sync;
pub mod waiting;

pub(crate) use guard::Guard;
pub use remote::no_mirror;

/// Removes what is kept beside the locks and requests of a repository: caches, and nothing that says who holds what.
pub fn forget(common_dir: &std::path::Path) {
    state::State::of(common_dir).forget();
    state::State::of_requests(common_dir).forget();
}
