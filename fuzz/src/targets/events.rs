//! What GitHub and GitLab say of the change that a job is about: GitHub's payload against the same JSON looked up by hand, GitLab's
//! variables against themselves.
//!
//! Input: a line with the event's name and below it the payload; or lines `NAME=value`.

use std::collections::HashMap;

use lane_core::error::Error;
use serde_json::Value;

use super::super::program::ci::{Job, github, gitlab};

/// Runs the target.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Some((event, payload)) = text.split_once('\n') {
        of_github(event, payload);
    }
    let set: HashMap<&str, &str> = text.lines().filter_map(|line| line.split_once('=')).collect();
    of_gitlab(&set);
}

fn is_clear(error: &Error) -> bool {
    !error.to_string().is_empty()
}

fn of_github(event: &str, payload: &str) {
    let job = match github::of_payload(event, payload) {
        Ok(job) => job,
        Err(error) => return assert!(is_clear(&error)),
    };
    // A number that nobody asks for may be out of range.
    let Some(value) = serde_json::from_str::<Value>(payload).ok().filter(|value| !is_listed(value)) else {
        return;
    };
    let again = github::of_payload(event, &value.to_string()).ok();
    assert_eq!(again.as_ref(), Some(&job), "spelled in another way");
    let text = |place: &str| value.pointer(place).and_then(Value::as_str).map(str::to_owned);
    assert_eq!(job.default_branch, text("/repository/default_branch"));
    if value.get("pull_request").is_some_and(|request| !request.is_null()) {
        request(&job, &value);
    } else {
        assert!(job.is_queue && job.branch.is_none());
        assert_eq!(job.base.commit, text("/merge_group/base_sha"));
        assert_eq!(job.head.commit, text("/merge_group/head_sha"));
        let base = text("/merge_group/base_ref").unwrap_or_default();
        let branch = job.base.branch.as_deref().expect("a branch");
        assert!(base == branch || base == format!("refs/heads/{branch}"), "{base} {branch}");
    }
}

/// Whether lists stand where GitHub has objects, which are read as their values in order.
fn is_listed(value: &Value) -> bool {
    let places = ["", "/pull_request", "/merge_group", "/repository"].into_iter().map(str::to_owned);
    let parts =
        ["head", "base", "user", "head/repo", "base/repo"].map(|part| format!("/pull_request/{part}"));
    let labels = value.pointer("/pull_request/labels").and_then(Value::as_array);
    places.chain(parts).any(|place| value.pointer(&place).is_some_and(Value::is_array))
        || labels.into_iter().flatten().any(Value::is_array)
}

fn request(job: &Job, value: &Value) {
    let text = |place: &str| value.pointer(&format!("/pull_request{place}")).and_then(Value::as_str);
    let name = |side: &str| text(&format!("/{side}/repo/full_name")).map(str::to_ascii_lowercase);
    let labels = value.pointer("/pull_request/labels").and_then(Value::as_array);
    let labels: Vec<&str> =
        labels.into_iter().flatten().filter_map(|label| label.get("name")?.as_str()).collect();
    let said = &job.request;
    assert_eq!(said.number, value.pointer("/pull_request/number").and_then(Value::as_u64));
    assert_eq!(said.title.as_deref(), text("/title"));
    assert_eq!(said.author.as_deref(), text("/user/login"));
    assert_eq!(said.labels.as_deref().unwrap_or_default(), labels);
    assert_eq!(said.is_fork, name("head").is_none() || name("head") != name("base"));
    assert_eq!((job.branch.as_deref(), job.head.commit.as_deref()), (text("/head/ref"), text("/head/sha")));
    assert_eq!(
        (job.base.branch.as_deref(), job.base.commit.as_deref()),
        (text("/base/ref"), text("/base/sha"))
    );
    assert!(!job.is_queue);
}

fn of_gitlab(set: &HashMap<&str, &str>) {
    let given = |name: &str| set.get(name).map(|value| (*value).to_owned());
    let said = |name: &str| given(name).filter(|value| !value.is_empty());
    let is_request =
        ["CI_MERGE_REQUEST_IID", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"].map(said).iter().all(Option::is_some);
    let job = match gitlab::read_job(&given) {
        Ok(job) => job,
        Err(error) => return assert!(is_clear(&error) && !is_request),
    };
    assert!(is_request);
    assert_eq!(job.base.branch, said("CI_MERGE_REQUEST_TARGET_BRANCH_NAME"));
    assert!(
        job.head.commit.is_none()
            || [said("CI_COMMIT_SHA"), said("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA")].contains(&job.head.commit)
    );
    let labels = job.request.labels.unwrap_or_default();
    assert!(labels.iter().all(|label| !label.is_empty() && !label.contains(',') && label.trim() == label));
    let paths = ["CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", "CI_MERGE_REQUEST_PROJECT_PATH"].map(said);
    assert_eq!(job.request.is_fork, paths[0] != paths[1]);
    assert!(job.request.author.is_none(), "whoever started a pipeline is not whose change it is");
}
