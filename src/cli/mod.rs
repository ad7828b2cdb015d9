//! What commands have in common: their options, where text goes, how errors are shown, what a shell completes. Which
//! commands there are is known above, in [`crate::commands`].

pub mod candidates;
pub mod catalog;
pub mod diagnostics;
pub mod logger;
pub mod options;
pub mod output;
pub mod pager;
pub mod progress;
pub mod questions;
pub mod relay;
pub mod session;
pub mod step_summary;

use lane_core::error::Error;

/// What a command comes to: an exit code, or an error, which is exit code 2.
pub type Outcome = Result<u8, Error>;
