//! A policy as a CODEOWNERS file. The order is the policy's: lanes, then areas, and the last match decides in both.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use super::Host;
use super::compare::{maintainers, owners_of};
use crate::policy::Plan;
use crate::policy::model::Access;
use crate::policy::pattern::{Pattern, Segment};
use crate::policy::{Entry, Owner, Place};

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The file.
    pub text: String,
    /// What of the policy it does not say, each in one line.
    pub warnings: Vec<String>,
}

/// How a file begins that was written here.
pub const HEADER: &str = "# Who owns what, for ";

/// Writes the file. `files`: what the repository has, which tells files from folders.
pub fn write(plan: &Plan, host: Host, files: &[(Vec<u8>, bool)]) -> Written {
    let mut out = format!(
        "{HEADER}{}. Written by `git lane policy codeowners` from {}: change that, and write this again.\n\
         # The last line that matches a path decides. A line without owners: nobody is asked.\n",
        host.name(),
        plan.source.name
    );
    let known: HashSet<&[u8]> = files.iter().map(|(path, _)| path.as_slice()).collect();
    let mut warnings: Vec<String> = Vec::new();
    let mut lines: Vec<Line> = Vec::new();
    let mut of: Option<crate::policy::EntryOwner> = None;
    for entry in plan.entries() {
        let (title, owners) = owners(plan, host, entry);
        if of != Some(entry.owner) {
            of = Some(entry.owner);
            lines.push(Line::Text(format!("\n# {title}")));
            let missing = missing_owner(plan, host, entry);
            warnings.extend(missing.filter(|warning| !warnings.contains(warning)));
        }
        match patterns(&entry.pattern, host, &known) {
            Ok(patterns) => {
                lines.extend(patterns.into_iter().map(|pattern| Line::Rule(pattern, owners.clone())))
            }
            Err(why) => {
                let Place { file, line, .. } = plan.source.place(entry.span.start);
                let text = crate::text::sanitize(&entry.text);
                warnings.push(format!("{file}:{line}: `{text}` is not said in CODEOWNERS: {why}"));
                lines.push(Line::Text(format!("# not said here: {text}: {why}")));
            }
        }
    }
    put(&mut out, &lines);
    if host == Host::GitLab && plan.entries().iter().any(|entry| owners(plan, host, entry).1.is_empty()) {
        warnings.push(
            "GitLab marks lines without owners as errors; they work all the same: nobody has to approve there"
                .to_owned(),
        );
    }
    Written { text: out, warnings }
}

enum Line {
    Text(String),
    /// A pattern, and its owners.
    Rule(String, Vec<String>),
}

/// Writes the lines. Of a pattern that comes twice the last one counts, and GitLab would put that in the place of the first.
fn put(out: &mut String, lines: &[Line]) {
    let mut last: HashMap<&str, usize> = HashMap::new();
    for (at, line) in lines.iter().enumerate() {
        if let Line::Rule(pattern, _) = line {
            last.insert(pattern, at);
        }
    }
    for (at, line) in lines.iter().enumerate() {
        let text = match line {
            Line::Text(text) => text.clone(),
            Line::Rule(pattern, _) if last.get(pattern.as_str()) != Some(&at) => continue,
            Line::Rule(pattern, owners) => format!("{pattern} {}", owners.join(" ")),
        };
        let _ = writeln!(out, "{}", text.trim_end_matches(' '));
    }
}

/// What an entry belongs to, for people, and who owns it on the host.
fn owners(plan: &Plan, host: Host, entry: &Entry) -> (String, Vec<String>) {
    match plan.owner(entry.owner) {
        Owner::Lane(agent) => (format!("the lane of {}", agent.id.value), owners_of(agent, host)),
        Owner::Area(area) => {
            let owners = match area.access.value {
                Access::Owner => {
                    let agents = area.owner.iter().filter_map(|id| plan.policy.agent(&id.value));
                    agents.flat_map(|agent| owners_of(agent, host)).collect()
                }
                Access::Maintainer => maintainers(plan, host),
                _ => Vec::new(),
            };
            (format!("the area {}", area.name.value), owners)
        }
    }
}

/// That the policy does not say who owns something on the host.
fn missing_owner(plan: &Plan, host: Host, entry: &Entry) -> Option<String> {
    let without = |id: &str| {
        format!(
            "`{id}` has no `owner`: nobody is asked in its place; add one: agents: {{ {id}: {{ owner: '@org/team' }} }}"
        )
    };
    match plan.owner(entry.owner) {
        Owner::Lane(agent) => owners_of(agent, host).is_empty().then(|| without(&agent.id.value)),
        Owner::Area(area) => match area.access.value {
            Access::Owner => {
                let agents = area.owner.iter().filter_map(|id| plan.policy.agent(&id.value));
                let mut missing = agents.filter(|agent| owners_of(agent, host).is_empty());
                missing.next().map(|agent| without(&agent.id.value))
            }
            Access::Maintainer => maintainers(plan, host).is_empty().then(|| {
                format!(
                    "the area `{}` is the maintainers', and none is listed: nobody is asked there",
                    area.name.value
                )
            }),
            _ => None,
        },
    }
}

/// A pattern in the host's language: one line, or two where one has the file of a name and another what is below the
/// folder of that name.
fn patterns(pattern: &Pattern, host: Host, known: &HashSet<&[u8]>) -> Result<Vec<String>, String> {
    let mut segments = pattern.segments.clone();
    let mut folder_only = pattern.folder_only;
    // `a/*` has a folder in a with all that is below it; the hosts stop at the folder. `a/**` is the same, and so is `a/`.
    let is_star =
        |segment: &Segment| matches!(segment, Segment::Wild(wild) if wild.iter().all(|byte| *byte == b'*'));
    let is_all = match segments.as_slice() {
        [Segment::AnyDepth] => true,
        [Segment::AnyDepth, last] => is_star(last),
        _ => false,
    };
    if is_all && !folder_only {
        return Ok(vec!["*".to_owned()]);
    }
    while !folder_only && segments.len() > 1 {
        match segments.last() {
            Some(Segment::AnyDepth) => folder_only = true,
            // `a/**/*` has what `a/**` has.
            Some(last) if is_star(last) => {
                folder_only = segments.get(segments.len() - 2) != Some(&Segment::AnyDepth);
            }
            _ => break,
        }
        segments.pop();
    }
    // The folders at any depth below another have what the folders in it have.
    if folder_only && segments.last() == Some(&Segment::AnyDepth) {
        segments.pop();
        segments.push(Segment::Wild(b"*".to_vec()));
    }
    if !folder_only && segments.len() == 1 && segments.first().is_some_and(is_star) {
        // `/*` is everything, too.
        return Ok(vec!["*".to_owned()]);
    }
    let text = text_of(&segments, host)?;
    let below = format!("{text}/");
    if folder_only {
        return Ok(vec![below]);
    }
    if host == Host::GitHub {
        return Ok(vec![text]);
    }
    if text.ends_with('\\') {
        return Err("GitLab takes a space behind a backslash for a part of the pattern".to_owned());
    }
    let literal: Option<Vec<&[u8]>> = segments
        .iter()
        .map(|segment| match segment {
            Segment::Literal(name) => Some(name.as_slice()),
            _ => None,
        })
        .collect();
    let is_file = literal.is_some_and(|names| known.contains(names.join(&b'/').as_slice()));
    Ok(if is_file { vec![text] } else { vec![text, below] })
}

fn text_of(segments: &[Segment], host: Host) -> Result<String, String> {
    let parts: Vec<String> = segments.iter().map(|segment| part(segment, host)).collect::<Result<_, _>>()?;
    Ok(match (segments, host) {
        // One name at any depth, as long as nothing else begins so.
        ([Segment::AnyDepth, _], _) if !parts[1].starts_with(['!', '#', '[', '^', '\\']) => parts[1].clone(),
        ([Segment::AnyDepth, ..], Host::GitHub) => parts.join("/"),
        _ => format!("/{}", parts.join("/")),
    })
}

/// One name of a pattern.
fn part(segment: &Segment, host: Host) -> Result<String, String> {
    let bytes = match segment {
        Segment::AnyDepth => return Ok("**".to_owned()),
        Segment::Literal(name) | Segment::Wild(name) => name,
    };
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    if text.chars().any(char::is_control) {
        return Err("it has a control character".to_owned());
    }
    if text.ends_with(char::is_whitespace) {
        return Err("it ends in a space".to_owned());
    }
    let is_wild = matches!(segment, Segment::Wild(_));
    match host {
        Host::GitHub if text.contains(['[', ']']) => {
            return Err("patterns of GitHub cannot have `[` and `]`".to_owned());
        }
        Host::GitHub if text.contains('#') => {
            return Err("GitHub takes `#` for the start of a comment".to_owned());
        }
        Host::GitHub if is_wild && text.contains("***") => {
            return Err("patterns of GitHub cannot have `***`".to_owned());
        }
        Host::GitLab if is_wild && text.contains("[:") => {
            return Err("GitLab has no classes such as `[:alpha:]`".to_owned());
        }
        _ => {}
    }
    // A literal is written so that nothing in it is special; `{` is to neither.
    let mut out = String::new();
    let mut is_escaped = false;
    for c in text.chars() {
        if c.is_whitespace() && !is_escaped {
            out.push('\\');
        }
        out.push(c);
        is_escaped = c == '\\' && !is_escaped;
    }
    Ok(out)
}
