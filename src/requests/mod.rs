//! Requests: what an agent needs changed in another's area, kept in git as locks are.
//!
//! Each is a chain of commits below one ref, one commit for each event, moved by compare-and-swap:
//! `docs/requests.md` has the format. [`record`] (what is stored), [`rights`] and [`step`] (who may do
//! what), [`migration`] and [`order`] are pure; [`store`] moves refs, [`heads`] reads what the base has.

pub mod heads;
pub mod migration;
pub mod order;
pub mod record;
pub mod rights;
pub mod step;
pub mod store;

use crate::error::Error;
use crate::gather::Repository;
use crate::policy::Plan;

pub use order::Summary;
use record::Person;

/// What waits for an agent: requests that it is to answer, those it accepted and has not done yet; the most
/// urgent first, then the oldest. As far as it is known here: no remote is asked, and refs that hold no
/// request are left to `git lane request list`.
///
/// # Errors
/// The refs cannot be read.
pub fn waiting_for(repo: &dyn Repository, plan: &Plan, agent: &str) -> Result<Vec<Summary>, Error> {
    let me = Person::Agent(agent.to_owned());
    let all = store::Store::new(repo, plan).all()?;
    let mut waiting: Vec<Summary> = all
        .iter()
        .filter_map(|(_, tip)| tip.as_ref().ok())
        .map(|tip| Summary::of(plan, &tip.record, &me))
        .filter(|summary| summary.waits_for_you)
        .collect();
    order::sort(&mut waiting);
    Ok(waiting)
}
