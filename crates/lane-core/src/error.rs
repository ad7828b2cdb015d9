//! What ends a command before there is a verdict. Every error says what to do next.

use crate::facts::Unavailable;
use crate::policy::PolicyError;

/// An error of a command: exit code 2.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The policy has mistakes.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Something could not be read.
    #[error("{}", .0.reason)]
    Unavailable(Unavailable),
    /// What was typed does not fit.
    #[error("{message}")]
    Usage {
        /// What does not fit.
        message: String,
        /// What to type.
        help: String,
    },
    /// Something could not be written; all is as it was.
    #[error("{message}")]
    Write {
        /// What, where and why.
        message: String,
        /// The next step.
        help: String,
    },
}

impl From<Unavailable> for Error {
    fn from(why: Unavailable) -> Self {
        Self::Unavailable(why)
    }
}

impl Error {
    /// A mistake on the command line.
    pub fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), help: help.into() }
    }

    /// A file that could not be written.
    pub fn write(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Write { message: message.into(), help: help.into() }
    }

    /// What to do next.
    pub fn help(&self) -> Option<&str> {
        match self {
            Self::Policy(_) => None,
            Self::Unavailable(why) => why.help.as_deref(),
            Self::Usage { help, .. } | Self::Write { help, .. } => Some(help),
        }
    }
}
