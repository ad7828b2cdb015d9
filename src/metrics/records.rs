//! Locks and requests, from their records.

use lane_core::metrics::Metrics;

use super::Query;

/// Puts it into the report.
pub fn read(_query: &Query, _metrics: &mut Metrics) {}
