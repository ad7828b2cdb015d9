//! What `cargo fuzz` runs: see docs/fuzzing.md. `tests/suite/fuzz.rs` has the same targets, with the program beside them.

mod program;
pub mod targets;
