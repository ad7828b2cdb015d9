//! The real clients of coding agents, run without a terminal and against a scripted stand-in for the model: what they
//! hand to a hook, and what becomes of its answer. `scripts/install-clients` installs them; a test of one that is not
//! there says so and passes, unless `LANE_TEST_HARNESSES` is `required`.
#![cfg(unix)]

mod claude;
mod client;
mod codex;
mod contract;
mod copilot;
mod gemini;
mod lane;
mod mcp;
mod model;
mod opencode;
mod payloads;
mod places;
mod shell;
