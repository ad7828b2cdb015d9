//! Who may do what, and who pushed what when.

use std::ops::ControlFlow;

use serde::Deserialize;

use super::GitHub;
use super::error::Error;
use super::remote_url::RepositoryName;
use super::wire::{Account, login_of, seconds};

const NEEDS: &str = "contents: read";

/// What an account may do in the repository; the greater may do what the lesser may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Nothing.
    None,
    /// See it.
    Read,
    /// See to issues and pull requests.
    Triage,
    /// Push.
    Write,
    /// Set it up, without what can do harm.
    Maintain,
    /// All.
    Admin,
}

/// What moved a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushKind {
    /// An ordinary push.
    Push,
    /// One that rewrote it.
    ForcePush,
    /// The branch is new.
    Creation,
    /// The branch was deleted.
    Deletion,
    /// A pull request was merged into it.
    Merge,
    /// Something that GitHub did not have when this was written.
    Other(String),
}

/// A move of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// The tip before, in full; zeros where there was none.
    pub before: String,
    /// The tip after; zeros where the branch was deleted.
    pub after: String,
    /// Who did it; `ghost` if the account is gone.
    pub actor: String,
    /// When, in seconds since the epoch.
    pub at: i64,
    /// What it was.
    pub kind: PushKind,
}

#[derive(Deserialize)]
struct PermissionResponse {
    permission: String,
    role_name: Option<String>,
}

#[derive(Deserialize)]
struct Activity {
    before: String,
    after: String,
    #[serde(deserialize_with = "seconds")]
    timestamp: i64,
    activity_type: String,
    actor: Option<Account>,
}

impl From<Activity> for Push {
    fn from(activity: Activity) -> Self {
        let kind = match activity.activity_type.as_str() {
            "push" => PushKind::Push,
            "force_push" => PushKind::ForcePush,
            "branch_creation" => PushKind::Creation,
            "branch_deletion" => PushKind::Deletion,
            "pr_merge" | "merge_queue_merge" => PushKind::Merge,
            other => PushKind::Other(other.to_owned()),
        };
        let Activity { before, after, timestamp: at, actor, .. } = activity;
        Self { before, after, actor: login_of(actor), at, kind }
    }
}

impl GitHub {
    /// What an account may do here. A role that the organisation made itself counts as the one it builds on.
    ///
    /// `GET /repos/{owner}/{repo}/collaborators/{username}/permission`
    ///
    /// # Errors
    /// [`Error::NotFound`] for an account that does not exist, and for bots, which are no collaborators.
    pub fn permission(&self, login: &str) -> Result<Permission, Error> {
        let url = self.url(&["collaborators", login, "permission"], &[])?;
        let answered: PermissionResponse = self.client.get(url, NEEDS)?;
        let known = |name: &str| match name {
            "admin" => Some(Permission::Admin),
            "maintain" => Some(Permission::Maintain),
            "write" => Some(Permission::Write),
            "triage" => Some(Permission::Triage),
            "read" => Some(Permission::Read),
            _ => None,
        };
        // `permission` has no word for maintain and triage.
        let role = answered.role_name.as_deref().and_then(known);
        Ok(role.or_else(|| known(&answered.permission)).unwrap_or(Permission::None))
    }

    /// The moves of a branch of any repository, the newest first: all that GitHub still knows, or, with `until`, those
    /// down to the one that made this commit its tip. If none did, the last is another's.
    ///
    /// `GET /repos/{owner}/{repo}/activity`
    ///
    /// # Errors
    /// [`Error::NotFound`] if the token may not see that repository.
    pub fn pushes(
        &self,
        repository: &RepositoryName,
        branch: &str,
        until: Option<&str>,
    ) -> Result<Vec<Push>, Error> {
        let reference = format!("refs/heads/{branch}");
        let query = [("ref", reference.as_str()), ("per_page", "100")];
        let url = self.client.url(&["repos", &repository.owner, &repository.name, "activity"], &query)?;
        let mut pushes = Vec::new();
        self.client.pages(url, NEEDS, |page: Vec<Activity>| {
            for activity in page {
                let is_last = until == Some(activity.after.as_str());
                pushes.push(Push::from(activity));
                if is_last {
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        })?;
        Ok(pushes)
    }
}
