//! What messages about locks tell to type is typed here, in the state in which it is told.

use crate::advice::sh;
use crate::advice_errors::{leads_on, told, typed};
use crate::support::locks::{Clones, REF, two};
use crate::support::{Scratch, Worktree};

const PATH: &str = "services/common/main.py";

/// What the file is after one of its lines was changed.
fn text(line: usize, to: &str) -> String {
    let mut lines = ["line"; 20];
    lines[line] = to;
    lines.join("\n") + "\n"
}

/// a1 changes a line under the lock, and it lands.
fn land(one: &Worktree, line: usize) {
    one.lane(&["lock", "common"]).ok();
    one.commit(PATH, &text(line, "one"), "feat: one").ok();
    one.git(&["push", "-q", "--no-verify", "origin", "HEAD", "HEAD:main"]).ok();
    one.lane(&["unlock", "common"]).ok();
}

#[test]
fn a_branch_behind_the_lock_is_synced() {
    // The work of the last holder landed after the lock was taken here.
    let (_scratch, one, two) = two();
    two.sneak(PATH, &text(15, "two"), "[A2] feat: two");
    land(&one, 2);
    two.lane(&["lock", "common"]).ok();
    let ran = two.git(&["push", "-q", "origin", "HEAD"]).fails(1).says("unlocked-path");
    typed(&two, &ran);
    assert_eq!(std::fs::read_to_string(two.root.join(PATH)).unwrap().matches("line").count(), 18);
    let pushed = two.git(&["rev-parse", "origin/feat/a2/x"]).ok().out;
    assert_eq!(pushed.trim(), two.head());
}

/// Types a command that waits, while something else happens after a moment.
fn meanwhile(tree: &Worktree, command: &str, other: &str) {
    sh(tree, &format!("(sleep 0.2; {other}) & {command}; code=$?; wait; exit $code")).ok();
}

/// `two`, with a1 holding the lock.
fn held() -> (Scratch, Worktree, Worktree) {
    let (scratch, one, two) = two();
    one.lane(&["lock", "common"]).ok();
    (scratch, one, two)
}

const WAIT: &str = "git lane lock common --wait 2h";

fn ask(what: &str) -> String {
    format!("git lane request submit {what} --to a1 --reason 'needed while you hold the lock'")
}

#[test]
fn what_a_lock_and_its_end_say() {
    let (_scratch, one, two) = two();
    let ran = one.lane(&["lock", "common"]).ok();
    // The file that shows it names where all are shown.
    let marker = std::fs::read_to_string(two.root.join(".locks/.common-lock-a1")).unwrap();
    assert_eq!(told(&marker), ["git lane locks"]);
    sh(&two, "git lane locks").ok().says("common");
    // Another's stays; what is not held cannot be renewed.
    let not_yours = two.lane(&["unlock", "common"]).fails(1);
    leads_on(&two, &not_yours, &["git lane locks common"], &[]);
    leads_on(&one, &ran, &["git lane unlock common"], &[]);
    let not_held = two.lane(&["lock", "common", "--renew"]).fails(1);
    leads_on(&two, &not_held, &["git lane lock common"], &[]);
    two.lane(&["unlock", "common"]).ok();
    // A part is given back as what it is.
    one.lane(&["lock", "services/common/main.py"]).ok();
    let whole = one.lane(&["unlock", "services/common/**"]).fails(1);
    leads_on(&one, &whole, &["git lane unlock services/common/main.py"], &[]);
}

#[test]
fn a_lock_that_is_held_is_waited_for_asked_for_or_stolen() {
    let steal = "git lane lock common --steal --reason '…'";
    let (_scratch, _one, two) = held();
    let ran = two.lane(&["lock", "common"]).fails(1);
    assert_eq!(told(&ran.all()), [WAIT, &ask("--area common"), steal]);
    sh(&two, &ask("--area common")).ok();
    meanwhile(&two, WAIT, "cd ../a1; git lane unlock common");
    two.lane(&["unlock", "common"]).ok();
    sh(&two, "cd ../a1 && git lane lock common").ok();
    sh(&two, steal).ok().says("stole `common`");
}

#[test]
fn a_commit_under_the_lock_of_another_waits_or_asks() {
    let (scratch, _one, two) = held();
    let ran = two.commit(PATH, &text(15, "two"), "feat: two").fails(1).says("unlocked-path");
    assert_eq!(told(&ran.all()), [WAIT, &ask(PATH)]);
    sh(&two, &ask(PATH)).ok();
    meanwhile(&two, WAIT, "cd ../a1; git lane unlock common");
    sh(&two, "git commit -q -m 'feat: two'").ok();
    // A maintainer is told how it came to that.
    scratch.lane(&["install"]).ok();
    let ran = scratch.main().commit(PATH, &text(3, "main"), "chore: main").ok().says("unlocked-path");
    leads_on(&scratch.main(), &ran, &["git lane locks --log common"], &[]);
}

#[test]
fn a_claim_by_hand_is_waited_for_or_asked_for() {
    let (_scratch, one, two) = two();
    one.write(".locks/.common-lock-a1", "");
    for (ran, what) in [
        (two.lane(&["lock", "common"]).fails(1), "--area common"),
        (two.commit(PATH, &text(15, "two"), "feat: two").fails(1), PATH),
    ] {
        let told = told(&ran.all());
        assert_eq!(told.len(), 2, "{}", ran.all());
        assert!(told[0].starts_with("git lane lock common --wait "), "{told:?}");
        assert_eq!(told[1], ask(what));
        sh(&two, &told[1]).ok();
        meanwhile(&two, &told[0], "rm ../a1/.locks/.common-lock-a1");
        two.lane(&["unlock", "common"]).ok();
        one.write(".locks/.common-lock-a1", "");
    }
}

#[test]
fn whoever_came_first_is_waited_for() {
    let (_scratch, one, two) = held();
    // Stopped, it is alive and does not take what it is offered.
    let script = "git-lane lock common --wait 1m >/dev/null 2>&1 & echo $!; \
                  while ! git lane locks | grep -q 'in the queue'; do sleep 0.05; done; \
                  kill -STOP $!; cd ../a1; git lane unlock common; git lane lock common; \
                  (sleep 0.3; kill -CONT $!; wait $!; cd ../a2; git lane unlock common) & \
                  cd ../a1; git lane lock common --wait 10m";
    let ran = sh(&two, script).ok();
    assert!(told(&ran.all()).contains(&"git lane lock common --wait 10m".to_owned()), "{}", ran.all());
    one.lane(&["unlock", "common"]).ok();
}

#[test]
fn what_needs_no_lock_says_what_it_needs() {
    let (_scratch, one, two) = two();
    let lane = two.lane(&["lock", "services/revenue/main.py"]).fails(2).says("is in the lane of");
    leads_on(&two, &lane, &["git lane who services/revenue/main.py"], &[]);
    let owned = two.lane(&["lock", "migrations"]).fails(2).says("restricted to its owner");
    leads_on(&two, &owned, &["git lane request submit --area migrations --reason '…'"], &[]);
    let beyond = one.lane(&["lock", "services/"]).fails(2).says("reaches beyond");
    leads_on(&one, &beyond, &["git lane lock common"], &[]);
    let talked = two.lane(&["lock", "shared"]).fails(2).says("coordinated, not locked");
    two.write("requirements.txt", "django\n");
    two.git(&["add", "-A"]).ok();
    assert_eq!(told(&talked.all()), ["git commit --trailer 'Coordinated-with: <agent>'"]);
    sh(&two, "GIT_EDITOR='sed -i 1s/^/feat:_x/' git commit --trailer 'Coordinated-with: a1'").ok();
    assert!(two.git(&["log", "-1", "--format=%B"]).out.contains("Coordinated-with: a1"));
}

#[test]
fn edits_behind_the_lock_are_synced_with_the_rest() {
    let (_scratch, one, two) = two();
    land(&one, 2);
    let ran = two.lane(&["lock", "common"]).ok().says("has a newer version").says("does not contain");
    assert_eq!(told(&ran.all()), ["git lane unlock common", "git lane sync"]);
    let ran = two.commit(PATH, &text(15, "two"), "feat: two").fails(1).says("has a newer version");
    leads_on(&two, &ran, &["git lane sync --autostash"], &[]);
    two.git(&["commit", "-q", "-a", "-m", "feat: two"]).ok();
    // Before any edit, a plain sync will do.
    let (_scratch, one, two) = self::two();
    land(&one, 2);
    two.lane(&["lock", "common"]).ok();
    sh(&two, "git lane sync").ok();
    two.commit(PATH, &text(15, "two"), "feat: two").fails(0);
}

#[test]
fn commits_without_the_lock_are_made_anew_under_it() {
    let (_scratch, one, two) = two();
    two.lane(&["lock", "common"]).ok();
    two.commit(PATH, &text(2, "two"), "feat: two").ok();
    two.lane(&["push"]).ok();
    two.lane(&["unlock", "common"]).ok();
    land(&one, 2);
    two.git(&["rebase", "-q", "-X", "theirs", "origin/main"]).ok();
    let ran = two.git(&["push", "-q", "-f", "origin", "HEAD"]).fails(1).says("unlocked-path");
    let commands = [
        "git lane lock common --wait 1h",
        "git fetch origin",
        "git rebase --force-rebase origin/main",
        "git lane push --force-with-lease",
        "git lane locks --log common",
    ];
    leads_on(&two, &ran, &commands, &[]);
}

#[test]
fn a_ref_of_a_lock_is_brought_back() {
    let (_scratch, one, two) = held();
    one.lane(&["lock", "common", "--renew"]).ok();
    let last = one.git(&["rev-parse", REF]).ok().out;
    // Deleted, it comes back from what was noted.
    one.git(&["update-ref", "-d", REF]).ok();
    let ran = two.lane(&["lock", "common"]).fails(2);
    leads_on(&two, &ran, &[&format!("git update-ref {REF} {}", last.trim())], &[]);
    two.lane(&["locks"]).ok().says("common");
    one.git(&["update-ref", "-d", REF]).ok();
    one.git(&["symbolic-ref", REF, "refs/heads/main"]).ok();
    let ran = two.lane(&["lock", "common"]).fails(2);
    let look = format!("git log {REF}");
    leads_on(&two, &ran, &[&look, &format!("git symbolic-ref -d {REF}")], &[]);
}

#[test]
fn a_lock_that_the_remote_lost_is_pushed_again() {
    let clones = Clones::new();
    let (one, two) = (&clones.one, &clones.two);
    one.lane(&["lock", "common"]).ok();
    two.lane(&["lock", "common"]).fails(1);
    clones.at_origin(&["update-ref", "-d", REF]).ok();
    let ran = two.lane(&["lock", "common"]).fails(2).says("` lost the lock ref");
    let told = told(&ran.all());
    assert_eq!(told.len(), 1, "{}", ran.all());
    assert!(told[0].starts_with("git push --no-verify origin refs/lane/"), "{told:?}");
    sh(two, &told[0]).ok();
    two.lane(&["lock", "common"]).fails(1).says("is held by a1");
}

#[test]
fn a_remote_by_its_address_gets_a_name() {
    let clones = Clones::with("remote: ../origin.git");
    let tree = &clones.one;
    tree.git(&["config", "url.../elsewhere.git.pushInsteadOf", "../origin.git"]).ok();
    let ran = tree.lane(&["lock", "common"]).fails(2).says("pushInsteadOf");
    leads_on(tree, &ran, &["git remote add locks ../origin.git"], &[]);
}

#[test]
fn a_program_to_hold_for_that_is_none_is_left_out() {
    let (_scratch, one, _two) = two();
    let ran = sh(&one, "LANE_PID=x git lane lock common").fails(2);
    assert_eq!(told(&ran.all()), ["unset LANE_PID"]);
    sh(&one, "export LANE_PID=x; unset LANE_PID; git lane lock common").ok();
}
