//! Requests on real repositories: worktrees of one, and clones with a remote between them.

use std::process::Stdio;

use crate::advice::commands;
use crate::support::locks::{Clones, clone, follow, two};
use crate::support::{LANE, Ran, Scratch, Worktree, stable};

const SQL: &str = "-- follows: 0006_start\nALTER TABLE runs ADD COLUMN cost int;\n";

fn submit(tree: &Worktree, name: &str, content: &str) -> Ran {
    tree.write(name, content);
    tree.lane(&[
        "request",
        "submit",
        "--area",
        "migrations",
        "--file",
        name,
        "--reason",
        "a column for costs",
    ])
}

fn ids(ran: &Ran) -> Vec<String> {
    let list = ran.json();
    let ids = list["requests"].as_array().unwrap().iter();
    ids.map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_request_is_asked_answered_and_done() {
    let (scratch, one, two) = two();
    let said = submit(&two, "0007_cost.sql", SQL).ok();
    let list = one.lane(&["request", "list"]).ok();
    let taken = one.lane(&["request", "accept", "r1"]).ok();
    // What is said gets the file.
    let content = follow(&one, &taken, "0007_cost.sql: ").ok();
    assert_eq!(content.out, SQL);
    one.commit("services/orchestrator/db/alembic/7.sql", SQL, "feat: costs").ok();
    let done = one.lane(&["request", "done", "r1", "--commit", "HEAD"]).ok();
    let show = two.lane(&["request", "show", "r1"]).ok().says(&one.head()).says("ALTER TABLE runs");
    let nothing = one.lane(&["request", "list"]).ok();
    // Times and places differ from run to run.
    let lines: Vec<&str> = show.out.lines().filter(|line| !line.contains(" UTC  ")).collect();
    let all = [said.out, list.out, taken.out, done.out, lines.join("\n") + "\n", nothing.out].join("----\n");
    let all = all.replace(" 1 s ago", " just now").replace(" 2 s ago", " just now");
    insta::assert_snapshot!(stable(&all, &scratch));
    let json = two.lane(&["request", "show", "r1", "--format", "json"]).ok().json();
    let events = json["request"]["events"].as_array().unwrap().iter();
    let events: Vec<(&str, &str)> =
        events.map(|e| (e["kind"].as_str().unwrap(), e["by"]["agent"].as_str().unwrap())).collect();
    assert_eq!(events, [("submit", "a2"), ("accept", "a1"), ("done", "a1")]);
    assert_eq!(json["request"]["text"], SQL);
    assert_eq!(json["request"]["commit"], one.head());
    assert_eq!(json["request"]["owners"], serde_json::json!(["a1"]));
    // git itself finds a sound chain, and keeps the file for good.
    two.git(&["fsck", "--strict"]).ok();
    two.git(&["show", "refs/lane/requests/r1:content"]).ok().says("ALTER TABLE runs");
    let subjects = two.git(&["log", "--format=%s", "refs/lane/requests/r1"]).ok().out;
    assert_eq!(subjects, "a1 does r1\na1 accepts r1\na2 submits r1\n");
}

#[test]
fn the_status_of_the_owner_shows_what_waits() {
    let (_scratch, one, two) = two();
    one.lane(&["status"]).ok().does_not_say("ASKED");
    submit(&two, "0007_cost.sql", SQL).ok();
    let status = one.lane(&["status", "--format", "json"]).ok().json();
    let lines = status["agents"].as_array().or(status["lines"].as_array()).unwrap().iter();
    let waiting: Vec<_> = lines.map(|line| (line["agent"].clone(), line["requests"].clone())).collect();
    assert_eq!(waiting[0], ("a1".into(), 1.into()), "{status:#}");
    one.lane(&["status"]).ok().says("ASKED");
}

#[test]
fn whoever_may_go_on_is_told_how_the_area_wants_it() {
    let (_scratch, one, two) = two();
    let ask = |area: &str| two.lane(&["request", "submit", "--area", area, "--reason", "x"]).ok();
    ask("common");
    ask("shared");
    one.lane(&["request", "accept", "r1"])
        .ok()
        .says("take its lock, git lane lock common, and commit it")
        .does_not_say("Coordinated-with");
    one.lane(&["request", "accept", "r2"]).ok().says("with the trailer `Coordinated-with: a1`");
}

#[test]
fn who_may_do_what() {
    let (scratch, one, two) = two();
    submit(&two, "7.sql", SQL).ok();
    for verb in
        [&["accept", "r1"][..], &["reject", "r1", "--reason", "no"], &["done", "r1", "--commit", "HEAD"]]
    {
        let args: Vec<&str> = ["request"].iter().chain(verb).copied().collect();
        two.lane(&args)
            .fails(1)
            .says("only a1 (MLOps) may answer r1, and you are a2")
            .says("request withdraw r1");
        let third: Vec<&str> = args.iter().copied().chain(["--agent", "a3"]).collect();
        scratch.lane(&third).fails(1).says("you are a3").says("git lane request list");
    }
    one.lane(&["request", "withdraw", "r1"])
        .fails(1)
        .says("only a2 (GenAI) may withdraw")
        .says("request reject r1");
    one.lane(&["request", "reject", "r1"]).fails(2).says("a rejection needs --reason");
    one.lane(&["request", "reject", "r1", "--reason", "use jsonb"]).ok().says("rejected r1 of a2 (GenAI)");
    two.lane(&["request", "list", "--all", "--mine"]).ok().says("rejected: \"use jsonb\"");
    let late = one.lane(&["request", "accept", "r1"]).fails(1).says("r1 is already rejected, by a1 (MLOps)");
    late.says("git lane request submit --area migrations --reason");
    // A maintainer may answer everything, and asks as anybody does.
    submit(&two, "8.sql", SQL).ok();
    scratch.lane(&["request", "accept", "r2"]).ok().says("accepted r2 of a2 (GenAI)");
    two.lane(&["request", "withdraw", "r2"]).ok().says("withdrew r2");
    scratch
        .lane(&["request", "submit", "services/revenue", "--reason", "x"])
        .ok()
        .says("submitted r3 to a4 (Platform)");
    two.lane(&["request", "withdraw", "r3"])
        .fails(1)
        .says("only test@example.com, a maintainer, may withdraw");
    scratch.lane(&["request", "withdraw", "r3"]).ok();
    let refused = two.lane(&["request", "accept", "r3", "--format", "json"]).fails(1).json();
    assert!(refused["refused"]["reason"].as_str().unwrap().contains("only a4 (Platform) may answer r3"));
    assert_eq!(refused["request"]["state"], "withdrawn");
}

#[test]
fn what_is_typed_wrong() {
    let (scratch, one, two) = two();
    let ask = |tree: &Worktree, words: &[&str]| {
        let args: Vec<&str> = ["request", "submit", "--reason", "x"].iter().chain(words).copied().collect();
        tree.lane(&args)
    };
    ask(&two, &["--area", "migration"])
        .fails(2)
        .says("unknown area `migration`")
        .says("did you mean `migrations`?");
    ask(&one, &["--area", "migrations"])
        .fails(2)
        .says("is already yours: you are")
        .says("change it yourself");
    ask(&two, &["services/rag_pipeline/x.py"]).fails(2).says("is already yours: you are");
    ask(&two, &["services/revenue/x", "services/orchestrator/x"])
        .fails(2)
        .says("submit one request for each");
    ask(&two, &["AGENT_FOCUS.md"]).fails(2).says("stays out of git");
    ask(&two, &[]).fails(2);
    ask(&two, &["--area", "migrations", "--file", "gone.sql"]).fails(2).says("gone.sql cannot be read");
    ask(&two, &["--area", "migrations", "--priority", "0"]).fails(2);
    two.write("large.sql", "x".repeat((1 << 20) + 1));
    ask(&two, &["--area", "migrations", "--file", "large.sql"]).fails(2).says("larger than 1024 KiB");
    two.write("empty.sql", "");
    ask(&two, &["--area", "migrations", "--file", "empty.sql"]).fails(2).says("is empty");
    two.write("a.sql", "x");
    let long = "x".repeat(301);
    let long = ["request", "submit", "--area", "migrations", "--file", "a.sql", "--reason", &long];
    two.lane(&long).fails(2).says("301 characters");
    two.lane(&["request", "submit", "--area", "migrations", "--reason", " "])
        .fails(2)
        .says("a request needs --reason");
    ask(&two, &["--area", "migrations", "--priority", "1"]).ok();
    one.lane(&["request", "accept", "r11"]).fails(2).says("unknown request `r11`").says("did you mean `r1`?");
    one.lane(&["request", "show", "../x"]).fails(2).says("unknown request");
    one.lane(&["request", "accept", "r1"]).ok();
    one.lane(&["request", "done", "r1", "--commit", "nowhere"]).fails(2).says("nowhere");
    one.sneak("services/orchestrator/x.py", "x\n", "x");
    let args = ["request", "done", "r1", "--commit", "HEAD"];
    one.lane(&args)
        .fails(2)
        .says("does not change area `migrations`")
        .says("git lane request done r1 --commit");
    assert_eq!(scratch.git(&["for-each-ref", "refs/lane/requests"]).out.lines().count(), 1);
}

#[test]
fn the_owner_finds_what_waits_first() {
    let (scratch, one, two) = two();
    let ask = |agent: &str, priority: &str, what: &[&str]| {
        let mut args = vec!["request", "submit", "--agent", agent, "--priority", priority, "--reason", "x"];
        args.extend(what);
        scratch.lane(&args).ok();
    };
    ask("a2", "3", &["--area", "migrations"]);
    ask("a2", "1", &["services/revenue/api.py"]);
    ask("a3", "1", &["--area", "migrations"]);
    ask("a1", "1", &["requirements.txt"]);
    let first = one.lane(&["request", "list", "--format", "json"]).ok();
    assert_eq!(ids(&first), ["r3", "r1", "r2", "r4"]);
    let list = first.json();
    let waits: Vec<bool> =
        list["requests"].as_array().unwrap().iter().map(|r| r["waits_for_you"].as_bool().unwrap()).collect();
    assert_eq!(waits, [true, true, false, false]);
    assert_eq!(list["requests"][0]["next"], "git lane request accept r3");
    assert_eq!(ids(&two.lane(&["request", "list", "--mine", "--format", "json"]).ok()), ["r2", "r1"]);
    // What nobody owns is for any other agent to agree to; then whoever asked goes on.
    assert_eq!(ids(&two.lane(&["request", "list", "--format", "json"]).ok())[0], "r4");
    two.lane(&["request", "accept", "r4"]).ok().says("`Coordinated-with: a2`");
    assert_eq!(ids(&one.lane(&["request", "list", "--format", "json"]).ok()), ["r3", "r4", "r1", "r2"]);
    one.lane(&["request", "done", "r4", "--commit", "HEAD"]).ok();
    let text = one.lane(&["request", "list"]).ok();
    assert!(
        text.out.starts_with("waiting for you:\nr3  priority 1  area `migrations`, from a3 (Analytics)"),
        "{}",
        text.out
    );
    assert!(text.out.contains("\nother requests:\nr2  priority 1  services/revenue/api.py"), "{}", text.out);
}

#[test]
fn paths_are_as_seen_from_the_folder() {
    let (_scratch, _one, two) = two();
    let from = two.root.join("services/revenue");
    let ask =
        |path: &str| two.lane(&["-C", from.to_str().unwrap(), "request", "submit", path, "--reason", "x"]);
    ask("main.py").ok().says("a4 (Platform): services/revenue/main.py");
    ask("../orchestrator/main.py").ok().says("a1 (MLOps): services/orchestrator/main.py");
    ask(":/services/revenue/new.py").ok().says("a4 (Platform): services/revenue/new.py");
    two.lane_stdin(
        &["request", "submit", ":/services/revenue", "--file", "-", "--reason", "x"],
        b"a patch\n",
    )
    .ok();
    two.lane(&["request", "show", "r4"]).ok().says("stdin").says("a patch");
}

#[test]
fn a_folder_of_several_owners_is_asked_for_in_parts() {
    let (_scratch, _one, two) = two();
    two.write("services/revenue/new.py", "x\n");
    two.git(&["add", "-A"]).ok();
    two.lane(&["who", "services"])
        .ok()
        .says("but below it services/common: area `common`, services/orchestrator: a1 (MLOps)")
        .says("services/revenue: a4 (Platform)");
    let ran = two.lane(&["request", "submit", "services", "--reason", "x"]).fails(2);
    ran.says("services has no one owner: below it are files of")
        .says("\n          git lane request submit services/orchestrator --reason '…'\n")
        .says("\n          git lane request submit services/revenue --reason '…'")
        .does_not_say("rag_pipeline");
    let below = Worktree { root: two.root.join("services"), home: two.home.clone() };
    let ran = below.lane(&["request", "submit", ".", "--reason", "x"]).fails(2);
    ran.says("git lane request submit :/services/revenue --reason '…'");
    below.lane(&["request", "submit", ":/services/revenue", "--reason", "x"]).ok().says("a4 (Platform)");
}

/// Submits from many processes at once; the ids that they got.
fn all_at_once(trees: &[&Worktree], count: usize) -> Vec<String> {
    let start = |at: usize| {
        let mut command = trees[at % trees.len()].command(LANE);
        command.args(["request", "submit", "services/revenue/x", "--reason", "many", "--format", "json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let running: Vec<_> = (0..count).map(start).collect();
    let ran = running.into_iter().map(|child| Ran::from(child.wait_with_output().unwrap()).ok());
    let mut ids: Vec<String> =
        ran.map(|ran| ran.json()["request"]["id"].as_str().unwrap().to_owned()).collect();
    ids.sort_by_key(|id| id[1..].parse::<u64>().unwrap());
    ids
}

fn numbered(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("r{number}")).collect()
}

#[test]
fn twenty_at_once_get_twenty_ids() {
    let (_scratch, one, two) = two();
    assert_eq!(all_at_once(&[&one, &two], 20), numbered(20));
    assert_eq!(ids(&one.lane(&["request", "list", "--format", "json"]).ok()).len(), 20);
}

#[test]
fn many_clones_at_once_get_ids_of_their_own() {
    let clones = Clones::new();
    let Clones { one, two, .. } = &clones;
    assert_eq!(all_at_once(&[one, two], 8), numbered(8));
}

#[test]
fn one_of_many_answers_at_once_counts() {
    let (_scratch, one, two) = two();
    submit(&two, "7.sql", SQL).ok();
    let start = |at: usize| {
        let verb: &[&str] =
            if at.is_multiple_of(2) { &["accept", "r1"] } else { &["reject", "r1", "--reason", "no"] };
        let mut command = one.command(LANE);
        command.arg("request").args(verb).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let running: Vec<_> = (0..8).map(start).collect();
    let codes: Vec<i32> =
        running.into_iter().map(|child| Ran::from(child.wait_with_output().unwrap()).code).collect();
    // Accepted at most once, then rejected once; nothing after that.
    let log = one.git(&["log", "--format=%s", "refs/lane/requests/r1"]).ok().out;
    let events = log.lines().count() - 1;
    assert_eq!(codes.iter().filter(|code| **code == 0).count(), events, "{log}");
    assert!(log.starts_with("a1 rejects r1") && (1..=2).contains(&events), "{log}");
    assert!(codes.iter().all(|code| [0, 1].contains(code)), "{codes:?}");
}

#[test]
fn clones_share_them_through_the_remote() {
    let clones = Clones::new();
    let Clones { one, two, .. } = &clones;
    submit(two, "7.sql", SQL).ok();
    clones.at_origin(&["rev-parse", "refs/lane/requests/r1"]).ok();
    one.lane(&["request", "list"]).ok().says("waiting for you:\nr1").says("7.sql");
    let taken = one.lane(&["request", "accept", "r1"]).ok();
    assert_eq!(follow(one, &taken, "7.sql: ").ok().out, SQL, "the file comes with it");
    two.lane(&["request", "show", "r1"]).ok().says("a1 accepts it").says("ALTER TABLE runs");
    two.lane(&["request", "withdraw", "r1"]).ok();
    one.lane(&["request", "done", "r1", "--commit", "HEAD"]).fails(1).says("already withdrawn");
    // Locks beside them are as they were.
    one.lane(&["lock", "common"]).ok();
    two.lane(&["locks"]).ok().says("common: a1 (MLOps)").does_not_say("request");
    assert_eq!(two.git(&["for-each-ref", "refs/lane/requests"]).out, "", "what lies here is a copy");
}

#[test]
fn a_host_that_takes_only_branches() {
    let clones = Clones::with("remote: origin, prefix: refs/heads/lane/locks");
    let Clones { one, two, .. } = &clones;
    submit(two, "7.sql", SQL).ok();
    clones.at_origin(&["rev-parse", "refs/heads/lane/requests/r1"]).ok();
    one.lane(&["request", "accept", "r1"]).ok();
}

#[test]
fn offline() {
    let clones = Clones::new();
    let Clones { one, two, .. } = &clones;
    submit(two, "7.sql", SQL).ok();
    one.lane(&["request", "list"]).ok();
    let silent = clones.scratch.home().join("silent.git");
    std::fs::rename(clones.origin(), &silent).unwrap();
    let mine = &["request", "list", "--mine"];
    one.lane(mine)
        .fails(2)
        .says("no requests known here; the remote could not be asked")
        .does_not_say("no open requests");
    std::fs::rename(&silent, clones.origin()).unwrap();
    let away = clones.scratch.home().join("away.git");
    std::fs::rename(clones.origin(), &away).unwrap();
    submit(two, "8.sql", SQL)
        .fails(2)
        .says("the requests of `origin` cannot be read")
        .says("check `git ls-remote origin");
    one.lane(&["request", "accept", "r1"]).fails(2).says("the open requests");
    one.lane(&["request", "list"]).fails(2).says("r1  priority 3").says("cannot be read");
    one.lane(&["request", "show", "r1"]).fails(2).says("ALTER TABLE runs");
    let json = one.lane(&["request", "list", "--format", "json"]).fails(2).json();
    assert!(json["unreachable"].is_string() && json["requests"][0]["id"] == "r1");
    std::fs::rename(&away, clones.origin()).unwrap();
    one.lane(&["request", "accept", "r1"]).ok();
    assert_eq!(
        ids(&one.lane(&["request", "list", "--format", "json"]).ok()),
        ["r1"],
        "nothing was half done"
    );
}

#[test]
fn what_the_remote_lost_or_rewrote_is_named() {
    let clones = Clones::new();
    let Clones { one, two, .. } = &clones;
    submit(two, "7.sql", SQL).ok();
    submit(two, "8.sql", SQL).ok();
    let name = "refs/lane/requests/r1";
    let oid = clones.at_origin(&["rev-parse", name]).ok().out;
    clones.at_origin(&["update-ref", "-d", name]).ok();
    let ran = two
        .lane(&["request", "list"])
        .fails(2)
        .says("r1: could not decide")
        .says("it is missing")
        .says("r2  priority");
    follow(two, &ran, "restore it: ").ok();
    assert_eq!(clones.at_origin(&["rev-parse", name]).ok().out, oid);
    two.lane(&["request", "list"]).ok();
    let main = clones.at_origin(&["rev-parse", "main"]).ok().out;
    clones.at_origin(&["update-ref", name, main.trim()]).ok();
    let ran = two.lane(&["request", "withdraw", "r1"]).fails(2).says("appeared unexpectedly");
    follow(two, &ran, "its history is still here: ").ok().says("submit");
    let fresh = clone(&clones.scratch, "a3");
    fresh.lane(&["request", "list"]).fails(2).says("not written by git-lane").says("r2  priority");
    one.lane(&["request", "accept", "r2"]).ok();
    // A lost one that is let go of is forgotten, and its id is not given out again.
    clones.at_origin(&["update-ref", "-d", name]).ok();
    let ran = two.lane(&["request", "list"]).fails(2);
    follow(two, &ran, "on purpose: ").ok();
    two.lane(&["request", "list"]).ok().does_not_say("r1");
    submit(two, "9.sql", SQL).ok().says("submitted r3");
}

#[test]
fn broken_refs_here_are_named_and_break_nothing() {
    let (_scratch, one, two) = two();
    for name in ["7.sql", "8.sql", "9.sql"] {
        submit(&two, name, SQL).ok();
    }
    let name = |id: &str| format!("refs/lane/requests/{id}");
    // Deleted: it is named, with the way back, and its id stays its own.
    let last = two.git(&["rev-parse", &name("r3")]).ok().out;
    two.git(&["update-ref", "-d", &name("r3")]).ok();
    let ran = one
        .lane(&["request", "list"])
        .fails(2)
        .says("r3: could not decide")
        .says("it is missing")
        .says("r1  priority");
    submit(&two, "a.sql", SQL).ok().says("submitted r4");
    follow(&one, &ran, "restore it: ").ok();
    assert_eq!(two.git(&["rev-parse", &name("r3")]).ok().out, last);
    one.lane(&["request", "list"]).ok().says("r3  priority");
    // Moved back.
    one.lane(&["request", "accept", "r1"]).ok();
    two.git(&["update-ref", &name("r1"), "refs/lane/requests/r1~1"]).ok();
    let ran = one.lane(&["request", "accept", "r1"]).fails(2).says("it was moved back");
    follow(&one, &ran, "restore its last event:").ok();
    one.sneak("db/alembic/1.sql", "x\n", "x");
    one.lane(&["request", "done", "r1", "--commit", "HEAD"]).ok();
    // Somebody's branch, and a name that is no id.
    two.git(&["update-ref", &name("r2"), "HEAD"]).ok();
    two.git(&["update-ref", &name("odd"), "HEAD"]).ok();
    let ran = one
        .lane(&["request", "list"])
        .fails(2)
        .says("not written by git-lane")
        .says("`odd` is not a request id")
        .says("r4  priority");
    follow(&one, &ran, "to delete it: ").ok();
    let json = one.lane(&["request", "list", "--format", "json"]).fails(2).json();
    assert_eq!(json["broken"][0]["ref"], name("r2"));
    assert_eq!(json["requests"].as_array().unwrap().len(), 2, "r3 and r4");
    one.lane(&["request", "accept", "r4"]).ok();
}

fn alembic(id: &str, follows: &str) -> String {
    format!("revision: str = '{id}'\ndown_revision = '{follows}'\n\ndef upgrade():\n    pass\n")
}

#[test]
fn a_second_head_is_told_of() {
    let (_scratch, one, two) = two();
    submit(&two, "b.py", &alembic("b", "a")).ok().does_not_say("two heads");
    submit(&two, "c.py", &alembic("c", "a")).ok().does_not_say("two heads");
    submit(&two, "d.py", &alembic("d", "b")).ok();
    one.lane(&["request", "accept", "r2"]).ok().does_not_say("two heads");
    one.lane(&["request", "accept", "r3"]).ok().does_not_say("two heads");
    one.lane(&["request", "accept", "r1"])
        .ok()
        .says("two heads: `b` of r1 follows `a`, as `c` of r2 does already")
        .says("make `b` follow `c` before merging");
    let list = one.lane(&["request", "list"]).ok().says("warning: two heads: `b` of r1");
    assert_eq!(list.out.matches("warning: ").count(), 1, "{}", list.out);
    let json = one.lane(&["request", "list", "--format", "json"]).ok().json();
    let warned: Vec<&str> = json["requests"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| !one["warnings"].as_array().unwrap().is_empty())
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    assert_eq!(warned, ["r1"]);
    // The submitter hears of it at once, where one was accepted before.
    submit(&two, "e.py", &alembic("e", "a")).ok().says("two heads: `e` of r4");
}

#[test]
fn a_second_head_to_a_file_of_the_base() {
    let (scratch, one, two) = two();
    scratch.write("services/orchestrator/db/alembic/versions/b.py", &alembic("b", "a"));
    scratch.write("services/revenue/other.py", &alembic("x", "z"));
    scratch.git(&["add", "-A"]).ok();
    scratch.git(&["commit", "-qm", "a migration"]).ok();
    scratch.git(&["push", "-q", "origin", "main"]).ok();
    scratch.git(&["fetch", "-q", "origin"]).ok();
    let patch = "--- /dev/null\n+++ b/services/orchestrator/db/alembic/versions/c.py\n@@ -0,0 +1,2 @@\n\
                 +revision = 'c'\n+down_revision = 'a'\n";
    submit(&two, "c.patch", patch).ok().says("two heads");
    one.lane(&["request", "accept", "r1"])
        .ok()
        .says("as `b` on the base (services/orchestrator/db/alembic/versions/b.py) does already")
        .says("git apply --index");
    // What has landed is no second head to itself, and another lane's files are none of it.
    submit(&two, "b.py", &alembic("b", "a")).ok().does_not_say("of r2");
    submit(&two, "y.py", &alembic("y", "z")).ok().does_not_say("two heads");
}

#[test]
fn what_is_foreign_says_how_to_ask() {
    let (_scratch, _one, two) = two();
    two.commit("services/revenue/api.py", "x\n", "feat: a").fails(1).says(
        "then ask a4 for the change:\n          git lane request submit services/revenue/api.py --reason '…'",
    );
    two.git(&["reset", "-q"]).ok();
    let refused = two.commit("services/orchestrator/alembic/1.py", "x\n", "feat: a").fails(1);
    let typed = refused
        .says("then ask a1 for the change:\n          git lane request submit --area migrations --reason");
    let line = commands(&typed.all()).into_iter().find(|command| command.contains("request submit")).unwrap();
    let line = line.replace("git lane", LANE);
    let ran: Ran = two.command("sh").args(["-c", &line]).output().unwrap().into();
    ran.ok().says("submitted r1 to a1 (MLOps)");
    two.lane(&["lock", "migrations"]).fails(2).says("git lane request submit --area migrations");
}

#[test]
fn a_push_of_requests_is_of_nobodys_lane() {
    for prefix in ["refs/lane/requests", "refs/heads/lane/requests"] {
        let (scratch, one, two) = match prefix {
            "refs/lane/requests" => two_with("ttl: 2h"),
            _ => two_with("ttl: 2h, prefix: refs/heads/lane/locks"),
        };
        submit(&two, "7.sql", SQL).ok();
        one.lane(&["request", "accept", "r1"]).ok();
        let push = |what: &str| two.git(&["push", "-q", "origin", what]);
        let name = format!("{prefix}/r1");
        push(&format!("{name}~1:{name}")).ok();
        push(&format!("{name}:{name}")).ok();
        // Beside work, too.
        two.commit("services/rag_pipeline/a.py", "x\n", "feat: a").ok();
        two.git(&["push", "-q", "origin", "HEAD", &format!("{name}:refs/lane/copy/r1")]).ok();
        push(&format!("+{name}~1:{name}")).fails(1).says("rewrites the history of a request");
        push(&format!(":{name}")).fails(1).says("deletes the history of a request");
        // No part of a project hides there.
        two.sneak("services/revenue/api.py", "x\n", "feat: b");
        push(&format!("HEAD:{prefix}/r9")).fails(1).says("services/revenue/api.py");
        drop(scratch);
    }
}

fn two_with(locks: &str) -> (Scratch, Worktree, Worktree) {
    crate::support::locks::with_locks(locks)
}

#[test]
fn what_waits_for_an_agent_is_known_to_others() {
    let (scratch, one, two) = two();
    submit(&two, "7.sql", SQL).ok();
    let ask = ["request", "submit", "--area", "migrations", "--reason", "x", "--priority", "1"];
    two.lane(&ask).ok();
    one.lane(&["request", "accept", "r1"]).ok();
    two.git(&["update-ref", "refs/lane/requests/odd", "HEAD"]).ok();
    let repo = lane_git::Git2Repository::open_at(&scratch.root().join(".git")).unwrap();
    let plan = git_lane::gather::policy_source::find(&repo).unwrap().plan;
    let all = git_lane::requests::log::RequestLog::new(&repo, &plan).all().unwrap();
    let waiting = |agent: &str| {
        git_lane::requests::waiting_for(&all, &plan, agent)
            .into_iter()
            .map(|one| one.next.unwrap())
            .collect::<Vec<String>>()
    };
    assert_eq!(waiting("a1"), ["git lane request accept r2", "git lane request done r1 --commit HEAD"]);
    assert_eq!(waiting("a2"), [""; 0]);
}

#[test]
fn whoever_holds_a_lock_is_asked() {
    let (_scratch, one, two) = two();
    one.lane(&["lock", "common"]).ok();
    let run = |refused: &Ran| {
        let all = refused.all();
        let line = commands(&all).into_iter().find(|command| command.contains("request submit")).unwrap();
        let line = line.replace("git lane", LANE);
        let ran: Ran = two.command("sh").args(["-c", &line]).output().unwrap().into();
        ran.ok()
    };
    run(&two.commit("services/common/a.py", "x\n", "feat: a").fails(1))
        .says("submitted r1 to a1 (MLOps): services/common/a.py");
    run(&two.lane(&["lock", "common"]).fails(1)).says("submitted r2 to a1 (MLOps): area `common`");
    one.lane(&["request", "list"]).ok().says("waiting for you:\n").says("r1").says("r2");
    let listed = two.lane(&["request", "list", "--agent", "a3"]).ok();
    listed.does_not_say("waiting for you");
    two.lane(&["request", "accept", "r1", "--agent", "a3"]).fails(1);
    one.lane(&["request", "accept", "r1"]).ok();
    one.commit("services/common/a.py", "x\n", "feat: a for a2").ok();
    one.lane(&["request", "done", "r1", "--commit", "HEAD"]).ok();
    one.lane(&["request", "reject", "r2", "--reason", "released"]).ok();

    // A manual claim has a holder, too.
    one.lane(&["unlock", "common"]).ok();
    one.write(".locks/.common-lock-a1", "");
    run(&two.commit("services/common/a.py", "x\n", "feat: a").fails(1)).says("submitted r3 to a1");
    run(&two.lane(&["lock", "common"]).fails(1)).says("submitted r4 to a1");
    let to = |area: &str, whom: &str| {
        two.lane(&["request", "submit", "--area", area, "--to", whom, "--reason", "x"])
    };
    to("migrations", "a3").fails(2).says("is for a1 (MLOps) to change, not for a3").says("omit --to");
    to("common", "a9").fails(2).says("unknown agent `a9`");
    to("common", "a2").fails(2).says("is already yours: you are");
}

#[test]
fn a_long_reason_is_kept_in_the_file() {
    let (_scratch, _one, two) = two();
    let ask = |more: &[&str]| {
        let long = format!("because\n{}", "word ".repeat(80));
        two.lane(&[&["request", "submit", "--area", "migrations", "--reason", &long], more].concat())
    };
    ask(&[]).ok().says("submitted r1");
    let shown = two.lane(&["request", "show", "r1"]).ok().says("word…");
    assert!(shown.out.ends_with(&format!("because\n{}\n", "word ".repeat(80).trim())), "{}", shown.out);
    two.write("x.sql", SQL);
    ask(&["--file", "x.sql"]).fails(2).says("shorten it to 300");
    two.lane(&["request", "submit", "-h"]).ok().says("300 characters");
}
