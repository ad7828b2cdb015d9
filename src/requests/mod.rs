//! Requests: what an agent needs changed in another's area, kept in git as locks are.
//!
//! Each is a chain of commits below one ref, one commit for each event, moved by compare-and-swap:
//! `docs/requests.md` has the format. What is stored, who may do what and which order they have is decided in
//! [`lane_core::requests`]; [`log`] says how the log of requests differs from others, [`crate::event_log`] moves its refs,
//! [`heads`] reads what the base has.

pub mod heads;
pub mod log;

use lane_core::policy::Plan;

use lane_core::requests::order;
pub use lane_core::requests::order::Summary;
use lane_core::requests::record::Person;

/// The requests that wait for an agent: those that it is to answer, and those it accepted and has not done yet; the
/// most urgent first, then the oldest. Refs that hold no request are left to `git lane request list`.
pub fn waiting_for(all: &log::RequestHeads, plan: &Plan, agent: &str) -> Vec<Summary> {
    let me = Person::Agent(agent.to_owned());
    let sound = all.iter().filter_map(|(_, tip)| tip.as_ref().ok());
    let mut waiting: Vec<Summary> =
        sound.map(|tip| Summary::of(plan, &tip.record, &me)).filter(|one| one.waits_for_you).collect();
    order::sort(&mut waiting);
    waiting
}

/// Removes what is kept beside the requests of a repository: caches, and nothing that says the open requests.
pub fn forget(common_dir: &std::path::Path) {
    crate::event_log::LocalFiles::of(common_dir, &log::KIND).forget();
}
