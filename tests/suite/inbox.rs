//! `git lane inbox`: what is told to whom, once; and what is not lost.

use std::process::Stdio;

use crate::land::{clones, work};
use crate::support::locks::{Clones, two};
use crate::support::{LANE, Ran, Scratch, Worktree};

/// The kinds and texts of what is new, which is read by that.
pub fn news(tree: &Worktree) -> Vec<(String, String)> {
    parsed(&tree.lane(&["inbox", "--format", "jsonl"]).ok())
}

pub fn parsed(ran: &Ran) -> Vec<(String, String)> {
    let one = |line: &str| {
        let notice: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| notice[key].as_str().unwrap().to_owned();
        (text("kind"), text("text"))
    };
    ran.out.lines().map(one).collect()
}

fn one(kind: &str, text: &str) -> Vec<(String, String)> {
    vec![(kind.to_owned(), text.to_owned())]
}

const FREE: &str = "`common`, which you waited for, is free";

#[test]
fn a_lock_that_was_waited_for_becomes_free() {
    let (_scratch, one_tree, two_tree) = two();
    one_tree.lane(&["lock", "common"]).ok();
    two_tree.lane(&["lock", "common", "--wait", "1s"]).fails(1);
    assert_eq!(news(&two_tree), []);
    one_tree.lane(&["unlock", "common"]).ok();
    let told = two_tree.lane(&["inbox"]).ok();
    told.says("1 new for a2").says(FREE).says("    git lane lock common\n");
    two_tree.lane(&["inbox"]).ok().says("nothing new for a2");
    // Another one had it meanwhile: it is free once more, until it was taken.
    one_tree.lane(&["lock", "common"]).ok();
    one_tree.lane(&["unlock", "common"]).ok();
    assert_eq!(news(&two_tree), one("lock-free", FREE));
    two_tree.lane(&["lock", "common"]).ok();
    two_tree.lane(&["unlock", "common"]).ok();
    assert_eq!((news(&two_tree), news(&one_tree)), (vec![], vec![]));
}

#[test]
fn a_lock_that_a_process_waits_for_becomes_ones_own() {
    let (_scratch, one_tree, two_tree) = two();
    one_tree.lane(&["lock", "common"]).ok();
    let wait = two_tree.command(LANE).args(["lock", "common", "--wait", "1m"]).stderr(Stdio::piped()).spawn();
    let wait = wait.unwrap();
    while !one_tree.lane(&["locks"]).ok().out.contains("a2") {}
    one_tree.lane(&["unlock", "common"]).ok();
    Ran::from(wait.wait_with_output().unwrap()).ok();
    assert_eq!(news(&two_tree), one("lock-taken", "`common`, which you waited for, is locked for you now"));
}

#[test]
fn a_lock_that_is_stolen_or_expires_is_told_to_its_holder() {
    let (_scratch, one_tree, two_tree) = two();
    one_tree.lane(&["lock", "common"]).ok();
    two_tree.lane(&["lock", "common", "--steal", "--reason", "a1 is \u{1b}[2J away"]).ok();
    let ran = one_tree.lane(&["inbox"]).ok();
    ran.says("a2 stole your lock on `common` (a1 is \\x1b[2J away)").says("git lane locks common");
    two_tree.lane(&["unlock", "common"]).ok();
    one_tree.lane(&["lock", "common", "--ttl", "2s"]).ok();
    std::thread::sleep(std::time::Duration::from_millis(1_600));
    let soon = news(&one_tree);
    assert_eq!(soon, one("lock-expiring", "your lock on `common` expires in 1 s"));
    one_tree.lane(&["lock", "common", "--renew", "--ttl", "1s"]).ok();
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    assert_eq!(
        news(&one_tree),
        one("lock-lost", "your lock on `common` has expired, and nobody else has taken it")
    );
    two_tree.lane(&["lock", "common"]).ok();
    assert_eq!(news(&one_tree), one("lock-lost", "your lock on `common` had expired, and a2 took it"));
}

#[test]
fn requests_that_arrive_and_are_answered() {
    let (scratch, one_tree, two_tree) = two();
    let ask = ["request", "submit", "--area", "migrations", "--reason", "a column\u{202e}"];
    two_tree.lane(&ask).ok();
    let told = one("request-received", "a2 asks for area `migrations` (a column\\u{202e})");
    assert_eq!(news(&one_tree), told);
    assert_eq!(news(&two_tree), []);
    one_tree.lane(&["request", "show", "r1"]).ok();
    one_tree.lane(&["request", "accept", "r1"]).ok();
    let told = one("request-answered", "a1 accepted your request r1 for area `migrations`");
    assert_eq!(news(&two_tree), told);
    assert_eq!(news(&one_tree), []);
    two_tree.lane(&["request", "withdraw", "r1", "--reason", "found another way"]).ok();
    let told = "a2 withdrew the request r1 for area `migrations` (found another way)";
    assert_eq!(news(&one_tree), one("request-withdrawn", told));
    two_tree.lane(&ask).ok();
    one_tree.lane(&["request", "reject", "r2", "--reason", "no"]).ok();
    assert_eq!(
        news(&two_tree),
        one("request-answered", "a1 rejected your request r2 for area `migrations` (no)")
    );
    // A maintainer sees what concerns all, each once.
    let all = parsed(&scratch.lane(&["inbox", "--all", "--format", "jsonl"]).ok());
    assert_eq!(all.len(), 2, "{all:?}");
}

#[test]
fn work_that_lands_under_a_lock() {
    let (scratch, one_tree, _) = two();
    one_tree.lane(&["lock", "common"]).ok();
    assert_eq!(news(&one_tree), []);
    scratch.write("services/common/new.py", "x\n");
    scratch.write("docs/elsewhere.md", "x\n");
    scratch.git(&["add", "-A"]).ok();
    scratch.git(&["commit", "-q", "-m", "land"]).ok();
    scratch.git(&["push", "-q", "origin", "main"]).ok();
    let told = one_tree.lane(&["inbox", "--keep"]).ok();
    told.says("main has newer work under your lock on `common`: services/common/new.py\n    git lane sync\n");
    assert_eq!(news(&one_tree).len(), 1, "it was kept");
    assert_eq!(news(&one_tree), []);
    scratch.write("services/common/new.py", "y\n");
    scratch.git(&["commit", "-q", "-am", "land"]).ok();
    scratch.git(&["push", "-q", "origin", "main"]).ok();
    assert_eq!(news(&one_tree).len(), 1, "another version");
    one_tree.lane(&["sync"]).ok();
    assert_eq!(parsed(&one_tree.lane(&["inbox", "--all", "--format", "jsonl"]).ok()), []);
}

#[test]
fn a_conflict_is_told_to_both_and_again_once_it_was_gone() {
    let (_scratch, one_tree, two_tree) = two();
    one_tree.sneak("docs/x", "one\n", "feat: x");
    two_tree.sneak("docs/x", "two\n", "feat: x");
    let text = |one: &str, two: &str| format!("{one} and {two} would conflict if merged now: docs/x");
    assert_eq!(news(&one_tree), one("conflict", &text("a1", "a2")));
    assert_eq!(news(&two_tree), one("conflict", &text("a2", "a1")));
    two_tree.lane(&["conflicts"]).fails(1).says("a1 + a2 would conflict");
    assert_eq!(news(&one_tree), []);
    // One file more is news, and so is what comes back.
    one_tree.sneak("docs/y", "one\n", "feat: y");
    assert_eq!(news(&one_tree), []);
    two_tree.sneak("docs/y", "two\n", "feat: y");
    assert_eq!(news(&one_tree).len(), 1);
    two_tree.git(&["reset", "-q", "--hard", "main"]).ok();
    assert_eq!(news(&one_tree), []);
    two_tree.sneak("docs/x", "two\n", "feat: x");
    assert_eq!(news(&one_tree), one("conflict", &text("a1", "a2")));
}

#[test]
fn a_branch_that_another_landed_or_could_not() {
    let clones = clones("run: ['test ! -e services/orchestrator/bad.py']");
    let (one_tree, two_tree) = (&clones.one, &clones.two);
    work(one_tree, "orchestrator", "good");
    one_tree.lane(&["land", "--no-wait"]).ok();
    assert_eq!(news(one_tree), []);
    two_tree.lane(&["land", "--all"]).ok();
    let told = news(one_tree);
    assert_eq!((told.len(), told[0].0.as_str()), (1, "landed"), "{told:?}");
    assert!(told[0].1.starts_with("feat/a1/x landed on main as "), "{told:?}");
    assert_eq!(news(two_tree), []);
    one_tree.lane(&["sync"]).ok();
    work(one_tree, "orchestrator", "bad");
    one_tree.lane(&["land", "--no-wait"]).ok();
    two_tree.lane(&["land", "--all"]).fails(1);
    let ran = one_tree.lane(&["inbox"]).ok();
    ran.says("feat/a1/x may not land on main (").says("    git lane land --list\n");
    one_tree.lane(&["land", "--list"]).ok().says("feat/a1/x");
    assert_eq!(news(one_tree), []);
}

#[test]
fn what_was_printed_to_nobody_is_still_new() {
    let (_scratch, one_tree, two_tree) = two();
    two_tree.lane(&["request", "submit", "--area", "migrations", "--reason", "x"]).ok();
    for format in ["jsonl", "json"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = one_tree.command(LANE);
        command.args(["inbox", "--format", format]).stdout(writer);
        assert!(command.status().unwrap().success());
    }
    assert_eq!(news(&one_tree).len(), 1);
}

#[test]
fn two_inboxes_at_once_lose_nothing_and_damage_shows_it_again() {
    let (scratch, one_tree, two_tree) = two();
    for at in 0..6 {
        let reason = format!("x{at}");
        two_tree.lane(&["request", "submit", "--area", "migrations", "--reason", &reason]).ok();
    }
    let inbox = || one_tree.command(LANE).args(["inbox", "--format", "jsonl"]).stdout(Stdio::piped()).spawn();
    let both = [inbox().unwrap(), inbox().unwrap()];
    let both = both.map(|child| parsed(&Ran::from(child.wait_with_output().unwrap()).ok()));
    for at in 0..6 {
        let is_told =
            |told: &Vec<(String, String)>| told.iter().any(|(_, text)| text.contains(&format!("x{at}")));
        assert!(both.iter().any(is_told), "{both:?}");
    }
    assert_eq!(news(&one_tree), []);
    let file = scratch.root().join(".git/lane/inbox/agents/a1/read.json");
    std::fs::write(&file, "{\"marks\":{\"reque").unwrap();
    assert_eq!(news(&one_tree).len(), 6);
    assert_eq!(news(&one_tree), []);
    // Where nothing can be noted, it is said and shown again.
    std::fs::remove_dir_all(scratch.root().join(".git/lane/inbox")).unwrap();
    std::fs::write(scratch.root().join(".git/lane/inbox"), "").unwrap();
    let ran = one_tree.lane(&["inbox"]).ok();
    ran.says("6 new for a1").says("warning: what was shown cannot be noted");
}

#[test]
fn a_maintainer_who_looks_takes_nothing_from_an_agent() {
    let (scratch, one_tree, two_tree) = two();
    two_tree.lane(&["request", "submit", "--area", "migrations", "--reason", "x"]).ok();
    scratch.lane(&["inbox", "--agent", "a1"]).ok().says("1 new for a1");
    scratch.lane(&["inbox", "--agent", "a1"]).ok().says("nothing new for a1");
    scratch.lane(&["inbox"]).ok().says("1 new for all agents").says("a1: a2 asks for area `migrations`");
    one_tree.lane(&["status"]).ok().says("note: 1 new for a1: git lane inbox");
    assert_eq!(news(&one_tree).len(), 1);
    one_tree.lane(&["status"]).ok().does_not_say("git lane inbox");
    scratch.lane(&["inbox", "--agent", "zz"]).fails(2).says("unknown agent `zz`");
}

#[test]
fn without_an_agent_without_a_worktree_and_without_news() {
    let (scratch, one_tree, two_tree) = two();
    two_tree.lane(&["request", "submit", "--area", "migrations", "--reason", "x"]).ok();
    let ran = scratch.main().lane_env(&["inbox"], &[("CLAUDECODE", "1")]).fails(2);
    ran.says("no agent works here").says("git lane join");
    let bare = scratch.home().join("bare.git");
    scratch.run(&scratch.home(), "git", &["clone", "-q", "--mirror", "repo", "bare.git"]).ok();
    let ran = scratch.run(&bare, LANE, &["inbox"]).ok();
    ran.says("1 new for all agents").says("git lane request show r1");
    scratch.run(&bare, LANE, &["inbox"]).ok().says("nothing new for all agents");
    let json = one_tree.lane(&["inbox", "--format", "json"]).ok().json();
    assert_eq!((&json["agent"], &json["new"], &json["maintainer"]), (&"a1".into(), &1.into(), &false.into()));
    assert_eq!((&json["notices"][0]["new"], &json["notices"][0]["by"]), (&true.into(), &"a2".into()));
    Scratch::empty().lane(&["inbox"]).fails(2);
}

#[test]
fn records_of_a_remote_and_one_that_does_not_answer() {
    let clones = Clones::new();
    let (one_tree, two_tree) = (&clones.one, &clones.two);
    two_tree.lane(&["request", "submit", "--area", "migrations", "--reason", "x"]).ok();
    one_tree.lane(&["lock", "common"]).ok();
    assert_eq!(news(one_tree).len(), 1);
    two_tree.lane(&["lock", "common", "--steal", "--reason", "y"]).ok();
    one_tree.lane(&["request", "accept", "r1"]).ok();
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    assert_eq!(news(one_tree), one("lock-lost", "a2 stole your lock on `common` (y)"));
    assert_eq!(news(two_tree).len(), 1);
    std::fs::rename(clones.origin(), clones.scratch.home().join("gone.git")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let ran = one_tree.lane(&["inbox", "--all"]).ok();
    ran.says("a2 stole your lock").says("note: locks as last known").says("note: requests as last known");
}

#[test]
fn a_session_begins_with_what_is_new_and_leaves_the_rest() {
    let (_scratch, one_tree, two_tree) = two();
    for at in 0..7 {
        let reason = format!("x{at}");
        two_tree.lane(&["request", "submit", "--area", "migrations", "--reason", &reason]).ok();
    }
    let begin = || {
        let payload = serde_json::json!({ "hook_event_name": "SessionStart", "cwd": one_tree.root });
        let ran = one_tree.lane_stdin(&["hook", "agent", "claude"], payload.to_string().as_bytes()).ok();
        ran.json()["hookSpecificOutput"]["additionalContext"].as_str().unwrap().to_owned()
    };
    let told = begin();
    let asked = "- a2 asks for area `migrations` (x0); next: git lane request show r1\n";
    assert!(
        told.contains(&format!("New for you:\n{asked}")) && told.contains("2 more: git lane inbox"),
        "{told}"
    );
    let told = begin();
    assert!(told.contains("(x5)") && told.contains("(x6)") && !told.contains("(x4)"), "{told}");
    assert!(!begin().contains("New for you"));
    assert_eq!(news(&one_tree), []);
}
