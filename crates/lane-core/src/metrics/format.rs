//! The forms of the report that only `git lane report` has: a row for each.

use super::{Metrics, csv, html, jsonl, markdown, openmetrics};

/// A form of the report.
#[derive(Debug)]
pub struct Format {
    /// How it is typed.
    pub word: &'static str,
    /// What help says of it.
    pub about: &'static str,
    /// Writes a report in it.
    pub render: fn(&Metrics) -> String,
}

/// All of them, beside text and JSON, which every command has.
pub static FORMATS: [&Format; 5] =
    [&html::FORMAT, &markdown::FORMAT, &csv::FORMAT, &jsonl::FORMAT, &openmetrics::FORMAT];
