//! How people and programs are told of notices: a command, the desktop, a webhook.
//!
//! Texts of others reach none of these as part of a command or an address: a command has them in its environment and on standard
//! input, the desktop as arguments, a webhook as JSON.

mod child;
mod desktop;
mod exec;
mod webhook;

use std::time::Duration;

use lane_core::inbox::Notice;

pub use desktop::Desktop;
pub use exec::Exec;
pub use webhook::Webhook;

/// Why notices were not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It may work later, at the earliest after so long.
    Later(String, Option<Duration>),
    /// These are given up.
    Never(String),
    /// Nothing can be delivered as it is set up.
    Unusable(String),
    /// The process is to end.
    Interrupted,
}

/// Whether the process is to end; asked often.
pub type IsEnding<'f> = &'f mut dyn FnMut() -> bool;

/// One way of telling.
pub trait Channel {
    /// What it is called.
    fn name(&self) -> &'static str;

    /// The most notices that are delivered at a time.
    fn most(&self) -> usize {
        1
    }

    /// Delivers at least one notice, and at most as many as that.
    ///
    /// # Errors
    /// They were not delivered, or nobody knows.
    fn deliver(&mut self, notices: &[Notice], is_ending: IsEnding<'_>) -> Result<(), Failure>;
}
