//! The client of GitHub against servers on this machine. Every request that reaches one is held against GitHub's own
//! OpenAPI description (`tests/schemas/github-openapi.json`, made by `scripts/prune-openapi`).

mod checks;
mod comments;
mod description;
mod examples;
mod fake;
mod job;
mod limits;
mod mock;
mod pr;
mod pulls;
mod report;
mod safety;
mod server;
