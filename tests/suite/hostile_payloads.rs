//! Payloads of harnesses that no harness sends: recorded ones with keys gone, types changed, bytes broken, and noise. Each gets a
//! verdict or "could not decide"; none ends the program otherwise, or holds it up.

use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use lane_core::harness::{self, HARNESSES, Moment, ToolAction, guard, shell};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use serde_json::{Value, json};

use crate::support::{Scratch, Worktree};

/// The recorded payloads, each with its harness.
static RECORDED: LazyLock<Vec<(String, Value)>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/harness");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "json") {
            let name = path.file_name().unwrap().to_str().unwrap();
            let id = name.split('-').next().unwrap().to_owned();
            let payload: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            found.push((id, payload));
        }
    }
    found.sort_by_key(|(id, payload)| (id.clone(), payload.to_string()));
    assert!(found.len() > 60);
    found
});

/// A value that stands where another is expected.
fn odd(kind: usize) -> Value {
    let nested = |begin: fn(Value) -> Value| (0..100).fold(json!("x"), |value, _| begin(value));
    match kind % 16 {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(-1e300),
        3 => json!(u64::MAX),
        4 => json!(""),
        5 => json!("\u{0}"),
        6 => json!("x".repeat(100_000)),
        7 => json!("../".repeat(2_000)),
        8 => json!("/"),
        9 => json!("\u{202e}\u{1b}[2J\u{feff}\u{fffd}"),
        10 => json!([]),
        11 => json!({}),
        12 => nested(|value| json!([value])),
        13 => nested(|value| json!({ "path": value })),
        14 => json!(format!("echo {}", "$(".repeat(10_000))),
        _ => json!(["git", 1, null, ["push"], "--force"]),
    }
}

/// All places of a value, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    let key = |name: &str| format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
    match value {
        Value::Object(entries) => entries.iter().for_each(|(name, value)| places(value, &key(name), found)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, value)| places(value, &key(&at.to_string()), found));
        }
        _ => {}
    }
}

/// What is done to a payload.
#[derive(Debug, Clone)]
enum Change {
    Replace(Index, usize),
    Remove(Index),
    /// Its text is cut off, or has other bytes at a place.
    Cut(Index),
    Bytes(Index, &'static [u8]),
}

fn change() -> impl Strategy<Value = Change> {
    let bytes: [&'static [u8]; 8] =
        [b"\0", b"\xff", b"\xed\xa0\x80", b"\"", b"{", b"\\u", b"\xef\xbb\xbf", b"\n"];
    prop_oneof![
        4 => (any::<Index>(), 0_usize..16).prop_map(|(at, kind)| Change::Replace(at, kind)),
        3 => any::<Index>().prop_map(Change::Remove),
        1 => any::<Index>().prop_map(Change::Cut),
        2 => (any::<Index>(), proptest::sample::select(bytes.to_vec())).prop_map(|(at, bytes)| Change::Bytes(at, bytes)),
    ]
}

/// A recorded payload after some changes, and its harness.
fn changed(which: &Index, changes: &[Change]) -> (String, Vec<u8>) {
    let (id, mut payload) = which.get(&RECORDED).clone();
    for change in changes {
        let mut all = Vec::new();
        places(&payload, "", &mut all);
        match change {
            Change::Replace(at, kind) => {
                let place: &String = at.get(&all);
                *payload.pointer_mut(place).unwrap() = odd(*kind);
            }
            Change::Remove(at) => {
                let (above, name) = at.get(&all[..]).rsplit_once('/').unwrap_or_default();
                if let Some(entries) = payload.pointer_mut(above).and_then(Value::as_object_mut) {
                    entries.remove(&name.replace("~1", "/").replace("~0", "~"));
                }
            }
            Change::Cut(_) | Change::Bytes(..) => {}
        }
    }
    let mut text = payload.to_string().into_bytes();
    for change in changes {
        match change {
            Change::Cut(at) => text.truncate(at.index(text.len() + 1)),
            Change::Bytes(at, bytes) => {
                let at = at.index(text.len() + 1);
                text.splice(at..at, bytes.iter().copied());
            }
            _ => {}
        }
    }
    (id, text)
}

/// Reads a payload as each harness does, and goes on as far as no file is needed.
fn read_by_all(payload: &[u8]) {
    for harness in HARNESSES {
        for event in [None, Some("PreToolUse"), Some("beforeShellExecution")] {
            let Ok(occasion) = harness::read(harness, payload, event) else { continue };
            let Moment::Tool(actions) = occasion.moment else { continue };
            for action in actions {
                if let ToolAction::Shell(line) = action {
                    let commands = shell::commands(&line).unwrap_or_default();
                    commands.iter().for_each(|command| {
                        let _ = (guard::bypass(command), guard::writes(command));
                    });
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn a_changed_payload_is_read_or_refused(which in any::<Index>(), changes in proptest::collection::vec(change(), 0..6)) {
        let began = Instant::now();
        read_by_all(&changed(&which, &changes).1);
        prop_assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    }

    #[test]
    fn noise_is_read_or_refused(noise in proptest::collection::vec(any::<u8>(), 0..200)) {
        read_by_all(&noise);
    }
}

/// What the hook answers: yes, or no with a reason, and nothing else on standard output than what the client reads.
fn answer(at: &Worktree, harness: &str, payload: &[u8]) {
    let began = Instant::now();
    let ran = at.lane_stdin(&["hook", "agent", harness], payload);
    let shown = String::from_utf8_lossy(payload).chars().take(2_000).collect::<String>();
    assert!([0, 2].contains(&ran.code), "{harness}: {shown}\n{}", ran.all());
    assert!(!ran.err.contains("internal error"), "{harness}: {shown}\n{}", ran.all());
    assert!(ran.code == 0 || !ran.err.trim().is_empty(), "{harness}: {shown}\nno reason");
    assert!(began.elapsed() < Duration::from_secs(20), "{harness}: {shown}\n{:?}", began.elapsed());
}

#[test]
fn the_hook_answers_whatever_it_is_sent() {
    let (_scratch, a2) = Scratch::installed();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let cases = (any::<Index>(), proptest::collection::vec(change(), 1..5));
    for _ in 0..48 {
        let (which, changes) = cases.new_tree(&mut runner).unwrap().current();
        let (id, payload) = changed(&which, &changes);
        answer(&a2, &id, &payload);
    }
}

#[test]
fn what_cannot_be_read_is_not_let_through() {
    let (_scratch, a2) = Scratch::installed();
    let edit = json!({ "hook_event_name": "PreToolUse", "cwd": a2.root, "tool_name": "Edit",
        "tool_input": { "file_path": a2.root.join("services/rag_pipeline/main.py") } });
    let whole = edit.to_string();
    a2.lane_stdin(&["hook", "agent", "claude"], whole.as_bytes()).ok();
    let deep = whole.replace("\"PreToolUse\"", &format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)));
    let mut broken = whole.clone().into_bytes();
    broken.insert(20, 0xff);
    let no_path = whole.replace("file_path", "path_of_file");
    for payload in [
        b"".as_slice(),
        b"\0",
        b"[]",
        &whole.as_bytes()[..whole.len() - 1],
        deep.as_bytes(),
        &broken,
        no_path.as_bytes(),
    ] {
        a2.lane_stdin(&["hook", "agent", "claude"], payload).fails(2);
    }
    // A line of a shell as nobody writes it is left to git's hooks, at once.
    let repeated = ["( ".repeat(50_000), "$(".repeat(50_000), "sh -c '".repeat(2_000), "\u{0}".repeat(1_000)];
    // The parser panics at these, or reads on for ever.
    let panics =
        ["x 12345678901234567890<(y)", "x ~99999999999999999999", "cat <<-<<-E | $(xE | $(x)\n\tE\n"];
    for line in repeated.into_iter().chain(panics.map(str::to_owned)) {
        let payload = json!({ "hook_event_name": "PreToolUse", "cwd": a2.root, "tool_name": "Bash",
            "tool_input": { "command": line } });
        answer(&a2, "claude", payload.to_string().as_bytes());
    }
    // Unless it says plainly that no hook shall look.
    for line in ["x 12345678901234567890<(y); git push --no-verify", "if then ((; git commit -n -m x"] {
        let payload = json!({ "hook_event_name": "PreToolUse", "cwd": a2.root, "tool_name": "Bash",
            "tool_input": { "command": line } });
        a2.lane_stdin(&["hook", "agent", "claude"], payload.to_string().as_bytes())
            .fails(2)
            .says("cannot be read as a shell does")
            .says("skips the hooks");
    }
}
