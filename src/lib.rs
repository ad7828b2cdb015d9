//! git-lane keeps many coding agents, each in its own worktree of one repository, inside their lanes.
//!
//! ```text
//! argv, stdin, env -> Event -------------------+
//! policy text -> Policy -> Plan -> gather -> Facts -> rules -> Report -> text | json -> exit code
//! ```
//!
//! An arrow never runs back: rules see [`facts`] and nothing else, only [`gather`] sees a repository.

pub mod affected;
pub mod ci;
pub mod cli;
pub mod commands;
pub mod conflicts;
pub mod custom;
pub mod doctor;
pub mod event_log;
pub mod gather;
pub mod harness;
pub mod health;
pub mod inbox;
pub mod init;
pub mod install;
pub mod journal;
pub mod landings;
pub mod locks;
pub mod machine;
pub mod metrics;
pub mod notify;
pub mod ops;
pub mod ports;
pub mod requests;
pub mod rewrite;
pub mod run;
mod served;
pub mod setup;
pub mod stack;
pub mod status;
pub mod web;

#[cfg(test)]
mod testing {
    use lane_core::policy::{self, Plan, Source};

    /// A policy that a test wrote.
    pub fn plan(text: &str) -> Plan {
        policy::load(Source::new(policy::FILE, text), false).expect("a policy")
    }
}
