//! What a tool takes: from the command line's own description to JSON Schema, and from JSON to a command line.

use std::any::TypeId;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, Command};
use serde_json::{Map, Value, json};

use super::tools::Tool;

/// Which worktree a call is about: an argument of each tool.
const FOLDER: &str = "cwd";
/// Which of the commands below a command is meant.
const ACTION: &str = "action";

/// What is to be run for a call.
#[derive(Debug, PartialEq, Eq)]
pub struct Typed {
    /// The command line, without the name of the program.
    pub line: Vec<OsString>,
    /// Where, if not here.
    pub folder: Option<PathBuf>,
}

/// The commands that do the work of a command: itself, or those below it.
pub fn actions(command: &Command) -> impl Iterator<Item = &Command> {
    let itself = (!command.has_subcommands()).then_some(command);
    itself.into_iter().chain(command.get_subcommands().filter(|below| !below.is_hide_set()))
}

/// The argument of this name.
pub fn argument<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|arg| arg.get_id() == name)
}

/// What JSON has for an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Flag,
    Number,
    Text,
    Texts,
}

fn kind(arg: &Arg) -> Kind {
    let is = |parser: &ValueParser, of: TypeId| parser.type_id() == of;
    let parser = arg.get_value_parser();
    match arg.get_action() {
        ArgAction::SetTrue => Kind::Flag,
        ArgAction::Append => Kind::Texts,
        _ if is(parser, TypeId::of::<u8>()) || is(parser, TypeId::of::<u32>()) => Kind::Number,
        _ => Kind::Text,
    }
}

/// JSON Schema of what a tool takes.
pub fn of(tool: &Tool, command: &Command) -> Map<String, Value> {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    if command.has_subcommands() {
        let names: Vec<&str> = actions(command).map(Command::get_name).collect();
        let about = command.get_subcommands().filter(|below| !below.is_hide_set()).map(|below| {
            let about = below.get_about().map(ToString::to_string).unwrap_or_default();
            format!("{}: {about}", below.get_name())
        });
        let about = about.collect::<Vec<_>>().join("; ");
        properties.insert(ACTION.into(), json!({ "type": "string", "enum": names, "description": about }));
        required.push(ACTION);
    }
    for name in tool.arguments {
        let takes: Vec<&Command> = actions(command).filter(|one| argument(one, name).is_some()).collect();
        let Some(arg) = takes.first().and_then(|one| argument(one, name)) else { continue };
        let mut about = arg.get_help().map(ToString::to_string).unwrap_or_default();
        if command.has_subcommands() {
            let names: Vec<&str> = takes.iter().map(|one| one.get_name()).collect();
            about.push_str(&format!(" (with {})", names.join(", ")));
        } else if arg.is_required_set() {
            required.push(name);
        }
        let mut property = match kind(arg) {
            Kind::Flag => json!({ "type": "boolean" }),
            Kind::Number => json!({ "type": "integer" }),
            Kind::Text => json!({ "type": "string" }),
            Kind::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        };
        property["description"] = about.into();
        properties.insert((*name).into(), property);
    }
    let about = "A folder in the worktree that the call is about [default: where the server was started]";
    properties.insert(FOLDER.into(), json!({ "type": "string", "description": about }));
    let schema = json!({
        "type": "object", "properties": properties, "required": required, "additionalProperties": false,
    });
    schema.as_object().cloned().unwrap_or_default()
}

/// The command line for a call.
///
/// # Errors
/// An argument that the tool does not have, or of another type, in words.
pub fn typed(tool: &Tool, command: &Command, given: Map<String, Value>) -> Result<Typed, String> {
    let mut given: Map<String, Value> = given.into_iter().filter(|(_, value)| !value.is_null()).collect();
    let mut text = |name: &str| match given.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("`{name}` must be a string")),
    };
    let folder = text(FOLDER)?.map(PathBuf::from);
    let mut line: Vec<OsString> = vec![tool.name.into()];
    let mut one = command;
    if command.has_subcommands() {
        let names = || actions(command).map(Command::get_name).collect::<Vec<_>>().join(", ");
        let name = text(ACTION)?.ok_or_else(|| format!("`{ACTION}` is missing: one of {}", names()))?;
        one = actions(command)
            .find(|one| one.get_name() == name)
            .ok_or_else(|| format!("`{ACTION}` must be one of {}", names()))?;
        line.push(one.get_name().into());
    }
    let mut words = Vec::new();
    for (name, value) in given {
        let known = tool.arguments.contains(&name.as_str()).then(|| argument(one, &name)).flatten();
        let arg = known.ok_or_else(|| unknown(&name, tool, one))?;
        let values = values(&name, kind(arg), value)?;
        match arg.get_long() {
            None => words.extend(values.into_iter().flatten().map(OsString::from)),
            Some(long) => line.extend(values.into_iter().map(|value| match value {
                None => format!("--{long}").into(),
                Some(value) => format!("--{long}={value}").into(),
            })),
        }
    }
    line.push("--".into());
    line.extend(words);
    Ok(Typed { line, folder })
}

/// The values of an argument; `None` for a flag.
fn values(name: &str, kind: Kind, value: Value) -> Result<Vec<Option<String>>, String> {
    let text = |value: Value| match value {
        Value::String(text) => Some(Some(text)),
        Value::Number(number) => Some(Some(number.to_string())),
        _ => None,
    };
    let (values, wanted) = match (kind, value) {
        (Kind::Flag, Value::Bool(is_set)) => (Some(is_set.then_some(None).into_iter().collect()), ""),
        (Kind::Flag, _) => (None, "true or false"),
        (Kind::Texts, Value::Array(items)) => (items.into_iter().map(text).collect(), "an array of strings"),
        (Kind::Texts, value) => (text(value).map(|text| vec![text]), "an array of strings"),
        (Kind::Number, value) => (text(value).map(|text| vec![text]), "a whole number"),
        (Kind::Text, value) => (text(value).map(|text| vec![text]), "a string"),
    };
    values.ok_or_else(|| format!("`{name}` must be {wanted}"))
}

fn unknown(name: &str, tool: &Tool, one: &Command) -> String {
    let known = tool.arguments.iter().copied().filter(|name| argument(one, name).is_some());
    let known: Vec<&str> = known.chain([FOLDER]).collect();
    let action = if one.get_name() == tool.name { String::new() } else { format!(" {}", one.get_name()) };
    format!("`{}{action}` has no argument `{name}`; it has {}", tool.name, known.join(", "))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::commands::args::command;
    use crate::commands::mcp::tools::{TOOLS, find};

    fn line(tool: &str, given: &Value) -> Result<String, String> {
        let (root, tool) = (command(), find(tool).unwrap());
        let command = root.find_subcommand(tool.name).unwrap();
        let words = typed(tool, command, given.as_object().unwrap().clone())?.line;
        Ok(words.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn json_becomes_a_command_line() {
        let paths = json!({ "paths": ["a", "-b"], "mine": true, "cwd": "/x" });
        assert_eq!(line("who", &paths).unwrap(), "who --mine -- a -b");
        assert_eq!(line("who", &json!({ "paths": "a", "mine": false })).unwrap(), "who -- a");
        assert_eq!(line("lock", &json!({ "scopes": ["c"], "ttl": null })).unwrap(), "lock -- c");
        assert_eq!(line("lock", &json!({ "reason": "--steal" })).unwrap(), "lock --reason=--steal --");
        assert_eq!(line("locks", &json!({ "log": true, "limit": 3 })).unwrap(), "locks --log --limit=3 --");
        let done = json!({ "action": "done", "id": "r1", "commit": "HEAD" });
        assert_eq!(line("request", &done).unwrap(), "request done --commit=HEAD -- r1");
    }

    #[test]
    fn what_is_wrong_with_an_argument_is_said() {
        for (tool, given, words) in [
            ("who", json!({ "path": "a" }), "`who` has no argument `path`; it has paths, mine, cwd"),
            ("who", json!({ "paths": [["a"]] }), "`paths` must be an array of strings"),
            ("who", json!({ "mine": "yes" }), "`mine` must be true or false"),
            ("who", json!({ "cwd": 1 }), "`cwd` must be a string"),
            ("lock", json!({ "pid": 1 }), "`lock` has no argument `pid`"),
            ("locks", json!({ "limit": [] }), "`limit` must be a whole number"),
            ("request", json!({}), "`action` is missing: one of submit, list,"),
            ("request", json!({ "action": "x" }), "`action` must be one of submit"),
            ("request", json!({ "action": "list", "id": "r1" }), "`request list` has no argument `id`"),
        ] {
            let said = line(tool, &given).unwrap_err();
            assert!(said.starts_with(words), "{said}");
        }
    }

    #[test]
    fn schemas_are_as_clients_read_them() {
        let root = command();
        for tool in TOOLS {
            let schema = Value::Object(of(tool, root.find_subcommand(tool.name).unwrap()));
            jsonschema::meta::validate(&schema).unwrap();
            assert!(!tool.about.contains("  "), "{}", tool.about);
            for (name, property) in schema["properties"].as_object().unwrap() {
                assert!(property["description"].as_str().is_some_and(|text| !text.is_empty()), "{name}");
            }
        }
        let who = Value::Object(of(find("who").unwrap(), root.find_subcommand("who").unwrap()));
        assert_eq!(who["required"], json!(["paths"]));
        assert_eq!(who["properties"]["mine"]["type"], "boolean");
        let request = Value::Object(of(find("request").unwrap(), root.find_subcommand("request").unwrap()));
        assert_eq!(request["required"], json!(["action"]));
        assert_eq!(request["properties"]["priority"]["type"], "integer");
    }
}
