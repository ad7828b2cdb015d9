//! What is said about a change outside of its commits.

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
