//! Landings: the queue of each base, kept in git as locks are, where the base lies: on the policy's remote, or here.
//!
//! What is stored and what may follow what is decided in [`lane_core::landings`]; [`log`] says how this log differs from others,
//! [`queue`] reads and changes a queue.

pub mod log;
pub mod queue;

/// Removes what is kept beside the landings of a repository: caches, and nothing that says what waits.
pub fn forget(common_dir: &std::path::Path) {
    crate::event_log::LocalFiles::of(common_dir, &log::KIND).forget();
}
