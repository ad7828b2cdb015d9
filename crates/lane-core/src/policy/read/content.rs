//! `files` and `content`.

use super::super::diagnostic::Diagnostic;
use super::super::model::{Builtin, ContentRule, ContentRules, Files};
use super::super::node::{Node, Value};
use super::super::reader::{Fields, Reader};
use super::{keys, section, text, texts};

const BUILTINS: &[(&str, Builtin)] = &[("secrets", Builtin::Secrets)];

pub(super) fn files(reader: &mut Reader, fields: &Fields<'_>) -> Files {
    let Some(fields) = section(reader, fields, "files", keys::FILES) else {
        return Files::default();
    };
    let max_size = fields.get("max_size");
    let max_path = fields.get("max_path");
    Files {
        max_size: max_size.and_then(|node| reader.parsed(node, "size of a file")),
        max_path: max_path.and_then(|node| reader.number(node, "`files.max_path`")),
        forbid: texts(reader, &fields, "forbid", "files.forbid", true),
        extensions: texts(reader, &fields, "extensions", "files.extensions", true),
        except: texts(reader, &fields, "except", "files.except", true),
    }
}

pub(super) fn content(reader: &mut Reader, fields: &Fields<'_>) -> ContentRules {
    let Some(node) = fields.get("content") else {
        return ContentRules::default();
    };
    let nodes = match &node.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    ContentRules(nodes.iter().filter_map(|node| entry(reader, node)).collect())
}

fn entry(reader: &mut Reader, node: &Node) -> Option<ContentRule> {
    let what = "an entry of `content`";
    if !matches!(node.value, Value::Map(_)) {
        let builtin = reader.choice(node, "set for `content`", BUILTINS)?;
        return Some(ContentRule {
            name: None,
            pattern: None,
            builtin: Some(builtin),
            within: Vec::new(),
            except: Vec::new(),
            message: None,
            marker: None,
        });
    }
    let fields = reader.fields(node, node.span, what, keys::CONTENT)?;
    let has = |key| fields.get(key).is_some();
    match (has("builtin"), has("pattern")) {
        (true, true) => reader.report(
            Diagnostic::error(fields.span, format!("{what} has both `builtin` and `pattern`"), "this entry")
                .help("make two entries of it"),
        ),
        (false, false) => reader.missing(fields.span, "pattern", what),
        _ => {}
    }
    if !has("builtin") && !has("name") {
        reader.missing(fields.span, "name", what);
    }
    Some(ContentRule {
        name: text(reader, &fields, "name", "name"),
        pattern: text(reader, &fields, "pattern", "pattern"),
        builtin: fields.get("builtin").and_then(|node| reader.choice(node, "set for `content`", BUILTINS)),
        within: texts(reader, &fields, "in", "in", true),
        except: texts(reader, &fields, "except", "except", true),
        message: text(reader, &fields, "message", "message"),
        marker: text(reader, &fields, "marker", "marker"),
    })
}
