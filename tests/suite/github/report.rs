//! What the report takes from GitHub: pull requests, runs of CI, coverage.

use std::io::{Cursor, Write};
use std::sync::{Arc, Mutex};

use lane_core::metrics::ci::JobState;
use lane_github::Error;
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};
use zip::write::SimpleFileOptions;

use super::description::example;
use super::server::{Reply, Server, TOKEN, json_of, status};
use crate::support::{Ran, Scratch};

const RUNS: &str = "/repos/{owner}/{repo}/commits/{ref}/check-runs";

fn run(name: &str, conclusion: Option<&str>, from: &str, to: Option<&str>) -> Value {
    let mut run = example("GET", RUNS)["check_runs"][0].clone();
    run["name"] = json!(name);
    run["status"] = json!(if conclusion.is_some() { "completed" } else { "in_progress" });
    run["conclusion"] = json!(conclusion);
    (run["started_at"], run["completed_at"]) = (json!(from), json!(to));
    run
}

fn runs(all: &[Value]) -> ResponseTemplate {
    json_of(200, json!({ "total_count": all.len(), "check_runs": all }))
}

#[test]
fn jobs_are_those_of_all_pages_and_say_what_came_of_them() {
    let [start, end] = ["2026-01-02T03:04:05Z", "2026-01-02T03:06:05Z"];
    let first =
        [run("test", Some("success"), start, Some(end)), run("lint", Some("timed_out"), start, Some(end))];
    let second = [run("docs", Some("skipped"), start, Some(end)), run("deploy", None, start, None)];
    let link = "</repos/o/n/commits/abc/check-runs?page=2>; rel=\"next\"";
    let server = Server::new(move |request: &Request| {
        let is_second = request.url.query_pairs().any(|(name, _)| name == "page");
        if is_second { runs(&second).into() } else { runs(&first).insert_header("link", link).into() }
    });
    let jobs = server.github().jobs_of("abc").unwrap();
    let states: Vec<JobState> = jobs.iter().map(|job| job.state).collect();
    assert_eq!(states, [JobState::Succeeded, JobState::Failed, JobState::Neutral, JobState::Pending]);
    assert_eq!(jobs[0].completed_at.unwrap() - jobs[0].started_at.unwrap(), 120);
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn closed_pull_requests_are_read_as_far_as_the_period_goes() {
    let pull = |number: u64, updated: &str, merged: Option<&str>| {
        let mut pull = example("GET", "/repos/{owner}/{repo}/pulls")[0].clone();
        (pull["number"], pull["state"]) = (json!(number), json!("closed"));
        pull["base"]["ref"] = json!("main");
        (pull["updated_at"], pull["merged_at"]) = (json!(updated), json!(merged));
        pull
    };
    let page = [
        pull(3, "2026-02-03T00:00:00Z", Some("2026-02-03T00:00:00Z")),
        pull(2, "2026-02-02T00:00:00Z", None),
        pull(1, "2026-01-01T00:00:00Z", Some("2026-01-01T00:00:00Z")),
    ];
    let server = Server::new(move |request: &Request| {
        let is_open = request.url.query().unwrap_or_default().contains("state=open");
        let link = format!("<{}?page=2>; rel=\"next\"", request.url.path());
        let list = if is_open { vec![] } else { page.to_vec() };
        let answer = json_of(200, list);
        if is_open { answer.into() } else { answer.insert_header("link", link).into() }
    });
    let found = server.github().pull_outcomes("main", 1_769_904_000).unwrap();
    assert_eq!(found.iter().map(|pull| pull.number).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(found.iter().filter(|pull| pull.merged_at.is_some()).count(), 1);
    assert_eq!(server.asked().len(), 2, "no page beyond the period: {:?}", server.asked());
}

/// A host that files are on, which notes what it was asked with.
fn storage(bytes: Vec<u8>) -> (wiremock::MockServer, tokio::runtime::Runtime) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = runtime.block_on(wiremock::MockServer::start());
    let answer = ResponseTemplate::new(200).set_body_raw(bytes, "application/zip");
    runtime.block_on(wiremock::Mock::given(wiremock::matchers::any()).respond_with(answer).mount(&server));
    (server, runtime)
}

#[test]
fn an_artifact_comes_from_another_host_which_is_not_given_the_token() {
    let (files, runtime) = storage(b"0123456789".to_vec());
    // The same machine under another name is another host.
    let location = format!("{}/blob?sig=x", files.uri().replace("127.0.0.1", "localhost"));
    let server = Server::new(move |_| status(302).insert_header("location", location.as_str()).into());
    assert_eq!(server.github().artifact_zip(7, 100).unwrap(), b"0123456789");
    assert!(server.github().artifact_zip(7, 9).is_err(), "no more than was asked for");
    for request in runtime.block_on(files.received_requests()).unwrap() {
        assert!(!format!("{:?}", request.headers).contains(TOKEN), "{:?}", request.headers);
    }
    let server = Server::new(|_| status(302).insert_header("location", "http://example.com/x").into());
    let refused = server.github().artifact_zip(7, 100).unwrap_err();
    assert!(matches!(refused, Error::Answer { status: 302, .. }), "in the clear: {refused}");
}

/// A repository with three changes on main, and GitHub's answers about them.
struct Stage {
    scratch: Scratch,
    server: Server,
    limited: Arc<Mutex<bool>>,
}

fn zip_of(name: &str, text: &str) -> Vec<u8> {
    let mut packed = zip::ZipWriter::new(Cursor::new(Vec::new()));
    packed.start_file(name, SimpleFileOptions::default()).unwrap();
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap().into_inner()
}

impl Stage {
    fn new() -> Self {
        let scratch = Scratch::new();
        let main = scratch.main();
        let mut commits = Vec::new();
        for number in 1..=3 {
            main.commit("README.md", &format!("{number}\n"), &format!("Change {number} (#{number})"));
            commits.push(main.head());
        }
        scratch.add_origin();
        let limited = Arc::<Mutex<bool>>::default();
        let is_limited = limited.clone();
        let server = Server::new(move |request: &Request| {
            if *is_limited.lock().unwrap() && request.url.path().ends_with("/check-runs") {
                let limit = json_of(403, json!({ "message": "API rate limit exceeded" }));
                return limit
                    .insert_header("x-ratelimit-remaining", "0")
                    .insert_header("x-ratelimit-reset", "99999999999")
                    .into();
            }
            Self::answer(request, &commits)
        });
        Self { scratch, server, limited }
    }

    fn answer(request: &Request, commits: &[String]) -> Reply {
        let path = request.url.path();
        if path.ends_with("/check-runs") {
            let at = commits.iter().position(|commit| path.contains(commit.as_str()));
            let start = "2026-01-02T03:00:00Z";
            return match at {
                Some(0) => runs(&[run("test", Some("success"), start, Some("2026-01-02T03:04:00Z"))]),
                Some(1) => runs(&[run("test", Some("failure"), start, Some("2026-01-02T03:06:00Z"))]),
                Some(2) => runs(&[run("test", Some("success"), start, Some("2026-01-02T03:05:00Z"))]),
                _ => runs(&[]),
            }
            .into();
        }
        if path.ends_with("/status") {
            let mut combined = example("GET", "/repos/{owner}/{repo}/commits/{ref}/status");
            combined["statuses"] = json!([]);
            return json_of(200, combined).into();
        }
        if path.ends_with("/pulls") {
            let mut pull = example("GET", "/repos/{owner}/{repo}/pulls")[0].clone();
            (pull["number"], pull["state"]) = (json!(3), json!("closed"));
            (pull["base"]["ref"], pull["head"]["ref"]) = (json!("main"), json!("feat/a2/x"));
            let now = (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(1)).to_string();
            pull["created_at"] = json!("2026-01-01T00:00:00Z");
            (pull["updated_at"], pull["closed_at"], pull["merged_at"]) = (json!(now), json!(now), json!(now));
            pull["merge_commit_sha"] = json!(commits[2]);
            let is_closed = request.url.query().unwrap_or_default().contains("state=closed");
            return json_of(200, if is_closed { json!([pull]) } else { json!([]) }).into();
        }
        if path.ends_with("/actions/artifacts") {
            let mut list = example("GET", "/repos/{owner}/{repo}/actions/artifacts");
            let artifact = &mut list["artifacts"][0];
            artifact["name"] = json!("coverage-report");
            artifact["created_at"] =
                json!((jiff::Timestamp::now() - jiff::SignedDuration::from_hours(1)).to_string());
            artifact["workflow_run"]["head_branch"] = json!("main");
            return json_of(200, list).into();
        }
        if path.ends_with("/zip") {
            let text = "SF:/home/runner/work/n/n/services/rag_pipeline/a.py\nDA:1,1\nDA:2,1\nDA:3,0\nDA:4,1\nend_of_record\n";
            let bytes = zip_of("lcov.info", text);
            return ResponseTemplate::new(200).set_body_raw(bytes, "application/zip").into();
        }
        status(404).into()
    }

    fn report(&self, args: &[&str]) -> Ran {
        let address = self.server.address();
        let env =
            [("GITHUB_API_URL", address.as_str()), ("GITHUB_REPOSITORY", "o/n"), ("GITHUB_TOKEN", TOKEN)];
        let args = [&["report", "--since", "5000w"], args].concat();
        let ran = self.scratch.main().lane_env(&args, &env);
        assert!(!ran.all().contains(TOKEN));
        ran
    }

    fn asked_about_runs(&self) -> usize {
        self.server.asked().iter().filter(|line| line.contains("/check-runs")).count()
    }
}

#[test]
fn builds_integration_and_coverage_come_from_github_and_are_asked_for_once() {
    let stage = Stage::new();
    let report = stage.report(&["--format", "json"]).ok().json();
    assert_eq!(report["repository"], "o/n");
    assert_eq!(report["builds"]["time"]["median"], 300, "{report:#}");
    assert_eq!(
        (&report["builds"]["time"]["min"], &report["builds"]["time"]["max"]),
        (&json!(240), &json!(360))
    );
    let integration = &report["integration"];
    assert_eq!((&integration["succeeded"], &integration["failed"]), (&json!(2), &json!(1)));
    assert_eq!(
        (&integration["merged"], &integration["closed"], &integration["open"]),
        (&json!(1), &json!(0), &json!(0))
    );
    assert_eq!(report["coverage"]["lines"], 0.75);
    assert_eq!(report["coverage"]["files"][0]["name"], "coverage-report/lcov.info");
    // A squashed commit has no branch; its pull request has.
    let last = report["changes"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["agent"], &last["agent_by"]), (&json!("a2"), &json!("branch")));
    let asked = stage.asked_about_runs();
    let again = stage.report(&["--format", "json"]).ok().json();
    assert_eq!(again["builds"], report["builds"]);
    // The first commit, of the policy, has no run, which may still come.
    assert_eq!(stage.asked_about_runs() - asked, asked - 3);
}

#[test]
fn a_limit_is_no_failure_and_says_when_to_come_back() {
    let stage = Stage::new();
    *stage.limited.lock().unwrap() = true;
    let report = stage.report(&["--format", "json"]).ok().json();
    let missing = report["missing"].as_array().unwrap();
    let builds = missing.iter().find(|missing| missing["what"] == "builds and integration").unwrap();
    assert!(builds["reason"].as_str().unwrap().contains("rate limit is reached until"), "{builds}");
    assert!(builds["help"].as_str().unwrap().contains("rerun after"), "{builds}");
    assert_eq!(report["builds"], Value::Null);
}

#[test]
fn without_a_token_it_says_what_is_missing() {
    let scratch = Scratch::new();
    let report = scratch.lane(&["report", "--format", "json"]).ok().json();
    let missing = report["missing"].as_array().unwrap();
    let builds = missing.iter().find(|missing| missing["what"] == "builds and integration").unwrap();
    assert!(builds["help"].as_str().unwrap().contains("GITHUB_REPOSITORY"), "{builds}");
}

#[test]
fn coverage_is_read_from_files_and_counted_by_lane() {
    let scratch = Scratch::new();
    let main = scratch.main();
    for path in ["services/rag_pipeline/a.py", "services/celery_worker/b.py"] {
        main.commit(path, "x\n", "Add a file");
    }
    let lcov = "SF:services/rag_pipeline/a.py\nDA:1,1\nDA:2,0\nend_of_record\n";
    main.write("cov/lcov.info", lcov);
    main.write(
        "cov/b.xml",
        "<coverage><packages><package><classes><class filename=\"b.py\"><lines><line number=\"1\" hits=\"1\"/>\
         </lines></class></classes></package></packages></coverage>",
    );
    let files = ["--coverage", "cov/lcov.info", "--coverage", "cov/b.xml"];
    let args = [&["report", "--format", "json"][..], &files].concat();
    let report = main.lane(&args).ok().json();
    let coverage = &report["coverage"];
    assert_eq!((&coverage["total"], &coverage["covered"]), (&json!(3), &json!(2)));
    assert_eq!(coverage["files"].as_array().unwrap().len(), 2);
    // What somebody names has to be there; a pipe would be waited for.
    main.write("cov/other.xml", "<html/>");
    assert!(std::process::Command::new("mkfifo").arg(main.root.join("cov/pipe")).status().unwrap().success());
    for (name, why) in
        [("none.xml", "No such file"), ("other.xml", "<html>"), ("pipe", "not a file"), ("", "not a file")]
    {
        let ran = main.lane(&["report", "--coverage", &format!("cov/{name}")]);
        ran.fails(2).says("could not be read").says(why).says("git lane report --coverage FILE");
    }
    // Where it usually is, it is found without being named.
    main.write("lcov.info", lcov);
    let report = main.lane(&["report", "--format", "json"]).ok().json();
    assert_eq!(report["coverage"]["lines"], 0.5);
}

#[test]
fn the_report_is_put_into_the_summary_of_a_step_and_into_one_comment() {
    let scratch = Scratch::new();
    let summary = scratch.root().join("summary.md");
    let path = summary.to_str().unwrap();
    let main = scratch.main();
    main.lane_env(&["report", "--post"], &[("GITHUB_STEP_SUMMARY", path)]).ok();
    let text = std::fs::read_to_string(&summary).unwrap();
    assert!(text.starts_with("## <code>"), "{text}");
    main.lane(&["report", "--post"]).fails(2).says("--format markdown");
    let markdown = main.lane(&["report", "--format", "markdown"]).ok().out;
    assert!(markdown.starts_with("## <code>"), "{markdown}");

    let fake = super::fake::Fake::new(vec![]);
    let address = fake.server.address();
    let env = [("GITHUB_API_URL", address.as_str()), ("GITHUB_REPOSITORY", "o/n"), ("GITHUB_TOKEN", TOKEN)];
    // Lists of artifacts, which this GitHub does not have, are missing and no failure.
    main.lane_env(&["report", "--post", "7"], &env).ok().says("added the comment on #7");
    main.lane_env(&["report", "--post=#7", "--since", "4w"], &env).ok().says("updated the comment on #7");
    let bodies = fake.bodies();
    assert_eq!(bodies.len(), 1);
    assert!(bodies[0].1.starts_with("<!-- git-lane report -->\n## "), "{}", bodies[0].1);
    main.lane(&["report", "--post", "here"]).fails(2).says("expected `summary`, or the number");
}
