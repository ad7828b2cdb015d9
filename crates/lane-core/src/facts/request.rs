//! What is said about a change outside of its commits.

use schemars::JsonSchema;
use serde::Serialize;

use super::Message;

/// A pull request, or a merge request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number.
    pub number: Option<u64>,
    /// Its title; `None` where nobody said so.
    pub title: Option<String>,
    /// Its labels; `None` where nobody said so.
    pub labels: Option<Vec<String>>,
    /// The account of its author.
    pub author: Option<String>,
    /// Whether its branch lies in another repository.
    pub is_fork: bool,
}

/// A maintainer's word that a rule's findings may stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Waiver {
    /// The rule.
    pub rule: String,
    /// Whose word it is: an account.
    pub by: String,
    /// When it was given, in seconds since the epoch.
    pub at: i64,
    /// Until when it counts, likewise.
    pub until: i64,
}

/// The key of the trailer by which a commit asks for a waiver: `Lane-Waiver-Request: <rule>: <reason>`.
const REQUEST: &str = "Lane-Waiver-Request";

impl Message {
    /// The waivers that it asks for: rule, and reason. Asking waives nothing.
    pub fn waiver_requests(&self) -> Vec<(String, String)> {
        let requests = self.trailer(REQUEST);
        let parts = requests.iter().map(|text| text.split_once(':').unwrap_or((text, "")));
        parts.map(|(rule, reason)| (rule.trim().to_owned(), reason.trim().to_owned())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests() {
        let text =
            "x\n\nLane-Waiver-Request: oversized-change: a generated client\nLane-Waiver-Request: stale-base";
        let asked = Message { text: text.into() }.waiver_requests();
        let pair = |rule: &str, reason: &str| (rule.to_owned(), reason.to_owned());
        assert_eq!(asked, [pair("oversized-change", "a generated client"), pair("stale-base", "")]);
    }
}
