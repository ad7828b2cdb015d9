//! The policy job: what a host of repositories says about the change that its job is to judge.
//!
//! Environment and payload in, plain data out; nothing here looks at a repository.

pub mod github;
pub mod gitlab;
pub mod waivers;

use lane_core::error::Error;
use lane_core::facts::PullRequest;

/// Who runs the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// GitHub Actions, or a server that speaks like it.
    GitHub,
    /// GitLab CI.
    GitLab,
    /// Somebody by hand, or another CI, with options.
    Plain,
}

/// What is to be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Who runs it.
    pub host: Host,
    /// What it is that is judged, in words: `pull request 2`.
    pub what: String,
    /// What the change is merged into.
    pub base: Side,
    /// The change's own tip, never a merge of it.
    pub head: Side,
    /// The branch that the change is on, where there is one.
    pub branch: Option<String>,
    /// The branch whose policy speaks for branches that nobody protects.
    pub default_branch: Option<String>,
    /// What is said about the change outside of its commits.
    pub request: PullRequest,
    /// Changes that were judged already wait to be merged; the last commit may be a merge that the host made.
    pub is_queue: bool,
}

/// One side of a change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Side {
    /// The branch's short name.
    pub branch: Option<String>,
    /// The commit as the host names it, or whatever somebody typed that means one.
    pub commit: Option<String>,
    /// What a fetch has to ask for where it is not here.
    pub refspec: Option<String>,
}

/// What can be said on the command line; it stands above all that a host says.
#[derive(Debug, Clone, Default)]
pub struct CiOptions {
    /// The base: a branch, or anything that means a commit.
    pub base: Option<String>,
    /// The tip.
    pub head: Option<String>,
    /// The branch.
    pub branch: Option<String>,
    /// The title.
    pub title: Option<String>,
    /// The labels; none said: whatever the host says.
    pub labels: Vec<String>,
    /// The author's account.
    pub author: Option<String>,
}

/// Finds out what is to be judged. `variable`: the environment.
///
/// # Errors
/// Nobody says what, or a payload cannot be read.
pub fn read_job(variable: &dyn Fn(&str) -> Option<String>, said: &CiOptions) -> Result<Job, Error> {
    let is = |name: &str| variable(name).is_some_and(|value| value == "true");
    // Whoever names both ends needs no host.
    let named = said.base.is_some() && said.head.is_some();
    let job = if is("GITHUB_ACTIONS") && !named {
        Some(github::read_job(variable)?)
    } else if is("GITLAB_CI") && !named {
        Some(gitlab::read_job(variable)?)
    } else {
        None
    };
    let mut job = job.unwrap_or_else(plain);
    if let Some(base) = &said.base {
        job.base =
            Side { branch: Some(base.clone()), commit: Some(base.clone()), refspec: Some(base.clone()) };
        job.default_branch = None;
    }
    if let Some(head) = &said.head {
        job.head = Side { branch: None, commit: Some(head.clone()), refspec: Some(head.clone()) };
    }
    if job.host == Host::Plain && said.base.is_none() {
        return Err(Error::usage(
            "no change to judge: not in a GitHub or GitLab job, and no ends given",
            "name both ends: git lane ci --base main --head HEAD --branch feat/a1/x\n\
             before a push, for your own branch: git lane check",
        ));
    }
    if job.head.commit.is_none() {
        job.head.commit = Some("HEAD".to_owned());
    }
    job.branch = said.branch.clone().or(job.branch);
    job.request.title = said.title.clone().or(job.request.title);
    job.request.author = said.author.clone().or(job.request.author);
    if !said.labels.is_empty() {
        job.request.labels = Some(said.labels.clone());
    }
    Ok(job)
}

fn plain() -> Job {
    Job {
        host: Host::Plain,
        what: "the change".to_owned(),
        base: Side::default(),
        head: Side::default(),
        branch: None,
        default_branch: None,
        request: PullRequest::default(),
        is_queue: false,
    }
}

/// A branch's short name.
fn short(reference: &str) -> String {
    reference.strip_prefix("refs/heads/").unwrap_or(reference).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)], said: &CiOptions) -> Result<Job, Error> {
        let pairs: Vec<(String, String)> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        read_job(&|name| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()), said)
    }

    #[test]
    fn options_stand_above_all() {
        let said = CiOptions {
            base: Some("main".into()),
            head: Some("x".into()),
            branch: Some("feat/a1/x".into()),
            title: Some("[A1] x".into()),
            labels: vec!["auto-merge".into()],
            author: Some("bot".into()),
        };
        let job = of(&[("GITHUB_ACTIONS", "true")], &said).expect("a job");
        assert_eq!((job.host, job.base.commit.as_deref()), (Host::Plain, Some("main")));
        assert_eq!((job.head.commit.as_deref(), job.branch.as_deref()), (Some("x"), Some("feat/a1/x")));
        assert_eq!(job.request.labels, Some(vec!["auto-merge".to_owned()]));
    }

    #[test]
    fn nobody_says_what() {
        assert!(of(&[], &CiOptions::default()).is_err());
        assert!(of(&[("GITHUB_ACTIONS", "true")], &CiOptions::default()).is_err());
    }
}
