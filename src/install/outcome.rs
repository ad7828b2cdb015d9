//! What was done, for people.

use std::fmt;
use std::path::PathBuf;

use lane_core::text::help_block;
use serde::Serialize;

/// What `install` or `uninstall` did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Worktree by worktree.
    pub worktrees: Vec<WorktreeOutcome>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
}

/// What was done in one worktree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorktreeOutcome {
    /// Its root.
    pub root: PathBuf,
    /// Its agent.
    pub agent: Option<String>,
    /// What became of the hooks.
    pub state: State,
    /// The branch that a missing worktree would start on.
    pub branch: Option<String>,
    /// The hooks that were there before and run after ours.
    pub chained: Option<ChainedHooks>,
}

/// What became of a worktree's hooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// They are in force now.
    Created,
    /// They were in force, and something about them changed.
    Updated,
    /// They were in force as they should be.
    AlreadyThere,
    /// They are taken away.
    Removed,
    /// There were none to take away.
    NotInstalled,
    /// The policy names this worktree, and it does not exist.
    NoWorktree,
}

/// Hooks that were there before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainedHooks {
    /// `husky`, `lefthook`, `pre-commit` …, where it is known.
    pub manager: Option<&'static str>,
    /// Where they are.
    pub folder: PathBuf,
    /// Their names.
    pub hooks: Vec<String>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for worktree in &self.worktrees {
            writeln!(f, "{worktree}")?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "note: {note}"))
    }
}

impl fmt::Display for WorktreeOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.root.display())?;
        if let Some(agent) = &self.agent {
            write!(f, " ({agent})")?;
        }
        let said = match self.state {
            State::Created => "hooks installed",
            State::Updated => "hooks updated",
            State::AlreadyThere => "hooks already installed",
            State::Removed => "hooks removed",
            State::NotInstalled => "no git-lane hooks here",
            State::NoWorktree => "skipped: this worktree of the policy does not exist",
        };
        write!(f, ": {said}")?;
        if let (State::NoWorktree, Some(agent)) = (self.state, &self.agent) {
            let help = help_block(&format!("create it, with its hooks: git lane setup {agent}"), false);
            write!(f, "\n{}", help.trim_end())?;
        }
        if let Some(chained) = &self.chained {
            let manager = chained.manager.map(|name| format!("{name}, ")).unwrap_or_default();
            let (folder, hooks) = (chained.folder.display(), chained.hooks.join(", "));
            write!(f, "\n  existing hooks run after them: {manager}{folder} ({hooks})")?;
        }
        Ok(())
    }
}

/// What became new, by agent, for people who see more than hooks.
pub fn news(outcome: &Outcome) -> Vec<(String, String)> {
    let said = |tree: &WorktreeOutcome| {
        let agent = tree.agent.clone()?;
        let said = match tree.state {
            State::Created => format!("installed the hooks, as {agent}"),
            State::Updated => format!("updated the hooks, as {agent}"),
            State::AlreadyThere | State::Removed | State::NotInstalled | State::NoWorktree => return None,
        };
        Some((agent, said))
    };
    outcome.worktrees.iter().filter_map(said).collect()
}
