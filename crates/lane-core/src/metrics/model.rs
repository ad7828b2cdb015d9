//! The report: every section that the page, the text and the formats for programs are made of.
//!
//! Times are seconds since the epoch, durations are seconds, shares are from 0 to 1. An agent is given by its id; whoever is
//! none of the policy's agents is `null`. Keys are only ever added.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::Distribution;

mod checks;
mod records;

pub use checks::{Builds, Coverage, CoverageFile, Integration};
pub use records::{
    Blocked, LockArea, LockHold, LockWait, Locks, Observed, Outcome, Refusal, Refusals, RequestAnswer,
    Requests, RuleRefusals, WaivedRule,
};

/// What `git lane report` found out about one repository and one period.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(title = "git-lane report on a period")]
pub struct Metrics {
    /// Version of the format; 1.
    pub schema: u32,
    /// The name of the repository: of its folder, or `owner/name` where the remote says so.
    pub repository: String,
    /// The branch that changes are merged into, as it was read: `origin/main`.
    pub base: String,
    /// From when to when.
    pub period: Period,
    /// The agent that alone is reported on, if one was named.
    pub agent: Option<String>,
    /// The agents, in the order of the policy, and `null` at the end for everybody else, where there was anything of theirs.
    pub agents: Vec<AgentMetrics>,
    /// The policy's goals and how far they were met.
    pub goals: Vec<Goal>,
    /// What was merged into the base, oldest first.
    pub changes: Vec<LandedChange>,
    /// The sizes of those changes.
    pub sizes: Sizes,
    /// From the first commit of a change to its merge, in seconds.
    pub lead_time: Option<Distribution>,
    /// Conflicts: those that were, and those that would be.
    pub conflicts: Conflicts,
    /// Who held and waited for which lock.
    pub locks: Locks,
    /// What was refused, and what became of it.
    pub refusals: Refusals,
    /// Waivers that merged commits asked for, by rule, the most frequent first.
    pub waivers: Vec<WaivedRule>,
    /// Requests between agents.
    pub requests: Requests,
    /// Branches that are not merged, those farthest behind first.
    pub branches: Vec<OpenBranch>,
    /// Files that several agents changed, the most contested first.
    pub contested: Vec<ContestedFile>,
    /// Paths of one lane that mostly change together with another lane, with what would be better.
    pub lane_cuts: Vec<LaneCut>,
    /// How long builds took; none where no run is known.
    pub builds: Option<Builds>,
    /// How much of the code is covered by tests; none where no report is known.
    pub coverage: Option<Coverage>,
    /// How many runs of CI on the base succeeded; none where no run is known.
    pub integration: Option<Integration>,
    /// What could not be found out, why, and what would help.
    pub missing: Vec<Missing>,
}

/// A period of time; the end is no part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Period {
    /// When it begins.
    pub from: i64,
    /// When it ends.
    pub to: i64,
}

/// One agent in numbers.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct AgentMetrics {
    /// Its id; `null` for all who have no lane.
    pub agent: Option<String>,
    /// The name people use.
    pub name: Option<String>,
    /// Changes that were merged.
    pub merged: usize,
    /// Changes that were merged, by the day of the merge in UTC (`2026-11-28`); days without any are not listed.
    pub merged_by_day: BTreeMap<String, usize>,
    /// Changes that were merged, for each day on which the agent did anything: made a commit that was merged, or merged.
    pub per_active_day: Option<f64>,
    /// Lines added and removed by them, those of generated and excluded files among them.
    pub lines: u64,
    /// How many of them were above the limit.
    pub oversized: usize,
    /// From first commit to merge.
    pub lead_time: Option<Distribution>,
    /// Conflicts of its branches.
    pub conflicts: usize,
    /// Seconds for which it held locks.
    pub locks_held: u64,
    /// Seconds for which it waited for locks.
    pub locks_waited: u64,
    /// Commits, pushes and edits that were refused.
    pub refusals: usize,
    /// Requests that it submitted.
    pub requests: usize,
}

/// A goal of the policy.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Goal {
    /// Its key under `metrics`: `velocity`, `conflicts`, `build`, `coverage`, `integration`.
    pub name: &'static str,
    /// What it is about, in words: `changes merged per agent and day`.
    pub about: &'static str,
    /// The goal as the policy words it: `1..2`, `2/week`, `5m`, `80%`.
    pub goal: String,
    /// The line of the policy; none for a default.
    pub policy_line: Option<usize>,
    /// What was measured, in the goal's own unit: a number, a number a week, seconds, a share.
    pub measured: Option<f64>,
    /// What was measured, as it is shown: `1.4`, `3 a week`, `4m 10s`, `83 %`.
    pub shown: String,
    /// Whether it was met.
    pub state: GoalState,
}

/// Whether a goal was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GoalState {
    /// It was.
    Met,
    /// It was not.
    Missed,
    /// There was nothing to measure.
    Unknown,
}

/// A change that was merged into the base: a merge commit with what it brought in, or a commit of the first-parent line; a
/// run of such commits that one agent made in one go is one change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LandedChange {
    /// The commit on the base's first-parent line, in full; the last one of a run.
    pub commit: String,
    /// Whose change it was.
    pub agent: Option<String>,
    /// How the agent is known: `trailer`, `tag`, `branch`, `account`, `e-mail`; none for those of no agent.
    pub agent_by: Option<&'static str>,
    /// The subject, made safe to show.
    pub subject: String,
    /// The pull request's number, where the message has it.
    pub pull_request: Option<u64>,
    /// When it was merged: the committer's time.
    pub merged_at: i64,
    /// When the first of its commits was made: the author's time.
    pub first_commit_at: i64,
    /// How many commits it brought in.
    pub commits: usize,
    /// Lines added and removed, as `git diff --numstat -M` counts; none where they were not counted.
    pub lines: Option<u64>,
    /// Those of them that the policy's limit is held against: without generated and excluded files.
    pub counted: Option<u64>,
    /// How many files it changed.
    pub files: usize,
    /// Whether it was a merge commit.
    pub is_merge: bool,
}

/// The sizes of changes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Sizes {
    /// The policy's limit, in lines, if there is one.
    pub limit: Option<u64>,
    /// The lines of the changes that the limit is held against.
    pub lines: Option<Distribution>,
    /// How many were above the limit.
    pub oversized: usize,
    /// The share that was within the limit.
    pub within_limit: Option<f64>,
}

/// Conflicts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Conflicts {
    /// Those that somebody had to resolve in the period, oldest first.
    pub resolved: Vec<LostMerge>,
    /// Those, a week.
    pub per_week: Option<f64>,
    /// Pairs of open branches that would conflict now.
    pub forecast: Vec<LostMerge>,
}

/// A merge or a rebase that git could not do by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LostMerge {
    /// What it was.
    pub kind: ConflictKind,
    /// The commit that resolved it, in full; none for a rebase and for a forecast.
    pub commit: Option<String>,
    /// When it was resolved; none for a forecast.
    pub at: Option<i64>,
    /// Whose branches: the one that was merged, and the one merged into, where that is an agent's.
    pub agents: Vec<String>,
    /// The files.
    pub files: Vec<String>,
}

/// Where a conflict was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ConflictKind {
    /// A merge commit differs from what git makes of its parents, in a file that conflicted.
    Merge,
    /// `git lane sync` or `git lane push` stopped in a rebase.
    Rebase,
    /// Two open branches.
    Forecast,
}

/// A branch that is not merged, of an agent or of anybody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OpenBranch {
    /// Its short name: `feat/a1/search`, or `origin/feat/a1/search`.
    pub branch: String,
    /// Whose it is.
    pub agent: Option<String>,
    /// Commits of the base that it lacks.
    pub behind: usize,
    /// Its own commits.
    pub ahead: usize,
    /// Since when the base has moved on without it.
    pub stale_since: Option<i64>,
    /// When its last commit was made.
    pub last_commit_at: i64,
}

/// A file that several agents changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ContestedFile {
    /// The path.
    pub path: String,
    /// Merged changes that touched it, by agent.
    pub agents: BTreeMap<String, usize>,
    /// How often the agent changed from one change to the next.
    pub alternations: usize,
    /// Conflicts in it.
    pub conflicts: usize,
    /// Whose lane or which area it is in, in words.
    pub owner: Option<String>,
}

/// Paths of one lane that mostly change with another's.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LaneCut {
    /// The folder or file.
    pub path: String,
    /// The lane that it is in.
    pub lane: String,
    /// The lane that it changes with.
    pub with: String,
    /// Changes that touched the path.
    pub changes: usize,
    /// Those that touched the other lane too.
    pub together: usize,
    /// Those that touched the rest of its own lane too.
    pub own: usize,
    /// What would be better, in words, with the policy lines.
    pub proposal: String,
}

/// Something that could not be found out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Missing {
    /// What: `builds`, `coverage`, `refusals`.
    pub what: String,
    /// Why.
    pub reason: String,
    /// What to do: a command, or a line of the policy.
    pub help: Option<String>,
}

impl Metrics {
    /// The JSON Schema of the report.
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(Metrics).to_value()
    }

    /// A report in which nothing is known yet.
    pub fn empty(repository: String, base: String, period: Period, agent: Option<String>) -> Self {
        Self {
            schema: 1,
            repository,
            base,
            period,
            agent,
            agents: Vec::new(),
            goals: Vec::new(),
            changes: Vec::new(),
            sizes: Sizes::default(),
            lead_time: None,
            conflicts: Conflicts::default(),
            locks: Locks::default(),
            refusals: Refusals::default(),
            waivers: Vec::new(),
            requests: Requests::default(),
            branches: Vec::new(),
            contested: Vec::new(),
            lane_cuts: Vec::new(),
            builds: None,
            coverage: None,
            integration: None,
            missing: Vec::new(),
        }
    }
}
