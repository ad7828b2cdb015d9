//! The file of a folder: agents and areas whose paths are inside it.

use super::diagnostic::Diagnostic;
use super::node::{Key, Node, Value};
use super::pattern::escape;
use super::reader::Reader;
use super::unknown::did_you_mean_or;

/// What such a file has.
const KEYS: &[&str] = &["agents", "areas"];

/// The entries of a folder's file, with its paths from the root of the repository. What is not about the folder is reported.
pub(super) fn anchored(reader: &mut Reader, entries: Vec<(Key, Node)>, folder: &str) -> Vec<(Key, Node)> {
    let mut kept = Vec::new();
    for (key, mut node) in entries {
        match key.name.as_str() {
            "agents" => each_entry(&mut node, |entry| agent(reader, entry, folder)),
            "areas" => each_item(&mut node, |area| paths(reader, area, "paths", folder)),
            name => {
                let rest = "a folder's file has `agents` and `areas`; the rest belongs into policy.yaml";
                let help = did_you_mean_or(name, KEYS.iter().copied(), rest);
                let message = format!("`{name}` in the file of a folder");
                reader.report(Diagnostic::error(key.span, message, "not here").help(help));
                continue;
            }
        }
        kept.push((key, node));
    }
    kept
}

fn agent(reader: &mut Reader, agent: &mut Node, folder: &str) {
    paths(reader, agent, "owns", folder);
    let Value::Map(entries) = &agent.value else { return };
    if let Some((key, _)) = entries.iter().find(|(key, _)| key.name == "services") {
        let help = "name what is inside the folder under `owns`: owns: [\"**\"]";
        reader
            .report(Diagnostic::error(key.span, "`services` in the file of a folder", "not here").help(help));
    }
}

/// Puts the patterns under a key into the folder.
fn paths(reader: &mut Reader, entry: &mut Node, key: &str, folder: &str) {
    let Value::Map(entries) = &mut entry.value else { return };
    for (_, node) in entries.iter_mut().filter(|(name, _)| name.name == key) {
        each_item(node, |item| {
            let Value::String(text) = &mut item.value else { return };
            match inside(text, folder) {
                Some(inside) => *text = inside,
                None => {
                    let message = format!("`{text}` leaves the folder {folder}");
                    let help = "paths in a folder's file begin at its folder; put others into policy.yaml";
                    reader.report(Diagnostic::error(item.span, message, "not inside").help(help));
                }
            }
        });
    }
}

/// A pattern as it reads from the root of the repository; `None` where it leaves the folder.
fn inside(text: &str, folder: &str) -> Option<String> {
    if text.split('/').any(|name| matches!(name, "." | "..")) {
        return None;
    }
    let folder = escape(folder);
    let body = text.strip_suffix('/').unwrap_or(text);
    let rooted = text.strip_prefix('/').unwrap_or(text);
    Some(match body {
        // What is wrong with these is said of them as they are.
        "" | "/" => text.to_owned(),
        _ if text.starts_with('!') => text.to_owned(),
        "*" | "**" => format!("/{folder}/**"),
        _ if body.contains('/') => format!("/{folder}/{rooted}"),
        _ => format!("/{folder}/**/{text}"),
    })
}

fn each_entry(node: &mut Node, mut change: impl FnMut(&mut Node)) {
    if let Value::Map(entries) = &mut node.value {
        entries.iter_mut().for_each(|(_, entry)| change(entry));
    }
}

/// The items of a list, or the one value that stands for a list.
fn each_item(node: &mut Node, mut change: impl FnMut(&mut Node)) {
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(change),
        _ => change(node),
    }
}

#[cfg(test)]
mod tests {
    use super::inside;
    use crate::policy::pattern::Pattern;

    #[test]
    fn paths_begin_at_the_folder() {
        for (text, wanted) in [
            ("**", "/s/web/**"),
            ("*", "/s/web/**"),
            ("src/", "/s/web/**/src/"),
            ("/src/", "/s/web/src/"),
            ("src/*.rs", "/s/web/src/*.rs"),
            ("*.sql", "/s/web/**/*.sql"),
            ("**/x", "/s/web/**/x"),
            ("**/", "/s/web/**"),
        ] {
            let found = inside(text, "s/web").expect(text);
            assert_eq!(found, wanted, "{text}");
            // No pattern of a folder has a path outside of it.
            assert!(Pattern::new("/s/web/").unwrap().covers(&Pattern::new(&found).unwrap()), "{text}");
        }
        for text in ["../x", "/../x", "a/../../x", "."] {
            assert_eq!(inside(text, "s/web"), None, "{text}");
        }
        assert_eq!(inside("x", "s/[a]*").as_deref(), Some("/s/\\[a]\\*/**/x"));
    }
}
