//! Hooks: put into worktrees, taken out again, and run after one another.
//!
//! All worktrees share one folder of scripts in the common git folder, where no checkout reaches it.
//! A worktree uses it by `core.hooksPath` in its own configuration. Whatever was configured before
//! stays in the files, byte for byte: git reads the last value, so ours are appended as a block.

mod apply;
pub(crate) mod block;
pub mod chain;
pub mod in_force;
mod ini;
mod lockfile;
mod manager;
pub(crate) mod os;
mod outcome;
pub(crate) mod places;
pub mod program;
mod remove;
pub(crate) mod scripts;
pub(crate) mod server;
pub(crate) mod settings;
pub(crate) mod targets;
pub mod unchained;
pub mod verdict_notes;

use std::path::PathBuf;

pub use apply::{existing_hooks, install, install_into};
pub use outcome::news;
pub use outcome::{ChainedHooks, Outcome, State, WorktreeOutcome};
pub use remove::uninstall;
pub use server::{ServerOptions, install_server, uninstall_server};
pub use settings::{installed_agent, is_copied};
pub(crate) use targets::policy_worktrees;
pub use targets::{is_same, worktrees_of};

/// For whom the hooks of a harness are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The worktrees of this repository, on this machine.
    Local,
    /// Everybody who has the repository, once a maintainer has committed the file.
    Shared,
    /// All repositories of this user.
    User,
}

/// What `git lane install` was asked for.
#[derive(Debug, Clone)]
pub struct InstallOptions {
    /// Whose worktree this is; without it, what was said before stays.
    pub agent: Option<String>,
    /// Also every worktree that the policy names.
    pub all: bool,
    /// The absolute path of the program that the scripts start.
    pub binary: PathBuf,
}
