//! The policy job against GitHub, from the event to the check run and the comment.

use serde_json::{Value, json};

use super::description::example;
use super::fake::{Fake, ME, State, fault};
use super::server::TOKEN;
use crate::support::ci::Job;
use crate::support::{POLICY, Ran, Worktree};

/// A job on a pull request of a2, and the GitHub that it speaks to.
struct Stage {
    job: Job,
    at: Worktree,
    fake: Fake,
}

impl Stage {
    fn new(path: &str, policy: &str) -> Self {
        let job = Job::with_policy(policy);
        job.commit(
            path,
            "x\n",
            "[A2] feat: a\n\nLane-Waiver-Request: foreign-path: a hotfix that cannot wait",
        );
        job.push();
        let (at, fake) = (job.checkout(&[]), Fake::new(vec![]));
        let stage = Self { job, at, fake };
        stage.edit(|state| state.head = stage.job.rev("HEAD"));
        stage
    }

    fn edit(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.fake.state.lock().unwrap());
    }

    fn runs(&self, args: &[&str]) -> Ran {
        let address = self.fake.server.address();
        let env =
            [("GITHUB_API_URL", address.as_str()), ("GITHUB_REPOSITORY", "o/n"), ("GITHUB_TOKEN", TOKEN)];
        let ran = self.job.on_github(&self.at, args, &self.job.payload(|_| {}), &env);
        assert!(!ran.all().contains(TOKEN));
        ran
    }

    fn labeled(&self, actor: &'static str, at: &'static str) {
        let label = json!({ "name": "lane-waive: foreign-path", "color": "ffffff" });
        let mut event = example("GET", "/repos/{owner}/{repo}/issues/{issue_number}/events")[0].clone();
        (event["event"], event["label"], event["created_at"]) = (json!("labeled"), label, json!(at));
        event["actor"]["login"] = json!(actor);
        self.edit(|state| {
            state.label_events = vec![event];
            state.pull = Some(|pull| {
                let all = example("GET", "/repos/{owner}/{repo}/pulls/{pull_number}");
                pull["labels"] = json!([all["labels"][0]]);
                pull["labels"][0]["name"] = json!("lane-waive: foreign-path");
            });
        });
    }
}

fn policy() -> String {
    POLICY
        .replace("max_age: 3h", "max_age: null")
        .replace("locks:   {", "waivers: { max_age: 36500d }\nlocks:   {")
}

const FOREIGN: &str = "services/revenue/a.py";
const OWN: &str = "services/rag_pipeline/a.py";

#[test]
fn the_verdict_stands_beside_the_commit_and_on_the_pull_request() {
    let stage = Stage::new(FOREIGN, &policy());
    stage.runs(&["--publish"]).fails(1);
    stage.runs(&["--publish"]).fails(1);
    {
        let state = stage.fake.state.lock().unwrap();
        assert_eq!((state.runs.len(), state.comments.len()), (1, 1), "run twice, and told once");
        let run = &state.runs[0];
        assert_eq!((&run["conclusion"], &run["head_sha"]), (&"failure".into(), &state.head.clone().into()));
        assert_eq!(run["output"]["title"], "fail: 1 error");
        assert_eq!(state.annotations[0].len(), 1);
        assert_eq!(state.annotations[0][0]["path"], FOREIGN);
    }
    let (author, body) = stage.fake.bodies().pop().unwrap();
    assert!(author == ME && body.contains("foreign-path"), "{body}");
    assert!(body.contains("A commit asks a maintainer to waive this: a hotfix that cannot wait"), "{body}");
    // When it passes, the comment is taken back.
    stage.job.tree.git(&["reset", "-q", "--hard", "HEAD~1"]).ok();
    stage.job.commit(OWN, "x\n", "[A2] feat: a");
    stage.job.push();
    stage.at.git(&["fetch", "-q", "origin"]).ok();
    stage.edit(|state| state.head = stage.job.rev("HEAD"));
    stage.runs(&["--publish"]).ok();
    let state = stage.fake.state.lock().unwrap();
    assert_eq!((state.runs.len(), state.comments.len()), (2, 0));
    assert_eq!(state.runs[1]["conclusion"], "success");
}

#[test]
fn after_a_lost_answer_there_are_not_two() {
    for status in [None, Some(502)] {
        for is_done in [true, false] {
            let stage = Stage::new(FOREIGN, &policy());
            let address = Fake::new(vec![
                fault("POST", "check-runs", is_done, status),
                fault("POST", "comments", is_done, status),
            ]);
            let stage = Stage { fake: address, ..stage };
            stage.edit(|state| state.head = stage.job.rev("HEAD"));
            stage.runs(&["--publish"]).fails(1);
            let state = stage.fake.state.lock().unwrap();
            assert_eq!((state.runs.len(), state.comments.len()), (1, 1));
        }
    }
}

#[test]
fn a_token_that_only_reads_leaves_annotations_and_summary() {
    let stage = Stage::new(FOREIGN, &policy());
    stage.edit(|state| state.only_reads = true);
    let ran = stage.runs(&["--publish"]).fails(1);
    let ran = ran.says("the check run was not published").says("; see annotations and summary instead");
    assert!(ran.out.contains("::error "), "{}", ran.out);
    // With a change that passes, that is a pass.
    let stage = Stage::new(OWN, &policy());
    stage.edit(|state| state.only_reads = true);
    stage.runs(&["--publish"]).ok();
}

#[test]
fn a_github_that_does_not_take_it_is_no_pass() {
    let stage = Stage::new(OWN, &policy());
    let fake = Fake::new((0..8).map(|_| fault("POST", "check-runs", false, Some(500))).collect());
    let stage = Stage { fake, ..stage };
    stage.edit(|state| state.head = stage.job.rev("HEAD"));
    stage.runs(&["--publish"]).fails(2).says("error: the check run was not published").says("help: ");
}

#[test]
fn a_maintainer_lets_a_finding_stand() {
    let stage = Stage::new(FOREIGN, &policy());
    stage.edit(|state| state.pushed = Some(("mallory", "2026-02-02T02:00:00Z")));
    stage.labeled("alice", "2026-02-02T03:00:00Z");
    let report = stage.runs(&["--format", "json"]).ok().json();
    let finding = &report["findings"][0];
    assert_eq!((&report["verdict"], &finding["rule"]), (&"pass".into(), &"foreign-path".into()));
    assert_eq!(
        (&finding["waived"]["by"], &finding["waived"]["at"]),
        (&"alice".into(), &"2026-02-02T03:00:00Z".into())
    );
    assert_eq!(finding["waived"]["reason"], "a hotfix that cannot wait");
    let text = stage.runs(&["--format", "gitlab"]).ok().json();
    assert_eq!(text[0]["severity"], "info");
    let sarif = stage.runs(&["--format", "sarif"]).ok().json();
    assert_eq!(sarif["runs"][0]["results"][0]["suppressions"][0]["status"], "accepted");
    assert!(stage.runs(&[]).ok().out.contains("pass (ci, a2): 1 waived"));
}

#[test]
fn nobody_else_does_and_not_for_another_head() {
    for (actor, pushed, at, says) in [
        ("mallory", "2026-02-02T02:00:00Z", "2026-02-02T03:00:00Z", "`, who is not a maintainer"),
        ("alice", "2026-02-02T04:00:00Z", "2026-02-02T03:00:00Z", "before the head was pushed"),
    ] {
        let stage = Stage::new(FOREIGN, &policy());
        stage.edit(|state| state.pushed = Some(("mallory", pushed)));
        stage.labeled(actor, at);
        stage.runs(&[]).fails(1).says(says);
    }
    let stage = Stage::new(FOREIGN, &policy());
    stage.labeled("alice", "2026-02-02T03:00:00Z");
    stage
        .runs(&[])
        .fails(1)
        .says("who pushed the head of the pull request, and when, could not be determined")
        .says("waives nothing");
    // The day after, it is over.
    let stage = Stage::new(FOREIGN, &policy().replace("36500d", "1d"));
    stage.edit(|state| state.pushed = Some(("mallory", "2026-02-02T02:00:00Z")));
    stage.labeled("alice", "2026-02-02T03:00:00Z");
    stage.runs(&[]).fails(1).says("more than 1d ago");
}

#[test]
fn whoever_pushed_the_head_has_to_be_the_agent_too() {
    let policy = policy().replacen(
        "    ports: 8180",
        "    identity: { github: [octocat, rag-bot] }\n    ports: 8180",
        1,
    );
    let stage = Stage::new(OWN, &policy);
    stage.edit(|state| state.pushed = Some(("rag-bot", "2026-02-02T02:00:00Z")));
    assert_eq!(stage.runs(&["--format", "json"]).ok().json()["identity"], "proven");
    stage.edit(|state| state.pushed = Some(("mallory", "2026-02-02T02:00:00Z")));
    let report = stage.runs(&["--format", "json"]).fails(1).json();
    assert_eq!(
        (&report["identity"], &report["findings"][0]["rule"]),
        (&"claimed".into(), &"identity".into())
    );
    assert!(report["findings"][0]["message"].as_str().unwrap().contains("comes from `mallory`"));
}

#[test]
fn whoever_pushed_it_has_a_part_in_it() {
    // A maintainer's pull request on a branch of nobody's, with a commit by the account of a2 on top.
    let policy =
        policy().replacen("    ports: 8180", "    identity: { github: [rag-bot] }\n    ports: 8180", 1);
    let policy = policy.replacen("maintainers: []", "maintainers: ['github:alice']", 1);
    let stage = Stage::new(FOREIGN, &policy);
    stage.edit(|state| {
        state.pushed = Some(("rag-bot", "2026-02-02T02:00:00Z"));
        state.pull = Some(|pull| pull["user"]["login"] = json!("alice"));
    });
    let of = |payload: &mut Value| {
        payload["pull_request"]["user"]["login"] = json!("alice");
        payload["pull_request"]["head"]["ref"] = json!("hotfix");
    };
    let address = stage.fake.server.address();
    let env = [("GITHUB_API_URL", address.as_str()), ("GITHUB_REPOSITORY", "o/n"), ("GITHUB_TOKEN", TOKEN)];
    let runs = || stage.job.on_github(&stage.at, &["--format", "json"], &stage.job.payload(of), &env).json();
    let report = runs();
    assert_eq!((&report["agent"], &report["verdict"]), (&"a2".into(), &"fail".into()));
    stage.edit(|state| state.pushed = Some(("alice", "2026-02-02T02:00:00Z")));
    let report = runs();
    assert_eq!(
        (&report["agent"], &report["verdict"]),
        (&Value::Null, &"pass".into()),
        "hers, whatever tags it bears"
    );
}

#[test]
fn a_job_that_was_overtaken_decides_nothing() {
    let stage = Stage::new(OWN, &policy());
    stage.edit(|state| state.pull = Some(|pull| pull["base"]["ref"] = json!("release/1")));
    let ran = stage.runs(&["--publish"]).fails(2).says("has moved on: it now goes into `release/1`");
    ran.says("the newer job decides");
    assert_eq!(stage.fake.state.lock().unwrap().runs[0]["conclusion"], "action_required");
    stage.edit(|state| {
        state.pull = None;
        state.head = "1".repeat(40);
    });
    stage.runs(&[]).fails(2).says("has moved on: its head is now 1111");
}

#[test]
fn a_proof_needs_to_know_who_pushed() {
    let policy =
        policy().replacen("    ports: 8180", "    identity: { github: [octocat] }\n    ports: 8180", 1);
    let policy = policy.replacen("locks:   {", "identity: { require: proven }\nlocks:   {", 1);
    let policy = policy.replace("  a1:\n", "  a1:\n    identity: { github: [one] }\n");
    let policy = policy.replace("  a3:\n", "  a3:\n    identity: { github: [three] }\n");
    let policy = policy.replace("  a4:\n", "  a4:\n    identity: { github: [four] }\n");
    let stage = Stage::new(OWN, &policy);
    stage.runs(&[]).fails(2).says("the account that pushed the head of the pull request could not be determined, and the policy asks for proof");
    stage.edit(|state| state.pushed = Some(("octocat", "2026-02-02T02:00:00Z")));
    stage.runs(&[]).ok();
}

#[test]
fn a_waiver_is_for_one_base_and_for_the_head_that_is_there() {
    let stage = Stage::new(FOREIGN, &policy());
    stage.edit(|state| state.pushed = Some(("mallory", "2026-02-02T02:00:00Z")));
    stage.labeled("alice", "2026-02-02T03:00:00Z");
    stage.runs(&[]).ok();
    stage.edit(|state| {
        let mut changed = state.label_events[0].clone();
        (changed["event"], changed["created_at"]) =
            (json!("base_ref_changed"), json!("2026-02-02T04:00:00Z"));
        changed.as_object_mut().unwrap().remove("label");
        state.label_events.push(changed);
    });
    stage.runs(&[]).fails(1).says("before the head was pushed");
}

#[test]
fn a_merge_queue_knows_the_pull_request() {
    let policy = policy().replacen("maintainers: []", "maintainers: ['github:octocat']", 1);
    let policy = policy.replacen("unidentified: maintainer", "unidentified: deny", 1);
    let stage = Stage::new(FOREIGN, &policy);
    stage.edit(|state| state.pull = Some(|pull| pull["head"]["ref"] = json!("hotfix")));
    let group = json!({ "action": "checks_requested", "repository": { "full_name": "o/n", "default_branch": "main" },
        "merge_group": { "head_sha": stage.job.rev("HEAD"), "base_sha": stage.job.rev("main"),
            "base_ref": "refs/heads/main", "head_ref": "refs/heads/gh-readonly-queue/main/pr-7-0123" } });
    let address = stage.fake.server.address();
    let env = [("GITHUB_API_URL", address.as_str()), ("GITHUB_REPOSITORY", "o/n"), ("GITHUB_TOKEN", TOKEN)];
    let ran = stage.job.on_github(&stage.at, &["--format", "json", "--publish"], &group, &env).ok();
    assert_eq!(ran.json()["agent"], Value::Null);
    let state = stage.fake.state.lock().unwrap();
    assert_eq!((state.runs.len(), state.comments.len()), (1, 0));
}

#[test]
fn title_and_labels_count_as_they_are_now() {
    let stage = Stage::new(OWN, &policy());
    stage.edit(|state| state.pull = Some(|pull| pull["title"] = json!("feat: x")));
    let report: Value = stage.runs(&["--format", "json"]).fails(1).json();
    assert_eq!(report["findings"][0]["rule"], "pull-request-title");
}
