//! Requests at the server: who may do what holds there, too.

use crate::support::server::{Server, policy, push_as, with_accounts};
use crate::support::{LANE, Ran, Worktree};

const REF: &str = "refs/lane/requests/r1";

/// Each of two agents has an account, and requests lie on the server.
fn server() -> (Server, Worktree, Worktree) {
    let server = Server::with(&with_accounts(&policy()));
    let (one, two) = (server.clone("one", "feat/a1/x"), server.clone("two", "feat/a2/x"));
    one.lane(&["install", "--agent", "a1"]).ok();
    two.lane(&["install", "--agent", "a2"]).ok();
    (server, one, two)
}

fn as_account(tree: &Worktree, account: &str, args: &[&str]) -> Ran {
    let mut command = tree.command(LANE);
    command.arg("request").args(args).env("GL_USERNAME", account);
    command.output().unwrap().into()
}

fn submit(tree: &Worktree, account: &str) -> Ran {
    tree.write("7.sql", "-- follows: 6\n");
    as_account(tree, account, &["submit", "--area", "migrations", "--file", "7.sql", "--reason", "x"])
}

#[test]
fn what_git_lane_writes_passes() {
    let (server, one, two) = server();
    submit(&two, "bot-2").ok();
    as_account(&one, "bot-1", &["accept", "r1"]).ok();
    one.sneak("db/alembic/7.sql", "x\n", "x");
    as_account(&one, "bot-1", &["done", "r1", "--commit", "HEAD"]).ok();
    submit(&two, "bot-2").ok();
    as_account(&two, "bot-2", &["withdraw", "r2"]).ok();
    assert_eq!(server.refs().matches("refs/lane/requests/").count(), 2);
}

#[test]
fn nobody_answers_in_anothers_name() {
    let (server, one, two) = server();
    submit(&two, "bot-2").ok();
    let before = server.refs();
    as_account(&two, "bot-2", &["accept", "r1", "--agent", "a1"])
        .fails(2)
        .says("but the record of a request says a1");
    assert_eq!(server.refs(), before);
    as_account(&one, "bot-1", &["accept", "r1"]).ok();
}

#[test]
fn nothing_is_forged() {
    let (server, _one, two) = server();
    submit(&two, "bot-2").ok();
    let before = server.refs();
    let view = "refs/lane/requests-of/origin/r1";
    let message = two.git(&["log", "-1", "--format=%B", view]).ok().out;
    let tree = two.git(&["rev-parse", &format!("{view}^{{tree}}")]).ok().out;
    let forge = |tree: &str, message: &str| {
        let commit = two.git(&["commit-tree", tree.trim(), "-p", view, "-m", message]).ok().out;
        push_as(&two, "bot-2", &["--no-verify", &format!("{}:{REF}", commit.trim())])
    };
    // Accepted by whoever asked.
    let event = message.replace("\"state\":\"submitted\"", "\"state\":\"accepted\"");
    let event = event.replace("\"kind\":\"submit\"", "\"kind\":\"accept\"");
    forge(&tree, event.trim()).fails(1).says("puts something git-lane did not write (");
    forge(&tree, "hello").fails(1).says("puts something git-lane did not write (");
    let main = two.git(&["rev-parse", "HEAD^{tree}"]).ok().out;
    forge(&main, message.trim()).fails(1);
    push_as(&two, "bot-2", &["--no-verify", &format!("+HEAD:{REF}")])
        .fails(1)
        .says("rewrites the history of a request");
    push_as(&two, "bot-2", &["--no-verify", &format!(":{REF}")])
        .fails(1)
        .says("deletes the history of a request");
    assert_eq!(server.refs(), before);
}
