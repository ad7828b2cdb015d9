//! News of branches that were to land: what is decided about them is in [`lane_core::inbox::landings`].

use super::view::BRIEFLY;
use super::{Cache, Source, View};
use crate::landings::log::LandingLog;
use lane_core::error::Error;
use lane_core::inbox::landings::notices;
use lane_core::inbox::{LANDED, NOT_LANDED, Notice};

pub(super) const SOURCE: Source = Source { kinds: &[&LANDED, &NOT_LANDED], read };

fn read(view: &mut View<'_>, _: &mut Cache) -> Result<Vec<Notice>, Error> {
    let mut log = LandingLog::new(view.repo, &view.loaded.plan);
    // Whoever asked from here knows the queue; no remote is asked where nothing ever landed so.
    if log.ref_parts()?.is_empty() {
        return Ok(Vec::new());
    }
    log.set_patience(BRIEFLY);
    if view.options.refresh.is_some()
        && let Err(error) = log.refresh()
    {
        view.notes.push(format!("landings as last known: {error}"));
    }
    let mut found = Vec::new();
    for part in log.ref_parts()? {
        if let Some(head) = log.read_ref(&log.local_reference(&part)?, None)? {
            let people = &view.audience.people;
            found.extend(people.iter().flat_map(|me| notices(&head.record, me, view.options.now)));
        }
    }
    Ok(found)
}
