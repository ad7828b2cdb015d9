//! Every example answer in GitHub's description is one that we can read.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use lane_github::{CheckRun, Comment, Conclusion, LandingOutcome, MergeMethod, MergeRequest};
use lane_github::{NewPull, Permission, RepositoryName};
use serde_json::{Value, json};

use super::description::{CONTRADICTORY, DESCRIPTION, Operation, mended};
use super::fake::SHA;
use super::server::{Reply, Server, json_of, status};

#[test]
fn the_examples_keep_to_their_schemas_but_for_those_that_are_known() {
    for operation in &DESCRIPTION.operations {
        for (code, example) in operation.examples() {
            let is_known = CONTRADICTORY.contains(&operation.path.as_str());
            let faults = DESCRIPTION.answer_faults(operation, code, example);
            assert_eq!(faults.is_empty(), !is_known, "{} {}: {faults:#?}", operation.method, operation.path);
            let example = mended(&operation.path, example.clone());
            let faults = DESCRIPTION.answer_faults(operation, code, &example);
            assert!(faults.is_empty(), "{} {}: {faults:#?}", operation.method, operation.path);
        }
    }
}

/// A server that answers each operation with its nth example, or its last.
struct ByExample {
    server: Server,
    /// `METHOD template` of what was answered.
    answered: Arc<Mutex<BTreeSet<String>>>,
}

impl ByExample {
    /// `change` may change an example, or break the connection by `None`.
    fn new(nth: usize, change: impl Fn(&Operation, Value) -> Option<Value> + Send + Sync + 'static) -> Self {
        let answered = Arc::<Mutex<BTreeSet<String>>>::default();
        let noted = answered.clone();
        let server = Server::new(move |request| {
            let (method, path) = (request.method.as_str(), request.url.path());
            if path == "/graphql" {
                return json_of(200, json!({ "data": { "repository": no_queue() } })).into();
            }
            let Some((operation, _)) = DESCRIPTION.find(method, path) else { return status(404).into() };
            noted.lock().unwrap().insert(format!("{method} {}", operation.path));
            let examples: Vec<(u16, &Value)> = operation.examples().collect();
            let Some((code, example)) = examples.get(nth).or(examples.last()) else {
                return status(204).into();
            };
            match change(operation, mended(&operation.path, (*example).clone())) {
                Some(body) => json_of(*code, body).into(),
                None => Reply::Nothing,
            }
        });
        Self { server, answered }
    }
}

/// GraphQL has no examples.
fn no_queue() -> Value {
    json!({
        "autoMergeAllowed": true, "mergeCommitAllowed": true, "squashMergeAllowed": true,
        "rebaseMergeAllowed": true, "mergeQueue": null,
    })
}

fn check_run() -> CheckRun {
    CheckRun {
        name: "mighty_readme".to_owned(),
        head_sha: SHA.to_owned(),
        conclusion: Conclusion::Success,
        title: "t".to_owned(),
        summary: "s".to_owned(),
        text: None,
        annotations: vec![],
        details_url: None,
        external_id: "42".to_owned(),
    }
}

#[test]
fn every_example_is_read() {
    let mut all = BTreeSet::new();
    for nth in 0..2 {
        let by = ByExample::new(nth, |operation, mut example| {
            if operation.path.ends_with("/events") {
                example[0]["event"] = json!("labeled");
            }
            Some(example)
        });
        let github = by.server.github();
        assert_eq!(github.viewer().unwrap(), "octocat");
        let pull = github.pull_request(1347).unwrap();
        assert_eq!((pull.number, pull.title.as_str()), (1347, "Amazing new feature"));
        assert_eq!((pull.base_ref.as_str(), pull.head_ref.as_str()), ("master", "new-topic"));
        assert_eq!(pull.head_sha, "6dcb09b5b57875f334f61aebed695e2e4193db5e");
        assert_eq!(pull.labels, ["bug"]);
        assert_eq!(pull.url, "https://github.com/octocat/Hello-World/pull/1347");
        assert_eq!(github.pull_requests_for("new-topic", "octocat").unwrap()[0].number, 1347);
        let new = NewPull { title: "t", head: "new-topic", base: "master", body: "", is_draft: false };
        assert_eq!(github.create_pull(&new).unwrap(), pull);
        let events = github.label_events(1).unwrap().events;
        assert_eq!((events[0].label.as_str(), events[0].actor.as_str()), ("label", "octocat"));
        assert_eq!(events[0].at, 1_302_796_849);
        let review = &github.reviews(12).unwrap()[0];
        assert_eq!((review.author.as_str(), review.approves), ("octocat", true));
        github.add_labels(1, &["bug"]).unwrap();
        assert_eq!(github.permission("octocat").unwrap(), Permission::Admin);
        let repository = RepositoryName::parse("octocat/Hello-World").unwrap();
        let pushes = github.pushes(&repository, "main", None).unwrap();
        assert_eq!(pushes[0].after, "827efc6d56897b048c772eb4087f854f46256132");
        let jobs = github.jobs_of(SHA).unwrap();
        assert_eq!((jobs[0].name.as_str(), jobs[0].completed_at), ("mighty_readme", Some(1_525_396_492)));
        assert_eq!(github.pull_outcomes("master", 0).unwrap()[0].created_at, 1_296_068_472);
        assert_eq!(github.artifacts_since(0).unwrap()[0].branch.as_deref(), Some("main"));
        let landing = github.landing("main", None).unwrap();
        assert_eq!(landing.rules, ["commit_message_pattern", "commit_author_email_pattern"]);
        let request = MergeRequest { head: SHA, method: MergeMethod::Merge, title: Some("t"), body: None };
        let merged = Some("6dcb09b5b57875f334f61aebed695e2e4193db5e".to_owned());
        let outcome = github.merge_pull(1347, &request).unwrap();
        assert_eq!(outcome, LandingOutcome::Merged { commit: merged });
        assert_eq!(github.publish_check(&check_run()).unwrap().id, 4);
        assert_eq!(github.publish_comment(1, "x", Some("Me too")).unwrap(), Comment::Created);
        all.append(&mut by.answered.lock().unwrap());
    }
    // What is only called where something is there already, or was lost.
    let comment = ByExample::new(0, |operation, mut example| {
        if operation.path.ends_with("/comments") {
            example[0]["body"] = json!("<!-- x -->\nother");
        }
        Some(example)
    });
    assert_eq!(comment.server.github().publish_comment(1, "x", Some("y")).unwrap(), Comment::Updated);
    assert_eq!(comment.server.github().publish_comment(1, "x", None).unwrap(), Comment::Removed);
    comment.server.github().ensure_label("bug", "f29513", "").unwrap();
    all.append(&mut comment.answered.lock().unwrap());
    let run = check_with_one_lost_patch();
    all.append(&mut run.answered.lock().unwrap());
    // Statuses are asked for where there is no check run; a zip file has no example.
    let bare = ByExample::new(0, |operation, example| {
        Some(if operation.path.ends_with("/check-runs") {
            json!({ "total_count": 0, "check_runs": [] })
        } else {
            example
        })
    });
    assert_eq!(bare.server.github().jobs_of(SHA).unwrap()[1].name, "security/brakeman");
    all.append(&mut bare.answered.lock().unwrap());
    all.insert("GET /repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}".to_owned());
    let made = Server::with([
        status(404),
        json_of(201, super::description::example("POST", "/repos/{owner}/{repo}/labels")),
    ]);
    made.github().ensure_label("bug", "f29513", "").unwrap();
    all.insert("POST /repos/{owner}/{repo}/labels".to_owned());
    let described: BTreeSet<String> = DESCRIPTION
        .operations
        .iter()
        .map(|operation| format!("{} {}", operation.method, operation.path))
        .collect();
    assert_eq!(all, described, "operations that no example was read of, or that are not described");
}

/// A run of ours that lacks its annotation; the answer to the `PATCH` that brings it is lost.
fn check_with_one_lost_patch() -> ByExample {
    let mut run = check_run();
    run.annotations = vec![lane_github::Annotation {
        path: "a".to_owned(),
        start_line: 1,
        end_line: 1,
        level: lane_github::Level::Notice,
        message: "m".to_owned(),
        title: "t".to_owned(),
    }];
    // What its reference is, a first server is told.
    let probe = ByExample::new(0, |_, example| Some(example));
    probe.server.github().publish_check(&run).unwrap();
    let sent = probe.server.requests().iter().filter_map(super::server::body_of).next().unwrap();
    let reference = sent["external_id"].clone();
    let patched = Mutex::new(false);
    let by = ByExample::new(0, move |operation, mut example| {
        let mut patched = patched.lock().unwrap();
        match (operation.method.as_str(), operation.path.as_str()) {
            ("PATCH", _) if !*patched => {
                *patched = true;
                None
            }
            ("GET", path) if path.ends_with("/commits/{ref}/check-runs") => {
                example["check_runs"][0]["external_id"] = reference.clone();
                example["check_runs"][0]["head_sha"] = json!(SHA);
                example["check_runs"][0]["output"]["annotations_count"] = json!(0);
                Some(example)
            }
            ("GET", _) => {
                example["output"]["annotations_count"] = json!(0);
                Some(example)
            }
            _ => Some(example),
        }
    });
    assert_eq!(by.server.github().publish_check(&run).unwrap().id, 4);
    let methods: Vec<String> =
        by.server.requests().iter().map(|request| request.method.to_string()).collect();
    assert_eq!(methods, ["GET", "PATCH", "GET", "PATCH"]);
    by
}
