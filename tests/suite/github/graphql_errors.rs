//! Errors that come with status 200.

use lane_github::{Error, LandingWay, MergeState, NeitherReason, PullStatus};
use serde_json::{Value, json};

use super::server::{NOW, Server, json_of};

fn pull() -> Value {
    json!({
        "id": "PR_1", "number": 1, "url": "https://github.com/o/n/pull/1", "state": "OPEN", "isDraft": false,
        "baseRefName": "main", "headRefName": "x", "headRefOid": "aa", "mergeCommit": null,
        "mergeStateStatus": "CLEAN", "reviewDecision": null, "isMergeQueueEnabled": false,
        "mergeQueueEntry": null, "autoMergeRequest": null, "viewerCanEnableAutoMerge": false,
        "latestOpinionatedReviews": { "nodes": [null, { "state": "APPROVED" }] },
    })
}

fn state(pull: &Value) -> Value {
    json!({ "data": { "repository": { "pullRequest": pull } } })
}

fn failed(kind: Option<&str>, message: &str) -> Value {
    let mut error = json!({ "message": message, "path": ["repository"] });
    if let Some(kind) = kind {
        error["type"] = json!(kind);
    }
    json!({ "data": null, "errors": [error] })
}

#[test]
fn a_limit_is_waited_for() {
    let limited = failed(Some("RATE_LIMITED"), "API rate limit exceeded for user ID 1.");
    let reset = (NOW + 29).to_string();
    let spent = json_of(200, &limited)
        .insert_header("x-ratelimit-remaining", "0")
        .insert_header("x-ratelimit-reset", reset.as_str());
    let server = Server::with([spent, json_of(200, state(&pull()))]);
    assert_eq!(server.github().pull_state(1).unwrap().status, PullStatus::Open);
    assert_eq!(server.slept(), [30.0]);
    let secondary = failed(None, "You have exceeded a secondary rate limit.");
    let server = Server::with([
        json_of(200, secondary).insert_header("retry-after", "7"),
        json_of(200, state(&pull())),
    ]);
    server.github().pull_state(1).unwrap();
    assert_eq!(server.slept(), [7.0]);
    let server = Server::with([json_of(200, &limited).insert_header("retry-after", "3600")]);
    let error = server.github().pull_state(1).unwrap_err();
    assert!(matches!(error, Error::RateLimited { .. }), "{error}");
}

#[test]
fn a_fault_of_githubs_own_is_tried_again() {
    let words =
        "Something went wrong while executing your query. Please include `1:2` when reporting this issue.";
    let broken = || json_of(200, failed(None, words));
    let server = Server::with([broken(), broken(), json_of(200, state(&pull()))]);
    server.github().pull_state(1).unwrap();
    assert_eq!(server.requests().len(), 3);
    let server = Server::with([broken(), broken(), broken(), broken()]);
    let error = server.github().pull_state(1).unwrap_err();
    assert_eq!(error.to_string(), format!("GitHub answered 502 to POST /graphql (PullState): {words}"));
}

#[test]
fn a_refusal_is_told_in_githubs_words() {
    let told = |kind: Option<&str>, message: &str| {
        let server = Server::with([json_of(200, failed(kind, message))]);
        server.github().pull_state(1).unwrap_err()
    };
    let error = told(Some("FORBIDDEN"), "Resource not accessible by personal access token");
    assert!(error.is_forbidden() && error.help().contains("contents: read, pull-requests: read"));
    assert!(told(None, "Resource not accessible by integration").is_forbidden());
    assert!(told(Some("INSUFFICIENT_SCOPES"), "Your token has not been granted the scopes").is_forbidden());
    let error = told(Some("NOT_FOUND"), "Could not resolve to a Repository");
    assert!(matches!(error, Error::NotFound { .. }));
    // A server that is older than the field.
    let error = told(None, "Field 'isMergeQueueEnabled' doesn't exist on type 'PullRequest'\u{1b}[2J");
    assert_eq!(
        error.to_string(),
        "GitHub refused POST /graphql (PullState): Field 'isMergeQueueEnabled' doesn't exist on type 'PullRequest'\\x1b[2J"
    );
    assert_eq!(error.help(), "see to what GitHub says, then rerun");
}

#[test]
fn what_does_not_fit_is_no_answer() {
    let mut odd = pull();
    odd["headRefOid"] = json!(7);
    for body in [json!({}), json!({ "data": null }), json!([]), json!({ "data": {} }), state(&odd)] {
        let error = Server::with([json_of(200, &body)]).github().pull_state(1).unwrap_err();
        assert!(matches!(error, Error::Answer { status: 200, .. }), "{body}: {error}");
    }
    // A word that is new.
    let mut new = pull();
    (new["mergeStateStatus"], new["reviewDecision"]) = (json!("QUEUED"), json!("PONDERED"));
    let state = Server::with([json_of(200, state(&new))]).github().pull_state(1).unwrap();
    assert_eq!((state.merge_state, state.review), (MergeState::Unknown, None));
}

#[test]
fn an_error_beside_data_counts_but_where_it_may_lack() {
    let repository = json!({
        "autoMergeAllowed": false, "mergeCommitAllowed": true, "squashMergeAllowed": false,
        "rebaseMergeAllowed": false, "mergeQueue": null, "pullRequest": pull(),
    });
    let beside = |path: Value| {
        let error = json!({ "type": "FORBIDDEN", "path": path, "message": "Resource not accessible" });
        let body = json!({ "data": { "repository": repository }, "errors": [error] });
        Server::with([json_of(200, body), json_of(200, json!([]))]).github().landing("main", Some(1))
    };
    let landing = beside(json!(["repository", "mergeQueue"])).unwrap();
    assert_eq!(landing.way, LandingWay::Neither(NeitherReason::NotAllowed));
    let error =
        beside(json!(["repository", "pullRequest", "latestOpinionatedReviews", "nodes", 0])).unwrap_err();
    assert!(error.is_forbidden(), "{error}");
}
