//! `custom`.

use super::super::diagnostic::Diagnostic;
use super::super::model::{CustomRule, JudgedAt, Level};
use super::super::node::{Node, Value};
use super::super::reader::{Fields, Reader};
use super::super::scalar::Duration;
use super::super::source::Spanned;
use super::sections::LEVELS;
use super::{keys, required, text, texts};

/// How long a command may take unless the policy says otherwise, in seconds.
const TIMEOUT: u64 = 10;

pub(super) fn custom(reader: &mut Reader, fields: &Fields<'_>) -> Vec<CustomRule> {
    let Some(node) = fields.get("custom") else {
        return Vec::new();
    };
    let items = reader.items(node, "`custom`");
    items.iter().filter_map(|node| entry(reader, node)).collect()
}

fn entry(reader: &mut Reader, node: &Node) -> Option<CustomRule> {
    let what = "an entry of `custom`";
    let fields = reader.fields(node, node.span, what, keys::CUSTOM)?;
    let (id, run) = (required(reader, &fields, "id", what), required(reader, &fields, "run", what));
    let timeout = fields.get("timeout").and_then(|node| reader.parsed(node, "duration"));
    let level = fields.get("level").and_then(|node| reader.choice(node, "level", LEVELS));
    let default = Duration { text: format!("{TIMEOUT}s"), seconds: TIMEOUT };
    let entry = CustomRule {
        id: id?,
        at: places(reader, &fields),
        when: texts(reader, &fields, "when", "when", true),
        except: texts(reader, &fields, "except", "except", true),
        run: run?,
        needs: texts(reader, &fields, "needs", "needs", true),
        timeout: timeout.unwrap_or(Spanned::default_of(default)),
        message: text(reader, &fields, "message", "message"),
        level: level.unwrap_or(Spanned::default_of(Level::Error)),
        span: node.span,
    };
    Some(entry)
}

/// Where it is judged; everywhere, unless the policy says so.
fn places(reader: &mut Reader, fields: &Fields<'_>) -> Vec<Spanned<JudgedAt>> {
    let Some(node) = fields.get("at") else {
        return JudgedAt::ALL.map(|(_, at)| Spanned::default_of(at)).to_vec();
    };
    let nodes = match &node.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    if nodes.is_empty() {
        reader.report(
            Diagnostic::error(node.span, "`at` names no place, so the rule is never judged", "empty")
                .help("one or more of: commit, push, server, ci; or omit it for all of them"),
        );
    }
    nodes.iter().filter_map(|node| reader.choice(node, "place for `at`", &JudgedAt::ALL)).collect()
}
