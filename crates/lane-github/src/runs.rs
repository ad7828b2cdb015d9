//! What CI made of a commit: check runs, and the statuses of what knows no check runs.

use std::ops::ControlFlow;

use serde::Deserialize;

use super::GitHub;
use super::error::Error;
use super::wire::{maybe_seconds, seconds};
use lane_core::metrics::ci::{CiJob, JobState};

const CHECKS: &str = "checks: read";
const STATUSES: &str = "statuses: read";

#[derive(Deserialize)]
struct Page {
    check_runs: Vec<RunResponse>,
}

#[derive(Deserialize)]
struct RunResponse {
    name: String,
    status: String,
    conclusion: Option<String>,
    #[serde(default, deserialize_with = "maybe_seconds")]
    started_at: Option<i64>,
    #[serde(default, deserialize_with = "maybe_seconds")]
    completed_at: Option<i64>,
}

#[derive(Deserialize)]
struct CombinedStatus {
    statuses: Vec<StatusResponse>,
}

#[derive(Deserialize)]
struct StatusResponse {
    context: String,
    state: String,
    #[serde(deserialize_with = "seconds")]
    created_at: i64,
}

impl From<RunResponse> for CiJob {
    fn from(run: RunResponse) -> Self {
        let state = match (run.status.as_str(), run.conclusion.as_deref()) {
            ("completed", Some("success")) => JobState::Succeeded,
            ("completed", Some("failure" | "timed_out" | "startup_failure" | "action_required")) => {
                JobState::Failed
            }
            ("completed", _) => JobState::Neutral,
            _ => JobState::Pending,
        };
        Self { name: run.name, state, started_at: run.started_at, completed_at: run.completed_at }
    }
}

impl From<StatusResponse> for CiJob {
    /// A status says when it was set, and nothing of when the job began.
    fn from(status: StatusResponse) -> Self {
        let state = match status.state.as_str() {
            "success" => JobState::Succeeded,
            "failure" | "error" => JobState::Failed,
            _ => JobState::Pending,
        };
        let completed_at = (state != JobState::Pending).then_some(status.created_at);
        Self { name: status.context, state, started_at: None, completed_at }
    }
}

impl GitHub {
    /// The jobs of CI that ran on a commit: its check runs, or, where it has none, its statuses.
    ///
    /// `GET /repos/{owner}/{repo}/commits/{ref}/check-runs`, `GET /repos/{owner}/{repo}/commits/{ref}/status`
    ///
    /// # Errors
    /// [`Error::NotFound`] for a commit that GitHub does not have.
    pub fn jobs_of(&self, commit: &str) -> Result<Vec<CiJob>, Error> {
        let query = [("filter", "latest"), ("per_page", "100")];
        let url = self.url(&["commits", commit, "check-runs"], &query)?;
        let mut found = Vec::new();
        self.client.pages(url, CHECKS, |page: Page| {
            found.extend(page.check_runs.into_iter().map(CiJob::from));
            ControlFlow::Continue(())
        })?;
        if !found.is_empty() {
            return Ok(found);
        }
        let url = self.url(&["commits", commit, "status"], &[("per_page", "100")])?;
        self.client.pages(url, STATUSES, |page: CombinedStatus| {
            found.extend(page.statuses.into_iter().map(CiJob::from));
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }
}
