//! What git-lane decides: the policy, the facts of a change, the rules, the verdict and its reports, and what locks and
//! requests are. Nothing in here opens a file, starts a process, reads the environment or a clock, or speaks to a network:
//! `clippy.toml` refuses it.

pub mod affected;
pub mod agent_env;
pub mod codeowners;
pub mod content;
pub mod custom;
pub mod engine;
pub mod error;
pub mod event_log;
pub mod facts;
pub mod harness;
pub mod health;
pub mod hooks;
pub mod identity;
pub mod inbox;
pub mod landings;
pub mod locks;
pub mod metrics;
pub mod policy;
pub mod report;
pub mod requests;
pub mod rules;
pub mod signature;
pub mod snippet;
pub mod text;
pub mod trial;
