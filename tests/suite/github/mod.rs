//! The client of GitHub against servers on this machine. Every request that reaches one is held against GitHub's own
//! OpenAPI description (`tests/schemas/github-openapi.json`, made by `scripts/prune-openapi`) or its GraphQL schema
//! (`tests/schemas/github.graphql`, made by `scripts/prune-graphql`).

mod approvals;
mod checks;
mod comments;
mod description;
mod examples;
mod fake;
mod graphql;
mod graphql_errors;
mod job;
mod land;
mod land_host;
mod landing;
mod limits;
mod mock;
mod pr;
mod pulls;
mod report;
mod safety;
mod server;
mod stand_in;
