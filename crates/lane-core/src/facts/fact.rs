//! Something that is known, or why it is not.

/// What kind of thing keeps something from being read, for code that goes on by another way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cause {
    /// Here is no repository.
    NoRepository,
    /// There is no git to start.
    NoGit,
    /// The object is one that a remote promised, and nothing may be fetched.
    Promised,
    /// A policy's file is there, and is none that could be one: a link, or no text.
    Policy,
    /// Anything else.
    #[default]
    Other,
}

/// Why something is not known, and what would make it known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unavailable {
    /// What kind of reason it is; no code reads the words.
    pub cause: Cause,
    /// What could not be read, and why.
    pub reason: String,
    /// The next step.
    pub help: Option<String>,
}

impl Unavailable {
    /// A reason with a next step.
    pub fn new(reason: impl Into<String>, help: impl Into<String>) -> Self {
        Self { cause: Cause::Other, reason: reason.into(), help: Some(help.into()) }
    }

    /// A reason that nobody can act on.
    pub fn without_help(reason: impl Into<String>) -> Self {
        Self { cause: Cause::Other, reason: reason.into(), help: None }
    }

    /// The same, of this kind.
    #[must_use]
    pub fn because(mut self, cause: Cause) -> Self {
        self.cause = cause;
        self
    }
}

/// Something that rules may ask for.
#[derive(Debug, Clone, Default)]
pub enum Fact<T> {
    /// It is known.
    Known(T),
    /// It could not be had: whoever needs it cannot decide.
    Unavailable(Unavailable),
    /// Nobody said that they needed it.
    #[default]
    NotGathered,
}

impl<T> Fact<T> {
    /// The fact, if it is known.
    ///
    /// # Errors
    /// Why it is not. A fact that nobody gathered is not known either, so that a rule which forgets
    /// to say what it needs fails closed.
    pub fn get(&self) -> Result<&T, Unavailable> {
        match self {
            Self::Known(value) => Ok(value),
            Self::Unavailable(why) => Err(why.clone()),
            Self::NotGathered => Err(Unavailable::new(
                "a rule asks for a fact that it did not declare; this is a bug in git-lane",
                "please report it, with the name of the rule",
            )),
        }
    }

    /// The fact if it is known, for what a report shows but no verdict depends on.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            _ => None,
        }
    }
}

impl<T> From<Result<T, Unavailable>> for Fact<T> {
    fn from(result: Result<T, Unavailable>) -> Self {
        match result {
            Ok(value) => Self::Known(value),
            Err(why) => Self::Unavailable(why),
        }
    }
}
