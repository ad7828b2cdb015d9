//! The report for people and agents.

use super::Metrics;

/// The whole report as text.
pub fn render(metrics: &Metrics) -> String {
    let count = metrics.changes.len();
    let changes = if count == 1 { "change" } else { "changes" };
    format!("{}: {count} {changes} merged into {}\n", metrics.repository, metrics.base)
}
