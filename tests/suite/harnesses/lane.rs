//! git-lane's own hooks in the real clients: an edit in the own lane happens; one in a foreign lane, a command that skips the hooks
//! and a commit that is not its own do not, and the model reads why.

use serde_json::json;

use super::client::Client;
use super::codex::patch;
use super::contract::read;
use super::model::Turn;
use crate::support::{Scratch, Worktree};

/// A worktree of a2 with git-lane in git's hooks and in the harness's.
fn installed(harness: &str) -> (Scratch, Worktree) {
    let (scratch, a2) = Scratch::installed();
    a2.write("services/rag_pipeline/own.txt", "one\ntwo\n");
    a2.write("services/revenue/foreign.txt", "one\ntwo\n");
    a2.lane(&["install", "--harness", harness]).ok();
    (scratch, a2)
}

fn keeps_to_its_lane(client: Option<Client>, id: &str) {
    let Some(client) = client else { return };
    let (_scratch, a2) = installed(id);
    let harness = client.harness;
    let mut turns = harness.edit(&a2.root, "services/rag_pipeline/own.txt", "two", "TWO");
    turns.extend(harness.edit(&a2.root, "services/revenue/foreign.txt", "two", "TWO"));
    let foreign = turns.len() - 1;
    turns.push(harness.create(&a2.root, "services/revenue/new.txt", "new\n"));
    turns.push(harness.shell("git commit --no-verify --allow-empty -m x"));
    turns.push(harness.shell("echo ran >services/rag_pipeline/shell.txt"));
    turns.push(Turn::say("done"));
    let head = a2.head();
    let session = client.run(&a2, turns);
    let all = session.ran.all();
    assert_eq!(read(&a2, "services/rag_pipeline/own.txt"), "one\nTWO\n", "{all}");
    assert_eq!(read(&a2, "services/rag_pipeline/shell.txt"), "ran\n", "{all}");
    assert_eq!(read(&a2, "services/revenue/foreign.txt"), "one\ntwo\n", "{all}");
    assert!(!a2.root.join("services/revenue/new.txt").exists(), "{all}");
    assert_eq!(a2.head(), head, "{all}");
    for (turn, words) in [
        (foreign, "git lane request submit"),
        (foreign + 1, "in the lane of a4"),
        (foreign + 2, "skips the hooks"),
    ] {
        let told = session.after(turn);
        assert!(told.contains(words), "no `{words}` after turn {turn}: {told}");
    }
    let start = session.start();
    assert!(start.contains("you are a2"), "{start}");
}

#[test]
fn claude() {
    keeps_to_its_lane(Client::claude(), "claude");
}

#[test]
fn codex() {
    keeps_to_its_lane(Client::codex(), "codex");
}

#[test]
fn gemini() {
    keeps_to_its_lane(Client::gemini(), "gemini");
}

#[test]
fn copilot() {
    keeps_to_its_lane(Client::copilot(), "copilot");
}

#[test]
fn opencode() {
    keeps_to_its_lane(Client::opencode(), "opencode");
}

/// One file of a patch is foreign: none of it happens.
#[test]
fn a_patch_of_codex_is_taken_whole_or_not_at_all() {
    let Some(client) = Client::codex() else { return };
    let (_scratch, a2) = installed("codex");
    let both =
        patch("*** Add File: services/rag_pipeline/a.txt\n+a\n*** Add File: services/revenue/b.txt\n+b\n");
    let session = client.run(&a2, vec![both, Turn::say("done")]);
    assert!(session.after(0).contains("foreign-path"), "{}", session.after(0));
    assert!(!a2.root.join("services/rag_pipeline/a.txt").exists());
}

/// Findings in the working tree send the agent back once.
#[test]
fn a_stop_of_claude_is_checked_once() {
    let Some(client) = Client::claude() else { return };
    let (_scratch, a2) = installed("claude");
    let session = client.run(&a2, vec![Turn::say("done"), Turn::say("done again"), Turn::say("and again")]);
    assert_eq!(session.turns(), 2, "{}", session.ran.all());
    assert!(session.after(0).contains("Before you say that you are done"), "{}", session.after(0));
}

/// The turns that write two files, of which the second is another agent's, by paths from wherever the session is.
fn two_files() -> Vec<Turn> {
    let write = |path: &str| Turn::call("Write", json!({"file_path": path, "content": "new\n"}));
    vec![write("services/rag_pipeline/new.txt"), write("services/revenue/new.txt"), Turn::say("done")]
}

/// `-w` starts in the first lane that is free, `-w AGENT` in that agent's, and nowhere where none is.
#[test]
fn a_worktree_of_claude_is_a_lane() {
    let Some(client) = Client::claude() else { return };
    let scratch = Scratch::new();
    scratch.add_origin();
    let main = scratch.main();
    main.lane(&["install", "--harness", "claude"]).ok();
    main.lane(&["setup", "a1"]).ok();
    let session = client.arg("-w").arg("feature").run(&main, two_files());
    let lane = scratch.home().join("wt-a2-genai");
    assert!(lane.join("services/rag_pipeline/new.txt").exists(), "{}", session.ran.all());
    assert!(!lane.join("services/revenue/new.txt").exists(), "{}", session.ran.all());
    assert!(session.start().contains("you are a2"), "{}", session.start());
    assert!(session.after(1).contains("in the lane of a4"), "{}", session.after(1));

    let session = Client::claude().unwrap().arg("-w").arg("a2").run(&main, vec![Turn::say("done")]);
    assert!(session.start().contains("you are a2"), "{}", session.start());

    main.lane(&["setup"]).ok();
    let session = Client::claude().unwrap().arg("-w").arg("one-more").run(&main, vec![Turn::say("done")]);
    assert_eq!(session.turns(), 0, "{}", session.ran.all());
    session.ran.says("no lane is free").says("git lane teardown a1");
    assert!(lane.join("services/rag_pipeline/new.txt").exists(), "nothing of it is lost");
}

/// A subagent that is to be alone works in one more worktree of its agent's lane.
#[test]
fn an_isolated_subagent_of_claude_keeps_to_its_agents_lane() {
    let Some(client) = Client::claude() else { return };
    let (scratch, a2) = installed("claude");
    scratch.main().lane(&["install", "--harness", "claude"]).ok();
    let input = json!({
        "description": "a subagent", "prompt": "write it alone", "subagent_type": "general-purpose",
        "isolation": "worktree",
    });
    let session = client
        .subagent("write it alone", two_files())
        .run(&a2, vec![Turn::call("Agent", input), Turn::say("done"), Turn::say("done")]);
    let trees: Vec<_> = std::fs::read_dir(scratch.root().join(".claude/worktrees"))
        .unwrap_or_else(|_| panic!("{}", session.ran.all()))
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(trees.len(), 1, "{trees:?}");
    assert!(trees[0].join("services/rag_pipeline/new.txt").exists(), "{}", session.ran.all());
    assert!(!trees[0].join("services/revenue/new.txt").exists(), "{}", session.ran.all());
    assert!(!a2.root.join("services/rag_pipeline/new.txt").exists());
    let alone = Worktree { root: trees[0].clone(), home: scratch.home() };
    assert!(alone.git(&["branch", "--show-current"]).ok().out.starts_with("feat/a2/"));
    assert_eq!(
        a2.git(&["status", "--porcelain", "--", "services/revenue"]).ok().out,
        "?? services/revenue/foreign.txt\n"
    );
}

/// A warning lets the edit through, and the model reads it.
#[test]
fn what_an_agent_should_know_of_its_edit_reaches_the_model() {
    for client in [Client::claude, Client::codex, Client::gemini, Client::copilot, Client::opencode] {
        let Some(client) = client() else { continue };
        let name = client.harness.name();
        let (_scratch, a2) = installed(name);
        let mut turns = client.harness.edit(&a2.root, "requirements.txt", "fastapi", "flask");
        let edit = turns.len() - 1;
        turns.push(Turn::say("done"));
        let session = client.run(&a2, turns);
        assert_eq!(read(&a2, "requirements.txt"), "flask\n", "{name}: {}", session.ran.all());
        let told = session.after(edit);
        assert!(told.contains("Coordinated-with"), "{name}: {told}");
    }
}

/// What `git lane setup` writes for Claude Code is read by it.
#[test]
fn claude_reads_its_instructions() {
    let Some(client) = Client::claude() else { return };
    let policy = crate::support::POLICY.replace("max_age: 3h", "max_age: null");
    let scratch = Scratch::with_policy(&format!("harness: [claude]\n{policy}"));
    scratch.add_origin();
    scratch.main().lane(&["setup", "a1"]).ok();
    let a1 = Worktree { root: scratch.home().join("wt-a1-mlops"), home: scratch.home() };
    let session = client.run(&a1, vec![Turn::say("done")]);
    let start = session.start();
    assert!(start.contains("Written by `git lane setup` from the policy"), "{start}");
    assert!(start.contains("git-lane: you are a1"), "{start}");
}
