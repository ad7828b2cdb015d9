//! Pull requests.

use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::json;

use super::GitHub;
use super::error::Error;
use super::transport::{Answer, Call, Method};
use super::wire::{Account, Label, login_of, maybe_seconds};

const READS: &str = "pull-requests: read";
const WRITES: &str = "pull-requests: write";

/// A pull request, as far as rules ask about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// Its page.
    pub url: String,
    /// Its title.
    pub title: String,
    /// Its description; empty where there is none.
    pub body: String,
    /// Whether it is open.
    pub is_open: bool,
    /// Whether it is a draft.
    pub is_draft: bool,
    /// Who opened it; `ghost` if the account is gone.
    pub author: String,
    /// Whether that is the bot of an app.
    pub author_is_bot: bool,
    /// The branch it is to be merged into, without `refs/heads/`.
    pub base_ref: String,
    /// The tip of that branch, as GitHub last looked.
    pub base_sha: String,
    /// Its own branch, in the head repository.
    pub head_ref: String,
    /// The tip of that.
    pub head_sha: String,
    /// `owner/name` of the repository that its branch is in; `None` if that was deleted.
    pub head_repository: Option<String>,
    /// Whether its branch is in another repository than its base.
    pub is_fork: bool,
    /// The names of its labels.
    pub labels: Vec<String>,
}

/// What became of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullOutcome {
    /// Its number.
    pub number: u64,
    /// Who opened it; `ghost` if the account is gone.
    pub author: String,
    /// Its own branch, in the head repository.
    pub head_ref: String,
    /// Whether that is in another repository than its base.
    pub is_fork: bool,
    /// When it was opened, in seconds since the epoch.
    pub created_at: i64,
    /// When it was closed, merged or not.
    pub closed_at: Option<i64>,
    /// When it was merged.
    pub merged_at: Option<i64>,
    /// The commit on the base that it was merged as.
    pub merge_commit: Option<String>,
}

/// A pull request to open.
#[derive(Debug, Clone)]
pub struct NewPull<'a> {
    /// Its title.
    pub title: &'a str,
    /// The branch with the change; `owner:branch` for one in a fork.
    pub head: &'a str,
    /// The branch to merge it into.
    pub base: &'a str,
    /// Its description.
    pub body: &'a str,
    /// Whether it is a draft.
    pub is_draft: bool,
}

#[derive(Clone, Deserialize)]
struct PullResponse {
    number: u64,
    html_url: String,
    title: String,
    body: Option<String>,
    state: String,
    #[serde(default)]
    draft: Option<bool>,
    #[serde(default, deserialize_with = "maybe_seconds")]
    created_at: Option<i64>,
    #[serde(default, deserialize_with = "maybe_seconds")]
    updated_at: Option<i64>,
    #[serde(default, deserialize_with = "maybe_seconds")]
    closed_at: Option<i64>,
    #[serde(default, deserialize_with = "maybe_seconds")]
    merged_at: Option<i64>,
    merge_commit_sha: Option<String>,
    user: Option<Account>,
    base: Side,
    head: Side,
    #[serde(default)]
    labels: Vec<Label>,
}

#[derive(Clone, Deserialize)]
struct Side {
    #[serde(rename = "ref")]
    name: String,
    sha: String,
    repo: Option<Repository>,
}

#[derive(Clone, Deserialize)]
struct Repository {
    full_name: String,
}

impl From<PullResponse> for PullRequest {
    fn from(answered: PullResponse) -> Self {
        let of_base = answered.base.repo.map(|repo| repo.full_name);
        let head_repository = answered.head.repo.map(|repo| repo.full_name);
        Self {
            number: answered.number,
            url: answered.html_url,
            title: answered.title,
            body: answered.body.unwrap_or_default(),
            is_open: answered.state == "open",
            is_draft: answered.draft.unwrap_or_default(),
            author_is_bot: answered.user.as_ref().is_some_and(|user| user.kind == "Bot"),
            author: login_of(answered.user),
            base_ref: answered.base.name,
            base_sha: answered.base.sha,
            head_ref: answered.head.name,
            head_sha: answered.head.sha,
            // One whose repository is gone had one of its own.
            is_fork: head_repository.is_none() || head_repository != of_base,
            head_repository,
            labels: answered.labels.into_iter().map(|label| label.name).collect(),
        }
    }
}

impl From<PullResponse> for PullOutcome {
    fn from(answered: PullResponse) -> Self {
        Self {
            number: answered.number,
            created_at: answered.created_at.unwrap_or_default(),
            closed_at: answered.closed_at,
            merged_at: answered.merged_at,
            merge_commit: answered.merge_commit_sha.clone(),
            head_ref: answered.head.name.clone(),
            is_fork: PullRequest::from(answered.clone()).is_fork,
            author: login_of(answered.user),
        }
    }
}

impl GitHub {
    /// One pull request.
    ///
    /// `GET /repos/{owner}/{repo}/pulls/{pull_number}`
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is none of that number.
    pub fn pull_request(&self, number: u64) -> Result<PullRequest, Error> {
        let url = self.url(&["pulls", &number.to_string()], &[])?;
        self.client.get::<PullResponse>(url, READS).map(PullRequest::from)
    }

    /// The open pull requests whose change is in `branch` of `head_owner`'s repository: one for each base.
    ///
    /// `GET /repos/{owner}/{repo}/pulls?head={head_owner}:{branch}`
    ///
    /// # Errors
    /// Any.
    pub fn pull_requests_for(&self, branch: &str, head_owner: &str) -> Result<Vec<PullRequest>, Error> {
        let head = format!("{head_owner}:{branch}");
        let query = [("state", "open"), ("head", head.as_str()), ("per_page", "100")];
        let url = self.url(&["pulls"], &query)?;
        let mut found = Vec::new();
        self.client.pages(url, READS, |page: Vec<PullResponse>| {
            found.extend(page.into_iter().map(PullRequest::from));
            ControlFlow::Continue(())
        })?;
        // Of a filter that it does not understand GitHub takes no notice.
        found.retain(|pull: &PullRequest| pull.is_open && pull.head_ref == branch);
        Ok(found)
    }

    /// The merged pull request of a branch of this repository into `base` that had this head, and the commit that it was
    /// merged as.
    ///
    /// `GET /repos/{owner}/{repo}/pulls?state=closed&head={owner}:{branch}`
    ///
    /// # Errors
    /// Any.
    pub fn merged_pull(
        &self,
        branch: &str,
        base: &str,
        head: &str,
    ) -> Result<Option<(PullRequest, Option<String>)>, Error> {
        let wanted = format!("{}:{branch}", self.repository.owner);
        let query = [("state", "closed"), ("head", wanted.as_str()), ("base", base), ("per_page", "100")];
        let url = self.url(&["pulls"], &query)?;
        let is_wanted = |pull: &PullResponse| {
            let is_merged = pull.merged_at.is_some() && pull.head.sha == head;
            is_merged && pull.head.name == branch && pull.base.name == base
        };
        let mut found = None;
        self.client.pages(url, READS, |page: Vec<PullResponse>| {
            found = page.into_iter().find(is_wanted);
            if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(found.map(|pull| {
            let commit = pull.merge_commit_sha.clone();
            (PullRequest::from(pull), commit)
        }))
    }

    /// The pull requests into a branch that are open, and those in which something happened since a time in seconds
    /// since the epoch; in no order.
    ///
    /// `GET /repos/{owner}/{repo}/pulls?state=open`, `GET /repos/{owner}/{repo}/pulls?state=closed&sort=updated`
    ///
    /// # Errors
    /// Any.
    pub fn pull_outcomes(&self, base: &str, since: i64) -> Result<Vec<PullOutcome>, Error> {
        let mut found = Vec::new();
        let url = self.url(&["pulls"], &[("state", "open"), ("base", base), ("per_page", "100")])?;
        self.client.pages(url, READS, |page: Vec<PullResponse>| {
            found.extend(page.into_iter().filter(|pull| pull.base.name == base).map(PullOutcome::from));
            ControlFlow::Continue(())
        })?;
        let query = [
            ("state", "closed"),
            ("base", base),
            ("sort", "updated"),
            ("direction", "desc"),
            ("per_page", "100"),
        ];
        let url = self.url(&["pulls"], &query)?;
        self.client.pages(url, READS, |page: Vec<PullResponse>| {
            let is_over = page.iter().any(|pull| pull.updated_at.is_some_and(|at| at < since));
            let recent = page.into_iter().filter(|pull| pull.updated_at.is_none_or(|at| at >= since));
            found.extend(recent.filter(|pull| pull.base.name == base).map(PullOutcome::from));
            if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(found)
    }

    /// Opens a pull request. If the answer is lost, the open one of that head and base is taken for it.
    ///
    /// `POST /repos/{owner}/{repo}/pulls`
    ///
    /// # Errors
    /// [`Error::Answer`] with 422 if there is one already, or if head and base do not differ.
    pub fn create_pull(&self, new: &NewPull<'_>) -> Result<PullRequest, Error> {
        let url = self.url(&["pulls"], &[])?;
        let body = json!({
            "title": new.title, "head": new.head, "base": new.base, "body": new.body, "draft": new.is_draft,
        });
        let call = Call { method: Method::Post, url, body: Some(body), needs: WRITES };
        let (owner, branch) = new.head.split_once(':').unwrap_or((&self.repository.owner, new.head));
        let landed = || {
            let open = self.pull_requests_for(branch, owner)?;
            Ok(open.into_iter().find(|pull| pull.base_ref == new.base))
        };
        let read = |answer: &Answer| self.client.decode::<PullResponse>(&call, answer).map(PullRequest::from);
        self.client.once(&call, read, landed)
    }
}
