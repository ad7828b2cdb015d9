//! opencode: <https://opencode.ai/docs/plugins>. Our plug-in sends `{event, tool, args, cwd, project}`, and throws what it reads on
//! standard error.

use serde_json::Value;

use super::{Harness, Moment, Occasion, ToolAction, command_of, edit_of, first, patch, text};

pub static HARNESS: Harness = Harness {
    id: "opencode",
    name: "opencode",
    variables: &["OPENCODE"],
    project: &[],
    read,
    refuse: |_| None,
    allow: None,
    // The plug-in appends it to what the tool says.
    note: Some(str::to_owned),
    note_after: None,
    context: str::to_owned,
    continue_turn: |_| None,
};

fn read(payload: &Value, event: Option<&str>) -> Occasion {
    let moment = match text(payload, "event").or(event).unwrap_or_default() {
        "tool" => {
            let input = payload.get("args").unwrap_or(&Value::Null);
            Moment::Tool(actions(text(payload, "tool").unwrap_or_default(), input))
        }
        "start" => Moment::Start,
        _ => Moment::Other,
    };
    let folder = |name| text(payload, name).map(str::to_owned);
    Occasion { folder: folder("cwd"), project: folder("project"), moment }
}

fn actions(tool: &str, input: &Value) -> Vec<ToolAction> {
    match tool {
        "edit" | "write" | "multiedit" => edit_of(tool, input, &["filePath", "path"]),
        "patch" | "apply_patch" => match first(input, &["patchText", "patch"]) {
            Some(text) => patch::actions(tool, text),
            None => vec![ToolAction::Unreadable(format!("`{tool}` holds no patch"))],
        },
        "bash" | "shell" => command_of(tool, input),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::about;

    #[test]
    fn tools() {
        assert_eq!(about("opencode", r#"{"event":"tool","tool":"edit","args":{"filePath":"/r/a"}}"#), "/r/a");
        assert_eq!(about("opencode", r#"{"event":"tool","tool":"bash","args":{"command":"ls"}}"#), "$ ls");
        assert_eq!(about("opencode", r#"{"event":"start"}"#), "Start");
    }
}
