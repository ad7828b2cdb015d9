//! What a verdict took, part by part.

use std::fmt::Write;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

/// How long a part of a verdict took.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Timing {
    /// `gather`, or the id of a rule.
    pub part: String,
    /// What it is.
    pub kind: TimingKind,
    /// In milliseconds.
    pub ms: f64,
}

/// A part of a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TimingKind {
    /// Finding out what the rules ask for.
    Gather,
    /// A rule of git-lane's.
    Rule,
    /// A command under `custom`; several run side by side.
    Custom,
}

impl Timing {
    /// Adds a time to what a part has taken already.
    pub fn add(all: &mut Vec<Self>, kind: TimingKind, part: &str, time: Duration) {
        let ms = time.as_secs_f64() * 1_000.0;
        match all.iter_mut().find(|known| known.kind == kind && known.part == part) {
            Some(known) => known.ms += ms,
            None => all.push(Self { part: part.to_owned(), kind, ms }),
        }
    }
}

/// The table, the slowest first; empty where nothing was measured.
pub(super) fn table(all: &[Timing]) -> String {
    if all.is_empty() {
        return String::new();
    }
    let mut sorted: Vec<&Timing> = all.iter().collect();
    sorted.sort_by(|a, b| b.ms.total_cmp(&a.ms));
    let mut out = String::from("\n      ms  part\n");
    for timing in sorted {
        let kind = match timing.kind {
            TimingKind::Gather => "  (all that the rules ask for)",
            TimingKind::Rule => "",
            TimingKind::Custom => "  (command)",
        };
        let _ = writeln!(out, "{:8.1}  {}{kind}", timing.ms, timing.part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_stands_first_and_a_part_has_one_line() {
        let mut all = Vec::new();
        Timing::add(&mut all, TimingKind::Gather, "gather", Duration::from_millis(2));
        Timing::add(&mut all, TimingKind::Rule, "x", Duration::from_millis(1));
        Timing::add(&mut all, TimingKind::Rule, "x", Duration::from_millis(3));
        let expected = "\n      ms  part\n     4.0  x\n     2.0  gather  (all that the rules ask for)\n";
        assert_eq!(table(&all), expected);
    }
}
