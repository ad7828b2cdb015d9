//! What befalls locks: killed gits, refs that are gone, forged events, strange files.

use std::process::Stdio;
use std::time::Duration;

use crate::support::locks::{PART, REF, follow, two};
use crate::support::{LANE, POLICY};

#[test]
fn a_ref_that_holds_no_lock_is_named_and_never_free() {
    let (scratch, one, _two) = two();
    let blob = one.git(&["rev-parse", "HEAD:policy.yaml"]).ok().out.trim().to_owned();
    let head = one.head();
    let broken = |says: &str| {
        one.lane(&["lock", "common"])
            .fails(2)
            .says(REF)
            .says(says)
            .says("the lock cannot be taken until this is fixed;");
        one.lane(&["locks"]).fails(2).says(REF).says("could not decide");
        one.commit("services/common/x.py", "x\n", "feat: x")
            .fails(1)
            .says(says)
            .says("nothing was committed");
        one.git(&["reset", "-q", "--hard"]).ok();
    };
    for oid in [&blob, &head] {
        one.git(&["update-ref", REF, oid]).ok();
        broken(if *oid == blob { "cannot be read" } else { "not written by git-lane" });
    }
    one.git(&["update-ref", "-d", REF]).ok();
    one.git(&["symbolic-ref", REF, "refs/heads/main"]).ok();
    broken("points to another ref");
    one.git(&["symbolic-ref", "-d", REF]).ok();
    // A record of another area, or one that a newer git-lane wrote.
    one.lane(&["lock", "common"]).ok();
    let tree = one.git(&["rev-parse", &format!("{REF}^{{tree}}")]).ok().out;
    let message = one.git(&["log", "-1", "--format=%B", REF]).ok().out;
    for (from, to, says) in [
        ("\"area\":\"common\"", "\"area\":\"other\"", "area `other`"),
        ("\"lane-lock\":1", "\"lane-lock\":2", "newer git-lane"),
        ("\"generation\":1,\"event\"", "\"generation\":0,\"event\"", "do not increase"),
        ("\"leases\"", "\"less\"", "damaged"),
    ] {
        assert!(message.contains(from), "{message}");
        let forged = one.git(&["commit-tree", tree.trim(), "-m", &message.replace(from, to)]).ok().out;
        one.git(&["update-ref", REF, forged.trim()]).ok();
        broken(says);
    }
    // The file of the ref is cut short, and the way out that is named works.
    let file = scratch.root().join(".git").join(REF);
    std::fs::write(&file, "deadbeef\n").unwrap();
    one.lane(&["lock", "common"]).fails(2).says(REF);
    one.git(&["update-ref", "-d", REF]);
    let _ = std::fs::remove_file(&file);
    one.git(&["update-ref", REF, &head]).ok();
    let ran = one.lane(&["lock", "common"]).fails(2);
    follow(&one, &ran, "the last event written by git-lane: ").ok();
    one.lane(&["lock", "common"]).ok().says("renewed `common`");
    // Where nobody noted what was last, it can begin anew.
    one.git(&["update-ref", REF, &head]).ok();
    std::fs::remove_file(scratch.root().join(".git/lane/locks").join(format!("floor-{PART}"))).unwrap();
    let ran = one.lane(&["lock", "common"]).fails(2);
    follow(&one, &ran, "to start over, keep it under another name: ").ok();
    follow(&one, &ran, "and: ").ok();
    one.lane(&["lock", "common"]).ok().says("generation 1");
    // A broken lock is in nobody's way who does not ask for it.
    let good = one.git(&["rev-parse", REF]).ok().out;
    one.git(&["update-ref", REF, &head]).ok();
    one.commit("services/orchestrator/x.py", "x\n", "feat: x")
        .ok()
        .does_not_say("the message was not completed:");
    assert_eq!(one.git(&["log", "-1", "--format=%s"]).out, "[A1] feat: x\n");
    one.git(&["update-ref", REF, good.trim()]).ok();
    // A stray ref of nobody's.
    one.lane(&["doctor"]).says("locks: one area with locks");
    one.git(&["update-ref", "refs/lane/locks/stray", &head]).ok();
    one.lane(&["doctor"]).fails(1).says("locks: the lock ref refs/lane/locks/stray");
    one.lane(&["locks"]).fails(2).says("refs/lane/locks/stray");
    one.lane(&["lock", "common"]).ok().says("renewed");
}

#[test]
fn a_lock_file_that_a_killed_git_left_is_cleared_away() {
    let (scratch, one, _two) = two();
    one.lane(&["lock", "common"]).ok();
    let stale = scratch.root().join(".git").join(format!("{REF}.lock"));
    let guard = scratch.root().join(".git/lane/locks/guard");
    let new = one.git(&["rev-parse", REF]).ok().out;
    std::fs::write(&stale, &new).unwrap();
    std::fs::write(&guard, format!("7 {} {REF}\n", new.trim())).unwrap();
    one.lane(&["unlock", "common"]).ok();
    assert!(!stale.exists());
    // One of somebody else's stays, whatever becomes of the lock.
    std::fs::write(&stale, "").unwrap();
    one.lane(&["lock", "common"]).fails(2).says("if no git process is running, remove").says(".lock");
    assert!(stale.exists());
}

#[test]
fn pushing_locks_by_hand() {
    let (_scratch, one, _two) = two();
    one.lane(&["lock", "common"]).ok();
    one.git(&["push", "-q", "origin", REF]).ok();
    one.git(&["push", "-q", "origin", &format!(":{REF}")]).fails(1).says("deletes the history of locks");
    one.git(&["push", "-q", "origin", &format!("+main:{REF}")])
        .fails(1)
        .says("rewrites the history of locks");
    // A record that git-lane did not make, and an event of somebody else.
    let tree = one.git(&["rev-parse", &format!("{REF}^{{tree}}")]).ok().out;
    let message = one.git(&["log", "-1", "--format=%B", REF]).ok().out;
    let forge = |from: &str, to: &str| {
        let text = message.trim_end().replace(from, to);
        assert_ne!(text, message.trim_end());
        let args = ["commit-tree", tree.trim(), "-p", REF, "-m", &text];
        let oid = one.git(&args).ok().out;
        one.git(&["push", "-q", "origin", &format!("{}:{REF}", oid.trim())])
            .fails(1)
            .says("protected-branch")
            .says("nothing was pushed")
    };
    forge("\"generation\":1,\"event\"", "\"generation\":7,\"event\"").says("generation 7 cannot follow 1");
    forge("\"agent\":\"a1\"", "\"agent\":\"a2\"").says("a2 was given a lock by a2");
    forge("\"lane-lock\"", "\"line-lock\"").says("not written by git-lane");
    one.git(&["push", "-q", "origin", &format!("main:{REF}0")]).fails(1).says("did not write");
    one.lane(&["unlock", "common"]).ok();
    one.git(&["push", "-q", "origin", REF]).ok();
}

#[test]
fn a_lock_ref_that_somebody_deleted_or_moved_back_is_never_free() {
    let (scratch, one, two) = two();
    one.lane(&["lock", "common"]).ok();
    one.lane(&["unlock", "common"]).ok();
    one.lane(&["lock", "common"]).ok().says("generation 2");
    let first = one.git(&["rev-list", "--max-parents=0", REF]).ok().out;
    one.git(&["update-ref", REF, first.trim()]).ok();
    let ran = two.lane(&["lock", "common"]).fails(2).says("was moved back").says("it had generation 2");
    follow(&two, &ran, "the lock cannot be taken until this is fixed; restore it: ").ok();
    one.git(&["update-ref", "-d", REF]).ok();
    two.lane(&["locks"]).fails(2).says("is gone; it had generation 2");
    let ran = two.lane(&["lock", "common"]).fails(2).says("is gone; it had generation 2");
    follow(&two, &ran, "the lock cannot be taken until this is fixed; restore it: ").ok();
    two.lane(&["lock", "common"]).fails(1).says("is held by a1");
    // Once nothing of it is left, the generations still go on.
    one.git(&["update-ref", "-d", REF]).ok();
    scratch.git(&["prune", "--expire=now"]).ok();
    two.lane(&["lock", "common"]).ok().says("generation 3");
}

#[test]
fn a_pipe_among_the_markers_holds_nobody_up() {
    let (_scratch, one, two) = two();
    one.lane(&["lock", "common"]).ok();
    for name in [".common-lock-a2", ".common-lock-a1", ".x-lock-a1", ".shown.1"] {
        let _ = std::fs::remove_file(two.root.join(".locks").join(name));
        two.command("mkfifo").arg(two.root.join(".locks").join(name)).status().unwrap();
    }
    let mut command = two.command("timeout");
    command.args(["20", LANE, "locks"]).stdout(Stdio::null()).stderr(Stdio::null());
    assert_eq!(command.status().unwrap().code(), Some(0));
    one.lane(&["unlock", "common"]).ok();
}

#[test]
fn what_a_killed_one_was_about_to_show_is_cleared_away() {
    let (_scratch, one, two) = two();
    one.lane(&["lock", "common"]).ok();
    let half = two.root.join(".locks/.shown.4194304");
    std::fs::write(&half, "half").unwrap();
    one.lane(&["unlock", "common"]).ok();
    assert!(!half.exists());
}

#[test]
fn of_several_that_are_waited_for_none_is_lost_meanwhile() {
    let (_scratch, one, two) = two();
    let (a, b) = ("services/common/a.py", "services/common/b.py");
    two.lane(&["lock", b]).ok();
    let start = || {
        let mut command = one.command(LANE);
        command
            .args(["lock", a, b, "--wait", "1m", "--ttl", "2s"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let waiter = command.spawn().unwrap();
        while !two.lane(&["locks"]).ok().out.contains("in the queue") {
            std::thread::sleep(Duration::from_millis(10));
        }
        waiter
    };
    // The first lives on while the second is waited for, and not beyond a waiter that is killed.
    let waiter = start();
    std::thread::sleep(Duration::from_millis(3_000));
    two.lane(&["lock", a]).fails(1).says("held by a1");
    two.lane(&["unlock", b]).ok();
    let ran = crate::support::Ran::from(waiter.wait_with_output().unwrap()).ok();
    assert!(ran.out.contains(a) && ran.out.contains(b) && !ran.out.contains("ended"), "{}", ran.out);
    one.lane(&["unlock", "common"]).ok();
    two.lane(&["lock", b]).ok();
    let mut waiter = start();
    waiter.kill().unwrap();
    waiter.wait().unwrap();
    std::thread::sleep(Duration::from_millis(1_200));
    two.lane(&["lock", a, "--wait", "1m"]).ok();
    // A theft in the meantime is told, and nothing is kept.
    two.lane(&["unlock", a]).ok();
    let waiter = start();
    two.lane(&["lock", a, "--steal", "--reason", "mine"]).ok();
    two.lane(&["unlock", b]).ok();
    assert_eq!(crate::support::Ran::from(waiter.wait_with_output().unwrap()).code, 1);
    one.lane(&["locks", b]).ok().does_not_say("a1 (MLOps)");
}

#[test]
fn what_was_held_before_stays_held_whatever_becomes_of_the_rest() {
    let policy = POLICY.replace(
        "  - { name: local,",
        "  - { name: aux, paths: [\"services/aux/**\"], access: lock }\n  - { name: local,",
    );
    let (_scratch, one, two) = crate::support::locks::with_policy(&policy, "ttl: 2h, min_ttl: 1s, grace: 1s");
    two.lane(&["lock", "common"]).ok();
    one.lane(&["lock", "aux"]).ok();
    one.lane(&["lock", "aux", "common", "--wait", "1s"]).fails(1).says("`common` is held by a2");
    let mut command = one.command(LANE);
    command.args(["lock", "aux", "common", "--wait", "1m"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut waiter = command.spawn().unwrap();
    while !two.lane(&["locks"]).ok().out.contains("in the queue") {
        std::thread::sleep(Duration::from_millis(10));
    }
    waiter.kill().unwrap();
    waiter.wait().unwrap();
    std::thread::sleep(Duration::from_millis(1_300));
    two.lane(&["lock", "aux"]).fails(1).says("held by a1").does_not_say("from now; its process has ended)");
    // What is lost meanwhile is told at once, and as what it is.
    one.lane(&["unlock", "aux"]).ok();
    let mut command = one.command(LANE);
    command.args(["lock", "aux", "common", "--wait", "1m"]).stdout(Stdio::null()).stderr(Stdio::piped());
    let waiter = command.spawn().unwrap();
    while !two.lane(&["locks"]).ok().out.contains("in the queue") {
        std::thread::sleep(Duration::from_millis(10));
    }
    two.lane(&["lock", "aux", "--steal", "--reason", "mine"]).ok();
    let ran = crate::support::Ran::from(waiter.wait_with_output().unwrap()).fails(1);
    let ran = ran.says("`aux`, taken by this command, was lost").says("a2 (GenAI) holds it now");
    ran.does_not_say("still held").does_not_say("(timed out waiting)");
}

#[test]
fn a_file_with_brackets_that_is_gone_can_be_given_back() {
    let (_scratch, one, _two) = two();
    let name = "services/common/[id].py";
    one.write(name, "x\n");
    one.lane(&["lock", name]).ok();
    std::fs::remove_file(one.root.join(name)).unwrap();
    one.lane(&["unlock", name]).ok().says("released");
}

#[test]
fn a_reason_is_read_in_passing() {
    let (_scratch, one, _two) = two();
    let long = "x".repeat(301);
    one.lane(&["lock", "common", "--reason", &long]).fails(2).says("shorten it to 300");
    one.lane(&["lock", "common", "--reason", &long[1..]]).ok();
}

#[test]
fn programs_are_told_of_errors_too() {
    let (_scratch, one, two) = two();
    let error = one.lane(&["lock", "comon", "--format", "json"]).fails(2).json();
    assert!(error["error"]["help"].as_str().unwrap().contains("common"), "{error}");
    let taken = one.lane(&["lock", "common", "--format", "json"]).ok().json();
    assert_eq!((&taken["locks"][0]["generation"], &taken["refused"]), (&1.into(), &serde_json::Value::Null));
    let refused = two.lane(&["lock", "common", "--format", "json"]).fails(1).json();
    assert_eq!((&refused["locks"], refused["refused"].is_object()), (&serde_json::json!([]), true));
}

#[test]
fn a_hook_of_git_s_own_refs_may_ask_for_the_locks() {
    let (scratch, one, _two) = two();
    let hook = scratch.root().join(".git/hooks/reference-transaction");
    crate::support::locks::hook(&one, &hook, &format!("'{LANE}' locks >/dev/null 2>&1; exit 0"));
    one.lane(&["lock", "common"]).ok();
    one.lane(&["unlock", "common"]).ok();
}
