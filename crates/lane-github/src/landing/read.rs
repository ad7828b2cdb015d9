//! Reading: what there is for a branch, and the state of a pull request.

use std::ops::ControlFlow;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::data::{LANDING, LandingData, PULL_FIELDS, PullOnly, RepositoryData, STATE};
use super::{Landing, LandingWay, NeitherReason, PullState, PullStatus, READS};
use crate::GitHub;
use crate::error::Error;

/// Waits while GitHub works out whether a pull request can be merged.
const COMPUTING: [Duration; 3] = [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];
const QUEUE: &str = "repository.mergeQueue";

#[derive(Deserialize)]
struct Rule {
    #[serde(rename = "type")]
    kind: String,
}

impl GitHub {
    /// Who brings a change onto `base`, and what a pull request is waiting for.
    ///
    /// A merge queue is set by a ruleset or by classic branch protection; GraphQL knows both, and where it does not
    /// tell this token, the pull request and the rules do.
    ///
    /// GraphQL `repository`, `GET /repos/{owner}/{repo}/rules/branches/{branch}`
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no such pull request; [`Error::Forbidden`] where it cannot be known whether
    /// there is a merge queue.
    pub fn landing(&self, base: &str, number: Option<u64>) -> Result<Landing, Error> {
        let mut waits = COMPUTING.into_iter();
        let (data, hidden_queue) = loop {
            let (data, hidden_queue) = self.landing_data(base, number)?;
            let is_computing = data.pull_request.as_ref().is_some_and(|pull| pull.is_computing());
            match waits.next().filter(|_| is_computing) {
                Some(wait) => self.client.pause(wait),
                None => break (data, hidden_queue),
            }
        };
        let rules = self.branch_rules(base)?;
        let (queue, methods, is_allowed) = (data.queue(), data.methods(), data.auto_merge_allowed);
        let mut has_queue = data.merge_queue.is_some() || rules.iter().any(|rule| rule == "merge_queue");
        let pull = data.pull_request.map(PullState::from);
        match pull.as_ref().filter(|pull| pull.base_ref == base) {
            Some(pull) => has_queue |= pull.base_has_queue,
            None if has_queue => {}
            None => hidden_queue.map_or(Ok(()), Err)?,
        }
        let way = if has_queue { queue } else { auto_merge_way(is_allowed, pull.as_ref()) };
        Ok(Landing { way, pull, methods, rules })
    }

    /// The state of a pull request.
    ///
    /// GraphQL `repository { pullRequest }`
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is none of that number.
    pub fn pull_state(&self, number: u64) -> Result<PullState, Error> {
        let variables =
            json!({ "owner": self.repository.owner, "name": self.repository.name, "number": number });
        let query = format!("{STATE}\n{PULL_FIELDS}");
        let call = self.client.graphql("PullState", &query, variables, READS);
        let answer = self.client.repeat(&call)?;
        let data: RepositoryData<PullOnly> = self.client.graphql_data(&call, &answer, &[])?;
        Ok(PullState::from(data.repository.pull_request))
    }

    /// What GraphQL knows, and why it would not tell of the merge queue.
    fn landing_data(&self, base: &str, number: Option<u64>) -> Result<(LandingData, Option<Error>), Error> {
        let variables = json!({
            "owner": self.repository.owner, "name": self.repository.name, "base": base,
            "number": number.unwrap_or_default(), "hasPull": number.is_some(),
        });
        let query = format!("{LANDING}\n{PULL_FIELDS}");
        let call = self.client.graphql("Landing", &query, variables, READS);
        let answer = self.client.repeat(&call)?;
        let data: RepositoryData<LandingData> = self.client.graphql_data(&call, &answer, &[QUEUE])?;
        Ok((data.repository, self.client.graphql_error_at(&call, &answer, QUEUE)))
    }

    /// The types of the rules that rulesets set for a branch.
    fn branch_rules(&self, branch: &str) -> Result<Vec<String>, Error> {
        let url = self.url(&["rules", "branches", branch], &[("per_page", "100")])?;
        let mut found = Vec::new();
        let read = self.client.pages(url, "metadata: read", |page: Vec<Rule>| {
            found.extend(page.into_iter().map(|rule| rule.kind));
            ControlFlow::Continue(())
        });
        match read {
            Ok(()) => Ok(found),
            // A plan without rulesets, or an older server.
            Err(Error::Forbidden { message, .. }) if message.starts_with("Upgrade to GitHub") => {
                Ok(Vec::new())
            }
            Err(Error::NotFound { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

/// What is to be said of auto-merge where there is no merge queue.
fn auto_merge_way(is_allowed: bool, pull: Option<&PullState>) -> LandingWay {
    use NeitherReason::{Draft, NoPull, NotAllowed, NotAvailable, NotOpen, NothingToWaitFor};
    LandingWay::Neither(match pull {
        _ if !is_allowed => NotAllowed,
        None => NoPull,
        Some(pull) if pull.status != PullStatus::Open => NotOpen,
        Some(pull) if pull.auto_merge.is_some() => return LandingWay::AutoMerge,
        Some(pull) if pull.is_draft => Draft,
        Some(pull) if pull.can_enable_auto_merge => return LandingWay::AutoMerge,
        Some(pull) if pull.merge_state.is_mergeable() => NothingToWaitFor,
        Some(_) => NotAvailable,
    })
}
