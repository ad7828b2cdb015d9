//! Coverage by tests, from lcov and cobertura files.

use lane_core::metrics::Metrics;

use super::Query;

/// Puts it into the report.
pub fn read(_query: &Query, _metrics: &mut Metrics) {}
