//! Reviews of pull requests.

use std::ops::ControlFlow;

use serde::Deserialize;

use super::GitHub;
use super::error::Error;
use super::wire::{Account, login_of};

/// The last word of one account on a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Whose it is; `ghost` if the account is gone.
    pub author: String,
    /// Whether it approves; otherwise it asks for changes, or was dismissed.
    pub approves: bool,
    /// The head that it is about; `None` where that is gone.
    pub commit: Option<String>,
}

#[derive(Deserialize)]
struct ReviewResponse {
    user: Option<Account>,
    state: String,
    commit_id: Option<String>,
}

impl GitHub {
    /// What each account said last about a pull request. Mere comments take back nothing, and a review that is not
    /// submitted is none.
    ///
    /// `GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews`
    ///
    /// # Errors
    /// Any.
    pub fn reviews(&self, number: u64) -> Result<Vec<Review>, Error> {
        let url = self.url(&["pulls", &number.to_string(), "reviews"], &[("per_page", "100")])?;
        let mut last: Vec<Review> = Vec::new();
        // The oldest comes first.
        self.client.pages(url, "pull-requests: read", |page: Vec<ReviewResponse>| {
            for response in page {
                let approves = match response.state.as_str() {
                    "APPROVED" => true,
                    "CHANGES_REQUESTED" | "DISMISSED" => false,
                    _ => continue,
                };
                let author = login_of(response.user);
                last.retain(|review| review.author != author);
                last.push(Review { author, approves, commit: response.commit_id });
            }
            ControlFlow::Continue(())
        })?;
        Ok(last)
    }
}
