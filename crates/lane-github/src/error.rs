//! What GitHub would not do, and what to do about it.

use lane_core::facts::Unavailable;

/// Why a call came to nothing. No variant ever holds a token.
///
/// `call` is what was asked, as `GET /repos/owner/name/pulls/1`; `message` is GitHub's own word.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Before any call: it is not known whom to ask, about which repository, or as whom.
    #[error("{message}")]
    Settings {
        /// What is missing or does not fit.
        message: String,
        /// What to set.
        help: String,
    },
    /// 401: the token is wrong, expired or withdrawn.
    #[error("GitHub rejected the token from {token_from} ({call}): {message}")]
    Unauthorized {
        /// What was asked.
        call: String,
        /// GitHub's word.
        message: String,
        /// The variable that the token came from.
        token_from: &'static str,
    },
    /// 403: the token may not do that. A pull request from a fork runs with a token that only reads.
    #[error("GitHub does not allow {call}: {message}")]
    Forbidden {
        /// What was asked.
        call: String,
        /// GitHub's word.
        message: String,
        /// The permission of a workflow that the call needs, as `checks: write`.
        needs: &'static str,
    },
    /// 404 or 410: it is not there, or this token may not see it; GitHub does not say which.
    #[error("GitHub has nothing at {call}")]
    NotFound {
        /// What was asked.
        call: String,
        /// The permission of a workflow that the call needs.
        needs: &'static str,
    },
    /// GitHub understood it and said no: what is asked for does not fit the state that things are in.
    #[error("GitHub refused {call}: {message}")]
    Refused {
        /// What was asked.
        call: String,
        /// GitHub's word.
        message: String,
    },
    /// 403 or 429: too many calls, and waiting would take longer than is allowed.
    #[error("GitHub's rate limit is reached until {} ({call})", clock_time(*.until))]
    RateLimited {
        /// What was asked.
        call: String,
        /// When it may be asked again, in seconds since the epoch.
        until: i64,
    },
    /// There was no answer: no name, no connection, or none in time.
    #[error("no answer from GitHub ({call}): {reason}")]
    Unreachable {
        /// What was asked.
        call: String,
        /// What went wrong on the way.
        reason: String,
    },
    /// Any other answer that is of no use: another status, or a body that does not fit.
    #[error("GitHub answered {status} to {call}: {message}")]
    Answer {
        /// What was asked.
        call: String,
        /// The status.
        status: u16,
        /// GitHub's word, or what does not fit.
        message: String,
    },
}

impl Error {
    pub(super) fn settings(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Settings { message: message.into(), help: help.into() }
    }

    /// Whether the token lacks a right: the caller may go on without what it wanted to write.
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Forbidden { .. })
    }

    pub(super) fn has_status(&self, wanted: u16) -> bool {
        matches!(self, Self::Answer { status, .. } if *status == wanted)
    }

    /// What to do next.
    pub fn help(&self) -> String {
        match self {
            Self::Settings { help, .. } => help.clone(),
            Self::Unauthorized { token_from, .. } => format!(
                "put a valid token in {token_from}; in a workflow: `env: {{ GITHUB_TOKEN: \"${{{{ github.token }}}}\" }}`"
            ),
            Self::Forbidden { needs, .. } => format!(
                "give the workflow `permissions: {{ {needs} }}`, or use a token with that permission; a pull request from a fork always gets a read-only token"
            ),
            Self::NotFound { needs, .. } => format!(
                "check owner, name and number, and whether the token can see the repository \
                 (in a workflow: `permissions: {{ {needs} }}`)"
            ),
            Self::Refused { .. } => "see to what GitHub says, then rerun".to_owned(),
            Self::RateLimited { until, .. } => {
                format!("rerun after {}; a personal or app token has a higher limit", clock_time(*until))
            }
            Self::Unreachable { .. } => {
                "check the host (GITHUB_API_URL, GH_HOST, the remote's url) and the network, then rerun"
                    .to_owned()
            }
            Self::Answer { status: 500.., .. } => {
                "GitHub has problems (https://www.githubstatus.com); rerun later".to_owned()
            }
            Self::Answer { status: 300..=399, .. } => {
                "the repository has moved: set its new url as the remote's (git remote set-url)".to_owned()
            }
            Self::Answer { .. } => "rerun; if it fails again, report it with the line above".to_owned(),
        }
    }
}

impl From<Error> for Unavailable {
    fn from(error: Error) -> Self {
        Self::new(error.to_string(), error.help())
    }
}

/// `2026-01-02 03:04:05 UTC`
fn clock_time(seconds: i64) -> String {
    match jiff::Timestamp::from_second(seconds) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Err(_) => "an unknown time".to_owned(),
    }
}
