//! One request, one answer: `octocrab` sends it. A program that was built without the feature `client` has `without` instead.

use std::time::Duration;

use serde_json::Value;
use url::Url;

#[cfg(feature = "client")]
mod octocrab;
#[cfg(not(feature = "client"))]
mod without;

#[cfg(feature = "client")]
pub(super) use octocrab::Transport;
#[cfg(not(feature = "client"))]
pub(super) use without::Transport;

/// What is asked.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub method: Method,
    pub url: Url,
    pub body: Option<Value>,
    /// The permission that a workflow's token needs for it.
    pub needs: &'static str,
}

/// How it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
    Patch,
    Put,
    Delete,
}

impl Method {
    /// As HTTP writes it.
    fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method.name(), self.url.path())?;
        match self.operation() {
            Some(operation) => write!(f, " ({operation})"),
            None => Ok(()),
        }
    }
}

impl Call {
    /// The name of the GraphQL operation, if it is one.
    pub fn operation(&self) -> Option<&str> {
        self.body.as_ref()?.get("operationName")?.as_str()
    }
}

/// What was answered, whatever the status.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub status: u16,
    pub body: String,
    pub link: Option<String>,
    pub location: Option<String>,
    pub retry_after: Option<String>,
    pub remaining: Option<String>,
    pub reset: Option<String>,
}

/// How long to wait for what.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For one whole answer.
    pub answer: Duration,
    /// For a limit of calls to pass, over all calls of one [`GitHub`](super::GitHub).
    pub limits: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let [connect, answer, limits] = [10, 30, 60].map(Duration::from_secs);
        Self { connect, answer, limits }
    }
}
