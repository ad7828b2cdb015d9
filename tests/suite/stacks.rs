//! Branches that stand on pushed ones which no ref here tells of: in a job, and in a clone of a single branch.

use std::os::unix::fs::PermissionsExt;

use crate::support::ci::Job;
use crate::support::{Ran, Scratch, Worktree};

const LOWER: &str = "services/rag_pipeline/lower.py";
const UPPER: &str = "services/rag_pipeline/upper.py";

fn lines(count: usize) -> String {
    (0..count).map(|line| format!("line {line}\n")).collect()
}

/// A stack of two branches of 200 lines each, all of it on the remote.
fn stacked() -> Job {
    let job = Job::new();
    let tree = &job.tree;
    tree.git(&["branch", "-m", "feat/a2/lower"]).ok();
    job.commit(LOWER, &lines(200), "[A2] feat: lower");
    job.push();
    tree.git(&["switch", "-q", "-c", "feat/a2/x"]).ok();
    job.commit(UPPER, &lines(200), "[A2] feat: upper");
    job.push();
    job
}

/// A checkout that has both ends of the change, and nothing else.
fn both_ends(job: &Job) -> Worktree {
    let at = job.checkout(&["--single-branch", "--branch", "main"]);
    at.git(&["fetch", "-q", "--no-tags", "origin", "refs/heads/feat/a2/x"]).ok();
    at
}

#[test]
fn a_job_asks_what_is_pushed() {
    let job = stacked();
    let at = both_ends(&job);
    let ran = job.on_github(&at, &["--format", "json"], &job.payload(|_| {}), &[]).ok();
    let stats = ran.json()["stats"].clone();
    assert_eq!(
        (&stats["counted"], &stats["counted_from"]),
        (&200.into(), &"refs/remotes/origin/feat/a2/lower".into())
    );
    // By hand, in such a clone, likewise. Nothing is written down there.
    let ends = ["ci", "--base", "main", "--head", "FETCH_HEAD", "--branch", "feat/a2/x"];
    at.lane(&ends).ok();
    assert!(!at.git(&["for-each-ref"]).ok().out.contains("lower"));
    // Proposed to the lower one, that is the base.
    at.git(&["fetch", "-q", "origin", "+refs/heads/feat/a2/lower:refs/remotes/origin/feat/a2/lower"]).ok();
    let base = job.rev("feat/a2/lower");
    let payload = job.payload(|it| {
        it["pull_request"]["base"]["ref"] = "feat/a2/lower".into();
        it["pull_request"]["base"]["sha"] = base.into();
    });
    let ran = job.on_github(&at, &["--format", "json"], &payload, &[]).ok();
    assert_eq!(ran.json()["stats"]["counted"], 200);
}

#[test]
fn nothing_large_hides_behind_what_a_job_asks() {
    let job = stacked();
    // Another agent's branch is no floor, nor one that is itself too large.
    job.tree.git(&["push", "-q", "--no-verify", "origin", "feat/a2/lower:refs/heads/feat/a3/lower"]).ok();
    job.tree.git(&["push", "-q", "--no-verify", "origin", ":refs/heads/feat/a2/lower"]).ok();
    let at = both_ends(&job);
    job.on_github(&at, &[], &job.payload(|_| {}), &[]).fails(1).says("oversized-change");
    job.commit(UPPER, &lines(310), "[A2] feat: more");
    job.push();
    job.tree.git(&["push", "-q", "--no-verify", "origin", "HEAD:refs/heads/feat/a2/large"]).ok();
    let at = both_ends(&job);
    job.on_github(&at, &[], &job.payload(|_| {}), &[]).fails(1).says("oversized-change");
    // A branch whose commits are not in the change.
    job.tree.git(&["switch", "-q", "-c", "feat/a2/beside", "main"]).ok();
    job.commit(LOWER, "beside\n", "[A2] feat: beside");
    job.push();
    job.tree.git(&["switch", "-q", "feat/a2/x"]).ok();
    job.on_github(&at, &[], &job.payload(|_| {}), &[]).fails(1).says("oversized-change");
}

#[test]
fn a_job_says_what_it_could_not_ask() {
    let job = stacked();
    let at = both_ends(&job);
    let url = at.git(&["config", "remote.origin.url"]).ok().out;
    at.git(&["config", "remote.origin.url", "file:///nowhere"]).ok();
    let help = "git fetch --no-tags origin '+refs/heads/feat/a2/*:refs/remotes/origin/feat/a2/*'";
    job.on_github(&at, &[], &job.payload(|_| {}), &[])
        .fails(1)
        .says("oversized-change")
        .says("note: the pushed branches feat/a2/* could not be listed, so lines are counted from the base")
        .says(&format!("help: {help}"));
    // A change that is small enough asks nobody.
    job.tree.git(&["reset", "-q", "--hard", "feat/a2/lower"]).ok();
    job.on_github(&at, &[], &job.payload(|_| {}), &[]).ok().does_not_say("note:");
    // What it names works.
    job.tree.git(&["reset", "-q", "--hard", "origin/feat/a2/x"]).ok();
    at.git(&["config", "remote.origin.url", url.trim()]).ok();
    at.command("sh").args(["-c", help]).status().unwrap();
    at.git(&["config", "remote.origin.url", "file:///nowhere"]).ok();
    job.on_github(&at, &[], &job.payload(|_| {}), &[]).ok();
}

/// A clone of a single branch, in which a2 works with hooks.
fn single_branch() -> (Scratch, Worktree) {
    let scratch = Scratch::new();
    scratch.add_origin();
    let root = scratch.home().join("clone");
    let url = format!("file://{}", scratch.home().join("origin.git").display());
    let clone = ["clone", "-q", "--single-branch", "--branch", "main", &url, root.to_str().unwrap()];
    scratch.run(&scratch.home(), "git", &clone).ok();
    let tree = Worktree { root, home: scratch.home() };
    tree.git(&["switch", "-q", "-c", "feat/a2/lower"]).ok();
    tree.lane(&["install", "--agent", "a2"]).ok();
    (scratch, tree)
}

#[test]
fn a_clone_of_a_single_branch_knows_what_it_pushed() {
    let (scratch, tree) = single_branch();
    tree.commit(LOWER, &lines(200), "feat: lower").ok();
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
    assert!(!tree.git(&["for-each-ref", "refs/remotes"]).ok().out.contains("lower"), "git notes nothing");
    tree.git(&["switch", "-q", "-c", "feat/a2/upper"]).ok();
    tree.commit(UPPER, &lines(200), "feat: upper").ok();
    tree.lane(&["check"]).ok();
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
    // What is too large in itself stays so, and a lower part that is gone counts.
    tree.commit(UPPER, &lines(301), "feat: more").fails(1).says("oversized-change");
    tree.git(&["reset", "-q", "--hard"]).ok();
    let gone = |name: &str| {
        let origin = scratch.home().join("origin.git");
        scratch.run(&origin, "git", &["update-ref", "-d", name]).ok();
    };
    gone("refs/heads/feat/a2/lower");
    tree.lane(&["check"]).fails(1).says("oversized-change");
    // The remote that does not answer is named.
    tree.git(&["config", "remote.origin.url", "file:///nowhere"]).ok();
    tree.lane(&["check"]).fails(1).says("could not be listed").says("git fetch --no-tags origin ");
}

#[test]
fn whoever_has_all_branches_asks_nobody() {
    let job = stacked();
    job.tree.git(&["update-ref", "-d", "refs/remotes/origin/feat/a2/lower"]).ok();
    let asked = job.file("asked");
    let script = format!("#!/bin/sh\necho x >>{}\nexec git-upload-pack \"$@\"\n", asked.display());
    std::fs::write(job.file("upload"), script).unwrap();
    std::fs::set_permissions(job.file("upload"), std::fs::Permissions::from_mode(0o755)).unwrap();
    job.tree.git(&["config", "remote.origin.uploadpack", job.file("upload").to_str().unwrap()]).ok();
    let check = || -> Ran { job.tree.lane(&["check"]) };
    check().fails(1).says("oversized-change");
    assert!(!asked.exists());
    job.tree.git(&["config", "remote.origin.fetch", "+refs/heads/main:refs/remotes/origin/main"]).ok();
    check().ok();
    assert!(asked.exists());
}

#[test]
fn a_release_without_a_policy_has_that_of_the_default_branch() {
    let job = Job::new();
    let main = job.scratch.main();
    main.git(&["switch", "-q", "-c", "release/0.9"]).ok();
    main.git(&["rm", "-q", "policy.yaml"]).ok();
    main.git(&["commit", "-q", "--no-verify", "-m", "before there was one"]).ok();
    main.git(&["push", "-q", "--no-verify", "origin", "release/0.9"]).ok();
    job.tree.git(&["reset", "-q", "--hard", "release/0.9"]).ok();
    job.commit(LOWER, "fix\n", "[A2] fix: it");
    job.push();
    let ends = ["ci", "--base", "release/0.9", "--head", "origin/feat/a2/x", "--branch", "feat/a2/x"];
    let judge = || job.checkout(&[]).lane(&[&ends[..], &["--format", "json"]].concat());
    let report = judge().ok().json();
    assert_eq!(report["policy"]["source"], "refs/remotes/origin/main:policy.yaml");
    assert_eq!(report["stats"]["commits"], 1);
    // Nor does the change bring one of its own.
    job.commit("policy.yaml", "version: 1\nagents: { a2: { owns: [\"**\"] } }\n", "[A2] feat: all mine");
    job.push();
    assert!(judge().fails(1).out.contains("protected-path"));
}
