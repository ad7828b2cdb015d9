//! A policy that only observes: what hooks, harnesses, a server and a job say, and that they refuse nothing.

use serde_json::json;

use crate::support::ci::Job;
use crate::support::server::{Server, commit, policy, push};
use crate::support::{POLICY, Scratch, Worktree};

const FOREIGN: &str = "services/revenue/a.py";
const LOCKS: &str = "refs/lane/locks/d66298e124bee0fb";

fn observing(policy: &str) -> String {
    let policy = policy.replace("version: 1\n", "version: 1\nmode: observe\n");
    assert!(policy.contains("mode: observe"));
    policy.replace("max_age: 3h", "max_age: null")
}

/// The hooks of a policy in a worktree of a2.
fn edit(tree: &Worktree, path: &str) -> crate::support::Ran {
    let input = json!({ "file_path": tree.root.join(path), "content": "x" });
    let payload = json!({ "hook_event_name": "PreToolUse", "cwd": tree.root, "tool_name": "Write", "tool_input": input });
    tree.lane_stdin(&["hook", "agent", "claude"], payload.to_string().as_bytes())
}

#[test]
fn hooks_say_and_note_it_and_refuse_nothing() {
    let (_scratch, tree) = Scratch::installed_with(&observing(POLICY));
    let ran = tree.commit(FOREIGN, "x\n", "feat: b").ok();
    let ran = ran.says("warning[foreign-path]: observed, would be refused: 1 file in the lane of a4");
    let ran = ran.says("git-lane: observed: fail (pre-commit, a2): 1 would be refused");
    ran.says("nothing is refused: the policy has `mode: observe`")
        .says("git lane check")
        .does_not_say("error");
    // The tag and all else that hooks do goes on.
    assert!(tree.git(&["log", "-1", "--format=%s"]).ok().out.starts_with("[A2] feat: b"));
    tree.git(&["push", "-q", "origin", "HEAD"]).ok().says("observed: fail (pre-push, a2)");
    tree.commit("services/rag_pipeline/a.py", "x\n", "feat: c").ok();
    edit(&tree, "services/orchestrator/main.py").ok().says("would be refused");
    let report = tree.lane(&["report", "--format", "json"]).ok().json();
    let observed = &report["refusals"]["observed"]["foreign-path"];
    let numbers = (&observed["count"], &observed["verdicts"], &observed["agents"]["a2"]);
    assert_eq!(numbers, (&json!(1), &json!(4), &json!(1)), "{observed}");
    assert_eq!(report["refusals"]["all"], json!([]));
    tree.lane(&["report"]).ok().says("observed, would have been refused: foreign-path: 1 time (a2 1)");
}

#[test]
fn a_check_says_both_verdicts() {
    let (_scratch, tree) = Scratch::installed_with(&observing(POLICY));
    tree.commit(FOREIGN, "x\n", "feat: b").ok();
    tree.lane(&["check"]).ok().says("observed: fail (check, a2): 1 would be refused").says("help:");
    tree.lane(&["check", "--enforce"]).fails(1).says("error[foreign-path]").does_not_say("observe");
    let report = tree.lane(&["check", "--format", "json"]).ok().json();
    assert_eq!(report["mode"], "observe");
    assert_eq!((&report["verdict"], &report["observed"]), (&json!("pass"), &json!("fail")));
    let finding = &report["findings"][0];
    assert_eq!((&finding["level"], &finding["observed"]), (&json!("warn"), &json!(true)));
    tree.lane(&["check", "--format", "github"]).ok().says("::warning ").does_not_say("::error");
    for format in ["sarif", "gitlab"] {
        tree.lane(&["check", "--format", format]).ok().says("foreign-path");
    }
    tree.lane(&["status"]).ok().says("the policy only observes");
    assert_eq!(tree.lane(&["status", "--format", "json"]).ok().json()["mode"], "observe");
    tree.lane(&["doctor"]).says("it only observes (`mode: observe`)");
}

#[test]
fn a_branch_does_not_switch_itself_to_observe() {
    let (scratch, tree) = Scratch::installed_with(&POLICY.replace("max_age: 3h", "max_age: null"));
    tree.write("policy.yaml", observing(POLICY));
    tree.commit(FOREIGN, "x\n", "feat: b").fails(1).says("error[foreign-path]");
    tree.git(&["add", "policy.yaml"]).ok();
    tree.git(&["commit", "-q", "-m", "feat: b"]).fails(1).says("foreign-path").says("protected-path");
    scratch.git(&["status"]).ok();
}

#[test]
fn one_rule_may_be_observed_alone() {
    let policy = POLICY.replace("rules: { stale-base: warn }", "rules: { foreign-path: observe }");
    let (_scratch, tree) = Scratch::installed_with(&policy.replace("max_age: 3h", "max_age: null"));
    tree.commit(FOREIGN, "x\n", "feat: b").ok().says("the policy only observes by these rules");
    tree.commit(".github/workflows/ci.yml", "x\n", "ci: b").fails(1).says("error[protected-path]");
}

#[test]
fn what_could_not_be_decided_passes_with_a_word() {
    let (scratch, tree) = Scratch::installed_with(&observing(POLICY));
    tree.git(&["config", "lane.agent", "nobody"]).ok();
    tree.commit(FOREIGN, "x\n", "feat: b").ok().says("would be refused");
    // A policy that cannot be read does not say that it only observes.
    scratch.main().sneak("policy.yaml", "version: 1\nmode: observe\nagents: [\n", "chore: broken");
    scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    tree.git(&["fetch", "-q"]).ok();
    tree.commit("services/rag_pipeline/a.py", "y\n", "feat: c").fails(1);
}

#[test]
fn a_server_lets_changes_in_and_forged_records_not() {
    let server = Server::with(&observing(&policy()));
    let tree = server.clone("c", "feat/a2/x");
    commit(&tree, FOREIGN, "[A2] feat: theirs");
    push(&tree, &["HEAD"]).ok().says("observed: fail (pre-receive, a2)").says("nothing is refused");
    assert!(server.refs().contains("refs/heads/feat/a2/x"));
    push(&tree, &[&format!("HEAD:{LOCKS}")]).fails(1).says("without a lock");
    push(&tree, &["HEAD:refs/replace/0123456789012345678901234567890123456789"]).fails(1);
    tree.sneak("policy.yaml", "version: 1\nagents: [\n", "[A2] chore: broken");
    push(&tree, &["HEAD:main"]).fails(1);
}

#[test]
fn a_job_passes_and_says_what_it_observed() {
    let job = Job::with_policy(&observing(POLICY));
    job.commit(FOREIGN, "x\n", "[A2] feat: b");
    job.push();
    let tree = job.checkout(&["--branch", "feat/a2/x"]);
    let args = ["ci", "--base", "main", "--head", "HEAD", "--branch", "feat/a2/x"];
    tree.lane(&args).ok().says("observed: fail (ci, a2)");
    tree.lane(&[&args[..], &["--enforce"]].concat()).fails(1).says("error[foreign-path]");
    let report = tree.lane(&[&args[..], &["--format", "json"]].concat()).ok().json();
    assert_eq!((&report["verdict"], &report["observed"]), (&json!("pass"), &json!("fail")));
}
