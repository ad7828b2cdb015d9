//! What the rules of the team's own have found: their commands were run already.

use std::time::Duration;

use super::{RepoPath, Unavailable};

/// What one of them came to about one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnRun {
    /// The rule, by its place under `custom`.
    pub entry: usize,
    /// What it found, or why that is not known.
    pub found: Result<Vec<OwnFinding>, Unavailable>,
    /// How long its command took.
    pub time: Duration,
    /// A maintainer changes the rule or its command: that it is not known keeps nobody from mending it.
    pub is_repair: bool,
}

/// One thing that it found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnFinding {
    /// The file.
    pub path: Option<RepoPath>,
    /// The line, from 1.
    pub line: Option<u64>,
    /// What is wrong; its first line is the headline.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}
