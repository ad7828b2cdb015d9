//! Builds, coverage and integration of a report.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::super::Distribution;

/// Builds of the period.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Builds {
    /// Where that is known from: `GitHub`, or a file's name.
    pub source: String,
    /// From start to end, in seconds.
    pub time: Option<Distribution>,
    /// By the job's name: its runs.
    pub jobs: BTreeMap<String, Distribution>,
    /// When each began and how long it took, oldest first, at most the newest thousand.
    pub runs: Vec<(i64, u64)>,
}

/// Coverage by tests.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Coverage {
    /// The share of lines that tests reach.
    pub lines: f64,
    /// Lines that count.
    pub total: u64,
    /// Lines that tests reach.
    pub covered: u64,
    /// By agent: the share in its lane.
    pub agents: BTreeMap<String, f64>,
    /// The files that it was read from.
    pub files: Vec<CoverageFile>,
}

/// A report of coverage.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CoverageFile {
    /// Its name.
    pub name: String,
    /// `lcov` or `cobertura`.
    pub format: &'static str,
    /// Lines that count.
    pub total: u64,
    /// Lines that tests reach.
    pub covered: u64,
}

/// Runs of CI on what was merged.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Integration {
    /// Where that is known from.
    pub source: String,
    /// Commits of the base whose checks all succeeded.
    pub succeeded: usize,
    /// Commits of the base with a failed check.
    pub failed: usize,
    /// The share that succeeded.
    pub share: Option<f64>,
    /// Pull requests that were merged in the period.
    pub merged: Option<usize>,
    /// Pull requests that were closed unmerged.
    pub closed: Option<usize>,
    /// Pull requests that are open.
    pub open: Option<usize>,
}
