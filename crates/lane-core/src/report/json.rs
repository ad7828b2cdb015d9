//! The report as JSON, as its schema describes it.

use serde::Serialize;

use super::Format;
use crate::error::Error;
use crate::text::in_json;

/// Its row.
pub static FORMAT: Format =
    Format { word: "json", about: "For programs", is_of_verdicts: false, render: |report, _| text(report) };

/// A value as JSON, nothing hidden in it.
///
/// # Errors
/// It cannot be written as JSON.
pub fn text(value: &impl Serialize) -> Result<String, Error> {
    match serde_json::to_string_pretty(value) {
        Ok(text) => Ok(in_json(text) + "\n"),
        Err(error) => Err(Error::write(
            format!("no JSON could be made: {error}"),
            "please report this as a bug in git-lane",
        )),
    }
}
