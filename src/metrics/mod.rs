//! What the report on a period is made of. Each part is read by a module of its own and puts its section into the report;
//! what cannot be read goes into [`Metrics::missing`] with what would help, and never makes the whole fail.

use crate::gather::LoadedPolicy;
use lane_core::metrics::{Metrics, Period};
use lane_core::policy::Plan;
use lane_git::GitRepo;

pub mod coverage;
pub mod github;
pub mod history;
pub mod journal;
pub mod records;

/// What is asked for, and what it is read from.
pub struct Query<'a> {
    /// The repository.
    pub repo: &'a GitRepo,
    /// The policy in force, with the base.
    pub loaded: &'a LoadedPolicy,
    /// The policy alone.
    pub plan: &'a Plan,
    /// From when to when.
    pub period: Period,
    /// The agent that alone is reported on.
    pub agent: Option<&'a str>,
    /// What GitHub says, where it may be asked.
    pub github: Option<&'a github::Answers>,
    /// Reports of coverage that were named.
    pub coverage: &'a [coverage::CoverageReport],
    /// Now, in seconds since the epoch.
    pub now: i64,
}

/// A section of the report: reads it, and puts it in.
pub type Section = fn(&Query, &mut Metrics);

/// The sections, in the order in which they are read: a later one may use what an earlier one put in.
pub const SECTIONS: [Section; 5] =
    [history::read, records::read, journal::read, coverage::read, github::read];
