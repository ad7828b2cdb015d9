//! What harnesses of coding agents send, held against plain JSON: what decides is the value, and not how it is spelled, in which
//! order, or what stands beside it.
//!
//! Input: a line with the harness and the event, `claude PreToolUse`, and below it the payload.

use lane_core::harness::{self, HARNESSES, Harness, Moment, Occasion, ToolAction, guard, shell};
use serde_json::{Value, json};

/// Runs the target.
pub fn run(input: &[u8]) {
    super::without_parser_panics();
    let at = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let head = String::from_utf8_lossy(&input[..at]);
    let payload = input.get(at + 1..).unwrap_or_default();
    let mut words = head.split(' ');
    let Some(harness) = words.next().and_then(harness::find) else {
        // Whoever else sent it: nothing but a refusal or an answer.
        HARNESSES.iter().for_each(|harness| drop(harness::read(harness, input, None)));
        return;
    };
    let event = words.next();
    let value = serde_json::from_slice::<Value>(payload).ok().filter(Value::is_object);
    let occasion = harness::read(harness, payload, event);
    assert_eq!(occasion.is_ok(), value.is_some(), "{occasion:?}");
    let (Ok(occasion), Some(value)) = (occasion, value) else { return };
    same(harness, &occasion, &value, event);
    if let Moment::Tool(actions) | Moment::Done(actions) = &occasion.moment {
        closed(harness, actions, &value, event);
        actions.iter().for_each(action);
    }
    answers(harness, &head);
}

fn read(harness: &Harness, value: &Value, event: Option<&str>) -> Occasion {
    harness::read(harness, value.to_string().as_bytes(), event).expect("an object")
}

/// The same object, spelled in another way and with more in it.
fn same(harness: &Harness, occasion: &Occasion, value: &Value, event: Option<&str>) {
    assert_eq!(&read(harness, value, event), occasion, "spelled in another way");
    let Value::Object(entries) = value else { return };
    let mut more: serde_json::Map<String, Value> = entries.clone().into_iter().rev().collect();
    more.insert("unheard-of".to_owned(), json!({ "path": "x", "command": "y" }));
    assert_eq!(&read(harness, &Value::Object(more), event), occasion, "with a key more");
}

/// A tool that is known is never passed over, whatever its arguments are.
fn closed(harness: &Harness, actions: &[ToolAction], value: &Value, event: Option<&str>) {
    let mut bare = value.clone();
    for key in ["tool_input", "toolArgs", "args", "tool_args", "arguments"] {
        if let Some(input) = bare.get_mut(key) {
            *input = json!({});
        }
    }
    let (Moment::Tool(without) | Moment::Done(without)) = read(harness, &bare, event).moment else { return };
    assert_eq!(without.is_empty(), actions.is_empty(), "a tool that is passed over by its arguments");
}

fn action(action: &ToolAction) {
    match action {
        ToolAction::Edit(edit) => assert!(!edit.path.is_empty(), "a file without a name"),
        ToolAction::Unreadable(why) => assert!(!why.is_empty()),
        ToolAction::Shell(line) => {
            for command in shell::commands(line).unwrap_or_default() {
                let _ = guard::bypass(&command);
                assert!(guard::writes(&command).iter().all(|edit| !edit.path.is_empty()));
            }
        }
    }
}

/// What is printed says the text, whatever is in it.
fn answers(harness: &Harness, text: &str) {
    let texts = [harness.note, harness.note_after, Some(harness.context)];
    for written in texts.into_iter().flatten().map(|write| write(text)) {
        assert!(
            written == text || has_text(&serde_json::from_str(&written).expect("JSON"), text),
            "{written}"
        );
    }
    for value in [(harness.refuse)(text), (harness.continue_turn)(text)].into_iter().flatten() {
        assert!(has_text(&value, text), "{value}");
    }
}

fn has_text(value: &Value, text: &str) -> bool {
    match value {
        Value::String(found) => found.contains(text),
        Value::Array(items) => items.iter().any(|item| has_text(item, text)),
        Value::Object(entries) => entries.values().any(|item| has_text(item, text)),
        _ => false,
    }
}
