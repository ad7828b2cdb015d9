//! The text of the policy.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;

use super::super::Survey;
use super::super::agents::fresh;
use super::super::names::{one_line, quoted, sanitize_name};
use super::super::policy_text::{defaults, write_list};
use super::entries::Entry;
use super::{Holder, as_name};
use lane_core::policy::pattern::Segment;
use lane_core::policy::schema;

/// How wide an area on one line may be.
const WIDTH: usize = 120;

/// Writes it. `agents`: their ids by their owners; `example`: a file with owners.
pub(super) fn policy(
    survey: &Survey,
    place: &str,
    agents: &BTreeMap<String, String>,
    entries: &[Entry],
    notes: &[String],
    example: Option<(&str, &[String])>,
) -> String {
    let mut out = format!(
        "{}# Who may change what in this repository, as {} has it. `git lane policy check` finds mistakes in this file, and where\n\
         # the two part; `git lane policy codeowners` writes CODEOWNERS from it. Written by `git lane init`: edit it as needed.\n",
        schema::modeline(),
        sanitize_name(place)
    );
    for note in notes {
        let _ = writeln!(out, "# note: {}", one_line(note));
    }
    let _ = write!(
        out,
        "version: 1\nbase: {}\nremote: {}\n\
         maintainers: []                   # empty: everyone without an agent identity is one\n\
         unidentified: maintainer          # or: deny\n\n\
         # One for each owner. Several owners may be one agent: give it all of them under `owner`.\nagents:\n",
        quoted(&survey.base),
        quoted(&survey.remote)
    );
    let name = survey.name.replace(char::is_control, "-");
    for (owner, id) in agents {
        let _ = write!(
            out,
            "  {}:\n    owner: {}\n    worktree: {}\n    branch: {}\n",
            quoted(id),
            quoted(owner),
            quoted(&format!("../{name}-{id}")),
            quoted(&format!("feat/{id}/main"))
        );
    }
    out.push_str("\n# As in CODEOWNERS, the LAST area that matches a path decides.\nareas:\n");
    areas(&mut out, agents, entries);
    defaults(&mut out, &survey.base, "");
    tests(&mut out, agents, entries, example);
    out
}

fn areas(out: &mut String, agents: &BTreeMap<String, String>, entries: &[Entry]) {
    let mut names: HashSet<String> = HashSet::new();
    for group in entries.chunk_by(|one, two| one.holder == two.holder) {
        let Some(first) = group.first() else { continue };
        let (name, access, owners) = match &first.holder {
            Holder::Owners(owners) => {
                let access = if owners.is_empty() { "open" } else { "owner" };
                (name_of(group), access, owners.as_slice())
            }
            Holder::Maintainers => ("policy".to_owned(), "maintainer", &[][..]),
            Holder::Nobody => ("local".to_owned(), "never", &[][..]),
        };
        let name = fresh(&name, "-", &mut names);
        let ids: Vec<String> =
            owners.iter().filter_map(|owner| agents.get(owner)).map(|id| quoted(id)).collect();
        let owner = match ids.as_slice() {
            [] => String::new(),
            [id] => format!(", owner: {id}"),
            ids => format!(", owner: [{}]", ids.join(", ")),
        };
        let lines: Vec<usize> = group.iter().filter_map(|entry| entry.line).collect();
        match (lines.first(), lines.last()) {
            (Some(first), Some(last)) if first != last => drop(writeln!(out, "  # lines {first} to {last}")),
            (Some(line), _) => drop(writeln!(out, "  # line {line}")),
            _ if first.is_own() => {}
            _ => out.push_str("  # as these are today, where no pattern says what the lines say\n"),
        }
        let paths: Vec<String> = group.iter().map(|entry| quoted(&entry.text)).collect();
        let line = format!(
            "  - {{ name: {}, paths: [{}], access: {access}{owner} }}",
            quoted(&name),
            paths.join(", ")
        );
        if line.chars().count() <= WIDTH {
            let _ = writeln!(out, "{line}");
            continue;
        }
        let _ = writeln!(out, "  - name: {}", quoted(&name));
        write_list(out, "paths", &paths);
        let owner = owner.strip_prefix(", ").map(|owner| format!("    {owner}\n")).unwrap_or_default();
        let _ = write!(out, "    access: {access}\n{owner}");
    }
    if entries.is_empty() {
        out.push_str("  []\n");
    }
}

/// After the last folder or file that the first pattern names.
fn name_of(group: &[Entry]) -> String {
    let literal =
        group.iter().flat_map(|entry| entry.pattern.segments.iter().rev()).find_map(
            |segment| match segment {
                Segment::Literal(name) => Some(String::from_utf8_lossy(name).into_owned()),
                _ => None,
            },
        );
    match literal {
        Some(name) => as_name(&name, "area"),
        None => "all".to_owned(),
    }
}

fn tests(
    out: &mut String,
    agents: &BTreeMap<String, String>,
    entries: &[Entry],
    example: Option<(&str, &[String])>,
) {
    let mut sentences = Vec::new();
    if let Some((path, owners)) = example {
        let of = |owned: bool| agents.iter().find(|(owner, _)| owners.contains(owner) == owned);
        sentences.extend(of(true).map(|(_, id)| format!("{id} may change {path}")));
        sentences.extend(of(false).map(|(_, id)| format!("{id} may not change {path}")));
    }
    let is_protected = entries.iter().any(|entry| entry.holder == Holder::Maintainers);
    if let Some((_, id)) = agents.iter().next().filter(|_| is_protected) {
        sentences.push(format!("{id} may not change policy.yaml"));
    }
    if !sentences.is_empty() {
        out.push_str("\n# Proven by `git lane policy test`.\ntests:\n");
        for sentence in &sentences {
            let _ = writeln!(out, "  - {}", quoted(sentence));
        }
    }
}
