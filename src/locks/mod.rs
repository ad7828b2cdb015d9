//! Locks that hold: exclusive, expiring, fenced, on one machine and on many.
//!
//! The store is git itself: `docs/locks.md` has the protocol. What a lock is on, what is stored, whether it still holds
//! and what may follow what are decided in [`lane_core::locks`]; [`log`] says how the log of locks differs from others,
//! [`crate::event_log`] moves its refs, [`manager`] is what commands and hooks call.

mod local_files;
pub mod log;
pub mod manager;
pub mod markers;
pub mod renewals;
pub mod waiting;

/// Removes what is kept beside the locks of a repository: caches, and nothing that says who holds what.
pub fn forget(common_dir: &std::path::Path) {
    crate::event_log::LocalFiles::of(common_dir, &log::KIND).forget();
}
