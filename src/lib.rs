//! git-lane keeps many coding agents, each in its own worktree of one repository, inside their lanes.
//!
//! ```text
//! argv, stdin, env -> Event -------------------+
//! policy text -> Policy -> Plan -> gather -> Facts -> rules -> Report -> text | json -> exit code
//! ```
//!
//! An arrow never runs back: rules see [`facts`] and nothing else, only [`gather`] sees a repository.

pub mod agent_env;
pub mod ci;
pub mod cli;
pub mod conflicts;
pub mod engine;
pub mod error;
pub mod facts;
pub mod gather;
pub mod github;
mod identity;
pub mod init;
pub mod install;
mod kept;
pub mod locks;
mod paths;
pub mod policy;
mod pool;
pub mod ports;
pub mod report;
pub mod requests;
pub mod rewrite;
pub mod rules;
pub mod run;
pub mod setup;
pub mod signature;
pub mod status;
pub mod text;
