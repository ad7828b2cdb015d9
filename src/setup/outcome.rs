//! What became of one agent's worktree.

use std::path::PathBuf;

use super::target::Target;
use lane_core::error::Error;

/// What was done for an agent, or would be.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Its id.
    pub agent: String,
    /// The root of its worktree.
    pub root: PathBuf,
    /// The branch that its worktree starts on.
    pub branch: String,
    /// What changed, or would: `make the worktree …`. Nothing: all was there.
    pub changes: Vec<String>,
    /// What is worth knowing.
    pub notes: Vec<String>,
    /// The steps of `provision`, in order, as far as they were reached.
    pub steps: Vec<Step>,
    /// What kept it from being set up.
    pub error: Option<Error>,
}

/// A step of `provision`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// Its command.
    pub run: String,
    /// How it ended.
    pub outcome: StepOutcome,
    /// What it wrote.
    pub log: Option<PathBuf>,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepOutcome {
    /// It was done before.
    Before,
    /// It is done, after so many milliseconds.
    Done(u64),
    /// It would be run.
    Due,
    /// The variable that it waits for is not set.
    Waits(String),
    /// It failed: how, and the end of what it wrote.
    Failed(String, String),
}

impl Outcome {
    pub(super) fn of(target: &Target) -> Self {
        Self {
            agent: target.agent.clone(),
            root: target.root.clone(),
            branch: target.branch.clone(),
            changes: Vec::new(),
            notes: Vec::new(),
            steps: Vec::new(),
            error: None,
        }
    }

    /// Whether all is as it should be.
    pub fn is_well(&self) -> bool {
        self.error.is_none() && self.failed().is_none()
    }

    /// The step that failed.
    pub fn failed(&self) -> Option<&Step> {
        self.steps.iter().find(|step| matches!(step.outcome, StepOutcome::Failed(..)))
    }
}
