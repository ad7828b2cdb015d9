//! Labels: that they exist, who has them, who gave them when.

use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::json;

use super::GitHub;
use super::checks::truncate;
use super::error::Error;
use super::transport::{Call, Method};
use super::wire::{Account, Label, login_of, seconds};

/// A label can be made with this, or with `issues: write`.
const NEEDS: &str = "pull-requests: write";

/// A label that was given or taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelEvent {
    /// The label's name.
    pub label: String,
    /// Whether it was given; otherwise it was taken away.
    pub is_added: bool,
    /// Who did it; `ghost` if the account is gone.
    pub actor: String,
    /// When, in seconds since the epoch.
    pub at: i64,
}

/// What became of the labels of a pull request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelHistory {
    /// Who gave or took which, the oldest first.
    pub events: Vec<LabelEvent>,
    /// When it was given another base for the last time, in seconds since the epoch.
    pub base_changed: Option<i64>,
}

#[derive(Deserialize)]
struct Event {
    event: String,
    actor: Option<Account>,
    label: Option<Label>,
    #[serde(deserialize_with = "seconds")]
    created_at: i64,
}

impl GitHub {
    /// Who gave or took which label, the oldest first.
    ///
    /// `GET /repos/{owner}/{repo}/issues/{issue_number}/events`
    ///
    /// # Errors
    /// Any.
    pub fn label_events(&self, number: u64) -> Result<LabelHistory, Error> {
        let url = self.url(&["issues", &number.to_string(), "events"], &[("per_page", "100")])?;
        let (mut events, mut base_changed) = (Vec::new(), None);
        self.client.pages(url, "pull-requests: read", |page: Vec<Event>| {
            events.extend(page.into_iter().filter_map(|event| {
                let is_added = match event.event.as_str() {
                    "labeled" => true,
                    "unlabeled" => false,
                    // By hand, or because the old base went away.
                    "base_ref_changed" | "automatic_base_change_succeeded" => {
                        base_changed = base_changed.max(Some(event.created_at));
                        return None;
                    }
                    _ => return None,
                };
                let label = event.label?.name;
                Some(LabelEvent { label, is_added, actor: login_of(event.actor), at: event.created_at })
            }));
            ControlFlow::Continue(())
        })?;
        Ok(LabelHistory { events, base_changed })
    }

    /// Gives a pull request labels; those that it has stay.
    ///
    /// `POST /repos/{owner}/{repo}/issues/{issue_number}/labels`
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a token that only reads.
    pub fn add_labels(&self, number: u64, labels: &[&str]) -> Result<(), Error> {
        if labels.is_empty() {
            return Ok(());
        }
        let url = self.url(&["issues", &number.to_string(), "labels"], &[])?;
        let body = Some(json!({ "labels": labels }));
        // A label is there or not, however often it is given.
        self.client.repeat(&Call { method: Method::Post, url, body, needs: NEEDS }).map(|_| ())
    }

    /// Makes a label of the repository, unless there is one of that name; one that is there stays as it is.
    /// `color` are six hexadecimal digits.
    ///
    /// `GET /repos/{owner}/{repo}/labels/{name}`, `POST /repos/{owner}/{repo}/labels`
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a token that only reads.
    pub fn ensure_label(&self, name: &str, color: &str, description: &str) -> Result<(), Error> {
        let here = self.url(&["labels", name], &[])?;
        let is_there = || match self.client.get::<Label>(here.clone(), NEEDS) {
            Ok(_) => Ok(Some(())),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        };
        if is_there()?.is_some() {
            return Ok(());
        }
        let body = json!({ "name": name, "color": color, "description": truncate(description, 100) });
        let url = self.url(&["labels"], &[])?;
        let call = Call { method: Method::Post, url, body: Some(body), needs: NEEDS };
        match self.client.once(&call, |_| Ok(()), is_there) {
            // Another job was faster.
            Err(error) if error.has_status(422) => is_there()?.ok_or(error),
            done => done,
        }
    }
}
