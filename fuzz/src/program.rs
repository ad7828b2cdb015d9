//! What the targets need of the program itself, without all else that it is linked with.

#[allow(dead_code)]
#[path = "../../src/ci/mod.rs"]
pub mod ci;
#[allow(dead_code)]
#[path = "../../src/gather/push.rs"]
pub mod gather;
