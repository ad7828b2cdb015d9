//! What a change is held against: the protected branch that it was cut from, and for its size the pushed branch that it
//! stands on.

use crate::advice::sh;
use crate::advice_errors::told;
use crate::support::server::{Server, push};
use crate::support::{POLICY, Ran, Scratch, Worktree};

const MINE: &str = "services/rag_pipeline/x.py";
const FOREIGN: &str = "services/revenue/api.py";

fn policy(merges: &str) -> String {
    POLICY.replace("max_age: 3h", "max_age: null").replace("merges: deny", merges)
}

/// A worktree of a2 with hooks, and a remote.
/// A protected branch on the remote with commits of its own, which go abroad for a2.
fn release(scratch: &Scratch, name: &str, from: &str, commits: usize) {
    let main = scratch.main();
    main.git(&["switch", "-q", "-c", name, from]).ok();
    for at in 0..commits {
        main.sneak(FOREIGN, &"fix\n".repeat(200 + at), &format!("fix: {at} for {name}"));
    }
    main.git(&["push", "-q", "--no-verify", "origin", name]).ok();
    main.git(&["switch", "-q", "main"]).ok();
}

fn base_ref(tree: &Worktree) -> String {
    let json = tree.lane(&["check", "--format", "json"]).json();
    assert_eq!(json["changes"][0]["base_ref"], json["base_ref"]);
    json["base_ref"].as_str().unwrap().to_owned()
}

fn move_main(scratch: &Scratch, path: &str, text: &str) {
    scratch.main().sneak(path, text, "feat: main moves on");
    scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
}

#[test]
fn a_fix_for_a_release_is_judged_by_what_it_adds_there() {
    let (scratch, tree) = Scratch::installed_with(&policy("merges: deny"));
    release(&scratch, "release/1.0", "main", 3);
    release(&scratch, "release/2.0", "main", 2);
    move_main(&scratch, "docs/m.md", "m\n");
    tree.git(&["switch", "-q", "-c", "feat/a2/fix", "origin/release/1.0"]).ok();
    assert_eq!(base_ref(&tree), "refs/remotes/origin/release/1.0", "nothing is committed yet");
    tree.commit(MINE, "fix\n", "fix: it").ok();
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
    tree.commit(MINE, "fix\nit\n", "fix: it well").ok();
    assert_eq!(base_ref(&tree), "refs/remotes/origin/release/1.0");
    tree.lane(&["check"]).ok().says("(check, a2, against origin/release/1.0)");
    // The release moves on, and another one goes on from it.
    tree.git(&["push", "-q", "--no-verify", "origin", "origin/release/1.0:refs/heads/release/1.1"]).ok();
    scratch.git(&["switch", "-q", "release/1.0"]).ok();
    scratch.main().sneak(FOREIGN, "later\n", "fix: later");
    scratch.git(&["push", "-q", "--no-verify", "origin", "release/1.0"]).ok();
    tree.git(&["fetch", "-q"]).ok();
    tree.commit(MINE, "fix\nit\nwell\n", "fix: it better").ok();
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
    tree.commit(FOREIGN, "x\n", "fix: what is a4's").fails(1).says("foreign-path");
    tree.git(&["reset", "-q", "--hard"]).ok();
    let long = "line\n".repeat(301);
    tree.commit(MINE, &long, "fix: a lot").fails(1).says("more than the 300 allowed");
}

#[test]
fn a_job_for_another_branch_says_where_the_change_belongs() {
    let (scratch, tree) = Scratch::installed_with(&policy("merges: deny"));
    release(&scratch, "release/1.0", "main", 2);
    move_main(&scratch, "main.txt", "main\n");
    tree.git(&["fetch", "-q"]).ok();
    tree.git(&["switch", "-q", "-c", "feat/a2/fix", "origin/release/1.0"]).ok();
    tree.commit("services/rag_pipeline/fix.py", "fix\n", "fix: it").ok();
    let job = ["ci", "--head", "HEAD", "--branch", "feat/a2/fix", "--title", "[A2] fix: it"];
    let ran = tree.lane(&[&job[..], &["--base", "main"]].concat()).fails(1);
    // The commits of the release are not the agent's to rewrite.
    let ran =
        ran.says("it was cut from release/1.0").does_not_say("git lane drop").does_not_say("git rebase");
    let told = told(&ran.all());
    assert!(told.iter().all(|command| command == "git lane ci --base release/1.0"), "{told:?}");
    sh(&tree, &format!("{} {}", told[0], job[1..].join(" ").replace("[A2] fix: it", "'[A2] fix: it'"))).ok();
}

#[test]
fn a_branch_of_main_stays_one_of_main() {
    let (scratch, tree) = Scratch::installed_with(&policy("merges: deny"));
    tree.commit(MINE, "x\n", "feat: x").ok();
    release(&scratch, "release/1.0", "main", 1);
    tree.commit(MINE, "x\ny\n", "feat: y").ok();
    assert_eq!(base_ref(&tree), "refs/remotes/origin/main");
    // One that landed on main by way of a release.
    scratch.git(&["merge", "-q", "--ff-only", "release/1.0"]).ok();
    scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    assert_eq!(base_ref(&tree), "refs/remotes/origin/main");
}

#[test]
fn a_branch_of_ones_own_is_no_release() {
    let (scratch, tree) = Scratch::installed_with(&policy("merges: deny"));
    tree.sneak(FOREIGN, "x\n", "[A2] feat: what is a4's");
    tree.git(&["branch", "release/9"]).ok();
    tree.commit(MINE, "x\n", "feat: x").fails(1).says("foreign-path");
    tree.git(&["push", "-q", "origin", "HEAD"]).fails(1).says("foreign-path");
    tree.git(&["push", "-q", "origin", "release/9"]).fails(1).says("protected-branch");
    assert_eq!(scratch.git(&["ls-remote", "origin", "release/9"]).out, "");
}

#[test]
fn without_a_remote_local_branches_count() {
    let scratch = Scratch::with_policy(&policy("merges: deny"));
    let main = scratch.main();
    main.git(&["switch", "-q", "-c", "release/1"]).ok();
    main.sneak(FOREIGN, "fix\n", "fix: release");
    main.git(&["switch", "-q", "main"]).ok();
    let tree = scratch.worktree("a2", "feat/a2/x");
    tree.lane(&["install", "--agent", "a2"]).ok();
    tree.git(&["switch", "-q", "-c", "feat/a2/fix", "release/1"]).ok();
    tree.commit(MINE, "fix\n", "fix: it").ok();
    assert_eq!(base_ref(&tree), "refs/heads/release/1");
}

#[test]
fn many_releases_are_told_apart() {
    let (scratch, tree) = Scratch::installed_with(&policy("merges: deny"));
    let mut text = String::new();
    let tip = scratch.git(&["rev-parse", "main"]).ok().out;
    for at in 0..200 {
        text.push_str(&format!(
            "commit refs/heads/release/{at}\ncommitter T <t@example.com> {} +0000\ndata 3\nfix\nfrom {}\
             M 100644 inline {FOREIGN}\ndata {}\n{at}\n\n",
            1_767_323_045 + at,
            tip,
            at.to_string().len() + 1
        ));
    }
    scratch.main().git_stdin(&["fast-import", "--quiet"], text.as_bytes()).ok();
    scratch.git(&["push", "-q", "--no-verify", "origin", "refs/heads/release/*:refs/heads/release/*"]).ok();
    tree.git(&["switch", "-q", "-c", "feat/a2/fix", "origin/release/117"]).ok();
    tree.commit(MINE, "fix\n", "fix: it").ok();
    tree.commit(MINE, "fix\nit\n", "fix: it").ok();
    assert_eq!(base_ref(&tree), "refs/remotes/origin/release/117");
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
}

#[test]
fn what_a_merge_brings_from_a_protected_branch_is_nobody_s_breach() {
    let (scratch, tree) = Scratch::installed_with(&policy("merges: allow"));
    tree.commit(MINE, "x\n", "feat: x").ok();
    release(&scratch, "release/1.0", "main", 2);
    // Both sides changed a file of a4's, in different places.
    let text = format!("top\n{}", "line\n".repeat(20));
    move_main(&scratch, "services/revenue/main.py", &text);
    let main = scratch.main();
    main.git(&["switch", "-q", "release/1.0"]).ok();
    main.sneak("services/revenue/main.py", &format!("{}end\n", "line\n".repeat(20)), "fix: end");
    main.git(&["push", "-q", "--no-verify", "origin", "release/1.0"]).ok();
    tree.git(&["merge", "-q", "--no-edit", "origin/main"]).ok();
    tree.git(&["merge", "-q", "--no-edit", "origin/release/1.0"]).ok();
    tree.commit(MINE, "x\ny\n", "feat: y").ok();
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
    let json = tree.lane(&["check", "--format", "json"]).ok().json();
    assert_eq!(json["base_ref"], "refs/remotes/origin/main");
    assert_eq!(json["stats"]["counted"], 2, "the release's lines do not count");

    // A merge that takes the release's side reverts what main has: that is a change of the merge's own.
    tree.git(&["switch", "-q", "-c", "feat/a2/back", "origin/main"]).ok();
    tree.commit(MINE, "back\n", "feat: back").ok();
    tree.git(&["merge", "-q", "--no-edit", "--no-verify", "-s", "ours", "origin/release/1.0"]).ok();
    tree.git(&["rm", "-q", "-r", "services/revenue"]).ok();
    tree.git(&["checkout", "-q", "origin/release/1.0", "--", "services/revenue"]).ok();
    tree.git(&["commit", "-q", "--amend", "--no-edit", "--no-verify"]).ok();
    tree.git(&["push", "-q", "origin", "HEAD"])
        .fails(1)
        .says("services/revenue/main.py")
        .does_not_say(FOREIGN);
}

#[test]
fn on_the_server_as_in_the_clone() {
    let server = Server::with(&policy("merges: deny"));
    let maintainer = server.clone("maintainer", "release/1");
    maintainer.sneak(FOREIGN, "fix\n", "fix: release");
    push(&maintainer, &["release/1"]).ok();
    let agent = server.clone("agent", "feat/a2/fix");
    agent.git(&["reset", "-q", "--hard", "origin/release/1"]).ok();
    agent.sneak(MINE, "fix\n", "[A2] fix: it");
    push(&agent, &["feat/a2/fix"]).ok();
    agent.sneak(FOREIGN, "mine\n", "[A2] fix: a4's");
    push(&agent, &["feat/a2/fix"]).fails(1).says("against origin/release/1").says("(commit ");
    agent.git(&["reset", "-q", "--hard", "HEAD~1"]).ok();
    // What an agent calls a release is none: it may not push one, not together with the branch either.
    agent.git(&["switch", "-q", "-c", "release/2"]).ok();
    agent.sneak(FOREIGN, "mine\n", "[A2] fix: a4's");
    agent.git(&["branch", "feat/a2/y"]).ok();
    push(&agent, &["release/2", "feat/a2/y"]).fails(1).says("protected-branch").says("foreign-path");
}

#[test]
fn what_the_host_merged_is_left_alone() {
    let (scratch, tree) = Scratch::installed_with(&policy("merges: allow"));
    tree.commit(MINE, "x\n", "feat: x").ok();
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
    move_main(&scratch, FOREIGN, &"main\n".repeat(400));
    let host = scratch.home().join("host");
    let url = scratch.home().join("origin.git");
    let args = ["clone", "-q", "-b", "feat/a2/x", url.to_str().unwrap(), host.to_str().unwrap()];
    scratch.run(&scratch.home(), "git", &args).ok();
    let host = Worktree { root: host, home: scratch.home() };
    host.git(&["merge", "-q", "--no-ff", "-m", "Update it from main", "origin/main"]).ok();
    host.sneak(MINE, "x\nsuggested\n", "Apply suggestion from review");
    host.git(&["push", "-q", "origin", "HEAD"]).ok();
    tree.git(&["pull", "-q", "--ff-only", "origin", "feat/a2/x"]).ok();
    tree.commit(MINE, "x\ny\n", "feat: y").ok();
    tree.lane(&["check"]).ok();
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
    // Its files are judged all the same, and a job judges all of it but what a host writes for a merge.
    host.git(&["pull", "-q"]).ok();
    host.sneak("services/event_bus/a.py", "x\n", "Whatever");
    host.git(&["push", "-q", "origin", "HEAD"]).ok();
    tree.git(&["pull", "-q", "--ff-only", "origin", "feat/a2/x"]).ok();
    tree.commit(MINE, "x\nz\n", "feat: z").fails(1).says("foreign-path").does_not_say("untagged");
    let job = ["ci", "--base", "main", "--head", "HEAD", "--branch", "feat/a2/x", "--title", "[A2] x"];
    tree.lane(&job).fails(1).says("Apply suggestion from review").says("Update it from main");
}

fn at(tree: &Worktree, date: &str, path: &str, message: &str) -> Ran {
    tree.write(path, message);
    tree.git(&["add", path]).ok();
    let mut command = tree.command("git");
    let ran = command.args(["commit", "-q", "-m", message]).env("GIT_COMMITTER_DATE", date);
    ran.output().unwrap().into()
}

#[test]
fn a_base_that_only_now_moved_on_is_not_stale() {
    let (scratch, tree) = Scratch::installed_with(POLICY);
    tree.commit(MINE, "x\n", "feat: x").ok().does_not_say("stale-base");
    // The last common commit is years old; that main moved on is not.
    let now = jiff_now();
    at(&scratch.main(), &format!("{} +0000", now - 60), "docs/m.md", "feat: a minute ago").ok();
    scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    tree.commit(MINE, "y\n", "feat: y").ok().does_not_say("stale-base");
    at(&scratch.main(), &format!("{} +0000", now - 50), "docs/m.md", "feat: and again").ok();
    scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    tree.git(&["push", "-q", "origin", "HEAD"]).ok().does_not_say("stale-base");
    // A clock that was set back says nothing.
    at(&scratch.main(), "2001-01-01T00:00:00Z", "docs/m.md", "feat: a clock").ok();
    scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    tree.lane(&["check"]).ok().does_not_say("stale-base");
    tree.lane(&["sync"]).ok();
    tree.lane(&["check"]).ok().does_not_say("stale-base");
    // It did move on this long ago.
    at(&scratch.main(), &format!("{} +0000", now - 50_000), "docs/m.md", "feat: this morning").ok();
    at(&scratch.main(), &format!("{} +0000", now - 40), "docs/m.md", "feat: just now").ok();
    scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    tree.lane(&["check"])
        .ok()
        .says("warning[stale-base]: `origin/main` got new commits more than 3h")
        .says("git lane sync");
    tree.lane(&["sync"]).ok();
    tree.lane(&["check"]).ok().does_not_say("stale-base");
}

fn jiff_now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

fn lines(count: usize) -> String {
    "line\n".repeat(count)
}

/// The commands that a refusal names, in order.
fn commands(ran: &Ran) -> Vec<Vec<String>> {
    let text = ran.all();
    let named = text.lines().filter_map(|line| line.trim().trim_start_matches("help: ").strip_prefix("git "));
    named
        .filter(|command| !command.starts_with("lane "))
        .map(|command| command.split_whitespace().map(str::to_owned).collect())
        .collect()
}

fn run_all(tree: &Worktree, commands: &[Vec<String>]) {
    for command in commands {
        tree.git(&command.iter().map(String::as_str).collect::<Vec<_>>()).ok();
    }
}

#[test]
fn a_stack_is_built_by_what_a_refused_commit_says() {
    let (_scratch, tree) = Scratch::installed_with(&policy("merges: deny"));
    tree.commit("services/rag_pipeline/a.py", &lines(200), "feat: a").ok();
    let ran = tree.commit("services/rag_pipeline/b.py", &lines(200), "feat: b").fails(1);
    let said = commands(&ran.says("has 400 lines"));
    assert_eq!(said, [vec!["push", "origin", "HEAD"], vec!["switch", "-c", "feat/a2/x-2"]]);
    run_all(&tree, &said);
    tree.git(&["commit", "-q", "-m", "feat: b"]).ok().does_not_say("oversized");
    let json = tree.lane(&["check", "--format", "json"]).ok().json();
    assert_eq!(
        (&json["stats"]["counted"], &json["stats"]["counted_from"]),
        (&200.into(), &"refs/remotes/origin/feat/a2/x".into())
    );
    tree.git(&["push", "-q", "origin", "HEAD"]).ok().does_not_say("oversized");
    let job = ["ci", "--base", "main", "--head", "HEAD", "--branch", "feat/a2/x-2", "--title", "[A2] x"];
    tree.lane(&job).ok();
    // The upper one has its own limit, and all other rules see all of it.
    tree.commit("services/rag_pipeline/c.py", &lines(101), "feat: c")
        .fails(1)
        .says("counted from origin/feat/a2/x");
}

#[test]
fn a_refused_push_says_how_to_split_it() {
    let (_scratch, tree) = Scratch::installed_with(&policy("merges: deny"));
    for name in ["a", "b", "c", "d"] {
        tree.sneak(&format!("services/rag_pipeline/{name}.py"), &lines(140), &format!("[A2] feat: {name}"));
    }
    let ran = tree.git(&["push", "-q", "origin", "HEAD"]).fails(1);
    let said = commands(&ran);
    assert_eq!(said.len(), 1);
    run_all(&tree, &said);
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
    assert_eq!(
        tree.git(&["rev-parse", "origin/feat/a2/x-2"]).ok().out,
        tree.git(&["rev-parse", "HEAD~2"]).ok().out
    );
}

#[test]
fn nothing_large_hides_below_a_stack() {
    let server = Server::with(&policy("merges: deny"));
    let agent = server.clone("agent", "feat/a2/low");
    agent.sneak("services/rag_pipeline/a.py", &lines(200), "[A2] feat: a");
    agent.git(&["switch", "-q", "-c", "feat/a2/high"]).ok();
    agent.sneak("services/rag_pipeline/b.py", &lines(200), "[A2] feat: b");
    push(&agent, &["feat/a2/high"]).fails(1).says("has 400 lines");
    // In one push, each of them is judged.
    push(&agent, &["feat/a2/low", "feat/a2/high"]).ok();
    agent.git(&["switch", "-q", "-c", "feat/a1/other"]).ok();
    agent.sneak("services/rag_pipeline/c.py", &lines(200), "[A2] feat: c");
    push(&agent, &["HEAD:refs/heads/feat/a2/top"]).ok();
    agent.sneak("services/rag_pipeline/d.py", &lines(400), "[A2] feat: d");
    push(&agent, &["HEAD:refs/heads/feat/a2/huge"]).fails(1);
    push(&agent, &["HEAD:refs/heads/feat/a2/huge", "HEAD:refs/heads/feat/a2/huge2"])
        .fails(1)
        .says("oversized");
    // One that came past the hook is no floor to stand on.
    agent.git(&["fetch", "-q"]).ok();
    agent.git(&["update-ref", "refs/remotes/origin/feat/a2/huge", "HEAD"]).ok();
    agent.git(&["switch", "-q", "-c", "feat/a2/last"]).ok();
    agent.sneak("services/rag_pipeline/e.py", &lines(10), "[A2] feat: e");
    agent.lane(&["check", "--agent", "a2"]).fails(1).says("oversized").says("has 410 lines");
}

/// Two branches of a2, the lower one pushed: `feat/a2/x` of two commits, `feat/a2/up` of one above it.
fn stacked() -> (Scratch, Worktree) {
    let (scratch, tree) = Scratch::installed_with(&policy("merges: deny"));
    tree.commit(MINE, "a\n", "feat: a").ok();
    tree.commit(MINE, "a\nb\n", "feat: b").ok();
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
    tree.git(&["switch", "-q", "-c", "feat/a2/up"]).ok();
    tree.commit("services/rag_pipeline/up.py", &lines(250), "feat: up").ok();
    (scratch, tree)
}

fn subjects(tree: &Worktree) -> String {
    tree.git(&["log", "--format=%s", "origin/main.."]).ok().out
}

#[test]
fn a_sync_leaves_out_what_was_squashed() {
    for later in [false, true] {
        let (scratch, tree) = stacked();
        scratch.git(&["merge", "-q", "--squash", "feat/a2/x"]).ok();
        scratch.git(&["commit", "-q", "--no-verify", "-m", "feat: a and b (#1)"]).ok();
        if later {
            // The same lines are changed once more.
            scratch.main().sneak(MINE, "A\nb\n", "feat: a in capitals");
        }
        scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
        tree.lane(&["sync"]).ok().says("skipping 2 commits that already landed");
        assert_eq!(subjects(&tree), "[A2] feat: up\n");
        tree.git(&["push", "-q", "origin", "HEAD"]).ok();
    }
}

#[test]
fn a_sync_keeps_a_stack_together() {
    let (scratch, tree) = stacked();
    move_main(&scratch, "docs/m.md", "m\n");
    // Where the lower one is checked out, it is not moved from elsewhere.
    let other = scratch.home().join("lower");
    scratch.git(&["worktree", "add", "-q", other.to_str().unwrap(), "feat/a2/x"]).ok();
    let before = tree.head();
    tree.lane(&["sync"]).ok().says("`feat/a2/up` stays on `feat/a2/x`, which has not landed");
    assert_eq!(tree.head(), before);
    // The lower one is rebased, then the upper one on it.
    let lower = Worktree { root: other, home: scratch.home() };
    lower.lane(&["sync", "--push"]).ok();
    tree.lane(&["sync"]).ok().says("rebased `feat/a2/up` on origin/feat/a2/x");
    assert_eq!(subjects(&tree), "[A2] feat: up\n[A2] feat: b\n[A2] feat: a\n");
    assert_eq!(
        tree.git(&["rev-parse", "HEAD~1"]).ok().out,
        tree.git(&["rev-parse", "origin/feat/a2/x"]).ok().out
    );
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
    tree.lane(&["sync"]).ok().says("is already up to date with origin/main");
}

#[test]
fn a_sync_rebases_on_the_release_and_fetches_it_all() {
    let (scratch, tree) = Scratch::installed_with(&policy("merges: deny"));
    release(&scratch, "release/1.0", "main", 1);
    move_main(&scratch, "docs/m.md", "m\n");
    tree.git(&["switch", "-q", "-c", "feat/a2/fix", "origin/release/1.0"]).ok();
    tree.commit(MINE, "fix\n", "fix: it").ok();
    scratch.git(&["switch", "-q", "release/1.0"]).ok();
    scratch.main().sneak("docs/r.md", "r\n", "docs: r");
    scratch.git(&["push", "-q", "--no-verify", "origin", "release/1.0"]).ok();
    tree.lane(&["sync"]).ok().says("rebased `feat/a2/fix` on origin/release/1.0");
    assert_eq!(
        tree.git(&["log", "--format=%s", "-3"]).ok().out,
        "[A2] fix: it\ndocs: r\nfix: 0 for release/1.0\n"
    );
    tree.git(&["push", "-q", "origin", "HEAD"]).ok();
    // A clone of this branch alone.
    let ci = scratch.home().join("single");
    let url = format!("file://{}", scratch.home().join("origin.git").display());
    let args = ["clone", "-q", "--single-branch", "-b", "main", &url, ci.to_str().unwrap()];
    scratch.run(&scratch.home(), "git", &args).ok();
    let single = Worktree { root: ci, home: scratch.home() };
    single.git(&["switch", "-q", "-c", "feat/a2/y"]).ok();
    single
        .git(&["config", "remote.origin.fetch", "+refs/heads/feat/a2/fix:refs/remotes/origin/feat/a2/fix"])
        .ok();
    single.commit(MINE, "y\n", "[A2] feat: y").ok();
    scratch.git(&["switch", "-q", "main"]).ok();
    move_main(&scratch, "docs/n.md", "n\n");
    single.lane(&["sync"]).ok().says("rebased `feat/a2/y` on origin/main, 1 new commit");
}

#[test]
fn a_release_that_takes_the_base_in_is_held_against_the_base() {
    let (scratch, tree) = Scratch::installed_with(&policy("merges: allow"));
    release(&scratch, "release/1.0", "main", 1);
    move_main(&scratch, "services/revenue/main.py", "main goes on\n");
    tree.git(&["switch", "-q", "-c", "feat/a2/fix", "origin/release/1.0"]).ok();
    tree.commit(MINE, "x\n", "feat: x").ok();
    tree.git(&["merge", "-q", "--no-edit", "--no-verify", "-s", "ours", "origin/main"]).ok();
    let ran = tree.git(&["push", "-q", "origin", "HEAD"]).fails(1);
    ran.says("foreign-path").says("services/revenue/main.py");
}
