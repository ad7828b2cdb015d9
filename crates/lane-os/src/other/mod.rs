//! Every other system, which is Windows.

pub(crate) mod files;
pub(crate) mod machine;
pub(crate) mod pipes;
pub(crate) mod processes;
pub(crate) mod signals;
