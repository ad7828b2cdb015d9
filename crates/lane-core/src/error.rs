//! The one error of a command: its kind decides the exit code, its hints say what to do next.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::facts::{Cause, Unavailable};
use crate::policy::PolicyError;

/// What kind of error ended a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The command ran and was refused: a lock is held, work would be lost.
    Refused,
    /// The command line does not fit.
    Usage,
    /// The policy has mistakes, or its file is none.
    Policy,
    /// Something could not be read.
    Unavailable,
    /// Something could not be written; all is as it was.
    Write,
}

impl Kind {
    /// The exit code of a command that ends with such an error.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Refused => 1,
            Self::Usage | Self::Policy | Self::Unavailable | Self::Write => 2,
        }
    }
}

/// An error of a command.
#[derive(Debug, Clone)]
pub struct Error {
    kind: Kind,
    message: String,
    source: Option<Arc<dyn StdError + Send + Sync>>,
    hints: Vec<String>,
}

impl Error {
    fn new(kind: Kind, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None, hints: vec![hint.into()] }
    }

    /// What was asked for is refused.
    pub fn refused(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Kind::Refused, message, hint)
    }

    /// A mistake on the command line.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message, hint)
    }

    /// A file that could not be written.
    pub fn write(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Kind::Write, message, hint)
    }

    /// Adds a hint below those that are there.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds what caused it.
    #[must_use]
    pub fn caused_by(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What to do next, the nearest step first; a hint may have several lines, each command on a line of its own.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// All hints as one text, for formats that have one field for them.
    pub fn help(&self) -> Option<String> {
        (!self.hints.is_empty()).then(|| self.hints.join("\n"))
    }

    /// The mistakes of the policy, if those are the error.
    pub fn policy(&self) -> Option<&PolicyError> {
        self.source.as_ref()?.downcast_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Two errors that read the same are the same: a source need not be comparable.
impl PartialEq for Error {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, &self.message, &self.hints) == (other.kind, &other.message, &other.hints)
    }
}

impl Eq for Error {}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

impl From<Unavailable> for Error {
    fn from(why: Unavailable) -> Self {
        Self {
            kind: if why.cause == Cause::Policy { Kind::Policy } else { Kind::Unavailable },
            message: why.reason.clone(),
            hints: why.help.iter().cloned().collect(),
            source: Some(Arc::new(why)),
        }
    }
}

impl From<PolicyError> for Error {
    fn from(error: PolicyError) -> Self {
        Self {
            kind: Kind::Policy,
            message: error.to_string(),
            hints: Vec::new(),
            source: Some(Arc::new(error)),
        }
    }
}

impl From<Error> for Unavailable {
    fn from(error: Error) -> Self {
        match error.source.as_ref().and_then(|source| source.downcast_ref::<Self>()) {
            Some(why) => why.clone(),
            None => Self { help: error.help(), ..Self::without_help(error.message) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_decides_the_exit_code() {
        assert_eq!(Error::refused("a", "b").kind().exit_code(), 1);
        for error in [Error::usage("a", "b"), Error::write("a", "b"), Unavailable::new("a", "b").into()] {
            assert_eq!(error.kind().exit_code(), 2, "{error}");
            assert_eq!(error.hints(), ["b"]);
        }
    }

    #[test]
    fn what_was_converted_is_not_lost() {
        let why = Unavailable::new("the object is missing", "git fetch");
        let error = Error::from(why.clone());
        assert_eq!(Unavailable::from(error), why);
        let hinted = Error::usage("no", "one").hint("two");
        assert_eq!(Unavailable::from(hinted).help.as_deref(), Some("one\ntwo"));
    }
}
