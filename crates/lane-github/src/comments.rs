//! One comment on a pull request, kept up to date.

use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::json;

use super::GitHub;
use super::checks::truncate;
use super::error::Error;
use super::transport::{Answer, Call, Method};
use super::wire::Account;

const NEEDS: &str = "pull-requests: write";
/// Bytes; GitHub takes 65,536 characters.
const BODY: usize = 65_535;

/// What became of the comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comment {
    /// There was none, now there is.
    Created,
    /// It said something else before.
    Updated,
    /// It says what it should.
    Unchanged,
    /// It was there, and is gone.
    Removed,
    /// There is none, and there should be none.
    Absent,
}

#[derive(Deserialize)]
struct CommentResponse {
    id: u64,
    #[serde(default)]
    body: String,
    user: Option<Account>,
}

impl GitHub {
    /// Sees to it that the pull request has one comment of ours with this body, or, without a body, none.
    ///
    /// `marker` is a word that the comment begins with in a hidden HTML comment, as `git-lane`. A comment is ours if
    /// it begins with it *and* we wrote it ([`GitHub::viewer`]): a marker can be copied. The oldest of ours is kept, any
    /// further one is deleted. It is updated with `PATCH`, so nobody is notified again.
    ///
    /// `GET` and `POST /repos/{owner}/{repo}/issues/{issue_number}/comments`,
    /// `PATCH` and `DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}`
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a token that only reads.
    pub fn publish_comment(&self, pull: u64, marker: &str, body: Option<&str>) -> Result<Comment, Error> {
        let start = format!("<!-- {} -->", marker.replace("--", "").replace(['<', '>'], ""));
        let body = body.map(|body| truncate(&format!("{start}\n{body}"), BODY));
        let outcome =
            self.update_comments(pull, &start, &self.our_comments(pull, &start)?, body.as_deref())?;
        if outcome == Comment::Created {
            // Another job may have written at the same moment; both then agree on the older one. A list that does not
            // show ours yet is no reason to write it again.
            let ours = self.our_comments(pull, &start)?;
            if ours.len() > 1 {
                self.update_comments(pull, &start, &ours, body.as_deref())?;
            }
        }
        Ok(outcome)
    }

    fn update_comments(
        &self,
        pull: u64,
        start: &str,
        ours: &[CommentResponse],
        body: Option<&str>,
    ) -> Result<Comment, Error> {
        let kept = usize::from(body.is_some()).min(ours.len());
        let outcome = match (ours.first(), body) {
            (Some(oldest), Some(body)) if same(&oldest.body, body) => Comment::Unchanged,
            (Some(oldest), Some(body)) => {
                self.update_comment(oldest.id, body)?;
                Comment::Updated
            }
            (None, Some(body)) => {
                self.create_comment(pull, start, body)?;
                Comment::Created
            }
            (Some(_), None) => Comment::Removed,
            (None, None) => Comment::Absent,
        };
        ours[kept..].iter().try_for_each(|comment| self.delete_comment(comment.id))?;
        Ok(outcome)
    }

    /// Ours, the oldest first.
    fn our_comments(&self, pull: u64, start: &str) -> Result<Vec<CommentResponse>, Error> {
        let url = self.url(&["issues", &pull.to_string(), "comments"], &[("per_page", "100")])?;
        let mut marked: Vec<CommentResponse> = Vec::new();
        self.client.pages(url, NEEDS, |page: Vec<CommentResponse>| {
            marked.extend(page.into_iter().filter(|comment| comment.body.starts_with(start)));
            ControlFlow::Continue(())
        })?;
        if marked.is_empty() {
            return Ok(marked);
        }
        let viewer = self.viewer()?;
        marked.retain(|comment| {
            comment.user.as_ref().is_some_and(|user| user.login.eq_ignore_ascii_case(viewer))
        });
        marked.sort_by_key(|comment| comment.id);
        Ok(marked)
    }

    fn create_comment(&self, pull: u64, start: &str, body: &str) -> Result<(), Error> {
        let url = self.url(&["issues", &pull.to_string(), "comments"], &[])?;
        let call = Call { method: Method::Post, url, body: Some(json!({ "body": body })), needs: NEEDS };
        let read = |answer: &Answer| self.client.decode::<CommentResponse>(&call, answer);
        let landed = || Ok(self.our_comments(pull, start)?.into_iter().next());
        let created = self.client.once(&call, read, landed)?;
        // Who wrote it is who we are.
        if let Some(user) = created.user {
            self.viewer.get_or_init(|| user.login);
        }
        Ok(())
    }

    fn update_comment(&self, id: u64, body: &str) -> Result<(), Error> {
        let url = self.url(&["issues", "comments", &id.to_string()], &[])?;
        let body = Some(json!({ "body": body }));
        self.client.repeat(&Call { method: Method::Patch, url, body, needs: NEEDS }).map(|_| ())
    }

    fn delete_comment(&self, id: u64) -> Result<(), Error> {
        let url = self.url(&["issues", "comments", &id.to_string()], &[])?;
        match self.client.repeat(&Call { method: Method::Delete, url, body: None, needs: NEEDS }) {
            // An answer was lost, or another job was faster.
            Ok(_) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// The same but for line ends, which a comment that was edited in a browser has others of.
fn same(a: &str, b: &str) -> bool {
    let lines = |text: &str| text.replace("\r\n", "\n").trim_end().to_owned();
    lines(a) == lines(b)
}
