//! Requests: what an agent needs changed in another's area, kept in git as locks are.
//!
//! Each is a chain of commits below one ref, one commit for each event, moved by compare-and-swap:
//! `docs/requests.md` has the format. [`record`] (what is stored), [`rights`] and [`step`] (who may do
//! what), [`migration`] and [`order`] are pure; [`store`] moves refs, [`heads`] reads what the base has.

pub mod heads;
pub mod store;

use lane_core::policy::Plan;

use lane_core::requests::order;
pub use lane_core::requests::order::Summary;
use lane_core::requests::record::Person;

/// The requests that wait for an agent: those that it is to answer, and those it accepted and has not done yet; the
/// most urgent first, then the oldest. Refs that hold no request are left to `git lane request list`.
pub fn waiting_for(all: &store::All, plan: &Plan, agent: &str) -> Vec<Summary> {
    let me = Person::Agent(agent.to_owned());
    let sound = all.iter().filter_map(|(_, tip)| tip.as_ref().ok());
    let mut waiting: Vec<Summary> =
        sound.map(|tip| Summary::of(plan, &tip.record, &me)).filter(|one| one.waits_for_you).collect();
    order::sort(&mut waiting);
    waiting
}
