//! Areas in which a change needs another's word, with real repositories.

use crate::advice::{commands, sh};
use crate::support::{POLICY, Scratch};

const PUSH: [&str; 4] = ["push", "-q", "origin", "HEAD"];
const JOB: [&str; 3] = ["ci", "--base", "main"];

fn policy(locks: &str) -> String {
    let policy = POLICY.replace("max_age: 3h", "max_age: null");
    let policy = policy.replace("access: coordinate }", "access: open, approve: [a1, a3] }");
    policy.replace("remote: null", locks)
}

#[test]
fn what_is_told_of_approvals_leads_on() {
    let (scratch, two) = Scratch::installed_with(&policy("remote: null"));
    let one = scratch.worktree("a1", "feat/a1/x");
    one.lane(&["install", "--agent", "a1"]).ok();
    two.commit("requirements.txt", "x\n", "feat: x").ok().does_not_say("missing-approval");
    let ran = two.git(&PUSH).ok().says("warning[missing-approval]");
    two.lane(&JOB).fails(1).says("error[missing-approval]");
    two.git(&["push", "-q", "origin", "HEAD:main"]).fails(1).says("error[missing-approval]");
    // A warning is no error of a check.
    two.lane(&["check"]).ok().says("warning[missing-approval]");
    let told = commands(&ran.all());
    assert_eq!(told, ["git lane request submit --area shared --reason '…'"]);
    sh(&two, &told[0]).ok().says("submitted r1 to a1 (MLOps) or a3 (Analytics)");
    two.lane(&["request", "accept", "r1"]).fails(1).says("only a1 (MLOps) or a3 (Analytics) may answer r1");
    let told = commands(&two.lane(&JOB).fails(1).all());
    assert_eq!(told, ["git lane request accept r1"]);
    sh(&one, &told[0]).ok().says("a2 (GenAI) may change area `shared`");
    two.lane(&JOB).ok();
    two.lane(&["check"]).ok().does_not_say("missing-approval");
    // It lasts while commits are added, and until it is done.
    two.commit("requirements.txt", "y\n", "feat: y").ok();
    two.lane(&JOB).ok();
    two.lane(&["request", "done", "r1", "--commit", "HEAD"]).ok();
    two.lane(&JOB).ok();
    two.git(&["switch", "-q", "-c", "feat/a2/next", "origin/main"]).ok();
    two.commit("requirements.txt", "z\n", "feat: z").ok();
    two.lane(&JOB).fails(1).says("[missing-approval]");
    // One's own word does not count, and a maintainer's does.
    one.commit("requirements.txt", "1\n", "feat: 1").ok();
    one.lane(&JOB).fails(1).says("without the approval of a3 (Analytics)");
    one.lane(&["request", "submit", "requirements.txt", "--reason", "x"]).ok().says("to a3 (Analytics)");
    scratch.lane(&["request", "accept", "r2"]).ok();
    one.lane(&JOB).ok();
    one.lane(&["who", "requirements.txt"]).ok().says("a change needs the approval of a1 or a3");
}

#[test]
fn where_requests_cannot_be_read_nothing_is_approved() {
    // A job without the worktrees, and without a remote that has the requests.
    let (scratch, two) = Scratch::installed_with(&policy("remote: null"));
    two.commit("requirements.txt", "x\n", "feat: x").ok();
    two.git(&PUSH).ok();
    let clone = scratch.home().join("job");
    let url = format!("file://{}", scratch.home().join("origin.git").display());
    scratch.run(&scratch.home(), "git", &["clone", "-q", "-b", "feat/a2/x", &url, "job"]).ok();
    let job = crate::support::Worktree { root: clone, home: scratch.home() };
    job.lane(&["ci", "--base", "main"]).fails(2).says("requests are stored elsewhere");
}

#[test]
fn a_remote_has_the_requests_of_all_clones() {
    let (scratch, two) = Scratch::installed_with(&policy("remote: origin"));
    let one = scratch.worktree("a1", "feat/a1/x");
    one.lane(&["install", "--agent", "a1"]).ok();
    two.commit("requirements.txt", "x\n", "feat: x").ok();
    two.git(&PUSH).ok().says("warning[missing-approval]");
    two.lane(&["request", "submit", "requirements.txt", "--reason", "x"]).ok();
    one.lane(&["request", "accept", "r1"]).ok();
    scratch.run(&scratch.home(), "git", &["clone", "-q", "-b", "feat/a2/x", "origin.git", "job"]).ok();
    let job = crate::support::Worktree { root: scratch.home().join("job"), home: scratch.home() };
    job.lane(&["ci", "--base", "main"]).ok();
    // The remote cannot be reached.
    std::fs::rename(scratch.home().join("origin.git"), scratch.home().join("gone.git")).unwrap();
    job.lane(&["ci", "--base", "main"]).fails(2).says("[missing-approval]");
}
