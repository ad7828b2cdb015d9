//! What clients hand to their hooks now, held against `tests/fixtures/harness`. `LANE_TEST_RECORD=1` writes there what
//! came instead.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::claude::edit_notebook;
use super::client::{Client, Moment};
use super::codex::patch;
use super::contract::{repository, script};
use super::model::Turn;
use crate::support::Scratch;

/// Names whose values are new in each session.
const PASSING: [&str; 19] = [
    "tool_use_id",
    "callID",
    "session_id",
    "sessionId",
    "sessionID",
    "prompt_id",
    "turn_id",
    "transcript_path",
    "transcriptPath",
    "agent_transcript_path",
    "timestamp",
    "duration_ms",
    "id",
    "agent_id",
    "background_tasks",
    "slug",
    "title",
    "projectID",
    "time",
];

/// Records what each hook reads on standard input; `block` is what it does when the model is done for the first time.
fn recorder(scratch: &Scratch, block: &str) -> (String, PathBuf) {
    let folder = scratch.home().join("payloads");
    std::fs::create_dir(&folder).unwrap();
    let text = format!(
        "file={}/$(date +%s%N)-$$.json\ncat >$file\ngrep -q '\"stop_hook_active\":false' $file || exit 0\n{block}\n",
        folder.display()
    );
    (script(scratch, "record.sh", &text), folder)
}

fn payloads(folder: &Path, scratch: &Scratch) -> Vec<Value> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let home = scratch.home();
    let text = |path: &PathBuf| {
        std::fs::read_to_string(path).unwrap().replace(home.to_str().unwrap(), "/home/agent")
    };
    files.iter().map(|path| serde_json::from_str(&text(path)).unwrap()).collect()
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/harness")
}

/// Holds payloads against the fixtures of their names; those of `wanted` have to be among them.
fn hold(found: Vec<(String, Value)>, wanted: &[String]) {
    let found: BTreeMap<String, Value> = found.into_iter().collect();
    let mut wrong = Vec::new();
    for (name, payload) in &found {
        let path = fixtures().join(format!("{name}.json"));
        let fixture: Value =
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap_or_default()).unwrap_or_default();
        let settled = settle(payload, &fixture);
        if std::env::var_os("LANE_TEST_RECORD").is_some() {
            std::fs::write(&path, format!("{settled}\n")).unwrap();
        } else if settled != fixture {
            wrong.push(format!("{name}: was\n{fixture}\nis now\n{settled}\n"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let missing: Vec<_> = wanted.iter().filter(|name| !found.contains_key(*name)).collect();
    assert!(missing.is_empty(), "no {missing:?} among {:?}", found.keys());
}

/// The payload with what passes taken from the fixture.
fn settle(payload: &Value, fixture: &Value) -> Value {
    match payload {
        Value::Object(entries) => entries
            .iter()
            .map(|(name, value)| {
                let known = &fixture[name];
                let value = match known {
                    Value::Null => value.clone(),
                    known if PASSING.contains(&name.as_str()) => known.clone(),
                    known => settle(value, known),
                };
                (name.clone(), value)
            })
            .collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(at, item)| settle(item, &fixture[at])).collect()
        }
        other => other.clone(),
    }
}

/// Runs a session with a recorder at each moment and holds what it recorded against the fixtures.
fn check(
    client: Option<Client>,
    moments: &[Moment],
    turns: impl Fn(&Client, &Path) -> Vec<Turn>,
    wanted: &[&str],
) {
    let Some(client) = client else { return };
    let (scratch, name) = (repository(), client.harness.name());
    let at = scratch.main();
    let (hook, folder) = recorder(
        &scratch,
        match name {
            "opencode" => "",
            "copilot" => r#"echo '{"decision":"block","reason":"more"}'"#,
            _ => "echo more >&2; exit 2",
        },
    );
    let mut turns = turns(&client, &at.root);
    turns.push(Turn::say("done"));
    let client = moments.iter().fold(client, |client, moment| client.at(*moment, &hook));
    let session = client.run(&at, turns);
    assert_eq!(session.ran.code, 0, "{}", session.ran.all());
    let found = payloads(&folder, &scratch)
        .into_iter()
        .map(|payload| (format!("{name}-{}", kind(&payload)), payload));
    let wanted: Vec<String> = wanted.iter().map(|kind| format!("{name}-{kind}")).collect();
    hold(found.collect(), &wanted);
}

/// Which of the fixtures a payload belongs to.
fn kind(payload: &Value) -> String {
    let text = |names: &[&str]| {
        names.iter().find_map(|name| payload.pointer(name)?.as_str()).unwrap_or_default().to_owned()
    };
    let event = text(&["/hook_event_name", "/type"]);
    let tool = text(&["/tool_name", "/toolName", "/input/tool"]);
    let is_subagent = payload.get("agent_id").is_some();
    let command = text(&["/tool_input/command", "/output/args/patchText"]);
    let word = match (event.as_str(), tool.as_str()) {
        ("WorktreeCreate", _) => "worktree-create",
        ("SessionStart" | "session.created", _) => "session-start",
        ("Stop" | "AfterAgent" | "session.idle", _) if payload["stop_hook_active"] == true => "stop-again",
        ("Stop" | "AfterAgent" | "session.idle", _) => "stop",
        (_, "Write") if is_subagent => "subagent-new-file",
        (_, "apply_patch") if command.matches(" File: ").count() > 1 => "patch-several",
        (_, "apply_patch") if command.contains("Add File: ") => "new-file",
        (_, "apply_patch" | "Edit" | "replace" | "edit") => "edit",
        (_, "Write" | "write_file" | "create" | "write") => "new-file",
        (_, "NotebookEdit") => "notebook",
        (_, "Bash") if command.starts_with("apply_patch") => "shell-patch",
        (_, "Bash") if command == "ls" => "shell-in-folder",
        (_, "Bash" | "run_shell_command" | "bash") => "shell",
        (_, "view" | "read") => "read",
        // Copilot does not say which event it is.
        ("", "") if payload["stop_hook_active"] == true => "stop-again",
        ("", "") if payload.get("stopReason").is_some() => "stop",
        ("", "") if payload.get("initialPrompt").is_some() => "session-start",
        other => panic!("{other:?}: {payload}"),
    };
    word.to_owned()
}

const ENV: &str = "env | sort > shell.env";
const MOMENTS: [Moment; 3] = [Moment::SessionStart, Moment::BeforeTool, Moment::Stop];

#[test]
fn claude() {
    let turns = |client: &Client, root: &Path| {
        let mut turns = client.harness.edit(root, "a.txt", "two", "TWO");
        // It makes each path absolute before the hook sees it.
        turns.push(client.harness.create(Path::new(""), "new/c.txt", "new\n"));
        turns.extend(edit_notebook(&root.join("n.ipynb"), "c1", "y"));
        turns.push(Turn::call("Bash", json!({"command": ENV, "description": "x"})));
        turns
    };
    let wanted = ["edit", "new-file", "notebook", "session-start", "shell", "stop", "stop-again"];
    check(Client::claude(), &MOMENTS, turns, &wanted);
}

#[test]
fn claude_with_a_subagent() {
    let write = Turn::call("Write", json!({"file_path": "s.txt", "content": "s\n"}));
    let client =
        Client::claude().map(|client| client.subagent("SUBAGENT one", vec![write, Turn::say("sub done")]));
    let input = json!({"description": "sub", "prompt": "SUBAGENT one", "subagent_type": "general-purpose"});
    let turns = |_: &Client, _: &Path| vec![Turn::call("Agent", input.clone())];
    check(client, &[Moment::BeforeTool], turns, &["subagent-new-file"]);
}

#[test]
fn codex() {
    let turns = |client: &Client, _: &Path| {
        let several = "*** Update File: a.txt\n@@\n-one\n+ONE\n*** Update File: b.txt\n*** Move to: d.txt\n@@\n-b\n+B\n\
                       *** Delete File: n.ipynb\n";
        let heredoc = "apply_patch <<'EOF'\n*** Begin Patch\n*** Add File: e.txt\n+e\n*** End Patch\nEOF";
        vec![
            patch("*** Update File: a.txt\n@@\n one\n-two\n+TWO\n"),
            client.harness.create(Path::new(""), "new/c.txt", "new\n"),
            patch(several),
            client.harness.shell(ENV),
            client.harness.shell(heredoc),
            Turn::call("exec_command", json!({"cmd": "ls", "workdir": "new"})),
        ]
    };
    let wanted = [
        "edit",
        "new-file",
        "patch-several",
        "session-start",
        "shell",
        "shell-in-folder",
        "shell-patch",
        "stop",
    ];
    check(Client::codex(), &MOMENTS, turns, &wanted);
}

#[test]
fn gemini() {
    let turns = |client: &Client, root: &Path| {
        let input = json!({"file_path": "a.txt", "old_string": "two", "new_string": "TWO", "instruction": "upper case"});
        vec![
            Turn::call("replace", input),
            client.harness.create(root, "new/c.txt", "new\n"),
            Turn::call("run_shell_command", json!({"command": ENV, "description": "x"})),
        ]
    };
    check(
        Client::gemini(),
        &MOMENTS,
        turns,
        &["edit", "new-file", "session-start", "shell", "stop", "stop-again"],
    );
}

#[test]
fn copilot() {
    let turns = |client: &Client, root: &Path| {
        let mut turns = client.harness.edit(root, "a.txt", "two", "TWO");
        turns.push(client.harness.create(root, "c.txt", "new\n"));
        turns.push(Turn::call("bash", json!({"command": ENV, "description": "x", "mode": "sync"})));
        turns
    };
    check(
        Client::copilot(),
        &MOMENTS,
        turns,
        &["edit", "new-file", "session-start", "shell", "stop", "stop-again"],
    );
}

#[test]
fn opencode() {
    let turns = |client: &Client, root: &Path| {
        let mut turns = client.harness.edit(root, "a.txt", "two", "TWO");
        turns.push(Turn::call("write", json!({"filePath": "new/c.txt", "content": "new\n"})));
        turns.push(Turn::call("bash", json!({"command": ENV, "description": "x"})));
        turns
    };
    check(
        Client::opencode(),
        &[Moment::BeforeTool, Moment::Stop],
        turns,
        &["edit", "new-file", "shell", "stop"],
    );
}
