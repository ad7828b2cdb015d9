//! `land`.

use super::super::model::Land;
use super::super::reader::{Fields, Reader};
use super::super::scalar::Duration;
use super::{keys, section, texts};

pub(super) fn land(reader: &mut Reader, fields: &Fields<'_>) -> Option<Land> {
    let section = section(reader, fields, "land", keys::LAND)?;
    let run = texts(reader, &section, "run", "land.run", true);
    let choices = [("true", true), ("false", false)];
    let squash =
        section.get("squash").and_then(|node| reader.choice(node, "choice for `land.squash`", &choices));
    let timeout = section.get("timeout").and_then(|node| reader.parsed::<Duration>(node, "duration"));
    let default = Land::default();
    Some(Land { run, squash: squash.unwrap_or(default.squash), timeout: timeout.unwrap_or(default.timeout) })
}
