//! Asking: into the merge queue, auto-merge, a merge now. Whatever GitHub answers, what counts is the state after it, so
//! that it does no harm to ask twice.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::data::{PULL_FIELDS, PullData};
use super::{MergeMethod, MergeState, PullState, PullStatus, QueueEntry, ReviewDecision, WRITES};
use crate::GitHub;
use crate::error::Error;
use crate::transport::{Answer, Call, Method};

const ENQUEUE: &str = "mutation Enqueue($id: ID!, $head: GitObjectID!) {
  enqueuePullRequest(input: { pullRequestId: $id, expectedHeadOid: $head }) {
    mergeQueueEntry { position state }
  }
}";
const ENABLE: &str =
    "mutation EnableAutoMerge($id: ID!, $head: GitObjectID!, $method: PullRequestMergeMethod!,
    $title: String, $body: String) {
  enablePullRequestAutoMerge(input: { pullRequestId: $id, expectedHeadOid: $head, mergeMethod: $method,
      commitHeadline: $title, commitBody: $body }) {
    pullRequest { ...PullState }
  }
}";
/// Waits before a merge is asked for again that met a base in motion.
const BASE_MOVED: [Duration; 3] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

/// What is to be merged, and how.
#[derive(Debug, Clone, Copy)]
pub struct MergeRequest<'a> {
    /// The tip that the pull request has to have, in full.
    pub head: &'a str,
    /// How.
    pub method: MergeMethod,
    /// The first line of the message of a merge or squash commit; GitHub's own if there is none.
    pub title: Option<&'a str>,
    /// The rest of that message.
    pub body: Option<&'a str>,
}

/// What became of what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LandingOutcome {
    /// It is in the merge queue.
    Queued(QueueEntry),
    /// Auto-merge is on: GitHub merges it when everything that is required is there.
    AutoMerge(MergeMethod),
    /// It is merged.
    Merged {
        /// The commit on the base.
        commit: Option<String>,
    },
    /// Auto-merge has nothing to wait for: it can be merged now ([`GitHub::merge_pull`]).
    MergeableNow,
    /// It stays where it is.
    Refused(Obstacle),
}

/// Why a pull request stays where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// It is closed.
    Closed,
    /// Its head is another commit than the one that was asked about.
    HeadMoved {
        /// The one that it has.
        head: String,
    },
    /// It is a draft.
    Draft,
    /// A reviewer wants changes.
    ChangesRequested,
    /// It conflicts with its base.
    Conflicts,
    /// What GitHub says.
    Other(String),
}

impl std::fmt::Display for Obstacle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Closed => write!(f, "the pull request is closed"),
            Self::HeadMoved { head } => write!(f, "the head of the pull request is {head} on GitHub"),
            Self::Draft => write!(f, "the pull request is a draft"),
            Self::ChangesRequested => write!(f, "a review requests changes"),
            Self::Conflicts => write!(f, "the pull request conflicts with its base"),
            Self::Other(message) => write!(f, "GitHub refuses: {message}"),
        }
    }
}

impl PullState {
    /// What keeps it from landing with this head, as far as one can tell without asking for it.
    pub fn obstacle(&self, head: &str) -> Option<Obstacle> {
        match self.status {
            PullStatus::Closed => Some(Obstacle::Closed),
            // Where it is merged already, something else was merged than what is asked about.
            _ if self.head_sha != head => Some(Obstacle::HeadMoved { head: self.head_sha.clone() }),
            PullStatus::Merged { .. } => None,
            PullStatus::Open if self.is_draft => Some(Obstacle::Draft),
            PullStatus::Open if self.review == Some(ReviewDecision::ChangesRequested) => {
                Some(Obstacle::ChangesRequested)
            }
            PullStatus::Open if self.merge_state == MergeState::Conflicts => Some(Obstacle::Conflicts),
            PullStatus::Open => None,
        }
    }

    /// Where it has got to: merged, on its way, or held up. `None` while it could still be asked for.
    pub fn outcome(&self, head: &str) -> Option<LandingOutcome> {
        let obstacle = self.obstacle(head);
        if let Some(Obstacle::Closed | Obstacle::HeadMoved { .. }) = obstacle {
            return obstacle.map(LandingOutcome::Refused);
        }
        if let PullStatus::Merged { commit } = &self.status {
            return Some(LandingOutcome::Merged { commit: commit.clone() });
        }
        let queued = self.queue.clone().map(LandingOutcome::Queued);
        let on_its_way = queued.or(self.auto_merge.map(LandingOutcome::AutoMerge));
        on_its_way.or(obstacle.map(LandingOutcome::Refused))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Enqueued {
    enqueue_pull_request: Option<EnqueuedEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EnqueuedEntry {
    merge_queue_entry: Option<QueueEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Enabled {
    enable_pull_request_auto_merge: Option<EnabledPull>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EnabledPull {
    pull_request: Option<PullData>,
}

#[derive(Deserialize)]
struct MergeResult {
    merged: bool,
    sha: String,
    message: String,
}

impl GitHub {
    /// Puts a pull request into the merge queue of its base. One that is there stays where it is.
    ///
    /// GraphQL `enqueuePullRequest`
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a token that may not. What GitHub does not take as it is, is [`LandingOutcome::Refused`].
    pub fn enqueue(&self, pull: &PullState, head: &str) -> Result<LandingOutcome, Error> {
        let call = self.client.graphql("Enqueue", ENQUEUE, json!({ "id": pull.id, "head": head }), WRITES);
        let read = |answer: &Answer| {
            let data: Enqueued = self.client.graphql_data(&call, answer, &[])?;
            let entry = data.enqueue_pull_request.and_then(|payload| payload.merge_queue_entry);
            Ok(entry.map(LandingOutcome::Queued))
        };
        self.ask(&call, pull.number, head, read)
    }

    /// Has GitHub merge a pull request as soon as everything that its base requires is there. Where the base has a merge
    /// queue it is put into that then. A request that is there is replaced.
    ///
    /// GraphQL `enablePullRequestAutoMerge`
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a token that may not. What GitHub does not take as it is, is [`LandingOutcome::Refused`].
    pub fn enable_auto_merge(
        &self,
        pull: &PullState,
        request: &MergeRequest<'_>,
    ) -> Result<LandingOutcome, Error> {
        let MergeRequest { head, method, title, body } = request;
        let variables =
            json!({ "id": pull.id, "head": head, "method": method, "title": title, "body": body });
        let query = format!("{ENABLE}\n{PULL_FIELDS}");
        let call = self.client.graphql("EnableAutoMerge", &query, variables, WRITES);
        let read = |answer: &Answer| {
            let data: Enabled = self.client.graphql_data(&call, answer, &[])?;
            let pull = data.enable_pull_request_auto_merge.and_then(|payload| payload.pull_request);
            Ok(pull.and_then(|pull| PullState::from(pull).outcome(head)))
        };
        let outcome = self.ask(&call, pull.number, head, read)?;
        Ok(match outcome {
            LandingOutcome::Refused(Obstacle::Other(message)) if is_mergeable_now(&message) => {
                LandingOutcome::MergeableNow
            }
            outcome => outcome,
        })
    }

    /// Merges a pull request now. One that is merged stays so.
    ///
    /// `PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge`
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a token that may not. What GitHub does not merge as it is, is [`LandingOutcome::Refused`].
    pub fn merge_pull(&self, number: u64, request: &MergeRequest<'_>) -> Result<LandingOutcome, Error> {
        let url = self.url(&["pulls", &number.to_string(), "merge"], &[])?;
        let method = match request.method {
            MergeMethod::Merge => "merge",
            MergeMethod::Squash => "squash",
            MergeMethod::Rebase => "rebase",
        };
        let mut body = json!({ "sha": request.head, "merge_method": method });
        for (key, value) in [("commit_title", request.title), ("commit_message", request.body)] {
            if let Some(value) = value {
                body[key] = Value::from(value);
            }
        }
        let call = Call { method: Method::Put, url, body: Some(body), needs: WRITES };
        let read = |answer: &Answer| {
            let merged: MergeResult = self.client.decode(&call, answer)?;
            Ok(match merged {
                MergeResult { merged: true, sha, .. } => Some(LandingOutcome::Merged { commit: Some(sha) }),
                MergeResult { message, .. } => {
                    Some(LandingOutcome::Refused(Obstacle::Other(self.client.plain(&message))))
                }
            })
        };
        let mut waits = BASE_MOVED.into_iter();
        loop {
            let outcome = self.ask(&call, number, request.head, read)?;
            let is_moving = matches!(&outcome, LandingOutcome::Refused(Obstacle::Other(message))
                if message.starts_with("Base branch was modified") || message.starts_with("Merge already in progress"));
            match waits.next().filter(|_| is_moving) {
                Some(wait) => self.client.pause(wait),
                None => return Ok(outcome),
            }
        }
    }

    /// Asks once. Where the answer is lost or is a no, the state of the pull request tells what became of it.
    fn ask(
        &self,
        call: &Call,
        number: u64,
        head: &str,
        read: impl Fn(&Answer) -> Result<Option<LandingOutcome>, Error>,
    ) -> Result<LandingOutcome, Error> {
        let landed = || Ok(self.pull_state(number)?.outcome(head).map(Some));
        let refused = match self.client.once(call, read, landed) {
            Ok(Some(outcome)) => return Ok(outcome),
            Ok(None) => "it gives no reason".to_owned(),
            Err(Error::Refused { message, .. } | Error::Answer { status: 405 | 409 | 422, message, .. }) => {
                message
            }
            Err(error) => return Err(error),
        };
        let outcome = self.pull_state(number)?.outcome(head);
        Ok(outcome.unwrap_or(LandingOutcome::Refused(Obstacle::Other(refused))))
    }
}

/// Whether GitHub refuses auto-merge because a pull request could be merged: `Pull request is in clean status`.
fn is_mergeable_now(message: &str) -> bool {
    ["clean", "unstable", "has_hooks"].iter().any(|state| message.contains(&format!("is in {state} status")))
}
