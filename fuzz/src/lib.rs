//! What `cargo fuzz` runs: see docs/fuzzing.md. `tests/suite/fuzz.rs` has the same targets, with the program beside them.

/// What the targets need of the program itself, without all else that it is linked with.
mod program {
    #[allow(dead_code)]
    #[path = "../../../src/ci/mod.rs"]
    pub mod ci;
    #[allow(dead_code)]
    #[path = "../../../src/gather/push.rs"]
    pub mod gather;
}

pub mod targets;
