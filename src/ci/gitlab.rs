//! GitLab CI: merge request pipelines.
//!
//! Variables: <https://docs.gitlab.com/ci/variables/predefined_variables/>.

use super::{Host, Job, Side};
use lane_core::error::Error;
use lane_core::facts::PullRequest;

/// The change that the pipeline is about.
///
/// # Errors
/// It is about none.
pub fn read_job(variable: &dyn Fn(&str) -> Option<String>) -> Result<Job, Error> {
    let said = |name: &str| variable(name).filter(|value| !value.is_empty());
    let (Some(number), Some(target)) =
        (said("CI_MERGE_REQUEST_IID"), said("CI_MERGE_REQUEST_TARGET_BRANCH_NAME"))
    else {
        return Err(Error::usage(
            "this pipeline is not for a merge request: no change to judge",
            "add the rule to the job: if: $CI_PIPELINE_SOURCE == \"merge_request_event\"\n\
             or name both ends: git lane ci --base A --head B",
        ));
    };
    // In a pipeline for merged results CI_COMMIT_SHA is a merge that GitLab made.
    let head = said("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA").or_else(|| said("CI_COMMIT_SHA"));
    let labels = variable("CI_MERGE_REQUEST_LABELS").unwrap_or_default();
    let labels = labels.split(',').map(str::trim).filter(|label| !label.is_empty()).map(str::to_owned);
    Ok(Job {
        host: Host::GitLab,
        what: format!("merge request {number}"),
        base: Side {
            refspec: Some(target.clone()),
            branch: Some(target),
            commit: said("CI_MERGE_REQUEST_TARGET_BRANCH_SHA"),
        },
        head: Side {
            branch: None,
            commit: head,
            refspec: Some(format!("refs/merge-requests/{number}/head")),
        },
        branch: said("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"),
        default_branch: said("CI_DEFAULT_BRANCH"),
        request: PullRequest {
            number: number.parse().ok(),
            title: said("CI_MERGE_REQUEST_TITLE"),
            labels: Some(labels.collect()),
            // GITLAB_USER_LOGIN is whoever started the pipeline: that may be a maintainer who ran it again.
            author: None,
            is_fork: said("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH") != said("CI_MERGE_REQUEST_PROJECT_PATH"),
        },
        is_queue: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIPELINE: [(&str, &str); 9] = [
        ("CI_MERGE_REQUEST_IID", "7"),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
        ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "feat/a1/x"),
        ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", ""),
        ("CI_COMMIT_SHA", "1111111111111111111111111111111111111111"),
        ("CI_MERGE_REQUEST_TITLE", "[A1] x"),
        ("CI_MERGE_REQUEST_LABELS", "auto-merge, bug"),
        ("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", "g/p"),
        ("CI_MERGE_REQUEST_PROJECT_PATH", "g/p"),
    ];

    fn of(change: &[(&str, &str)]) -> Result<Job, Error> {
        let find = |name: &str| {
            let all = change.iter().chain(&PIPELINE);
            all.clone().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        read_job(&find)
    }

    #[test]
    fn merge_requests() {
        let job = of(&[]).expect("a job");
        assert_eq!(job.head.commit.as_deref(), Some("1111111111111111111111111111111111111111"));
        assert_eq!((job.base.branch.as_deref(), job.branch.as_deref()), (Some("main"), Some("feat/a1/x")));
        assert_eq!(job.request.labels, Some(vec!["auto-merge".to_owned(), "bug".to_owned()]));
        assert!(!job.request.is_fork);
    }

    #[test]
    fn of_merged_results_the_source_is_judged() {
        let source = "2222222222222222222222222222222222222222";
        let job = of(&[("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", source)]).expect("a job");
        assert_eq!(job.head.commit.as_deref(), Some(source));
        let fork = of(&[("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", "other/p")]).expect("a job");
        assert!(fork.request.is_fork);
    }

    #[test]
    fn other_pipelines_are_about_nothing() {
        assert!(of(&[("CI_MERGE_REQUEST_IID", "")]).is_err());
    }
}
