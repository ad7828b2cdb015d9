//! The client of GitHub against servers on this machine. Every request that reaches one is held against GitHub's own
//! OpenAPI description (`tests/schemas/github-openapi.json`, made by `scripts/prune-openapi`).
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod checks;
#[path = "../ci_support/mod.rs"]
mod ci_support;
mod comments;
mod description;
mod examples;
mod fake;
mod job;
mod limits;
mod mock;
mod pr;
mod pulls;
mod safety;
mod server;
#[path = "../support/mod.rs"]
mod support;
