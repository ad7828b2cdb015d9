//! Check runs: one for one verdict, its annotations once.

use lane_github::{Annotation, CheckRun, Conclusion, Error, Level};
use serde_json::{Value, json};

use super::fake::{Fake, SHA, fault};
use super::server::{Server, json_of};

fn run(annotations: usize) -> CheckRun {
    let annotation = |number: usize| Annotation {
        path: format!("services/x/{number}.py"),
        start_line: number as u64 + 1,
        end_line: number as u64 + 1,
        level: Level::Failure,
        message: format!("remark {number}"),
        title: "foreign-path".to_owned(),
    };
    CheckRun {
        name: "lanes".to_owned(),
        head_sha: SHA.to_owned(),
        conclusion: Conclusion::Failure,
        title: "2 findings".to_owned(),
        summary: "A summary.".to_owned(),
        text: Some("The text.".to_owned()),
        annotations: (0..annotations).map(annotation).collect(),
        details_url: Some("https://example.com/details".to_owned()),
        external_id: "ci/42".to_owned(),
    }
}

/// The one run that there is has these annotations, each once and in order.
#[track_caller]
fn has_once(fake: &Fake, count: usize) {
    let state = fake.state.lock().unwrap();
    assert_eq!(state.runs.len(), 1);
    let messages: Vec<&Value> =
        state.annotations[0].iter().map(|annotation| &annotation["message"]).collect();
    let wanted: Vec<Value> = (0..count).map(|number| json!(format!("remark {number}"))).collect();
    assert_eq!(messages, wanted.iter().collect::<Vec<_>>());
}

#[test]
fn annotations_go_in_batches_of_fifty() {
    let fake = Fake::new(vec![]);
    let published = fake.server.github().publish_check(&run(60)).unwrap();
    has_once(&fake, 60);
    assert_eq!(
        fake.server.asked()[1..],
        ["POST /repos/o/n/check-runs".to_owned(), format!("PATCH /repos/o/n/check-runs/{}", published.id),]
    );
    let bodies: Vec<Value> = fake.server.requests().iter().filter_map(super::server::body_of).collect();
    let counts: Vec<usize> =
        bodies.iter().map(|body| body["output"]["annotations"].as_array().unwrap().len()).collect();
    assert_eq!(counts, [50, 10]);
    assert_eq!(
        bodies[0]["output"]["annotations"][0],
        json!({
            "path": "services/x/0.py", "start_line": 1, "end_line": 1, "annotation_level": "failure",
            "message": "remark 0", "title": "foreign-path",
        })
    );
    let state = fake.state.lock().unwrap();
    assert_eq!(state.runs[0]["conclusion"], "failure");
    assert_eq!(state.runs[0]["output"]["summary"], "A summary.");
    assert_eq!(published.url, state.runs[0]["html_url"].as_str().map(str::to_owned));
}

#[test]
fn a_second_publication_updates_the_run_and_adds_nothing() {
    let fake = Fake::new(vec![]);
    let first = fake.server.github().publish_check(&run(60)).unwrap();
    let mut again = run(60);
    again.conclusion = Conclusion::Neutral;
    again.summary = "Another summary.".to_owned();
    assert_eq!(fake.server.github().publish_check(&again).unwrap(), first);
    has_once(&fake, 60);
    let state = fake.state.lock().unwrap();
    assert_eq!(state.runs[0]["conclusion"], "neutral");
    assert_eq!(state.runs[0]["output"]["summary"], "Another summary.");
}

#[test]
fn other_annotations_make_a_new_run_that_github_shows_as_the_newest() {
    let fake = Fake::new(vec![]);
    let ids = [2, 1, 2].map(|count| fake.server.github().publish_check(&run(count)).unwrap().id);
    // The last is like the first, but the first is no longer the one that is shown.
    assert!(ids[0] < ids[1] && ids[1] < ids[2]);
    let state = fake.state.lock().unwrap();
    assert_eq!(state.annotations.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1, 2]);
}

#[test]
fn runs_of_other_names_commits_and_ids_are_left_alone() {
    let fake = Fake::new(vec![]);
    let github = fake.server.github();
    let mut others = [run(1), run(1), run(1)];
    others[0].name = "other".to_owned();
    others[1].head_sha = "0".repeat(40);
    others[2].external_id = "ci/4".to_owned();
    others.iter().for_each(|other| drop(github.publish_check(other).unwrap()));
    let id = github.publish_check(&run(1)).unwrap().id;
    assert_eq!(github.publish_check(&run(1)).unwrap().id, id);
    assert_eq!(fake.state.lock().unwrap().runs.len(), 4);
}

#[test]
fn a_run_that_was_left_half_done_is_completed() {
    // The second batch does not come through, however often.
    let broken = || fault("PATCH", "check-runs", false, Some(502));
    let fake = Fake::new(vec![broken(), broken(), broken(), broken()]);
    let error = fake.server.github().publish_check(&run(60)).unwrap_err();
    assert!(matches!(error, Error::Answer { status: 502, .. }), "{error:?}");
    has_once(&fake, 50);
    fake.server.github().publish_check(&run(60)).unwrap();
    has_once(&fake, 60);
}

#[test]
fn whatever_answer_is_lost_nothing_is_there_twice() {
    for method in ["POST", "PATCH", "GET"] {
        for is_done in [true, false] {
            for status in [Some(502), Some(504), None] {
                let fake = Fake::new(vec![fault(method, "check-runs", is_done, status)]);
                fake.server.github().publish_check(&run(120)).unwrap();
                has_once(&fake, 120);
                let sent = fake.count(method);
                let needed = if method == "PATCH" { 2 } else { 1 };
                let expected = match method {
                    // It looked once more, and sent it again only if it had to.
                    "POST" | "PATCH" => needed + usize::from(!is_done),
                    _ => 2,
                };
                assert_eq!(sent, expected, "{method} {is_done} {status:?}: {:#?}", fake.server.asked());
            }
        }
    }
}

#[test]
fn several_answers_in_a_row_are_lost() {
    let lost = |is_done| fault("PATCH", "check-runs", is_done, None);
    let fake = Fake::new(vec![
        fault("POST", "check-runs", false, Some(502)),
        fault("POST", "check-runs", true, None),
        lost(false),
        lost(true),
        lost(true),
    ]);
    fake.server.github().publish_check(&run(150)).unwrap();
    has_once(&fake, 150);
}

#[test]
fn a_run_without_annotations_is_one_request_more_each_time() {
    let fake = Fake::new(vec![]);
    let mut run = run(0);
    run.text = None;
    run.details_url = None;
    fake.server.github().publish_check(&run).unwrap();
    assert_eq!(fake.server.asked().len(), 2);
    fake.server.github().publish_check(&run).unwrap();
    assert_eq!(fake.count("POST"), 1);
    assert_eq!(fake.count("PATCH"), 1);
}

#[test]
fn what_is_too_long_is_cut() {
    let fake = Fake::new(vec![]);
    let mut long = run(1);
    long.summary = "ä".repeat(70_000);
    long.text = Some("x".repeat(70_000));
    long.annotations[0].title = "t".repeat(300);
    fake.server.github().publish_check(&long).unwrap();
    let state = fake.state.lock().unwrap();
    assert_eq!(state.runs[0]["output"]["text"].as_str().unwrap().len(), 65_535);
    assert!(state.runs[0]["output"]["summary"].as_str().unwrap().ends_with('…'));
    assert_eq!(state.annotations[0][0]["title"].as_str().unwrap().len(), 255);
}

#[test]
fn a_token_that_only_reads() {
    let server = Server::with([
        json_of(200, json!({ "total_count": 0, "check_runs": [] })),
        json_of(403, json!({ "message": "Resource not accessible by integration" })),
    ]);
    let error = server.github().publish_check(&run(1)).unwrap_err();
    assert!(error.is_forbidden());
    assert_eq!(
        error.to_string(),
        "GitHub does not allow POST /repos/o/n/check-runs: Resource not accessible by integration"
    );
    assert!(error.help().contains("`permissions: { checks: write }`"), "{}", error.help());
    assert!(server.slept().is_empty());
}
