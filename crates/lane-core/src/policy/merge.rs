//! One tree of all files of a policy.
//!
//! Agents and lists of entries are joined, the policy's own last, so that its areas decide; other mappings are joined key by
//! key; of anything else the policy's own counts. What stands in several files is in the order of [`Parts::order`].

use super::compose::{EXTENDS, INCLUDE};
use super::diagnostic::Diagnostic;
use super::folder;
use super::node::{Key, Node, Value};
use super::parts::Parts;
use super::read;
use super::reader::Reader;
use super::source::{Source, Span, Spanned};

/// Lists at the top of a policy that are joined.
const JOINED: &[&str] = &["areas", "content", "custom", "provision", "tags", "tests"];

/// Parses all files of a policy.
///
/// # Errors
/// What is wrong with them: with their YAML, with what they may have, or with what they ask for.
pub(super) fn parse(source: &Source, parts: &Parts) -> Result<Node, Vec<Diagnostic>> {
    let mut reader = Reader { diagnostics: parts.mistakes.clone() };
    let own = read(&mut reader, source, None);
    let others: Vec<Option<Node>> =
        (0..parts.files.len()).map(|at| read(&mut reader, source, Some(at))).collect();
    let mut asked = Vec::new();
    let extended = others.iter().zip(&parts.files).filter(|(_, part)| part.folder.is_none());
    for node in own.iter().chain(extended.filter_map(|(node, _)| node.as_ref())) {
        note_asked(&mut reader, node, &mut asked);
    }
    // What another file says more loudly is read all the same: a mistake in it is one.
    for node in others.iter().flatten() {
        read_alone(&mut reader, node);
    }
    asked.sort_unstable_by_key(|span: &Span| span.start);
    let mut known = parts.asked.clone();
    known.sort_unstable_by_key(|span| span.start);
    if reader.diagnostics.is_empty() && asked != known {
        let span = asked.into_iter().find(|span| !known.contains(span)).unwrap_or_default();
        reader.report(unread(span));
    }
    let mut root: Vec<(Key, Node)> = Vec::new();
    let mut others = others;
    for at in &parts.order {
        if let Some(node) = others.get_mut(*at).and_then(Option::take) {
            let others = entries(&mut reader, node, false);
            let others = match &parts.files[*at].folder {
                Some(folder) => folder::anchored(&mut reader, others, folder),
                None => others.into_iter().filter(|(key, _)| key.name != EXTENDS).collect(),
            };
            add(&mut root, others);
        }
    }
    match own {
        Some(own) if reader.diagnostics.is_empty() => {
            let span = own.span;
            add(&mut root, entries(&mut reader, own, true));
            match reader.diagnostics.is_empty() {
                true => Ok(Node { span, value: Value::Map(root) }),
                false => Err(once(reader.diagnostics)),
            }
        }
        _ => Err(once(reader.diagnostics)),
    }
}

/// Each mistake once: a file is read by itself and with the others.
fn once(diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut told: Vec<Diagnostic> = Vec::new();
    for diagnostic in diagnostics {
        if !told.contains(&diagnostic) {
            told.push(diagnostic);
        }
    }
    told
}

/// Reads a file as if it were a policy by itself, for its mistakes alone.
fn read_alone(reader: &mut Reader, node: &Node) {
    let Value::Map(entries) = &node.value else { return };
    let kept = entries.iter().filter(|(key, _)| !is_asking(key) && key.name != "version").cloned();
    let version = Key { span: node.span, name: "version".to_owned() };
    let version = (version, Node { span: node.span, value: Value::Integer(1, "1".to_owned()) });
    let alone = Node { span: node.span, value: Value::Map(std::iter::once(version).chain(kept).collect()) };
    let mut one = Reader { diagnostics: Vec::new() };
    read::policy(&mut one, &alone);
    reader.diagnostics.append(&mut one.diagnostics);
}

/// Tests are a list of sentences, or a mapping that has it beside other keys.
fn join_tests(below: &mut Node, over: Node) {
    if matches!((&below.value, &over.value), (Value::List(_), Value::List(_))) {
        return join(below, over, true, false);
    }
    let as_map = |node: Node| match node.value {
        Value::List(_) => {
            let key = Key { span: node.span, name: "sentences".to_owned() };
            Node { span: node.span, value: Value::Map(vec![(key, node)]) }
        }
        _ => node,
    };
    let span = below.span;
    let known = as_map(std::mem::replace(below, Node { span, value: Value::Null }));
    let (Value::Map(mut known), Value::Map(entries)) = (known.value, as_map(over).value) else { return };
    for (key, node) in entries {
        match known.iter_mut().find(|(other, _)| other.name == key.name) {
            Some((_, below)) => join(below, node, key.name == "sentences", false),
            None => known.push((key, node)),
        }
    }
    below.value = Value::Map(known);
}

/// One of the files: the policy's own, or another by its number.
fn read(reader: &mut Reader, source: &Source, part: Option<usize>) -> Option<Node> {
    let range = part.map_or(0..source.own_len(), |at| source.range_of(at));
    match Node::parse(&source.text[range.clone()]) {
        Ok(mut node) => {
            node.shift(range.start);
            if !matches!(node.value, Value::Map(_)) {
                let message = format!("expected a mapping for a policy, found {}", node.kind());
                let help = "a file of a policy has keys as policy.yaml has them, such as `areas:`";
                reader.report(Diagnostic::error(node.span, message, "here").help(help));
                return None;
            }
            Some(node)
        }
        Err(mut error) => {
            error.span.start += range.start;
            reader.report(*error);
            None
        }
    }
}

/// What a file asks for, as a parser reads it.
fn note_asked(reader: &mut Reader, node: &Node, asked: &mut Vec<Span>) {
    let Value::Map(entries) = &node.value else { return };
    for (key, value) in entries.iter().filter(|(key, _)| is_asking(key)) {
        match paths_under(value) {
            Some(items) => asked.extend(items.into_iter().filter_map(|item| item.span)),
            None => reader.report(wrong_shape(key, value)),
        }
    }
}

/// The paths that stand under `extends`; `None` where something else does.
pub(super) fn paths_under(node: &Node) -> Option<Vec<Spanned<String>>> {
    let one = |node: &Node| match &node.value {
        Value::String(text) => Some(Spanned::at(text.clone(), node.span)),
        _ => None,
    };
    match &node.value {
        Value::Null => Some(Vec::new()),
        Value::List(items) => items.iter().map(one).collect(),
        _ => one(node).map(|item| vec![item]),
    }
}

/// Whether other files stand under a key.
fn is_asking(key: &Key) -> bool {
    [EXTENDS, INCLUDE].contains(&key.name.as_str())
}

/// What a policy of one file asks for all the same, which nobody has read.
pub(super) fn check_alone(root: &Node) -> Option<Diagnostic> {
    let Value::Map(entries) = &root.value else { return None };
    let mut asking = entries.iter().filter(|(key, _)| is_asking(key));
    asking.find_map(|(key, value)| match paths_under(value) {
        Some(items) => (!items.is_empty()).then(|| unread(key.span)),
        None => Some(wrong_shape(key, value)),
    })
}

fn wrong_shape(key: &Key, value: &Node) -> Diagnostic {
    let found = match value.value {
        Value::List(_) => "a list with something else",
        _ => value.kind(),
    };
    let message = format!("expected a list of paths for `{}`, found {found}", key.name);
    Diagnostic::error(value.span, message, "expected a list of paths")
}

fn unread(span: Span) -> Diagnostic {
    Diagnostic::error(span, "which files belong to the policy could not be read", "not read")
        .help("start a line with the key, and write plain texts: extends: [policy/shared.yaml]")
}

/// The entries of a file, each key once. `is_own`: of the policy's own file.
fn entries(reader: &mut Reader, node: Node, is_own: bool) -> Vec<(Key, Node)> {
    reader.entries(&node, "the policy");
    let Value::Map(mut entries) = node.value else { return Vec::new() };
    if !is_own {
        if let Some((_, version)) = entries.iter().find(|(key, _)| key.name == "version")
            && !matches!(version.value, Value::Integer(1, _) | Value::Null)
        {
            let error = Diagnostic::error(version.span, "unknown version", "expected 1");
            reader.report(error.help("write `version: 1`, or use a newer git-lane"));
        }
        entries.retain(|(key, _)| key.name != "version");
    }
    entries
}

/// Adds what a file says to what the files before it say.
fn add(root: &mut Vec<(Key, Node)>, entries: Vec<(Key, Node)>) {
    for (key, node) in entries {
        match root.iter_mut().find(|(known, _)| known.name == key.name) {
            // A key with nothing behind it says nothing.
            Some(_) if matches!(node.value, Value::Null) => {}
            Some((known, below)) if key.name == "tests" => {
                join_tests(below, node);
                *known = key;
            }
            Some((known, below)) => {
                let is_joined = JOINED.contains(&key.name.as_str());
                join(below, node, is_joined, key.name == "agents");
                *known = key;
            }
            None => root.push((key, node)),
        }
    }
}

/// `side_by_side`: entries of mappings are not joined with those of the same name, which is a mistake then.
fn join(below: &mut Node, over: Node, lists: bool, side_by_side: bool) {
    let span = over.span;
    match (&mut below.value, over.value) {
        (Value::Map(known), Value::Map(entries)) => {
            let count = known.len();
            for (key, node) in entries {
                let same = known[..count].iter().position(|(other, _)| other.name == key.name);
                match same.filter(|_| !side_by_side) {
                    Some(_) if matches!(node.value, Value::Null) => {}
                    Some(at) => {
                        join(&mut known[at].1, node, false, false);
                        known[at].0 = key;
                    }
                    None => known.push((key, node)),
                }
            }
        }
        (Value::List(known), Value::List(items)) if lists => known.extend(items),
        (Value::List(known), value @ Value::String(_)) if lists => known.push(Node { span, value }),
        (value @ Value::String(_), Value::List(items)) if lists => {
            let first = Node { span: below.span, value: std::mem::replace(value, Value::Null) };
            *value = Value::List(std::iter::once(first).chain(items).collect());
        }
        (value, over) => *value = over,
    }
    below.span = span;
}
