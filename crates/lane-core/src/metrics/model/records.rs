//! Locks, refusals, waivers and requests of a report.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::super::Distribution;

/// Locks of the period.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Locks {
    /// By area, the one that was waited for the longest first.
    pub areas: Vec<LockArea>,
    /// Who held what when, by the time it was taken.
    pub holds: Vec<LockHold>,
    /// Who waited for what when, by the time it began.
    pub waits: Vec<LockWait>,
}

/// The locks of one area.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LockArea {
    /// Its name.
    pub area: String,
    /// How long it was held each time.
    pub held: Option<Distribution>,
    /// How long it was waited for each time.
    pub waited: Option<Distribution>,
    /// How many locks ended by being stolen.
    pub stolen: usize,
    /// How many ended because their life was over.
    pub expired: usize,
    /// Who waited for whom, and for how many seconds in all.
    pub blocked: Vec<Blocked>,
}

/// Seconds that one agent waited for another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Blocked {
    /// Who waited.
    pub agent: String,
    /// For whom.
    pub holder: String,
    /// How long.
    pub seconds: u64,
}

/// A lock from when it was taken to when it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LockHold {
    /// The area.
    pub area: String,
    /// The scope: the area, or paths inside it.
    pub scope: String,
    /// Whose it was.
    pub agent: String,
    /// Its generation.
    pub generation: u64,
    /// When it was taken.
    pub from: i64,
    /// When it ended; none while it is held.
    pub to: Option<i64>,
    /// How it ended: `released`, `expired`, `stolen`, `gone`; `held` while it is.
    pub end: &'static str,
}

/// A stay in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LockWait {
    /// The area.
    pub area: String,
    /// The scope that was wanted.
    pub scope: String,
    /// Who waited.
    pub agent: String,
    /// Since when.
    pub from: i64,
    /// Until when; none while it waits.
    pub to: Option<i64>,
    /// Whether the lock was got in the end; none while it waits.
    pub is_got: Option<bool>,
}

/// What was refused.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Refusals {
    /// By rule, the most frequent first.
    pub rules: Vec<RuleRefusals>,
    /// Each of them, oldest first.
    pub all: Vec<Refusal>,
    /// How many verdicts the journal has of the period; none where there is no journal.
    pub verdicts: Option<usize>,
    /// Warnings by rule: verdicts that passed, or that refused something else.
    pub warnings: BTreeMap<String, usize>,
    /// What would have been refused if the policy had not only observed, by rule.
    pub observed: BTreeMap<String, Observed>,
    /// Since when the journal has records; none where there is no journal.
    pub since: Option<i64>,
    /// How many records of the journal could not be read.
    pub torn: usize,
}

/// Refusals by one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RuleRefusals {
    /// The rule's id.
    pub rule: String,
    /// How often it refused.
    pub count: usize,
    /// By agent; whoever is none is under the empty word.
    pub agents: BTreeMap<String, usize>,
    /// What became of them.
    pub outcomes: BTreeMap<Outcome, usize>,
    /// From the first of several refusals in a row to the verdict without it, in seconds.
    pub time_to_fix: Option<Distribution>,
}

/// What would have been refused by one rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Observed {
    /// How often: what a later verdict observed still, or again at a push, is counted once.
    pub count: usize,
    /// How many verdicts had it.
    pub verdicts: usize,
    /// How often by agent; whoever is none is under the empty word.
    pub agents: BTreeMap<String, usize>,
}

/// What became of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The next verdict of the same agent on the same event did not have it any more.
    Fixed,
    /// It was waived.
    Waived,
    /// The next one had it again.
    Repeated,
    /// Nothing came after it.
    Open,
}

impl Outcome {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Waived => "waived",
            Self::Repeated => "repeated",
            Self::Open => "open",
        }
    }
}

/// One verdict that refused something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Refusal {
    /// When.
    pub at: i64,
    /// Who; none for those of no agent.
    pub agent: Option<String>,
    /// At what: `pre-commit`, `pre-push`, `edit`.
    pub event: String,
    /// By which rules.
    pub rules: Vec<String>,
    /// What became of it.
    pub outcome: Outcome,
}

/// Waivers of one rule: those that merged commits asked for (`Lane-Waiver-Request`). Which of them a maintainer gave, git
/// does not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WaivedRule {
    /// The rule's id.
    pub rule: String,
    /// How often.
    pub count: usize,
    /// By whom the changes were; the empty word for those of nobody.
    pub agents: BTreeMap<String, usize>,
    /// The reasons, made safe to show, newest first, at most ten.
    pub reasons: Vec<String>,
}

/// Requests of the period: those that were submitted or answered in it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Requests {
    /// How many were submitted.
    pub submitted: usize,
    /// How many are open.
    pub open: usize,
    /// How many of those had no answer for a day or longer.
    pub ignored: usize,
    /// How many were accepted, rejected, done and withdrawn.
    pub states: BTreeMap<String, usize>,
    /// From submission to the first answer, in seconds.
    pub time_to_answer: Option<Distribution>,
    /// Each of them, oldest first.
    pub all: Vec<RequestAnswer>,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RequestAnswer {
    /// Its id: `r7`.
    pub id: String,
    /// Who asks: an agent's id or an e-mail address.
    pub by: String,
    /// Whom: the agents who may answer; empty for maintainers.
    pub to: Vec<String>,
    /// When it was submitted.
    pub submitted: i64,
    /// When it was first answered.
    pub answered: Option<i64>,
    /// What became of it.
    pub state: String,
}
