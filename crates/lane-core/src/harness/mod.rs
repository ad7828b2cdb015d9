//! The harnesses that coding agents run in: what each of them tells a hook, and how each is told no.
//!
//! A harness is a file and a row of [`HARNESSES`]. Its hook gives one JSON object on standard input; what is in it becomes an
//! [`Occasion`]. All of them take exit 2 with the reason on standard error for a refusal; the object of their own on standard
//! output says the same to those that read it first.

mod claude;
mod codex;
mod copilot;
mod copy;
mod cursor;
mod gemini;
pub mod guard;
mod nesting;
mod opencode;
mod patch;
pub mod shell;

use serde_json::Value;

/// A harness, as its hooks see it.
#[derive(Debug)]
pub struct Harness {
    /// The word for it on the command line and in the policy.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Variables that it sets for the commands of an agent, the surest first.
    pub variables: &'static [&'static str],
    /// Variables that name the folder in which the session was started, which stays the same wherever the agent goes.
    pub project: &'static [&'static str],
    /// What its payload is about. `event`: its name, where the payload does not have it.
    pub read: fn(payload: &Value, event: Option<&str>) -> Occasion,
    /// What is printed to refuse a tool. `None`: exit code and standard error say it all.
    pub refuse: fn(reason: &str) -> Option<Value>,
    /// What is printed to let a tool run. `None`: nothing.
    pub allow: Option<fn() -> Value>,
    /// What is printed for the model to know of a tool that runs, before it does. `None`: the model would not see it.
    pub note: Option<fn(text: &str) -> String>,
    /// The same once it has run, where that is when the model sees it.
    pub note_after: Option<fn(text: &str) -> String>,
    /// What is printed for the model to read as a session begins.
    pub context: fn(text: &str) -> String,
    /// What is printed to have the agent go on where it was about to stop.
    pub continue_turn: fn(reason: &str) -> Option<Value>,
}

/// All harnesses, in the order in which they are listed to people.
pub static HARNESSES: [&Harness; 6] = [
    &claude::HARNESS,
    &codex::HARNESS,
    &gemini::HARNESS,
    &cursor::HARNESS,
    &copilot::HARNESS,
    &opencode::HARNESS,
];

/// The harness of a word.
pub fn find(id: &str) -> Option<&'static Harness> {
    HARNESSES.iter().find(|harness| harness.id == id).copied()
}

/// What a hook is started for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occasion {
    /// The folder that the harness works in.
    pub folder: Option<String>,
    /// The folder that the session was started in, where the payload says so.
    pub project: Option<String>,
    /// What happens.
    pub moment: Moment,
}

/// What happens in a harness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    /// A tool is about to do something.
    Tool(Vec<ToolAction>),
    /// A tool has done something.
    Done(Vec<ToolAction>),
    /// A session begins, or begins again.
    Start,
    /// The agent is about to say that it is done. `is_repeated`: it was asked to go on already.
    Stop {
        /// Whether a hook has kept it from stopping a moment ago.
        is_repeated: bool,
    },
    /// A worktree is to be made, and its path printed.
    Worktree {
        /// What it is to be called.
        name: String,
    },
    /// A worktree is to be removed.
    Removal {
        /// Its root.
        root: String,
    },
    /// Nothing that concerns us.
    Other,
}

/// One thing that a tool does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolAction {
    /// A file is written, made, or gone afterwards.
    Edit(Edit),
    /// A command is given to a shell.
    Shell(String),
    /// The payload should say which file, and does not: it could not be decided.
    Unreadable(String),
}

/// A file that is about to be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// As it was named: from the root of the file system, or from the folder.
    pub path: String,
    /// Whether it is gone afterwards.
    pub is_removed: bool,
    /// What is written into it, as far as the payload says: all of it, or the new part.
    pub text: Option<String>,
    /// What is copied there: where the path is a folder, each of these has its own name in it.
    pub sources: Vec<String>,
}

impl Edit {
    /// A file that is there afterwards.
    pub fn write(path: impl Into<String>) -> Self {
        Self { path: path.into(), is_removed: false, text: None, sources: Vec::new() }
    }

    /// A file that is gone afterwards.
    pub fn delete(path: impl Into<String>) -> Self {
        Self { path: path.into(), is_removed: true, text: None, sources: Vec::new() }
    }
}

/// Reads a payload.
///
/// # Errors
/// It is no JSON object.
pub fn read(harness: &Harness, payload: &[u8], event: Option<&str>) -> Result<Occasion, String> {
    let value: Value = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
    if !value.is_object() {
        return Err("it is no JSON object".to_owned());
    }
    Ok((harness.read)(&value, event))
}

/// A text of a payload.
fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str)
}

/// The first of some texts that is there.
fn first<'v>(value: &'v Value, names: &[&str]) -> Option<&'v str> {
    names.iter().find_map(|name| text(value, name))
}

/// The edit of the file that one of some keys names, or word that none does.
fn edit_of(tool: &str, input: &Value, names: &[&str]) -> Vec<ToolAction> {
    match first(input, names).filter(|path| !path.is_empty()) {
        Some(path) => vec![ToolAction::Edit(Edit { text: written(input), ..Edit::write(path) })],
        None => vec![ToolAction::Unreadable(format!("`{tool}` names no file"))],
    }
}

/// What a tool writes into a file, by the keys that harnesses have for it.
fn written(input: &Value) -> Option<String> {
    const KEYS: [&str; 8] = [
        "content",
        "new_string",
        "newString",
        "new_str",
        "file_text",
        "new_source",
        "contents",
        "insert_text",
    ];
    let own = |value: &Value| first(value, &KEYS).map(str::to_owned);
    let several = input.get("edits").and_then(Value::as_array);
    let parts = several.map(|edits| edits.iter().filter_map(own).collect::<Vec<_>>().join("\n"));
    own(input).or(parts).filter(|text| !text.is_empty())
}

/// The command for a shell that a key holds: a text, or words.
fn command_of(tool: &str, input: &Value) -> Vec<ToolAction> {
    match input.get("command") {
        Some(Value::String(command)) => vec![ToolAction::Shell(command.clone())],
        Some(Value::Array(words)) => {
            let words = words.iter().map(|word| word.as_str().unwrap_or_default());
            let words: Vec<String> = words.map(|word| crate::report::quote(word.as_bytes())).collect();
            vec![ToolAction::Shell(words.join(" "))]
        }
        _ => vec![ToolAction::Unreadable(format!("`{tool}` holds no command"))],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a payload is about, in short.
    pub(super) fn about(id: &str, payload: &str) -> String {
        match read(find(id).expect("a harness"), payload.as_bytes(), None).expect("a payload").moment {
            Moment::Tool(actions) => {
                let shown = actions.into_iter().map(|action| match action {
                    ToolAction::Edit(edit) if edit.is_removed => format!("-{}", edit.path),
                    ToolAction::Edit(edit) => edit.path,
                    ToolAction::Shell(command) => format!("$ {command}"),
                    ToolAction::Unreadable(why) => format!("? {why}"),
                });
                shown.collect::<Vec<_>>().join(", ")
            }
            other => format!("{other:?}"),
        }
    }

    /// The same of a tool that is about to be used, as Claude Code and those after it send it.
    pub(super) fn about_tool(id: &str, event: &str, name: &str, input: &str) -> String {
        let event = format!(r#""hook_event_name":"{event}""#);
        about(id, &format!(r#"{{{event},"tool_name":"{name}","tool_input":{input}}}"#))
    }

    #[test]
    fn ids_and_variables_are_named_once() {
        let mut seen = std::collections::BTreeSet::new();
        for harness in HARNESSES {
            assert!(seen.insert(harness.id), "{}", harness.id);
            assert!(harness.variables.iter().all(|name| seen.insert(name)), "{}", harness.id);
            assert_eq!(find(harness.id).map(|found| found.name), Some(harness.name));
        }
    }

    #[test]
    fn whatever_is_sent_is_read_or_refused() {
        for harness in HARNESSES {
            for payload in ["", "[]", "null", "\"x\"", "{", "\u{feff}{}"] {
                assert!(read(harness, payload.as_bytes(), None).is_err(), "{} {payload}", harness.id);
            }
            for payload in ["{}", r#"{"tool_name":7,"toolArgs":"{","tool_input":[],"hook_event_name":{}}"#] {
                assert!(read(harness, payload.as_bytes(), None).is_ok(), "{} {payload}", harness.id);
            }
        }
    }
}
