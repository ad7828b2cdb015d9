//! Locks that lie on a remote: two clones and one bare repository between them.

use std::process::Stdio;
use std::time::Duration;

use crate::support::locks::{Clones, PART, clone};
use crate::support::{LANE, Ran, Worktree};

#[test]
fn one_holder_among_clones() {
    let Clones { one, two, .. } = &Clones::new();
    one.lane(&["lock", "common", "--reason", "pool"]).ok();
    two.lane(&["lock", "common"]).fails(1).says("is held by a1 (MLOps)").says("\"pool\"");
    assert!(two.root.join(".locks/.common-lock-a1").exists(), "markers show the locks of others");
    two.lane(&["locks"]).ok().says("common: a1 (MLOps)");
    two.commit("services/common/a.py", "x\n", "feat: a").fails(1).says("which a1 (MLOps) holds");
    one.lane(&["unlock", "common"]).ok();
    two.lane(&["lock", "services/common/a.py"]).ok().says("generation 2");
    two.git(&["commit", "-q", "-m", "feat: a"]).ok();
    two.git(&["push", "-q", "origin", "HEAD"]).ok();
    two.lane(&["unlock", "services/common/a.py"]).ok();
    let log = one.lane(&["locks", "--log", "--format", "json"]).ok().json();
    let kinds: Vec<&str> =
        log.as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["release", "take", "release", "take"]);
    assert_eq!(
        two.git(&["for-each-ref", "refs/lane/locks"]).out,
        "",
        "what lies here is a copy, under another name"
    );
}

#[test]
fn a_claim_by_hand_that_a_commit_relies_on_is_a_lock_at_the_remote() {
    let Clones { one, two, .. } = &Clones::new();
    one.write(".locks/.common-lock-a1", "");
    one.commit("services/common/a.py", "x\n", "feat: a").ok();
    assert!(one.git(&["log", "-1", "--format=%B"]).out.contains("Lane-Lock: common@1"));
    two.lane(&["lock", "common"]).fails(1).says("is held by a1 (MLOps)");
    assert!(two.root.join(".locks/.common-lock-a1").exists());
    std::fs::remove_file(one.root.join(".locks/.common-lock-a1")).unwrap();
    one.git(&["push", "-q", "origin", "HEAD"]).ok().says("released `common` of a1");
    two.lane(&["lock", "common"]).ok().says("generation 2");
    two.lane(&["unlock", "common"]).ok();
    // Out of reach, the commit goes on as a manual claim always did.
    one.write(".locks/.common-lock-a1", "");
    one.git(&["config", "remote.origin.url", "/nowhere/at/all"]).ok();
    one.commit("services/common/b.py", "x\n", "feat: b")
        .ok()
        .says("has no generation yet")
        .says("git lane lock common");
    assert!(!one.git(&["log", "-1", "--format=%B"]).out.contains("Lane-Lock"));
}

#[test]
fn a_waiter_in_another_clone_gets_it() {
    let Clones { one, two, .. } = &Clones::new();
    one.lane(&["lock", "common"]).ok();
    let mut command = two.command(LANE);
    let waiter = command.args(["lock", "common", "--wait", "1m"]);
    let waiter = waiter.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while !one.lane(&["locks", "--log"]).ok().out.contains("a2 waits for common") {
        std::thread::sleep(Duration::from_millis(20));
    }
    one.lane(&["unlock", "common"]).ok();
    Ran::from(waiter.wait_with_output().unwrap())
        .ok()
        .says("generation 2")
        .says("waiting for `common`: a1 (MLOps)");
}

#[test]
fn a_push_under_a_lock_stolen_elsewhere_is_refused() {
    let clones = Clones::new();
    let Clones { one, two, .. } = &clones;
    two.lane(&["lock", "common"]).ok();
    two.commit("services/common/a.py", "x\n", "feat: a").ok();
    one.lane(&["lock", "common", "--steal", "--reason", "production is down"]).ok();
    two.git(&["push", "-q", "origin", "HEAD"])
        .fails(1)
        .says("which a1 (MLOps) stole at")
        .says("\"production is down\"");
    assert_eq!(clones.pushed(), "");
}

#[test]
fn offline() {
    let clones = Clones::new();
    let Clones { one, two, .. } = &clones;
    two.lane(&["lock", "common"]).ok();
    two.git(&["remote", "add", "backup", "../backup.git"]).ok();
    clones.scratch.run(&clones.scratch.home(), "git", &["init", "-q", "--bare", "backup.git"]).ok();
    std::fs::rename(clones.origin(), clones.scratch.home().join("away.git")).unwrap();
    two.commit("services/common/a.py", "x\n", "feat: a")
        .ok()
        .does_not_say("the locks could not be refreshed; the last known state is used:"); // read just now
    one.lane(&["lock", "common"])
        .fails(2)
        .says("does not appear to be a git repository")
        .says("once `git ls-remote origin` works again");
    two.lane(&["unlock", "common"]).fails(2).says("whether it was accepted is unknown; once `git ls-remote");
    std::fs::remove_file(two.root.join(".git/lane/locks/synced.json")).unwrap();
    two.lane(&["locks"]).fails(2).says("common: a2 (GenAI)").says("cannot be read");
    two.commit("services/common/b.py", "x\n", "feat: b")
        .ok()
        .says("warning[unlocked-path]: the locks could not be refreshed");
    two.git(&["push", "-q", "backup", "HEAD"])
        .fails(1)
        .says("error[unlocked-path]: the locks of `origin` cannot be read")
        .says("nothing was pushed");
    // Work elsewhere asks nobody.
    two.commit("services/rag_pipeline/a.py", "x\n", "feat: a").ok().does_not_say("unlocked-path");
    std::fs::rename(clones.scratch.home().join("away.git"), clones.origin()).unwrap();
    two.git(&["push", "-q", "origin", "HEAD"]).ok();
    two.lane(&["unlock", "common"]).ok();
}

#[test]
fn a_lock_of_another_machine_ends_when_it_was_seen_to_stand_still() {
    let clones = Clones::new();
    let Clones { one, two, .. } = &clones;
    one.lane(&["lock", "common", "--ttl", "3s"]).ok();
    // The other machine's clocks say anything at all.
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    clones.rewrite(|text| text.replace(boot.trim(), "another").replace("\"uptime\":", "\"uptime\":9"));
    std::thread::sleep(Duration::from_millis(3_100));
    two.lane(&["lock", "common"]).fails(1).says("at the latest, unless renewed");
    std::thread::sleep(Duration::from_millis(1_600));
    // It moves: somebody there is alive, and the watch starts over.
    clones.rewrite(|text| text.replacen("\"nonce\":\"", "\"nonce\":\"n", 1));
    std::thread::sleep(Duration::from_millis(1_600));
    two.lane(&["lock", "common"]).fails(1);
    std::thread::sleep(Duration::from_millis(3_100));
    two.lane(&["lock", "common"]).ok().says("generation 1 of a1 had expired");
}

#[test]
fn what_the_remote_lost_or_rewrote_is_never_free() {
    let clones = Clones::new();
    let Clones { one, two, .. } = &clones;
    one.lane(&["lock", "common"]).ok();
    two.lane(&["locks"]).ok();
    let name = format!("refs/lane/locks/{PART}");
    let oid = clones.at_origin(&["rev-parse", &name]).ok().out;
    clones.at_origin(&["update-ref", "-d", &name]).ok();
    let ran = two.lane(&["lock", "common"]).fails(2).says("`origin` lost the lock ref");
    // What is said brings it back.
    let mend = ran
        .err
        .lines()
        .find_map(|line| {
            line.trim()
                .strip_prefix("git push --no-verify")
                .map(|rest| ("", format!("git push --no-verify{rest}")))
        })
        .unwrap()
        .1
        .to_owned();
    let mended: Ran = two.command("sh").args(["-c", &mend]).output().unwrap().into();
    mended.ok();
    assert_eq!(clones.at_origin(&["rev-parse", &name]).ok().out, oid);
    two.lane(&["lock", "common"]).fails(1).says("is held by a1");
    // A history that begins anew, somebody's branch, and no commit at all.
    let main = clones.at_origin(&["rev-parse", "main"]).ok().out;
    let blob = clones.at_origin(&["rev-parse", "main:policy.yaml"]).ok().out;
    for other in [&main, &blob] {
        clones.at_origin(&["update-ref", &name, other.trim()]).ok();
        two.lane(&["lock", "common"]).fails(2).says("appeared unexpectedly").says(&name);
        let fresh = clone(&clones.scratch, if *other == main { "a3" } else { "a4" });
        fresh.lane(&["lock", "common"]).fails(2).says("has no valid lock: ");
        fresh.lane(&["locks"]).fails(2).says("could not decide");
    }
    clones.at_origin(&["update-ref", &name, oid.trim()]).ok();
    one.lane(&["unlock", "common"]).ok();
    two.lane(&["lock", "common"]).ok();
}

#[test]
fn an_event_that_is_here_before_those_below_it_is_no_other_history() {
    let clones = Clones::new();
    let Clones { one, two, .. } = &clones;
    for _ in 0..2 {
        one.lane(&["lock", "common"]).ok();
        one.lane(&["unlock", "common"]).ok();
        // As another fetch of the same repository leaves it for a moment: the last event alone.
        let name = clones.at_origin(&["rev-parse", crate::support::locks::REF]).ok().out;
        let object = format!("objects/{}/{}", &name[..2], name[2..].trim());
        let (from, to) = (clones.origin().join(&object), two.root.join(".git").join(&object));
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from, to).unwrap();
        two.lane(&["locks"]).ok().says("common: free");
    }
    two.git(&["fsck", "--connectivity-only"]).ok();
}

#[test]
fn a_host_that_takes_only_branches() {
    let clones = Clones::with("remote: origin, prefix: refs/heads/lane/locks");
    let Clones { one, two, .. } = &clones;
    let hook = clones.origin().join("hooks/update");
    std::fs::write(&hook, "#!/bin/sh\ncase $1 in refs/heads/*) ;; *) echo 'branches only'; exit 1;; esac\n")
        .unwrap();
    one.command("chmod").args(["+x", hook.to_str().unwrap()]).status().unwrap();
    one.lane(&["lock", "common"]).ok();
    two.lane(&["lock", "common"]).fails(1);
    one.commit("services/common/a.py", "x\n", "feat: a").ok();
    one.lane(&["push"]).ok().says("renewed `common`");
    one.lane(&["unlock", "common"]).ok();
    two.lane(&["lock", "common"]).ok();
}

#[test]
fn a_host_that_takes_no_locks_says_so() {
    let clones = Clones::new();
    let hook = clones.origin().join("hooks/update");
    std::fs::write(&hook, "#!/bin/sh\necho 'branches only'; exit 1\n").unwrap();
    clones.one.command("chmod").args(["+x", hook.to_str().unwrap()]).status().unwrap();
    clones
        .one
        .lane(&["lock", "common"])
        .fails(2)
        .says("rejected the lock")
        .says("only branches")
        .says("prefix: refs/heads/");
    clones.one.lane(&["locks"]).ok().says("common: free");
}

#[test]
fn a_push_that_meets_another_at_the_server_is_tried_again() {
    let clones = Clones::new();
    clones.one.lane(&["lock", "common"]).ok();
    let lock = clones.origin().join(format!("refs/lane/locks/{PART}.lock"));
    std::fs::write(&lock, "").unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(400));
            std::fs::remove_file(&lock).unwrap();
        });
        clones.one.lane(&["unlock", "common"]).ok();
    });
    // One that stays is told in the server's words.
    std::fs::write(&lock, "").unwrap();
    clones.one.lane(&["lock", "common"]).fails(2).says("rejected the lock").says("File exists");
}

#[test]
fn settings_for_pushes_of_work_do_not_touch_locks() {
    let clones = Clones::new();
    let Clones { one, two, scratch } = &clones;
    for setting in [
        &["config", "push.followTags", "true"][..],
        &["config", "fetch.prune", "true"],
        &["config", "push.default", "matching"],
        &["config", "push.recurseSubmodules", "on-demand"],
        &["config", "remote.origin.tagOpt", "--tags"],
        &["config", "fetch.writeCommitGraph", "true"],
        &["config", "core.logAllRefUpdates", "always"],
        &["config", "user.useConfigOnly", "true"],
    ] {
        one.git(setting).ok();
    }
    scratch.git(&["tag", "-a", "-m", "x", "v1"]).ok();
    scratch.git(&["push", "-q", "origin", "v1"]).ok();
    one.git(&["tag", "-a", "-m", "x", "mine"]).ok();
    one.lane(&["lock", "common"]).ok();
    two.lane(&["lock", "common"]).fails(1);
    one.lane(&["unlock", "common"]).ok();
    two.lane(&["lock", "common"]).ok();
    one.lane(&["lock", "common"]).fails(1).says("held by a2");
    assert_eq!(clones.at_origin(&["tag"]).ok().out, "v1\n");
    assert_eq!(one.git(&["tag"]).ok().out, "mine\n", "reading locks fetches nothing else");
    assert!(!one.root.join(".git/FETCH_HEAD").exists());
}

#[test]
fn a_shallow_clone_locks_like_any_other() {
    let clones = Clones::new();
    clones.one.lane(&["lock", "common"]).ok();
    clones.one.lane(&["unlock", "common"]).ok();
    clones.scratch.main().commit("docs/x", "x\n", "more").ok();
    clones.scratch.git(&["push", "-q", "origin", "main"]).ok();
    let root = clones.scratch.home().join("shallow");
    let url = format!("file://{}", clones.origin().display());
    clones
        .scratch
        .run(&clones.scratch.home(), "git", &["clone", "-q", "--depth", "1", &url, root.to_str().unwrap()])
        .ok();
    let tree = Worktree { root, home: clones.scratch.home() };
    tree.git(&["switch", "-q", "-c", "feat/a3/x"]).ok();
    tree.lane(&["lock", "common", "--agent", "a3"]).ok().says("generation 2");
    clones.one.lane(&["lock", "common"]).fails(1).says("held by a3");
}

#[test]
fn clones_that_all_want_one_lock() {
    let clones = Clones::new();
    let agents = ["a1", "a2", "a3", "a4"];
    let three = clone(&clones.scratch, "a3");
    let four = clone(&clones.scratch, "a4");
    let trees = [clones.one.clone(), clones.two.clone(), three, four];
    let counter = clones.scratch.home().join("counter");
    std::fs::write(&counter, "0").unwrap();
    let work = |tree: &Worktree| {
        for _ in 0..3 {
            tree.lane(&["lock", "common", "--wait", "2m", "-q"]).ok();
            let value: u64 = std::fs::read_to_string(&counter).unwrap().parse().unwrap();
            std::thread::sleep(Duration::from_millis(5));
            std::fs::write(&counter, (value + 1).to_string()).unwrap();
            tree.lane(&["unlock", "common", "-q"]).ok();
        }
    };
    std::thread::scope(|scope| {
        for tree in &trees {
            scope.spawn(|| work(tree));
        }
    });
    assert_eq!(
        std::fs::read_to_string(&counter).unwrap(),
        (3 * agents.len()).to_string(),
        "no update is lost"
    );
    let log = clones.one.lane(&["locks", "--log", "--format", "json"]).ok().json();
    let taken = log.as_array().unwrap().iter().filter(|event| event["kind"] == "take").count();
    assert_eq!(taken, 12);
}
