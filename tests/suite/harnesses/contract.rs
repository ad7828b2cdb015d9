//! What each client does with a hook's answer. The hooks here are small scripts: what fails in these tests is the client,
//! or what we know of it.

use serde_json::json;

use super::claude::{edit_notebook, write};
use super::client::{Client, Harness, Moment};
use super::codex::patch;
use super::model::Turn;
use crate::support::{Scratch, Worktree};

pub const REASON: &str = "a.txt is not yours: ask a1";

pub const NOTEBOOK: &str = r#"{"cells":[{"cell_type":"code","id":"c1","metadata":{},"source":["x"],"outputs":[],"execution_count":null}],"metadata":{},"nbformat":4,"nbformat_minor":5}
"#;

/// A repository with two files and a notebook.
pub fn repository() -> Scratch {
    let scratch = Scratch::empty();
    scratch.write("a.txt", "one\ntwo\n");
    scratch.write("b.txt", "b\n");
    scratch.write("n.ipynb", NOTEBOOK);
    scratch.git(&["add", "-A"]).ok();
    scratch.git(&["commit", "-q", "-m", "first"]).ok();
    scratch
}

/// A script as a hook's command.
pub fn script(scratch: &Scratch, name: &str, text: &str) -> String {
    let path = scratch.home().join(name);
    std::fs::write(&path, text).unwrap();
    format!("sh {}", path.display())
}

/// Refuses all: the reason on standard error and as the client's own JSON, exit code 2.
pub fn refusal(scratch: &Scratch, harness: &dyn Harness) -> String {
    let json = harness.deny(REASON);
    script(scratch, "refuse.sh", &format!("cat >/dev/null\necho '{REASON}' >&2\necho '{json}'\nexit 2\n"))
}

pub fn read(at: &Worktree, path: &str) -> String {
    std::fs::read_to_string(at.root.join(path)).unwrap_or_default()
}

/// An edit, a new file and a command, and which turn is which.
pub fn changes(harness: &dyn Harness, at: &Worktree) -> (Vec<Turn>, [usize; 3]) {
    let mut turns = harness.edit(&at.root, "a.txt", "two", "TWO");
    let edit = turns.len() - 1;
    turns.push(harness.create(&at.root, "c.txt", "new\n"));
    turns.push(harness.shell("echo ran >shell.txt"));
    turns.push(Turn::say("done"));
    (turns, [edit, edit + 1, edit + 2])
}

fn all_happens(client: Option<Client>) {
    let Some(client) = client else { return };
    let (scratch, harness) = (repository(), client.harness);
    let at = scratch.main();
    let session = client.run(&at, changes(harness, &at).0);
    assert_eq!(session.ran.code, 0, "{}", session.ran.all());
    assert_eq!(read(&at, "a.txt"), "one\nTWO\n", "{}", session.ran.all());
    assert_eq!(read(&at, "c.txt"), "new\n", "{}", session.ran.all());
    assert_eq!(read(&at, "shell.txt"), "ran\n", "{}", session.ran.all());
}

fn nothing_happens_and_the_model_reads_why(client: Option<Client>) {
    let Some(client) = client else { return };
    let (scratch, harness) = (repository(), client.harness);
    let at = scratch.main();
    let (turns, which) = changes(harness, &at);
    let session = client.at(Moment::BeforeTool, &refusal(&scratch, harness)).run(&at, turns);
    assert_eq!(read(&at, "a.txt"), "one\ntwo\n", "{}", session.ran.all());
    assert!(!at.root.join("c.txt").exists(), "{}", session.ran.all());
    assert!(!at.root.join("shell.txt").exists(), "{}", session.ran.all());
    for turn in which {
        // Copilot without a matcher refuses the reading too.
        let told = session.after(turn);
        assert!(told.contains(REASON), "turn {turn}: {told}");
    }
}

fn a_silent_pass_is_a_pass(client: Option<Client>) {
    let Some(client) = client else { return };
    let (scratch, harness) = (repository(), client.harness);
    let at = scratch.main();
    let pass = script(&scratch, "pass.sh", "cat >/dev/null\n");
    let session = client.at(Moment::BeforeTool, &pass).run(&at, changes(harness, &at).0);
    assert_eq!(read(&at, "a.txt"), "one\nTWO\n", "{}", session.ran.all());
    assert_eq!(read(&at, "c.txt"), "new\n", "{}", session.ran.all());
    assert_eq!(read(&at, "shell.txt"), "ran\n", "{}", session.ran.all());
}

macro_rules! each {
    ($($client:ident)+) => {$(
        mod $client {
            use super::super::client::Client;

            #[test]
            fn all_happens_without_a_hook() {
                super::all_happens(Client::$client());
            }

            #[test]
            fn a_silent_pass_is_a_pass() {
                super::a_silent_pass_is_a_pass(Client::$client());
            }

            #[test]
            fn a_refusal_stops_and_is_read() {
                super::nothing_happens_and_the_model_reads_why(Client::$client());
            }
        }
    )+};
}

each!(claude codex gemini copilot opencode);

/// Whatever ends in another way than with 0 or 2 has failed: so far nobody but Copilot takes that for a refusal.
#[test]
fn a_hook_that_fails_does_not_stop() {
    let ends = ["exit 1", "kill -SEGV $$"];
    let clients = [Client::claude, Client::codex, Client::gemini];
    for (client, end) in clients.iter().flat_map(|client| ends.map(|end| (client(), end))) {
        let Some(client) = client else { continue };
        let (scratch, harness) = (repository(), client.harness);
        let at = scratch.main();
        let fail = script(&scratch, "fail.sh", &format!("cat >/dev/null\necho no >&2\n{end}\n"));
        let session = client.at(Moment::BeforeTool, &fail).run(&at, changes(harness, &at).0);
        assert_eq!(read(&at, "a.txt"), "one\nTWO\n", "{}: {}", harness.name(), session.ran.all());
    }
}

#[test]
fn codex_applies_no_part_of_a_refused_patch() {
    let Some(client) = Client::codex() else { return };
    let both = || patch("*** Update File: a.txt\n@@\n-two\n+TWO\n*** Update File: b.txt\n@@\n-b\n+B\n");
    let scratch = repository();
    let at = scratch.main();
    let session = Client::codex().unwrap().run(&at, vec![both(), Turn::say("done")]);
    assert_eq!(
        (read(&at, "a.txt"), read(&at, "b.txt")),
        ("one\nTWO\n".into(), "B\n".into()),
        "{}",
        session.ran.all()
    );

    let scratch = repository();
    let at = scratch.main();
    // The hook looks for the one file that is another's.
    let json = client.harness.deny(REASON);
    let text = format!("grep -q 'File: b.txt' || exit 0\necho '{REASON}' >&2\necho '{json}'\nexit 2\n");
    let hook = script(&scratch, "refuse.sh", &text);
    let session = client.hook("PreToolUse", "apply_patch", &hook).run(&at, vec![both(), Turn::say("done")]);
    assert_eq!((read(&at, "a.txt"), read(&at, "b.txt")), ("one\ntwo\n".into(), "b\n".into()));
    assert!(session.after(0).contains(REASON), "{}", session.after(0));
}

#[test]
fn claude_asks_before_it_edits_a_notebook() {
    for refused in [false, true] {
        let Some(mut client) = Client::claude() else { return };
        let scratch = repository();
        let at = scratch.main();
        let mut turns = edit_notebook(&at.root.join("n.ipynb"), "c1", "y");
        turns.push(Turn::say("done"));
        if refused {
            let hook = refusal(&scratch, client.harness);
            client = client.hook("PreToolUse", "NotebookEdit", &hook);
        }
        let session = client.run(&at, turns);
        assert_eq!(read(&at, "n.ipynb") == NOTEBOOK, refused, "{}", session.ran.all());
        assert_eq!(session.after(2).contains(REASON), refused, "{}", session.after(2));
    }
}

#[test]
fn what_a_hook_says_at_the_start_reaches_the_model() {
    const LANE: &str = "You are a1. Your lane is services/orchestrator.";
    let json = json!({"hookSpecificOutput": {"hookEventName": "SessionStart", "additionalContext": LANE}});
    let json = json.to_string();
    for (client, said) in [
        (Client::claude(), LANE),
        (Client::claude(), &json),
        (Client::codex(), LANE),
        (Client::codex(), &json),
        (Client::gemini(), &json),
        (Client::copilot(), &json!({"additionalContext": LANE}).to_string()),
        (Client::opencode(), LANE),
    ] {
        let Some(client) = client else { continue };
        let (scratch, name) = (repository(), client.harness.name());
        let hook = script(&scratch, "start.sh", &format!("cat >/dev/null\necho '{said}'\n"));
        let session = client.at(Moment::SessionStart, &hook).run(&scratch.main(), vec![Turn::say("done")]);
        assert!(session.start().contains(LANE), "{name}, {said}: {}", session.start());
    }
}

#[test]
fn a_hook_can_ask_for_more_before_the_end() {
    const MORE: &str = "b.txt is changed but not yours";
    let refuse = format!("echo '{MORE}' >&2\nexit 2\n");
    // Copilot takes exit 2 for a hook that failed.
    let block = format!("echo '{}'\n", json!({"decision": "block", "reason": MORE}));
    for (client, answer) in [
        (Client::claude(), &refuse),
        (Client::codex(), &refuse),
        (Client::gemini(), &refuse),
        (Client::copilot(), &block),
    ] {
        let Some(client) = client else { continue };
        let (scratch, name) = (repository(), client.harness.name());
        let hook =
            script(&scratch, "stop.sh", &format!("grep -q '\"stop_hook_active\":true' && exit 0\n{answer}"));
        let turns = vec![Turn::say("first"), Turn::say("second")];
        let session = client.at(Moment::Stop, &hook).run(&scratch.main(), turns);
        assert!(session.after(0).contains(MORE), "{name}: {}", session.after(0));
        assert_eq!(session.turns(), 2, "{name}");
    }
}

#[test]
fn claude_can_be_told_that_a_failed_hook_stops() {
    let Some(client) = Client::claude() else { return };
    let (scratch, harness) = (repository(), client.harness);
    let at = scratch.main();
    let fail = script(&scratch, "fail.sh", "cat >/dev/null\necho 'no policy' >&2\nexit 1\n");
    let entry = json!({"type": "command", "command": fail, "onFailure": "block"});
    let hooks = json!({"PreToolUse": [{"matcher": harness.matcher(), "hooks": [entry]}]});
    write(&at.root.join(harness.hooks_of_checkout()), &json!({"hooks": hooks}));
    let (turns, [edit, ..]) = changes(harness, &at);
    let session = client.run(&at, turns);
    assert!(session.after(edit).contains("no policy"), "{}", session.after(edit));
    assert_eq!(read(&at, "a.txt"), "one\ntwo\n");
}

/// Where a hook lets a tool run, what it adds reaches the model in these.
#[test]
fn what_a_hook_adds_to_a_tool_reaches_the_model() {
    const MORE: &str = "the change has 290 of 300 lines";
    let of = |event: &str| {
        json!({"hookSpecificOutput": {"hookEventName": event, "additionalContext": MORE}}).to_string()
    };
    for (client, event, said, reaches) in [
        (Client::claude(), "PreToolUse", of("PreToolUse"), true),
        (Client::codex(), "PreToolUse", of("PreToolUse"), true),
        (Client::copilot(), "preToolUse", json!({"additionalContext": MORE}).to_string(), true),
        (Client::gemini(), "BeforeTool", of("BeforeTool"), false),
        (Client::gemini(), "AfterTool", of("AfterTool"), true),
    ] {
        let Some(client) = client else { continue };
        let (scratch, harness) = (repository(), client.harness);
        let at = scratch.main();
        let hook = script(&scratch, "more.sh", &format!("cat >/dev/null\necho '{said}'\n"));
        let (turns, [edit, ..]) = changes(harness, &at);
        let session = client.hook(event, harness.matcher(), &hook).run(&at, turns);
        let all = session.ran.all();
        assert_eq!(session.after(edit).contains(MORE), reaches, "{} {event}: {all}", harness.name());
        assert_eq!(read(&at, "a.txt"), "one\nTWO\n", "{} {event}: {all}", harness.name());
    }
}
