//! `services` and `tests`.

use super::super::model::{Dependency, Depends, Services, TestCommand, TestRuns, Tests};
use super::super::node::Value;
use super::super::reader::{Fields, Reader};
use super::super::scalar::Duration;
use super::super::source::Spanned;
use super::{keys, section, text, texts};

/// How long the tests of a service may take, unless the policy says otherwise.
const TIMEOUT: (&str, u64) = ("10m", 600);

pub(super) fn services(reader: &mut Reader, fields: &Fields<'_>) -> Services {
    let Some(section) = section(reader, fields, "services", keys::SERVICES) else {
        return Services::default();
    };
    let paths = text(reader, &section, "paths", "services.paths");
    let mut depends = Vec::new();
    if let Some(node) = section.get("depends") {
        for (key, node) in reader.entries(node, "`services.depends`").unwrap_or_default() {
            let on = reader.texts(node, format_args!("`services.depends.{}`", key.name), true);
            depends.push(Dependency { of: Spanned::at(key.name.clone(), key.span), on });
        }
    }
    Services { paths, depends: Depends(depends) }
}

/// A list of sentences, or a mapping that also says how services are tested.
pub(super) fn tests(reader: &mut Reader, fields: &Fields<'_>) -> Tests {
    let Some(node) = fields.get("tests") else { return Tests::default() };
    if !matches!(node.value, Value::Map(_)) {
        return Tests { sentences: texts(reader, fields, "tests", "tests", false), runs: None };
    }
    let Some(section) = reader.fields(node, node.span, "`tests`", keys::TESTS) else {
        return Tests::default();
    };
    let sentences = texts(reader, &section, "sentences", "tests.sentences", false);
    let cwd = text(reader, &section, "cwd", "tests.cwd");
    let timeout = section.get("timeout").and_then(|node| reader.parsed::<Duration>(node, "duration"));
    let (words, seconds) = TIMEOUT;
    let timeout = timeout.unwrap_or(Spanned::default_of(Duration { text: words.to_owned(), seconds }));
    let Some(node) = section.get("run") else {
        reader.missing(section.span, "run", "`tests`");
        return Tests { sentences, runs: None };
    };
    let run = match &node.value {
        Value::Map(_) => {
            let entries = reader.entries(node, "`tests.run`").unwrap_or_default();
            let commands = entries.into_iter().filter_map(|(key, node)| {
                let command = reader.text(node, format_args!("`tests.run.{}`", key.name))?;
                Some((key.name.clone(), command))
            });
            Some(TestCommand::Each(commands.collect()))
        }
        _ => reader.text(node, "`tests.run`").map(TestCommand::All),
    };
    let runs = run.map(|run| TestRuns { run, cwd, timeout, sentences: sentences.clone() });
    Tests { sentences, runs }
}
