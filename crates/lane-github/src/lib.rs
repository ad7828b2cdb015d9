//! GitHub, as far as git-lane speaks to it: pull requests and how they land, check runs, comments, labels, who pushed what.
//!
//! [`GitHub`] is a blocking client of the REST API (<https://docs.github.com/en/rest>, version 2022-11-28), and of GraphQL
//! (`graphql`) for what that lacks. Behind it
//! `transport` alone knows octocrab; `client` makes calls hold (retries, limits, pages); the other files each know
//! some endpoints. What comes back are plain structs with the fields that git-lane uses. Times are seconds since
//! the epoch. Every error says what to do next ([`Error::help`]).

mod activity;
mod artifacts;
mod checks;
mod client;
mod comments;
mod error;
mod graphql;
mod labels;
mod landing;
mod limits;
mod pulls;
mod remote_url;
mod reviews;
mod runs;
mod settings;
mod transport;
mod viewer;
mod wire;

use std::cell::OnceCell;

pub use activity::{Permission, Push, PushKind};
pub use artifacts::Artifact;
pub use checks::{Annotation, CheckRun, Conclusion, Level, PublishedCheck};
pub use comments::Comment;
pub use error::Error;
pub use labels::{LabelEvent, LabelHistory};
pub use landing::{
    Landing, LandingOutcome, LandingWay, MergeMethod, MergeRequest, MergeState, NeitherReason, Obstacle,
    PullState, PullStatus, QueueEntry, ReviewDecision,
};
pub use limits::Clock;
pub use pulls::{NewPull, PullOutcome, PullRequest};
pub use remote_url::{RepositoryName, host_of};
pub use reviews::Review;
pub use settings::Settings;
pub use transport::Patience;

use client::Client;
use limits::SystemClock;

/// A connection to one repository on GitHub.
pub struct GitHub {
    client: Client,
    repository: RepositoryName,
    /// Our own login, once it is known.
    viewer: OnceCell<String>,
}

impl GitHub {
    /// Prepares a connection; nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Settings`] where this machine has no certificates to know GitHub by.
    pub fn connect(settings: &Settings) -> Result<Self, Error> {
        Self::with(settings, &Patience::default(), Box::new(SystemClock))
    }

    /// The same with other times to wait, and another clock to wait by.
    ///
    /// # Errors
    /// As [`GitHub::connect`].
    pub fn with(settings: &Settings, patience: &Patience, clock: Box<dyn Clock>) -> Result<Self, Error> {
        Ok(Self {
            client: Client::new(settings, patience, clock)?,
            repository: settings.repository().clone(),
            viewer: OnceCell::new(),
        })
    }

    /// The repository that calls are about.
    pub fn repository(&self) -> &RepositoryName {
        &self.repository
    }

    /// The address of an endpoint of this repository: `/repos/{owner}/{repo}/…`.
    fn url(&self, parts: &[&str], query: &[(&str, &str)]) -> Result<url::Url, Error> {
        let start = ["repos", &self.repository.owner, &self.repository.name];
        self.client.url(&[&start, parts].concat(), query)
    }
}
