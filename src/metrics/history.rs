//! What git's own history tells: changes, sizes, times, conflicts, contested files, lanes that are cut wrong.

use lane_core::metrics::Metrics;

use super::Query;

/// Puts it into the report.
pub fn read(_query: &Query, _metrics: &mut Metrics) {}
