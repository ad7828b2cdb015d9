//! Landings on a server that judges what is pushed to it: a base moves by a landing, and by nothing that looks like one.

use crate::land;
use crate::support::server::{Server, commit, push_as, with_accounts};
use crate::support::{LANE, Ran, Worktree};

/// The ref of the queue of `main`.
const QUEUE: &str = "refs/lane/landings/88d050b1908057b5";

/// Each of two agents has an account.
fn server(land: &str) -> (Server, Worktree, Worktree) {
    let server = Server::with(&with_accounts(&land::policy(land).replace("max_age: 3h", "max_age: null")));
    let (one, two) = (server.clone("one", "feat/a1/x"), server.clone("two", "feat/a2/x"));
    one.lane(&["install", "--agent", "a1"]).ok();
    two.lane(&["install", "--agent", "a2"]).ok();
    (server, one, two)
}

fn lane_as(tree: &Worktree, account: &str, args: &[&str]) -> Ran {
    let mut command = tree.command(LANE);
    command.args(args).env("GL_USERNAME", account);
    command.output().unwrap().into()
}

fn main_of(server: &Server) -> Vec<String> {
    let log = server.git(&["log", "--format=%s", "main"]).ok().out;
    log.lines().map(str::to_owned).collect()
}

fn oid(tree: &Worktree, name: &str) -> String {
    tree.git(&["rev-parse", name]).ok().out.trim().to_owned()
}

#[test]
fn a_base_moves_by_landings_whoever_lands() {
    let (server, one, two) = server("");
    commit(&one, "services/orchestrator/one.py", "[A1] feat: one");
    commit(&two, "services/rag_pipeline/two.py", "[A2] feat: two");
    lane_as(&two, "bot-2", &["land", "--no-wait"]).ok();
    // The account of a1 lands the work of a2, and its own.
    lane_as(&one, "bot-1", &["land"]).ok();
    assert_eq!(main_of(&server), ["[A1] feat: one", "[A2] feat: two", "first"]);
    push_as(&one, "bot-1", &["--no-verify", "HEAD:main"]).fails(1);
    server.git(&["fsck", "--strict"]).ok();
}

#[test]
fn the_server_judges_what_lands() {
    let (server, one, two) = server("");
    commit(&two, "services/rag_pipeline/two.py", "[A2] feat: two");
    lane_as(&two, "bot-2", &["push"]).ok();
    lane_as(&two, "bot-2", &["land", "--no-wait"]).ok();
    let before = server.refs();
    // A lander that judges nothing: another tree than the one that was asked for, in the name of the same landing.
    one.git(&["fetch", "-q", "origin"]).ok();
    let (base, queue) = (oid(&one, "origin/main"), server.git(&["rev-parse", QUEUE]).ok().out);
    one.git(&["fetch", "-q", "origin", QUEUE]).ok();
    one.git(&["switch", "-q", "--detach", "origin/main"]).ok();
    commit(&one, "services/revenue/stolen.py", "[A2] feat: two");
    let stolen = one.head();
    let ended = event(&one, queue.trim(), &base, &stolen, "a1");
    push_as(
        &one,
        "bot-1",
        &["--no-verify", "--atomic", &format!("{stolen}:main"), &format!("{ended}:{QUEUE}")],
    )
    .fails(1)
    .says("error[foreign-path]");
    assert_eq!(server.refs(), before);
    // One that says another commit than it pushes, or another base than there is.
    let others = [(&base, &base), (&stolen, &stolen)];
    for (from, to) in others {
        let ended = event(&one, queue.trim(), from, to, "a1");
        push_as(&one, "bot-1", &["--no-verify", &format!("{stolen}:main"), &format!("{ended}:{QUEUE}")])
            .fails(1)
            .says("moves the protected branch `main`");
    }
    // In another's name.
    let ended = event(&one, queue.trim(), &base, &two.head(), "a2");
    push_landing(&one, "bot-1", &two.head(), &ended).fails(1).says("but the record of a landing says a2");
    assert_eq!(server.refs(), before);
    lane_as(&one, "bot-1", &["land", "--all"]).ok();
    assert_eq!(main_of(&server), ["[A2] feat: two", "first"]);
}

/// The event by which a landing ends, as a lander writes it who skipped all before it: begun and ended by `by`.
fn event(tree: &Worktree, queue: &str, from: &str, to: &str, by: &str) -> String {
    let last = tree.git(&["log", "-1", "--format=%B", queue]).ok().out;
    let mut record: serde_json::Value =
        serde_json::from_str(last.trim_end().lines().last().unwrap()).unwrap();
    let stake = serde_json::json!({
        "agent": by, "scope": "main", "ttl": 60, "nonce": "n", "uptime": 1, "at": 1,
        "machine": { "host": "h", "boot": "b", "pids": null }, "worktree": "/w",
    });
    record["event"] = serde_json::json!({
        "kind": { "begin": stake }, "by": { "agent": by }, "at": 5, "host": "h", "worktree": "/w", "nonce": "x",
    });
    record["generation"] = (record["generation"].as_u64().unwrap() + 1).into();
    record["lander"] = serde_json::json!({ "id": record["queue"][0]["id"], "stake": stake });
    let begun = written(tree, queue, &record);
    let end = serde_json::json!({ "landed": { "commit": to, "from": from } });
    let first = record["queue"][0].clone();
    record["event"]["kind"] = serde_json::json!({ "end": end });
    record.as_object_mut().unwrap().remove("lander");
    record.as_object_mut().unwrap().remove("queue");
    record["results"] = serde_json::json!([{
        "id": first["id"], "branch": first["branch"], "head": first["head"], "by": first["by"], "at": 5, "end": end,
    }]);
    written(tree, &begun, &record)
}

fn written(tree: &Worktree, parent: &str, record: &serde_json::Value) -> String {
    let message = format!("x\n\n{record}");
    let empty = tree.git_stdin(&["mktree"], b"").ok().out;
    let commit = tree.git(&["commit-tree", empty.trim(), "-p", parent, "-m", &message]).ok().out;
    commit.trim().to_owned()
}

#[test]
fn queues_are_not_forged() {
    let (server, _one, two) = server("");
    commit(&two, "services/rag_pipeline/two.py", "[A2] feat: two");
    lane_as(&two, "bot-2", &["push"]).ok();
    lane_as(&two, "bot-2", &["land", "--no-wait"]).ok();
    let before = server.refs();
    for refspec in [format!("+HEAD:{QUEUE}"), format!(":{QUEUE}")] {
        push_as(&two, "bot-2", &["--no-verify", &refspec]).fails(1).says("the history of landings");
    }
    let queue = server.git(&["rev-parse", QUEUE]).ok().out;
    two.git(&["fetch", "-q", "origin", QUEUE]).ok();
    let last = two.git(&["log", "-1", "--format=%B", queue.trim()]).ok().out;
    let mut record: serde_json::Value =
        serde_json::from_str(last.trim_end().lines().last().unwrap()).unwrap();
    record["last"] = 40.into();
    for text in [record.to_string(), "hello".to_owned()] {
        let empty = two.git_stdin(&["mktree"], b"").ok().out;
        let forged = two.git(&["commit-tree", empty.trim(), "-p", queue.trim(), "-m", &text]).ok().out;
        push_as(&two, "bot-2", &["--no-verify", &format!("{}:{QUEUE}", forged.trim())])
            .fails(1)
            .says("puts something git-lane did not write (");
    }
    assert_eq!(server.refs(), before);
}

#[test]
fn without_the_section_no_landing_moves_a_base() {
    let (server, one, two) = server("");
    commit(&two, "services/rag_pipeline/two.py", "[A2] feat: two");
    lane_as(&two, "bot-2", &["push"]).ok();
    lane_as(&two, "bot-2", &["land", "--no-wait"]).ok();
    // A maintainer takes the section out.
    let main = server.scratch.main();
    let policy = std::fs::read_to_string(main.root.join("policy.yaml")).unwrap().replace("\nland: {  }", "");
    main.sneak("policy.yaml", &policy, "no landings");
    main.git(&["push", "-q", "origin", "main"]).ok();
    lane_as(&one, "bot-1", &["land", "--all"]).fails(1).says("it has no `land`");
    assert_eq!(main_of(&server), ["no landings", "first"]);
}

#[test]
fn work_under_a_lock_lands_after_it_was_released() {
    let (server, one, two) = server("");
    lane_as(&two, "bot-2", &["lock", "common"]).ok();
    two.commit("services/common/main.py", "two\n", "feat: two").ok();
    lane_as(&two, "bot-2", &["push"]).ok();
    lane_as(&two, "bot-2", &["unlock", "common"]).ok();
    lane_as(&two, "bot-2", &["land", "--no-wait"]).ok();
    // The base moves on meanwhile.
    commit(&one, "services/orchestrator/one.py", "[A1] feat: one");
    lane_as(&one, "bot-1", &["push"]).ok();
    lane_as(&one, "bot-1", &["land"]).ok();
    assert_eq!(main_of(&server), ["[A1] feat: one", "[A2] feat: two", "first"]);
    // And beside the lock of another, who has pushed nothing under it.
    one.git(&["fetch", "-q"]).ok();
    one.lane(&["sync"]).ok();
    lane_as(&one, "bot-1", &["lock", "common"]).ok();
    one.commit("services/common/other.py", "one\n", "feat: other").ok();
    lane_as(&one, "bot-1", &["push", "-f"]).ok();
    lane_as(&one, "bot-1", &["unlock", "common"]).ok();
    two.lane(&["sync"]).ok();
    lane_as(&two, "bot-2", &["lock", "common"]).ok();
    commit(&two, "services/rag_pipeline/three.py", "[A2] feat: three");
    lane_as(&two, "bot-2", &["push", "-f"]).ok();
    lane_as(&one, "bot-1", &["land"]).ok();
    lane_as(&two, "bot-2", &["land"]).ok();
    assert_eq!(main_of(&server)[..2], ["[A2] feat: three", "[A1] feat: other"]);
}

/// Pushes a base and the event that says that it is a landing, as a lander does.
fn push_landing(tree: &Worktree, account: &str, to: &str, event: &str) -> Ran {
    let refs = [format!("{to}:main"), format!("{event}:{QUEUE}")];
    push_as(tree, account, &["--no-verify", "--atomic", &refs[0], &refs[1]])
}

/// A branch of a2 waits, and the clone of a1 knows the queue: the tip of the base, and of the queue.
fn waiting(server: &Server, one: &Worktree, two: &Worktree) -> (String, String) {
    commit(two, "services/rag_pipeline/two.py", "[A2] feat: two");
    lane_as(two, "bot-2", &["push"]).ok();
    lane_as(two, "bot-2", &["land", "--no-wait"]).ok();
    one.git(&["fetch", "-q", "origin", QUEUE]).ok();
    one.git(&["fetch", "-q", "origin"]).ok();
    one.git(&["switch", "-q", "--detach", "origin/main"]).ok();
    (oid(one, "origin/main"), server.git(&["rev-parse", QUEUE]).ok().out.trim().to_owned())
}

#[test]
fn nothing_lands_but_what_was_asked_for() {
    let (server, one, two) = server("");
    let (base, queue) = waiting(&server, &one, &two);
    let before = server.refs();
    // In the lane of the branch that waits, but never part of it.
    commit(&one, "services/rag_pipeline/planted.py", "[A2] feat: two");
    let planted = one.head();
    let ended = event(&one, &queue, &base, &planted, "a1");
    push_landing(&one, "bot-1", &planted, &ended).fails(1).says("is not feat/a2/x");
    // Beside what was asked for.
    one.git(&["reset", "-q", "--hard", "origin/feat/a2/x"]).ok();
    commit(&one, "services/rag_pipeline/planted.py", "[A2] feat: two");
    let more = one.head();
    let ended = event(&one, &queue, &base, &more, "a1");
    push_landing(&one, "bot-1", &more, &ended).fails(1).says("is not feat/a2/x");
    assert_eq!(server.refs(), before);
    // What was asked for.
    let two_head = two.head();
    let ended = event(&one, &queue, &base, &two_head, "a1");
    push_landing(&one, "bot-1", &two_head, &ended).ok();
    assert_eq!(main_of(&server), ["[A2] feat: two", "first"]);
}

#[test]
fn a_branch_that_has_moved_on_does_not_land_as_it_was() {
    let (server, one, two) = server("");
    let (base, queue) = waiting(&server, &one, &two);
    let asked = two.head();
    commit(&two, "services/rag_pipeline/two.py", "[A2] fix: two");
    lane_as(&two, "bot-2", &["push"]).ok();
    let before = server.refs();
    let ended = event(&one, &queue, &base, &asked, "a1");
    push_landing(&one, "bot-1", &asked, &ended).fails(1).says("feat/a2/x is not at");
    assert_eq!(server.refs(), before);
}

#[test]
fn no_event_says_that_something_landed_which_has_not() {
    let (server, one, two) = server("");
    let (base, queue) = waiting(&server, &one, &two);
    let before = server.refs();
    for to in [two.head(), base.clone()] {
        let ended = event(&one, &queue, &base, &to, "a1");
        push_as(&one, "bot-1", &["--no-verify", &format!("{ended}:{QUEUE}")])
            .fails(1)
            .says("puts something git-lane did not write");
    }
    assert_eq!(server.refs(), before);
    lane_as(&one, "bot-1", &["land", "--all"]).ok().says("landed feat/a2/x");
}
