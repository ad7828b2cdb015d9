use crate::facts::Event::{PreCommit, PrePush, PreReceive};
use crate::facts::RefUpdate::Create;
use crate::locks::record::LockEventKind;
use crate::rules::testing::Scene;

const PATH: &str = "services/common/db.py";

fn commit(agent: &str) -> Scene {
    Scene::new(PreCommit, agent).files(&[PATH])
}

#[test]
fn without_the_lock() {
    assert_eq!(commit("a2").findings(), ["error unlocked-path services/common/db.py"]);
}

#[test]
fn with_the_lock() {
    assert_eq!(commit("a2").lock("common", "a2", 1_000).findings().len(), 0);
    assert_eq!(commit("a2").lock("other", "a2", 1_000).findings().len(), 1);
}

#[test]
fn the_oldest_claim_holds() {
    let both = commit("a2").lock("common", "a2", 1_500).lock("common", "a1", 1_400);
    assert_eq!(
        both.findings(),
        ["warn unlocked-path (a1)", "error unlocked-path services/common/db.py (a1)"],
        "and the younger one is told that it holds nothing"
    );
    let older = commit("a2").lock("common", "a2", 1_400).lock("common", "a1", 1_500);
    assert_eq!(older.findings().len(), 0);
}

#[test]
fn a_claim_expires() {
    let scene = commit("a2").lock("common", "a2", 1_000).facts(|facts| facts.now = 1_000 + 7_200);
    assert_eq!(scene.findings().len(), 1);
}

#[test]
fn a_maintainer_is_told_and_passes() {
    assert_eq!(commit("").findings().len(), 0);
    assert_eq!(
        commit("").lock("common", "a1", 1_000).findings(),
        ["warn unlocked-path services/common/db.py (a1)"]
    );
}

#[test]
fn a_lock_in_git_goes_before_a_claim_by_hand() {
    let held = |scope: &str, agent: &str| commit("a2").held_lock(scope, agent, 7, 900).findings();
    assert_eq!(held("common", "a2").len(), 0);
    assert_eq!(held("services/common/db.py", "a2").len(), 0);
    assert_eq!(held("services/common/*.rs", "a2").len(), 1, "another part of it");
    assert_eq!(held("common", "a1"), ["error unlocked-path services/common/db.py (a1)"]);
    let other = commit("a2").held_lock("services/common/net.py", "a1", 7, 900);
    assert!(other.helps()[0].contains("git lane lock services/common/db.py\n"), "the area is not to be had");
    assert_eq!(held("services/common/net.py", "a1"), ["error unlocked-path services/common/db.py"]);
    let by_hand = commit("a2").lock("common", "a2", 1_000).held_lock("common", "a1", 7, 900);
    assert_eq!(by_hand.findings().len(), 2);
    let touched = Scene::new(PreCommit, "a2").lock("common", "a2", 1_000).held_lock("common", "a1", 7, 900);
    assert_eq!(touched.findings(), ["warn unlocked-path (a1)"], "whatever the commit is about");
    assert_eq!(commit("").held_lock("common", "a1", 7, 900).findings().len(), 1);
}

#[test]
fn a_holder_stops_before_the_end() {
    assert!(commit("a2").held_lock("common", "a2", 7, 30).headlines()[0].contains("ends in 30 s"));
}

#[test]
fn doubts_are_told_and_do_not_refuse() {
    let scene = commit("a2").held_lock("common", "a2", 7, 900).facts(|facts| {
        let crate::facts::Fact::Known(locks) = &mut facts.locks else { panic!() };
        locks.doubt = Some("no network".into());
    });
    assert_eq!(scene.findings(), ["warn unlocked-path"]);
}

fn push(message: &str) -> Scene {
    Scene::new(PrePush, "a2").commit(7, message, &[PATH])
}

#[test]
fn the_generation_of_a_commit_decides() {
    const UNDER: &str = "[A2] x\n\nLane-Lock: common@3";
    let own = || push(UNDER).taken_lock("common", "a2", 3, LockEventKind::Take);
    assert_eq!(own().of("unlocked-path").len(), 0, "given back meanwhile");
    assert_eq!(own().taken_lock("common", "a2", 4, LockEventKind::Take).of("unlocked-path").len(), 0);
    assert_eq!(
        own().taken_lock("services/common/net.py", "a1", 4, LockEventKind::Take).of("unlocked-path").len(),
        0
    );
    let stolen = own().taken_lock("common", "a1", 4, LockEventKind::Steal);
    assert_eq!(stolen.of("unlocked-path"), ["error unlocked-path services/common/db.py @07 (a1)"]);
    assert_eq!(
        stolen.headlines(),
        ["under generation 3 of the lock `common`, which a1 (MLOps) stole at 01:00 UTC: \"hotfix\""]
    );
    let again = stolen.taken_lock("common", "a2", 5, LockEventKind::Take).held_lock("common", "a2", 5, 900);
    assert_eq!(again.of("unlocked-path").len(), 1, "the commit is from before the theft");
    assert!(push(UNDER).headlines()[0].ends_with("which was never taken"));
    let foreign = push(UNDER).taken_lock("common", "a1", 3, LockEventKind::Take);
    assert!(foreign.headlines()[0].ends_with("which belonged to a1 (MLOps)"));
    let both = push("[A2] x\n\nLane-Lock: common@3\nLane-Lock: common@5").taken_lock(
        "common",
        "a2",
        3,
        LockEventKind::Take,
    );
    let both = both.taken_lock("common", "a1", 4, LockEventKind::Steal).taken_lock(
        "common",
        "a2",
        5,
        LockEventKind::Take,
    );
    assert_eq!(both.of("unlocked-path").len(), 0, "one of them is right");
}

#[test]
fn a_rebase_of_what_was_pushed_brings_nothing_new() {
    let scene = push("[A2] x\n\nLane-Lock: common@3").taken_lock("common", "a2", 3, LockEventKind::Take);
    let scene = scene.taken_lock("common", "a1", 4, LockEventKind::Take);
    let path = crate::facts::RepoPath(PATH.into());
    let rebased = scene.change(|change| change.unchanged = [path].into());
    assert_eq!(rebased.of("unlocked-path").len(), 0);
}

#[test]
fn a_commit_without_a_generation_needs_the_lock_now() {
    let held = push("[A2] x").held_lock("common", "a2", 3, 900);
    let found = held.of("unlocked-path");
    assert!(found.len() == 1 && !found[0].starts_with("error"), "the job will want it: {found:?}");
    assert!(push("[A2] x").of("unlocked-path")[0].starts_with("error"));
    let other = push("[A2] x\n\nLane-Lock: services/common/net.py@3");
    assert_eq!(
        other.taken_lock("services/common/net.py", "a2", 3, LockEventKind::Take).of("unlocked-path").len(),
        1
    );
}

#[test]
fn what_was_committed_before_is_not_judged_again_at_commit() {
    let scene = Scene::new(PreCommit, "a2").files(&[PATH]).change(|change| {
        change.staged = crate::facts::Fact::Known(Vec::new());
    });
    assert_eq!(scene.findings().len(), 0);
}

#[test]
fn what_the_remote_has_is_not_judged_again_at_push() {
    let scene = |is_pushed| {
        Scene::new(PrePush, "a2").commit(7, "[A2] x", &[PATH]).change(|change| {
            if let crate::facts::Fact::Known(commits) = &mut change.commits {
                commits[0].is_pushed = is_pushed;
            }
        })
    };
    assert_eq!(scene(false).of("unlocked-path").len(), 1);
    assert_eq!(scene(true).of("unlocked-path").len(), 0);
}

#[test]
fn what_a_merge_puts_back_is_judged() {
    let scene = Scene::new(PrePush, "a2").files(&[PATH]);
    assert_eq!(scene.of("unlocked-path"), ["error unlocked-path services/common/db.py"]);
}

#[test]
fn where_no_locks_are_seen_the_trailer_must_be_there() {
    let push = |agent: &str, message: &str| {
        let scene = Scene::new(PreReceive, "").pushed_to(&format!("feat/{agent}/x"), Create);
        let scene = scene.commit(7, message, &[PATH]).facts(|facts| {
            facts.locks = crate::facts::Fact::Known(crate::facts::Locks {
                is_elsewhere: true,
                ..crate::facts::Locks::default()
            });
        });
        scene.of("unlocked-path").len()
    };
    assert_eq!(push("a2", "[A2] x\n\nLane-Lock: common@7"), 0);
    assert_eq!(push("a2", "[A2] x\n\nLane-Lock: services/common/db.py@7"), 0);
    assert_eq!(push("a2", "[A2] x\n\nLane-Lock: services/common/net.py@7"), 1);
    assert_eq!(push("a2", "[A2] x\n\nLane-Lock: other@7"), 1);
    assert_eq!(push("a2", "[A2] x"), 1);
    assert_eq!(push("nobody", "x"), 0, "a maintainer");
}

#[test]
fn locks_that_cannot_be_read_do_not_pass() {
    let scene = commit("a2").facts(|facts| facts.locks = crate::facts::Fact::NotGathered);
    assert!(scene.findings()[0].starts_with("undecided: "));
}

fn landed(edit: impl FnOnce(&mut crate::facts::LandedPaths)) -> impl FnOnce(&mut crate::facts::Change) {
    let mut landed = crate::facts::LandedPaths::default();
    edit(&mut landed);
    move |change| change.landed = crate::facts::Fact::Known(landed)
}

fn path() -> crate::facts::RepoPath {
    crate::facts::RepoPath(PATH.into())
}

#[test]
fn work_goes_on_from_what_landed_last() {
    let missing = || landed(|landed| landed.missing.extend([path()]));
    let held = commit("a2").held_lock("common", "a2", 7, 900).change(missing());
    assert_eq!(held.findings(), ["error unlocked-path services/common/db.py"]);
    assert!(held.helps()[0].ends_with("git lane sync --autostash"), "{:?}", held.helps());
    let other = commit("a2").held_lock("common", "a1", 7, 900).change(missing());
    assert_eq!(other.findings().len(), 1, "one thing after the other");
    assert_eq!(commit("").change(missing()).findings().len(), 0, "a maintainer");
    let pushed = push("[A2] x\n\nLane-Lock: common@3")
        .taken_lock("common", "a2", 3, LockEventKind::Take)
        .change(missing());
    assert!(pushed.headlines()[0].contains("has a newer version"));
}

#[test]
fn what_was_pushed_and_stands_on_something_else_is_judged_again() {
    let moved = landed(|landed| landed.moved.extend([path()]));
    let scene =
        Scene::new(PrePush, "a2").commit(7, "[A2] x\n\nLane-Lock: common@3", &[PATH]).change(|change| {
            if let crate::facts::Fact::Known(commits) = &mut change.commits {
                commits[0].is_pushed = true;
            }
        });
    let scene = scene.taken_lock("common", "a2", 3, LockEventKind::Take);
    assert_eq!(scene.of("unlocked-path").len(), 0);
    let scene = scene.change(moved);
    assert_eq!(scene.headlines(), ["under the lock `common`, which is not held"]);
    assert_eq!(scene.held_lock("common", "a2", 4, 900).of("unlocked-path").len(), 0);
}

#[test]
fn what_landed_after_the_end_of_a_lock_was_not_there_to_be_worked_on() {
    let scene = push("[A2] x\n\nLane-Lock: common@3")
        .taken_lock("common", "a2", 3, LockEventKind::Take)
        .facts(|facts| {
            let crate::facts::Fact::Known(locks) = &mut facts.locks else { panic!() };
            locks.taken[0].overtaken.insert((crate::rules::testing::oid(1), path()));
        });
    assert!(
        scene.headlines()[0].contains("which had expired before the newest version on origin/main landed")
    );
    let again = scene.held_lock("common", "a2", 4, 900);
    assert_eq!(again.of("unlocked-path").len(), 1, "the commit has to bear the generation of now");
}
