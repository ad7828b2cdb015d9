//! News of requests: what is decided about them is in [`lane_core::inbox::requests`].

use super::{Cache, Source, View};
use crate::requests::log::RequestLog;
use lane_core::error::Error;
use lane_core::inbox::requests::notices;
use lane_core::inbox::{Notice, REQUEST_ANSWERED, REQUEST_RECEIVED, REQUEST_WITHDRAWN};
use lane_core::requests::record::RequestRecord;

pub(super) const SOURCE: Source =
    Source { kinds: &[&REQUEST_RECEIVED, &REQUEST_ANSWERED, &REQUEST_WITHDRAWN], read };

fn read(view: &mut View<'_>, _: &mut Cache) -> Result<Vec<Notice>, Error> {
    let plan = &view.loaded.plan;
    let mut log = RequestLog::new(view.repo, plan);
    log.set_patience(super::view::BRIEFLY);
    if view.options.refresh.is_some()
        && let Err(error) = log.refresh()
    {
        view.notes.push(format!("requests as last known: {error}"));
    }
    let all = log.all()?;
    let broken = all.iter().filter(|(_, head)| head.is_err()).count();
    if broken > 0 {
        let what =
            if broken == 1 { "1 request cannot".to_owned() } else { format!("{broken} requests cannot") };
        view.notes.push(format!("{what} be read: git lane request list"));
    }
    let records: Vec<RequestRecord> =
        all.into_iter().filter_map(|(_, head)| Some(head.ok()?.record)).collect();
    let people = &view.audience.people;
    Ok(people.iter().flat_map(|person| notices(plan, &records, person, view.options.now)).collect())
}
