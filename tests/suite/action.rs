//! `action.yml` and the workflows: that they are what they say, and that their steps work.

use crate::support::ci::Job;
use crate::support::{LANE, Ran, Worktree};
use serde_json::Value;

fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

fn action() -> Value {
    yaml(include_str!("../../action.yml"))
}

/// The script of a step.
fn script(name: &str) -> String {
    let action = action();
    let steps = action["runs"]["steps"].as_array().unwrap();
    steps.iter().find(|step| step["name"] == name).unwrap()["run"].as_str().unwrap().to_owned()
}

pub fn step(at: &Worktree, name: &str, env: &[(&str, &str)]) -> Ran {
    let mut command = at.command("bash");
    command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &script(name)]);
    command.envs(env.iter().copied()).output().unwrap().into()
}

#[test]
fn all_that_is_used_is_pinned_and_nothing_is_pasted_into_scripts() {
    let all = [
        include_str!("../../action.yml"),
        include_str!("../../.github/workflows/policy.yml"),
        include_str!("../../.github/workflows/ci.yml"),
        include_str!("../../.github/workflows/site.yml"),
        include_str!("../../.github/workflows/release.yml"),
        include_str!("../../docs/ci/github-workflow.yml"),
    ];
    for text in all {
        yaml(text);
        for line in text.lines() {
            let used = line.trim_start_matches([' ', '-']).strip_prefix("uses: ");
            let Some(used) = used.filter(|used| !used.starts_with("./") && !used.contains("COMMIT")) else {
                continue;
            };
            let commit = used.split(['@', ' ']).nth(1).unwrap();
            assert!(commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit()), "{line}");
        }
    }
    let action = action();
    for step in action["runs"]["steps"].as_array().unwrap() {
        assert!(!step["run"].as_str().unwrap_or_default().contains("${{"), "{step}");
    }
    // With a token that may write, nothing of the pull request is checked out.
    let policy = yaml(include_str!("../../.github/workflows/policy.yml"));
    assert!(policy["on"]["pull_request_target"].is_object());
    for step in policy["jobs"]["git-lane"]["steps"].as_array().unwrap() {
        assert!(step["with"]["ref"].is_null() && step["run"].is_null(), "{step}");
    }
    yaml(include_str!("../../docs/ci/gitlab-ci.yml"));
}

#[test]
fn its_steps_fetch_and_judge() {
    let job = Job::new();
    job.commit("services/revenue/a.py", "x\n", "[A2] feat: a");
    job.push();
    let origin = job.scratch.home().join("origin.git");
    job.scratch.run(&origin, "git", &["update-ref", "refs/pull/7/head", &job.rev("HEAD")]).ok();
    // As actions/checkout leaves it: one commit of the base.
    let at = job.checkout(&["--depth", "1", "--single-branch", "--branch", "main"]);
    let ends =
        [("LANE_BASE", "main"), ("LANE_DEFAULT", "main"), ("LANE_NUMBER", "7"), ("LANE_SERVER", "file://")];
    step(&at, "Fetch both ends", &ends).ok();
    let event = job.file("event.json");
    std::fs::write(&event, job.payload(|_| {}).to_string()).unwrap();
    let mut env = vec![
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", "pull_request_target"),
        ("GITHUB_EVENT_PATH", event.to_str().unwrap()),
        ("LANE_BINARY", LANE),
        ("LANE_PUBLISH", "false"),
        ("LANE_WRITE", "sarif=lane.sarif\ngitlab=gl.json\n"),
    ];
    let ran = step(&at, "Judge", &env).fails(1);
    assert!(ran.out.contains("::error file=services/revenue/a.py"), "{}", ran.all());
    assert!(at.root.join("lane.sarif").exists() && at.root.join("gl.json").exists());
    // Nothing of the change was checked out.
    assert!(!at.root.join("services/revenue/a.py").exists());
    env[5] = ("LANE_WRITE", "");
    job.tree.git(&["reset", "-q", "--hard", "HEAD~1"]).ok();
    job.commit("services/rag_pipeline/a.py", "x\n", "[A2] feat: a");
    job.push();
    job.scratch.run(&origin, "git", &["update-ref", "refs/pull/7/head", &job.rev("HEAD")]).ok();
    std::fs::write(&event, job.payload(|_| {}).to_string()).unwrap();
    step(&at, "Fetch both ends", &ends).ok();
    step(&at, "Judge", &env).ok();
    // An event about nothing.
    step(&at, "Fetch both ends", &ends[1..]).fails(2).says("this event is about no change");
}

#[test]
fn the_job_for_gitlab_works_too() {
    let job = Job::new();
    job.commit("services/revenue/a.py", "x\n", "[A2] feat: a");
    job.push();
    let at = job.checkout(&["--single-branch", "--branch", "feat/a2/x"]);
    let head = job.rev("HEAD");
    let template = yaml(include_str!("../../docs/ci/gitlab-ci.yml"));
    let lines = template["git-lane"]["script"].as_array().unwrap().iter().map(|line| line.as_str().unwrap());
    let script = lines.collect::<Vec<_>>().join("\n").replace("git-lane ci", &format!("'{LANE}' ci"));
    let mut command = at.command("sh");
    command.args(["-ec", &script]).envs([
        ("GITLAB_CI", "true"),
        ("CI_MERGE_REQUEST_IID", "7"),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
        ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "feat/a2/x"),
        ("CI_MERGE_REQUEST_TITLE", "[A2] feat: a"),
        ("CI_COMMIT_SHA", head.as_str()),
        ("CI_DEFAULT_BRANCH", "main"),
    ]);
    Ran::from(command.output().unwrap()).fails(1).says("foreign-path");
    let issues: Value =
        serde_json::from_str(&std::fs::read_to_string(at.root.join("gl-code-quality.json")).unwrap())
            .unwrap();
    assert_eq!(issues[0]["check_name"], "foreign-path");
}
