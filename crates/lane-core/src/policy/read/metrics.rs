//! The section of goals.

use super::super::model::{Journal, Metrics};
use super::super::reader::{Fields, Reader};
use super::super::source::Spanned;
use super::{keys, section};

pub(super) fn metrics(reader: &mut Reader, fields: &Fields<'_>) -> Metrics {
    let section = section(reader, fields, "metrics", keys::METRICS);
    let get = |key: &str| section.as_ref().and_then(|fields| fields.get(key));
    let choices = [("on", Journal::On), ("off", Journal::Off)];
    let journal =
        get("journal").and_then(|node| reader.choice(node, "choice for `metrics.journal`", &choices));
    Metrics {
        velocity: get("velocity").and_then(|node| reader.parsed(node, "`metrics.velocity`")),
        conflicts: get("conflicts").and_then(|node| reader.parsed(node, "`metrics.conflicts`")),
        build: get("build").and_then(|node| reader.parsed(node, "`metrics.build`")),
        coverage: get("coverage").and_then(|node| reader.parsed(node, "`metrics.coverage`")),
        integration: get("integration").and_then(|node| reader.parsed(node, "`metrics.integration`")),
        journal: journal.unwrap_or(Spanned::default_of(Journal::On)),
    }
}
