//! `git lane push`: work and locks in one push.

use std::process::Stdio;
use std::time::Duration;

use crate::support::locks::{Clones, PART, hook};
use crate::support::{LANE, Scratch, Worktree};

#[test]
fn a_theft_in_the_middle_of_a_push_keeps_the_work_out() {
    let clones = Clones::new();
    let Clones { one, two, .. } = &clones;
    two.lane(&["lock", "common"]).ok();
    two.commit("services/common/a.py", "x\n", "feat: a").ok();
    // Another hook runs after ours: by then the push was judged, and is not yet sent.
    let steal = format!(
        "#!/bin/sh\nunset GIT_DIR GIT_PREFIX\ncd '{}' && exec '{LANE}' lock common --steal --reason late -q\n",
        one.root.display()
    );
    let hook = two.root.join(".git/hooks/pre-push");
    std::fs::write(&hook, steal).unwrap();
    two.command("chmod").args(["+x", hook.to_str().unwrap()]).status().unwrap();
    two.lane(&["install", "--agent", "a2"]).ok();
    two.lane(&["push"]).fails(1).says("the lock `common` changed hands while you pushed");
    assert_eq!(clones.pushed(), "", "the two cannot both win");
    one.lane(&["locks"]).ok().says("common: a1 (MLOps)");
}

#[test]
fn a_push_renews_the_lock_beside_the_branch() {
    let clones = Clones::new();
    let two = &clones.two;
    two.lane(&["lock", "common", "--ttl", "1h"]).ok();
    two.commit("services/common/a.py", "x\n", "feat: a").ok();
    two.lane(&["push"]).ok().says("renewed `common`");
    assert_eq!(clones.pushed(), "refs/heads/feat/a2/x\n");
    let log = two.lane(&["locks", "--log", "--format", "json"]).ok().json();
    assert_eq!((&log[0]["kind"], log[0]["pushed"].as_str()), (&"renew".into(), Some(two.head().as_str())));
    two.git(&["commit", "-q", "--amend", "-m", "feat: b"]).ok();
    two.lane(&["push"]).fails(1).says("git lane push --force-with-lease");
    two.lane(&["push", "-f"]).ok();
    two.git(&["switch", "-q", "--detach"]).ok();
    two.lane(&["push"]).fails(2).says("HEAD is detached: there is no branch to push");
}

/// Lets something happen in another clone after our hooks have judged a push, and before it is sent.
fn in_the_middle(of: &Worktree, at: &Worktree, commands: &str) {
    let script = format!(
        "unset GIT_DIR GIT_PREFIX\ncd '{}' || exit 1\nlane() {{ '{LANE}' \"$@\"; }}\n{commands}",
        at.root.display()
    );
    hook(of, &of.root.join(".git/hooks/pre-push"), &script);
    of.lane(&["install", "--agent", "a2"]).ok();
}

#[test]
fn work_whose_lock_was_given_back_is_fenced_too() {
    let clones = Clones::new();
    let Clones { one, two, .. } = &clones;
    two.lane(&["lock", "common"]).ok();
    two.commit("services/common/a.py", "x\n", "feat: a").ok();
    two.lane(&["unlock", "common"]).ok();
    in_the_middle(two, one, "lane lock common -q");
    two.lane(&["push"]).fails(1).says("which a1 (MLOps) has taken since");
    assert_eq!(clones.pushed(), "");
    // With nobody in between it goes, and the trail says so.
    one.lane(&["unlock", "common"]).ok();
    two.lane(&["lock", "common"]).ok();
    two.git(&["commit", "-q", "--amend", "--no-edit"]).ok();
    two.lane(&["unlock", "common"]).ok();
    std::fs::remove_file(two.root.join(".git/hooks/pre-push")).unwrap();
    two.lane(&["install", "--agent", "a2"]).ok();
    two.lane(&["push"]).ok();
    one.lane(&["locks", "--log"]).ok().says("a2 pushes work done under common");
}

#[test]
fn where_no_hook_of_ours_judges_each_attempt_is_judged() {
    let clones = Clones::new();
    let Clones { one, two, .. } = &clones;
    two.lane(&["lock", "common"]).ok();
    two.commit("services/common/a.py", "x\n", "feat: a").ok();
    two.lane(&["unlock", "common"]).ok();
    let (flag, hooks) = (clones.scratch.home().join("taken"), clones.scratch.home().join("others"));
    std::fs::create_dir(&hooks).unwrap();
    let script = format!(
        "[ -e '{0}' ] && exit 0; touch '{0}'\nunset GIT_DIR GIT_PREFIX\ncd '{1}' && exec '{LANE}' lock common -q",
        flag.display(),
        one.root.display()
    );
    hook(two, &hooks.join("pre-push"), &script);
    two.git(&["config", "core.hooksPath", hooks.to_str().unwrap()]).ok();
    two.git(&["config", "--worktree", "--unset", "core.hooksPath"]);
    two.lane(&["push"]).fails(1).says("pushing again").says("which a1 (MLOps) has taken since");
    assert!(flag.exists());
    assert_eq!(clones.pushed(), "");
}

#[test]
fn one_who_only_waits_keeps_no_push_out() {
    let clones = Clones::new();
    let Clones { one, two, .. } = &clones;
    two.lane(&["lock", "common"]).ok();
    two.commit("services/common/a.py", "x\n", "feat: a").ok();
    let flag = clones.scratch.home().join("queued");
    let wait = format!(
        "[ -e '{0}' ] && exit 0; touch '{0}'\n(lane lock common --wait 3s -q >/dev/null 2>&1 &)\n\
         until lane locks | grep -q 'in the queue'; do sleep 0.1; done",
        flag.display()
    );
    in_the_middle(two, one, &wait);
    two.lane(&["push"]).ok().says("pushing again").says("renewed `common`");
    assert_eq!(clones.pushed(), "refs/heads/feat/a2/x\n");
}

#[test]
fn an_agent_that_only_its_branch_names_pushes_its_locks() {
    let policy = crate::support::POLICY.replace("unidentified: maintainer", "unidentified: deny");
    let clones = Clones::with_policy(&policy, "remote: origin");
    let two = &clones.two;
    two.git(&["config", "--unset", "lane.agent"]);
    two.git(&["config", "--worktree", "--unset", "lane.agent"]);
    two.lane(&["lock", "common"]).ok();
    two.commit("services/common/a.py", "x\n", "feat: a").ok();
    two.lane(&["push"]).ok().says("renewed `common`");
}

#[test]
fn a_push_that_is_done_is_done() {
    let clones = Clones::new();
    let two = &clones.two;
    two.lane(&["lock", "common"]).ok();
    two.commit("services/common/a.py", "x\n", "feat: a").ok();
    // Once it has the push, the remote goes away.
    let gone = clones.scratch.home().join("gone.git");
    let script = format!("mv '{}' '{}'", clones.origin().display(), gone.display());
    hook(two, &clones.origin().join("hooks/post-receive"), &script);
    two.lane(&["push"]).ok().says("note: pushed, but").says("renewed `common`");
}

#[test]
fn a_remote_that_is_a_mirror() {
    let clones = Clones::new();
    let two = &clones.two;
    two.git(&["config", "remote.origin.mirror", "true"]).ok();
    two.lane(&["lock", "common"]).ok();
    two.commit("services/common/a.py", "x\n", "feat: a").ok();
    two.lane(&["push"]).ok().says("renewed `common`");
    assert_eq!(clones.pushed(), "refs/heads/feat/a2/x\n");
}

#[test]
fn a_lock_is_read_where_it_is_written() {
    let clones = Clones::new();
    let Clones { one, two, .. } = &clones;
    let elsewhere = clones.scratch.home().join("elsewhere.git");
    clones.scratch.git(&["init", "-q", "--bare", elsewhere.to_str().unwrap()]).ok();
    one.lane(&["lock", "common"]).ok();
    two.lane(&["locks"]).ok();
    // Fetched from one place, pushed to another: the lock is where pushes go.
    two.git(&["config", "remote.origin.pushurl", elsewhere.to_str().unwrap()]).ok();
    two.lane(&["lock", "common"]).fails(2).says("` lost the lock ref");
    two.git(&["update-ref", "-d", &format!("refs/lane/remotes/origin/{PART}")]);
    two.lane(&["lock", "common"]).ok();
    let there = |folder: &std::path::Path| {
        let args = ["for-each-ref", "--format=%(objectname)", "refs/lane"];
        clones.scratch.run(folder, "git", &args).ok().out
    };
    assert_ne!(there(&elsewhere), there(&clones.origin()));
    two.lane(&["unlock", "common"]).ok();
    two.lane(&["locks"]).ok().says("common: free");
    // Several places cannot decide.
    two.git(&["config", "--add", "remote.origin.pushurl", "../origin.git"]).ok();
    two.lane(&["lock", "common"])
        .fails(2)
        .says("go to 2 urls")
        .says("git remote get-url --push --all origin");
    // Addresses that git rewrites for pushes alone.
    two.git(&["config", "--unset-all", "remote.origin.pushurl"]).ok();
    let home = clones.scratch.home();
    two.git(&[
        "config",
        &format!("url.{}/elsewhere.pushInsteadOf", home.display()),
        &format!("{}/origin", home.display()),
    ])
    .ok();
    two.git(&["config", "remote.origin.url", &format!("{}/origin.git", home.display())]).ok();
    two.lane(&["lock", "common"]).ok();
    assert_ne!(there(&elsewhere), there(&clones.origin()));
    // And addresses that are rewritten for fetching too, each to where the other was.
    let from = |name: &str| format!("url.{}/{name}", home.display());
    let is = |name: &str| format!("{}/{name}", home.display());
    one.git(&["config", &format!("{}.insteadOf", from("origin")), &is("elsewhere")]).ok();
    one.git(&["config", &format!("{}.pushInsteadOf", from("elsewhere")), &is("origin")]).ok();
    one.git(&["config", "remote.origin.url", &is("origin.git")]).ok();
    one.git(&["update-ref", "-d", &format!("refs/lane/remotes/origin/{PART}")]).ok();
    one.lane(&["lock", "common"]).fails(1).says("held by a2");
}

#[test]
fn a_remote_that_went_back_says_so_until_it_is_mended() {
    let clones = Clones::new();
    let Clones { one, two, .. } = &clones;
    let name = format!("refs/lane/locks/{PART}");
    one.lane(&["lock", "common"]).ok();
    let old = clones.at_origin(&["rev-parse", &name]).ok().out;
    one.lane(&["unlock", "common"]).ok();
    let new = clones.at_origin(&["rev-parse", &name]).ok().out;
    two.lane(&["locks"]).ok();
    clones.at_origin(&["update-ref", &name, old.trim()]).ok();
    for _ in 0..2 {
        two.lane(&["lock", "common"]).fails(2).says("was moved back");
    }
    std::thread::sleep(Duration::from_millis(1_100));
    two.lane(&["locks"]).fails(2).says("was moved back");
    clones.at_origin(&["update-ref", &name, new.trim()]).ok();
    two.lane(&["lock", "common"]).ok();
}

#[test]
fn a_ref_below_the_name_of_a_lock_is_not_that_lock() {
    let clones = Clones::new();
    let Clones { one, two, .. } = &clones;
    let main = clones.at_origin(&["rev-parse", "main"]).ok().out;
    clones.at_origin(&["update-ref", &format!("refs/lane/locks/junk/{PART}"), main.trim()]).ok();
    one.lane(&["lock", "common"]).ok();
    two.lane(&["lock", "common"]).fails(1).says("held by a1");
}

#[test]
fn a_waiter_of_another_machine_that_was_killed_is_in_nobody_s_way_for_long() {
    let clones = Clones::new();
    let Clones { one, two, .. } = &clones;
    one.lane(&["lock", "common"]).ok();
    let mut command = two.command(LANE);
    command.args(["lock", "common", "--wait", "1h"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut waiter = command.spawn().unwrap();
    let queue = || one.lane(&["locks", "--format", "json"]).ok().json()["areas"][0]["waiting"].clone();
    while queue().as_array().is_none_or(Vec::is_empty) {
        std::thread::sleep(Duration::from_millis(50));
    }
    waiter.kill().unwrap();
    waiter.wait().unwrap();
    let name = format!("refs/lane/locks/{PART}");
    let message = clones.at_origin(&["log", "-1", "--format=%B", &name]).ok().out;
    let record: serde_json::Value = serde_json::from_str(message.trim_end().lines().last().unwrap()).unwrap();
    assert_eq!(record["queue"][0]["ttl"], 60, "not for the hour that it wanted to wait");
}

#[test]
fn a_commit_past_the_hooks_under_a_claim_by_hand_gets_its_trailer() {
    let (scratch, tree) = Scratch::installed();
    let told = "`, in commits without a Lane-Lock trailer: the job of a pull request will refuse them";
    let trailers = || tree.git(&["log", "--format=%(trailers:key=Lane-Lock,valueonly)", "origin/main.."]).out;
    let run = |ran: &crate::support::Ran| {
        let text = ran.all();
        let commands = crate::advice::commands(&text);
        assert!(!commands.is_empty(), "{text}");
        for command in commands.iter().filter(|command| !command.contains("unlock")) {
            let command = command.replace("git lane", &format!("'{LANE}'"));
            let ran: crate::support::Ran = tree.command("sh").args(["-c", &command]).output().unwrap().into();
            ran.ok();
        }
    };
    // The file is there: what is pushed is right, and said to lack what a job wants.
    for count in [1, 2] {
        tree.write(".locks/.common-lock-a2", "");
        for n in 0..count {
            tree.sneak("services/common/a.py", &format!("{count} {n}\n"), "[A2] feat: a");
        }
        assert_eq!(trailers().trim(), "");
        let ran = tree.git(&["push", "-q", "--dry-run", "origin", "HEAD"]).ok().says(told);
        run(&ran);
        assert_eq!(trailers().matches("common@").count(), count, "{}", trailers());
        tree.git(&["push", "-q", "--dry-run", "origin", "HEAD"]).ok().does_not_say(told);
        tree.lane(&["unlock", "common"]).ok();
        tree.git(&["reset", "-q", "--hard", "origin/main"]).ok();
    }
    // The file was removed before anything became a lock.
    tree.sneak("services/common/a.py", "late\n", "[A2] feat: a");
    let ran = tree.git(&["push", "-q", "origin", "HEAD"]).fails(1).says("`, which is not held");
    run(&ran);
    assert_eq!(trailers().matches("common@").count(), 1);
    tree.git(&["push", "-q", "origin", "HEAD"]).ok().does_not_say(told);
    let ci = ["ci", "--base", "main", "--head", "HEAD", "--branch", "feat/a2/x", "--title", "[A2] x"];
    scratch.main().git(&["fetch", "-q"]).ok();
    tree.lane(&ci).ok();
}
