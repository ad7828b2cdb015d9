//! GitHub Actions: the event that started the workflow, and its payload.
//!
//! Variables: <https://docs.github.com/actions/reference/workflows-and-actions/variables>. Payloads:
//! <https://docs.github.com/webhooks/webhook-events-and-payloads>, `pull_request` and `merge_group`.

use serde::Deserialize;

use super::{Host, Job, Side, short};
use lane_core::error::Error;
use lane_core::facts::{PullRequest, Unavailable};

#[derive(Deserialize)]
struct Payload {
    pull_request: Option<Request>,
    merge_group: Option<Group>,
    repository: Option<Repository>,
}

#[derive(Deserialize)]
struct Request {
    number: u64,
    title: String,
    #[serde(default)]
    labels: Vec<Label>,
    user: Option<User>,
    head: Tip,
    base: Tip,
}

#[derive(Deserialize)]
struct Label {
    name: String,
}

#[derive(Deserialize)]
struct User {
    login: String,
}

#[derive(Deserialize)]
struct Tip {
    #[serde(rename = "ref")]
    reference: String,
    sha: String,
    /// Null where the fork is gone.
    repo: Option<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    full_name: String,
    default_branch: Option<String>,
}

#[derive(Deserialize)]
struct Group {
    head_sha: String,
    head_ref: String,
    base_sha: String,
    base_ref: String,
}

/// The change that the workflow's event is about.
///
/// # Errors
/// The event is about none, or its payload cannot be read.
pub fn read_job(variable: &dyn Fn(&str) -> Option<String>) -> Result<Job, Error> {
    let event = variable("GITHUB_EVENT_NAME").unwrap_or_default();
    let Some(path) = variable("GITHUB_EVENT_PATH") else {
        return Err(broken("GITHUB_EVENT_PATH is not set", &event));
    };
    let text = std::fs::read_to_string(&path).map_err(|error| broken(&format!("{path}: {error}"), &event))?;
    of_payload(&event, &text)
}

/// The change that a payload is about.
///
/// # Errors
/// It is about none, or it is no payload.
pub fn of_payload(event: &str, text: &str) -> Result<Job, Error> {
    let payload: Payload = serde_json::from_str(text).map_err(|error| broken(&error.to_string(), event))?;
    let default_branch = payload.repository.and_then(|repository| repository.default_branch);
    match (payload.pull_request, payload.merge_group) {
        (Some(request), _) => Ok(of_request(request, default_branch)),
        (None, Some(group)) => Ok(of_group(&group, default_branch)),
        (None, None) => Err(Error::usage(
            format!("the event `{event}` has no change to judge"),
            "run the job on: pull_request (or pull_request_target) and merge_group\n\
             or name both ends: git lane ci --base A --head B",
        )),
    }
}

fn of_request(request: Request, default_branch: Option<String>) -> Job {
    let Request { number, title, labels, user, head, base } = request;
    let name = |tip: &Tip| tip.repo.as_ref().map(|repo| repo.full_name.to_ascii_lowercase());
    let is_fork = name(&head).is_none() || name(&head) != name(&base);
    Job {
        host: Host::GitHub,
        what: format!("pull request {number}"),
        base: Side {
            refspec: Some(base.reference.clone()),
            branch: Some(base.reference),
            commit: Some(base.sha),
        },
        head: Side {
            branch: None,
            commit: Some(head.sha),
            refspec: Some(format!("refs/pull/{number}/head")),
        },
        branch: Some(head.reference),
        default_branch,
        request: PullRequest {
            number: Some(number),
            title: Some(title),
            labels: Some(labels.into_iter().map(|label| label.name).collect()),
            author: user.map(|user| user.login),
            is_fork,
        },
        is_queue: false,
    }
}

fn of_group(group: &Group, default_branch: Option<String>) -> Job {
    let branch = short(&group.base_ref);
    Job {
        host: Host::GitHub,
        what: format!("the merge queue of {branch}"),
        // What is ahead in the queue is not on the branch yet: the base is that commit and no other.
        base: Side {
            branch: Some(branch),
            commit: Some(group.base_sha.clone()),
            refspec: Some(group.base_sha.clone()),
        },
        head: Side {
            branch: None,
            commit: Some(group.head_sha.clone()),
            refspec: Some(group.head_sha.clone()),
        },
        branch: None,
        default_branch,
        // `refs/heads/gh-readonly-queue/main/pr-104-<oid>`: the last one of the group.
        request: PullRequest { number: queued(&group.head_ref), ..PullRequest::default() },
        is_queue: true,
    }
}

fn queued(reference: &str) -> Option<u64> {
    reference.rsplit('/').next()?.strip_prefix("pr-")?.split('-').next()?.parse().ok()
}

fn broken(what: &str, event: &str) -> Error {
    Unavailable::new(
        format!("the payload of the event `{event}` cannot be read: {what}"),
        "run this as a step of the workflow\nor name both ends: git lane ci --base A --head B",
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! payload {
        ($event:literal, $name:literal) => {
            of_payload($event, include_str!(concat!("../../tests/payloads/", $name, ".json"))).expect("a job")
        };
    }

    const HEAD: &str = "ec26c3e57ca3a959ca5aad62de7213c562f8c821";
    const BASE: &str = "f95f852bd8fca8fcc58a9a2d6c842781e32a215e";

    #[test]
    fn pull_requests() {
        for (job, labels) in [
            (payload!("pull_request", "opened"), vec![]),
            (payload!("pull_request", "labeled"), vec!["bug".to_owned()]),
            (payload!("pull_request_target", "synchronize"), vec!["bug".to_owned()]),
        ] {
            assert_eq!((job.head.commit.as_deref(), job.base.commit.as_deref()), (Some(HEAD), Some(BASE)));
            assert_eq!(
                (job.base.branch.as_deref(), job.branch.as_deref()),
                (Some("master"), Some("changes"))
            );
            let PullRequest { number, title, labels: found, author, is_fork } = job.request;
            assert_eq!((number, author.as_deref(), is_fork), (Some(2), Some("Codertocat"), false));
            assert_eq!(title.as_deref(), Some("Update the README with new information."));
            assert_eq!((found, job.default_branch.as_deref()), (Some(labels), Some("master")));
        }
    }

    #[test]
    fn from_a_fork() {
        let job = payload!("pull_request", "fork");
        assert!(job.request.is_fork);
        assert_eq!(job.request.author.as_deref(), Some("stranger"));
        assert_eq!(job.head.refspec.as_deref(), Some("refs/pull/2/head"));
        let gone =
            include_str!("../../tests/payloads/fork.json").replacen("\"repo\":{", "\"repo\":null,\"x\":{", 1);
        assert!(of_payload("pull_request", &gone).expect("a job").request.is_fork, "the fork was deleted");
    }

    #[test]
    fn a_merge_queue() {
        let job = payload!("merge_group", "merge_group");
        assert_eq!(job.base.branch.as_deref(), Some("main"));
        assert_eq!(job.base.commit.as_deref(), Some("380387fbc80638b734a49e1be1c4dfec1c01b33c"));
        assert_eq!(job.head.commit.as_deref(), Some("2ffea6db159f6b6c47a24e778fb9ef40cf6b1c7d"));
        assert!(job.is_queue && job.branch.is_none());
        assert_eq!(job.request.number, Some(104));
    }

    #[test]
    fn events_about_nothing() {
        let error = of_payload("push", r#"{"ref":"refs/heads/main"}"#).expect_err("no change");
        assert!(error.to_string().contains("`push` has no change to judge"));
        assert!(of_payload("pull_request", "{").is_err());
    }
}
