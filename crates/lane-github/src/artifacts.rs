//! Files that jobs of a workflow left behind.

use std::ops::ControlFlow;

use serde::Deserialize;

use super::GitHub;
use super::error::Error;
use super::wire::seconds;

const NEEDS: &str = "actions: read";

/// A zip file that a job left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// GitHub's number for it.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// How large it is, in bytes.
    pub size: u64,
    /// When it was made, in seconds since the epoch.
    pub created_at: i64,
    /// Whether GitHub has deleted it since.
    pub is_expired: bool,
    /// The branch that the workflow ran on.
    pub branch: Option<String>,
    /// The commit that the workflow ran on.
    pub commit: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    artifacts: Vec<ArtifactResponse>,
}

#[derive(Deserialize)]
struct ArtifactResponse {
    id: u64,
    name: String,
    size_in_bytes: u64,
    expired: bool,
    #[serde(deserialize_with = "seconds")]
    created_at: i64,
    workflow_run: Option<WorkflowRun>,
}

#[derive(Deserialize)]
struct WorkflowRun {
    head_branch: Option<String>,
    head_sha: Option<String>,
}

impl From<ArtifactResponse> for Artifact {
    fn from(answered: ArtifactResponse) -> Self {
        let (branch, commit) =
            answered.workflow_run.map(|run| (run.head_branch, run.head_sha)).unwrap_or_default();
        Self {
            id: answered.id,
            name: answered.name,
            size: answered.size_in_bytes,
            created_at: answered.created_at,
            is_expired: answered.expired,
            branch,
            commit,
        }
    }
}

impl GitHub {
    /// What jobs left behind since a time in seconds since the epoch, the newest first.
    ///
    /// `GET /repos/{owner}/{repo}/actions/artifacts`
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a token that may not read it.
    pub fn artifacts_since(&self, time: i64) -> Result<Vec<Artifact>, Error> {
        let url = self.url(&["actions", "artifacts"], &[("per_page", "100")])?;
        let mut found: Vec<Artifact> = Vec::new();
        self.client.pages(url, NEEDS, |page: Page| {
            let before = found.len();
            let new = page.artifacts.into_iter().map(Artifact::from);
            found.extend(new.filter(|artifact| artifact.created_at >= time));
            // The newest come first: a page without one of them is the end.
            if found.len() == before { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(found)
    }

    /// The zip file of one of them; no more than `most` bytes.
    ///
    /// `GET /repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}`, which sends to another host, that
    /// is not given the token.
    ///
    /// # Errors
    /// [`Error::Answer`] where it is larger, or where the other host refuses.
    pub fn artifact_zip(&self, id: u64, most: usize) -> Result<Vec<u8>, Error> {
        let url = self.url(&["actions", "artifacts", &id.to_string(), "zip"], &[])?;
        self.client.download(url, NEEDS, most)
    }
}
