//! What is to be known of a form of the report.

use super::Report;
use super::text::Style;
use crate::error::Error;

/// A form of the report: a row of [`FORMATS`](super::FORMATS).
#[derive(Debug)]
pub struct Format {
    /// How it is typed.
    pub word: &'static str,
    /// What help says of it.
    pub about: &'static str,
    /// Whether only a verdict can be told in it.
    pub is_of_verdicts: bool,
    /// Writes a report in it.
    pub render: fn(&Report, Style) -> Result<String, Error>,
}

impl Format {
    /// The one that is typed so.
    pub fn find(word: &str) -> Option<&'static Self> {
        super::FORMATS.iter().copied().find(|format| format.word == word)
    }
}
