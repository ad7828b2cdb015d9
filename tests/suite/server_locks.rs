//! Locks at the server: held against what lies in its own refs, and in the push itself.

use crate::support::Worktree;
use crate::support::server::{Server, commit, policy, push, push_as};

const REF: &str = "refs/lane/locks/d66298e124bee0fb";

fn shared() -> String {
    let identity = "    worktree: ../wt-a2-genai\n    identity: { accounts: [bot-2] }\n";
    let policy = policy().replace("ttl: 2h, remote: null", "ttl: 2h, remote: origin");
    policy.replace("    worktree: ../wt-a2-genai\n", identity)
}

/// A clone with the hooks of an agent.
fn agent(server: &Server, id: &str) -> Worktree {
    let tree = server.clone(&format!("clone-{id}"), &format!("feat/{id}/x"));
    tree.lane(&["install", "--agent", id]).ok();
    tree
}

fn work(tree: &Worktree, path: &str, message: &str) {
    tree.commit(path, &format!("{message}\n"), message).ok();
}

#[test]
fn work_under_a_lock_passes_and_other_work_does_not() {
    let server = Server::with(&shared());
    let (one, two) = (agent(&server, "a1"), agent(&server, "a2"));
    one.lane(&["lock", "common"]).ok();
    work(&one, "services/common/a.py", "feat: a");
    one.lane(&["push"]).ok();
    assert!(server.refs().contains("refs/heads/feat/a1/x"));
    commit(&two, "services/common/b.py", "[A2] feat: b");
    two.git(&["push", "--no-verify", "origin", "HEAD"]).fails(1).says("which a1 (MLOps) holds until");
    two.git(&["commit", "-q", "--amend", "--no-verify", "-m", "[A2] feat: b\n\nLane-Lock: common@1"]).ok();
    two.git(&["push", "--no-verify", "origin", "HEAD"]).fails(1).says("which belonged to a1 (MLOps)");
    two.git(&["commit", "-q", "--amend", "--no-verify", "-m", "[A2] feat: b\n\nLane-Lock: common@9"]).ok();
    two.git(&["push", "--no-verify", "origin", "HEAD"]).fails(1).says("which was never taken");
    one.lane(&["unlock", "common"]).ok();
    two.lane(&["lock", "common"]).ok().says("generation 2");
    two.git(&["commit", "-q", "--amend", "--no-verify", "-m", "[A2] feat: b\n\nLane-Lock: common@2"]).ok();
    two.git(&["push", "--no-verify", "origin", "HEAD"]).ok();
}

#[test]
fn a_stolen_lock_is_known_to_the_server_at_once() {
    let server = Server::with(&shared());
    let (one, two) = (agent(&server, "a1"), agent(&server, "a2"));
    two.lane(&["lock", "common"]).ok();
    work(&two, "services/common/a.py", "feat: a");
    one.lane(&["lock", "common", "--steal", "--reason", "production is down"]).ok();
    let refused = two.git(&["push", "--no-verify", "origin", "HEAD"]).fails(1);
    refused
        .says("which a1 (MLOps) stole at")
        .says("production is down")
        .says("git rebase --force-rebase origin/main");
}

#[test]
fn no_work_relies_on_an_event_of_its_own_push() {
    let server = Server::with(&shared());
    let two = agent(&server, "a2");
    two.lane(&["lock", "common"]).ok();
    let event = server.git(&["rev-parse", REF]).ok().out;
    let refspec = format!("{}:{REF}", event.trim());
    work(&two, "services/common/a.py", "feat: a");
    server.git(&["update-ref", "-d", REF]).ok();
    let push = |refspecs: &[&str]| two.git(&[&["push", "--no-verify", "origin"], refspecs].concat());
    push(&["HEAD"]).fails(1).says("unlocked-path");
    // git may take the work and refuse the event, and no hook is told that a push is atomic.
    for refspecs in [&["HEAD", refspec.as_str()][..], &["--atomic", "HEAD", &refspec]] {
        push(refspecs)
            .fails(1)
            .says("under the lock `common`, whose record comes in the same push")
            .says(&format!("git push origin {refspec}"));
        assert!(!server.refs().contains(REF) && !server.refs().contains("feat/a2/x"));
    }
    // So it is without the trailer.
    two.git(&["commit", "-q", "--amend", "--no-verify", "-m", "[A2] feat: a"]).ok();
    push(&["HEAD", &refspec]).fails(1).says("under the lock `common`, whose record comes in the same push");
    push(&[&refspec]).ok();
    push(&["HEAD"]).ok();
}

#[test]
fn a_theft_that_is_not_recorded_carries_no_work() {
    let server = Server::with(&shared());
    let (one, two) = (agent(&server, "a1"), agent(&server, "a2"));
    one.lane(&["lock", "common"]).ok();
    let held = server.git(&["rev-parse", REF]).ok().out;
    two.lane(&["lock", "common", "--steal", "--reason", "x"]).ok();
    let theft = format!("{}:{REF}", server.git(&["rev-parse", REF]).ok().out.trim());
    work(&two, "services/common/a.py", "feat: a");
    server.git(&["update-ref", REF, held.trim()]).ok();
    let push = |refspecs: &[&str]| two.git(&[&["push", "--no-verify", "origin"], refspecs].concat());
    push(&["HEAD", &theft]).fails(1).says("`, whose record comes in the same push");
    push(&[&theft]).ok();
    push(&["HEAD"]).ok();
    // What was held before may be renewed, or given back, beside the work.
    work(&two, "services/common/b.py", "feat: b");
    two.lane(&["push"]).ok();
    work(&two, "services/common/c.py", "feat: c");
    let held = server.git(&["rev-parse", REF]).ok().out;
    two.lane(&["unlock", "common"]).ok();
    let release = format!("{}:{REF}", server.git(&["rev-parse", REF]).ok().out.trim());
    server.git(&["update-ref", REF, held.trim()]).ok();
    push(&["HEAD", &release]).ok();
}

#[test]
fn the_history_of_locks_only_grows() {
    let server = Server::with(&shared());
    let (one, two) = (agent(&server, "a1"), agent(&server, "a2"));
    one.lane(&["lock", "common"]).ok();
    let first = server.git(&["rev-parse", REF]).ok().out;
    one.lane(&["unlock", "common"]).ok();
    let before = server.refs();
    let quiet = |tree: &Worktree, refspec: &str| tree.git(&["push", "--no-verify", "origin", refspec]);
    quiet(&one, &format!(":{REF}")).fails(1).says("deletes the history of locks");
    quiet(&one, &format!("+{}:{REF}", first.trim())).fails(1).says("rewrites the history of locks");
    quiet(&one, &format!("+main:{REF}")).fails(1).says("rewrites the history of locks");
    quiet(&one, "main:refs/lane/locks/0123456789abcdef").fails(1).says("without a lock:");
    quiet(&one, &format!("{}:refs/lane/locks/0123456789abcdef", first.trim())).fails(1).says("another name");
    assert_eq!(server.refs(), before);
    two.lane(&["lock", "common"]).ok();
    two.lane(&["unlock", "common"]).ok();

    // Nobody writes into the history in another's name.
    let tip = server.git(&["rev-parse", REF]).ok().out;
    let message = server
        .git(&["log", "-1", "--format=%B", REF])
        .ok()
        .out
        .replace("\"agent\":\"a2\"", "\"agent\":\"a1\"");
    let tree = one.git(&["hash-object", "-t", "tree", "-w", "/dev/null"]).ok().out;
    one.git(&["fetch", "-q", "origin", REF]).ok();
    let forged = one.git(&["commit-tree", tree.trim(), "-p", tip.trim(), "-m", message.trim_end()]).ok().out;
    push_as(&one, "bot-2", &["--no-verify", &format!("{}:{REF}", forged.trim())])
        .fails(1)
        .says("the account `bot-2` belongs to a2, but the record of a lock says a1");
    let laden = one.git(&["commit-tree", "main^{tree}", "-p", tip.trim(), "-m", message.trim_end()]).ok().out;
    quiet(&one, &format!("{}:{REF}", laden.trim())).fails(1).says("it has files");
}

#[test]
fn where_the_locks_lie_elsewhere_the_trailer_must_be_there() {
    let server = Server::new();
    let tree = server.clone("c", "feat/a2/x");
    commit(&tree, "services/common/a.py", "[A2] feat: a");
    push(&tree, &["HEAD"]).fails(1).says("`, without a Lane-Lock trailer").says("git lane lock common");
    tree.git(&["commit", "-q", "--amend", "-m", "[A2] feat: a\n\nLane-Lock: common@3"]).ok();
    push(&tree, &["HEAD"]).ok();
    // Pushed once, it stays right.
    commit(&tree, "services/rag_pipeline/a.py", "[A2] feat: b");
    push(&tree, &["HEAD"]).ok();
}

#[test]
fn locks_of_worktrees_of_the_server_itself() {
    let server = Server::without_hook(&policy());
    let root = server.scratch.home().join("wt");
    server.git(&["worktree", "add", "-q", "-b", "feat/a2/w", root.to_str().unwrap(), "main"]).ok();
    server.lane(&["install", "--server"]).ok();
    let inside = Worktree { root, home: server.scratch.home() };
    inside.lane(&["install", "--agent", "a2"]).ok();
    inside.lane(&["lock", "common"]).ok();
    let tree = server.clone("c", "feat/a2/x");
    commit(&tree, "services/common/a.py", "[A2] feat: a\n\nLane-Lock: common@1");
    push(&tree, &["HEAD"]).ok();
    tree.git(&["switch", "-q", "-c", "feat/a1/x", "main"]).ok();
    commit(&tree, "services/common/a.py", "[A1] feat: a\n\nLane-Lock: common@1");
    push(&tree, &["HEAD"]).fails(1).says("which belonged to a2 (GenAI)");
}

#[test]
fn refs_of_locks_that_somebody_brought_along_change_nothing() {
    let server = Server::new();
    let two = agent(&server, "a2");
    two.lane(&["lock", "common"]).ok();
    two.git(&["push", "--no-verify", "origin", &format!("{REF}:{REF}")]).ok();
    let tree = server.clone("c", "feat/a1/x");
    commit(&tree, "services/common/a.py", "[A1] feat: a\n\nLane-Lock: common@7");
    push(&tree, &["HEAD"]).ok();
}

#[test]
fn the_server_writes_nothing_down() {
    let server = Server::with(&shared());
    let two = agent(&server, "a2");
    two.lane(&["lock", "common"]).ok();
    let folder = server.root().join("lane");
    let names = |folder: &std::path::Path| {
        let mut names: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&folder), ["install.lock", "server-hooks"], "and no cache of what was seen");
}

/// A commit with the record in another one, edited.
fn forged(tree: &Worktree, event: &str, edit: impl Fn(&str) -> String) -> String {
    let message = tree.git(&["log", "-1", "--format=%B", event]).ok().out;
    let edited = edit(message.trim_end());
    assert_ne!(edited, message.trim_end());
    let empty = tree.git(&["hash-object", "-t", "tree", "-w", "/dev/null"]).ok().out;
    tree.git(&["commit-tree", empty.trim(), "-m", &edited]).ok().out.trim().to_owned()
}

#[test]
fn what_git_lane_cannot_have_made_is_not_taken() {
    let server = Server::with(&shared());
    let two = agent(&server, "a2");
    two.lane(&["lock", "common"]).ok();
    two.git(&["fetch", "-q", "origin", &format!("{REF}:refs/tmp/event")]).ok();
    server.git(&["update-ref", "-d", REF]).ok();
    let refused = |from: &str, to: &str, words: &str| {
        let event = forged(&two, "refs/tmp/event", |message| message.replace(from, to));
        two.git(&["push", "--no-verify", "origin", &format!("{event}:{REF}")]).fails(1).says(words);
    };
    refused("\"generation\":1", "\"generation\":4503599627370496", "cannot follow 0");
    refused("\"ttl\":7200", "\"ttl\":864000000", "the lifetime of a lock");
    refused("\"ttl\":7200", "\"ttl\":0", "the lifetime of a lock");
    refused("\"scope\":\"common\"", "\"scope\":\"docs/x\"", "not in the area");
    refused("\"agent\":\"a2\"", "\"agent\":\"a9\"", "a9");
    refused("\"kind\":\"take\"", "\"kind\":\"steal\"", "without a reason");
    two.git(&["push", "--no-verify", "origin", &format!("refs/tmp/event:{REF}")]).ok();
}

#[test]
fn an_event_that_came_too_late_carries_no_work() {
    let server = Server::with(&shared());
    let (one, two) = (agent(&server, "a1"), agent(&server, "a2"));
    two.lane(&["lock", "common"]).ok();
    two.git(&["fetch", "-q", "origin", &format!("{REF}:refs/tmp/event")]).ok();
    work(&two, "services/common/a.py", "feat: a");
    server.git(&["update-ref", "-d", REF]).ok();
    // Between what git has read of the server and what it sends, another agent takes the lock.
    let hook = two.root.join(".git/late");
    std::fs::create_dir(&hook).unwrap();
    std::fs::write(
        hook.join("pre-push"),
        format!(
            "#!/bin/sh\nunset $(git rev-parse --local-env-vars)\ncd '{}' && exec '{}' lock common -q\n",
            one.root.display(),
            crate::support::LANE
        ),
    )
    .unwrap();
    two.command("chmod").args(["+x", hook.join("pre-push").to_str().unwrap()]).status().unwrap();
    let hooks = format!("core.hooksPath={}", hook.display());
    let event = format!("refs/tmp/event:{REF}");
    two.git(&["-c", &hooks, "push", "origin", &event, "HEAD"]).fails(1).says("unlocked-path");
    assert!(!server.refs().contains("refs/heads/feat/a2/x"));
}

#[test]
fn the_bare_repository_itself_shows_what_it_holds() {
    let server = Server::with(&shared());
    let two = agent(&server, "a2");
    two.lane(&["lock", "common", "--reason", "retries"]).ok();
    two.lane(&["request", "submit", "--area", "shared", "--reason", "a newer numpy"]).ok();
    // The second time it is a clone of something else, and judges by its own refs all the same.
    for add in
        [vec!["config", "core.logAllRefUpdates", "false"], vec!["remote", "add", "origin", "../gone.git"]]
    {
        server.git(&add).ok();
        let before = server.files();
        server.lane(&["locks"]).ok().says("common: a2 (GenAI)").says("retries");
        server.lane(&["locks", "common"]).ok().says("common: a2 (GenAI)");
        server.lane(&["locks", "--log"]).ok().says("retries");
        let locks = server.lane(&["--format", "json", "locks"]).ok().json();
        assert_eq!(locks["locks"][0]["agent"], "a2", "{locks}");
        server.lane(&["status"]).ok().says("a2     locks: common  (").does_not_say("locks as last known:");
        server.lane(&["request", "list"]).ok().says("r1").says("a newer numpy");
        server.lane(&["request", "show", "r1"]).ok().says("a newer numpy");
        for args in [
            &["lock", "common", "--agent", "a2"][..],
            &["unlock", "common", "--agent", "a2"],
            &["request", "submit", "--area", "shared", "--reason", "x", "--agent", "a1"],
            &["request", "withdraw", "r1", "--agent", "a2"],
        ] {
            server.lane(args).fails(2).says("s of others and can only show them");
        }
        assert_eq!(server.files(), before, "and nothing was written");
    }
}

/// Without a name there is no remote to look for in its configuration.
#[test]
fn the_bare_repository_knows_its_own_address() {
    let policy = shared().replace("remote: origin", "remote: ../origin.git");
    assert_ne!(policy, shared());
    let server = Server::with(&policy);
    let two = agent(&server, "a2");
    two.lane(&["lock", "common", "--reason", "retries"]).ok();
    server.lane(&["locks"]).ok().says("common: a2 (GenAI)").says("retries");
    server.lane(&["lock", "common", "--agent", "a2"]).fails(2).says("s of others and can only show them");
}

#[test]
fn a_bare_clone_asks_the_remote_that_it_has() {
    let server = Server::with(&shared());
    let two = agent(&server, "a2");
    two.lane(&["lock", "common"]).ok();
    let home = server.scratch.home();
    server.scratch.run(&home, "git", &["clone", "-q", "--bare", "origin.git", "project.git"]).ok();
    let lane = |args: &[&str]| server.scratch.run(&home.join("project.git"), crate::support::LANE, args);
    lane(&["locks"]).ok().says("common: a2 (GenAI)");
    server
        .scratch
        .run(&home.join("project.git"), "git", &["remote", "set-url", "origin", "../gone.git"])
        .ok();
    lane(&["locks", "--log"]).fails(2).says("cannot be read");
}

#[test]
fn a_tag_is_no_way_to_bring_stale_work_in() {
    let server = Server::with(&shared());
    let (one, two) = (agent(&server, "a1"), agent(&server, "a2"));
    one.lane(&["lock", "common"]).ok();
    work(&one, "services/common/db.py", "feat: one");
    one.lane(&["push"]).ok();
    server.git(&["update-ref", "refs/heads/main", "refs/heads/feat/a1/x"]).ok();
    one.lane(&["unlock", "common"]).ok();
    two.lane(&["lock", "common"]).ok();
    commit(&two, "services/common/db.py", "[A2] feat: stale\n\nLane-Lock: common@2");
    let push = |to: &str| two.git(&["push", "--no-verify", "origin", &format!("HEAD:{to}")]);
    push("refs/heads/feat/a2/x").fails(1).says("unlocked-path");
    push("refs/tags/t1");
    push("refs/heads/feat/a2/x").fails(1).says("unlocked-path");
}

#[test]
fn no_ref_stands_where_records_lie() {
    let server = Server::with(&shared());
    let two = agent(&server, "a2");
    for name in ["refs/lane/locks", "refs/lane/requests", "refs/lane"] {
        let refspec = format!("origin/main:{name}");
        two.git(&["push", "--no-verify", "origin", &refspec]).fails(1).says("protected-branch");
    }
    two.lane(&["lock", "common"]).ok();
}
