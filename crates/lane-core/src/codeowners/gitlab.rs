//! GitLab's reading: sections, default owners, exclusions, and whole paths as Ruby's `File.fnmatch` has them with
//! `FNM_PATHNAME` and `FNM_DOTMATCH`.

use std::collections::HashMap;

use super::{Codeowners, Rule, Section, is_owner, sorted};
use crate::policy::pattern::Pattern;

/// What a heading says.
struct Heading<'t> {
    name: &'t str,
    is_optional: bool,
    approvals: Option<u64>,
    owners: Vec<&'t str>,
}

/// Whether a line is the heading of a section.
pub(super) fn is_section(line: &str) -> bool {
    // `[ab]*.rb @x` would be one for GitLab, and is a pattern for nobody else.
    heading(line.trim()).is_some_and(|heading| !heading.name.is_empty())
        && line
            .trim_start_matches(['^', ' '])
            .split_once(']')
            .is_some_and(|(_, rest)| rest.is_empty() || rest.starts_with([' ', '\t', '[']))
}

fn heading(line: &str) -> Option<Heading<'_>> {
    let rest = line.strip_prefix('^').unwrap_or(line);
    let (name, after) = rest.strip_prefix('[')?.split_once(']')?;
    let count = after.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let count = count.filter(|(count, _)| count.bytes().all(|byte| byte.is_ascii_digit()));
    let (approvals, owners) = match count {
        Some((count, owners)) => (count.parse().ok(), owners),
        None => (None, after),
    };
    let owners = if owners.starts_with(char::is_whitespace) { owners } else { "" };
    Some(Heading {
        name,
        is_optional: rest.len() < line.len(),
        approvals: approvals.filter(|count| *count > 1),
        owners: owners.split_whitespace().collect(),
    })
}

pub(super) fn parse(read: &mut Codeowners, text: &str) {
    let (mut section, mut is_optional, mut defaults) = (0, false, Vec::new());
    let mut known: HashMap<(usize, String), usize> = HashMap::new();
    for (line, text) in text.lines().enumerate().map(|(at, text)| (at + 1, text.trim())) {
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if let Some(heading) = heading(text) {
            section = section_of(read, &heading, line);
            is_optional = heading.is_optional;
            defaults = owners_of(read, line, &heading.owners);
            continue;
        }
        let (pattern, rest) = divided(text);
        let is_exclusion = pattern.starts_with('!');
        let owners: Vec<&str> = rest.split_whitespace().collect();
        let owners = match owners.is_empty() {
            true => defaults.clone(),
            false => owners_of(read, line, &owners),
        };
        let pattern = normalized(pattern.strip_prefix('!').unwrap_or(pattern));
        let compiled = match Pattern::new(&pattern) {
            Ok(compiled) => compiled,
            Err(error) => {
                read.note(line, format!("`{text}`: {}; the line says nothing", error.reason));
                continue;
            }
        };
        if owners.is_empty() && !is_exclusion {
            read.note(
                line,
                format!("`{text}`: it has no owners; GitLab calls that an error, and asks nobody"),
            );
        }
        let owners = if is_exclusion { Vec::new() } else { owners };
        let rule =
            Rule { line, owners, pattern: compiled, is_exact: true, is_exclusion, section, is_optional };
        // The same pattern once more in a section takes the place of the first.
        match known.get(&(section, pattern.clone())) {
            Some(at) => {
                let first = read.rules[*at].line;
                read.note(
                    line,
                    format!("`{text}`: takes the place of line {first}, which has the same pattern"),
                );
                read.rules[*at] = rule;
            }
            None => {
                known.insert((section, pattern), read.rules.len());
                read.rules.push(rule);
            }
        }
    }
}

fn section_of(read: &mut Codeowners, heading: &Heading<'_>, line: usize) -> usize {
    let name = heading.name;
    if heading.is_optional {
        read.note(
            line,
            format!("`^[{name}]`: an optional section asks nobody to approve; its owners do not count"),
        );
    }
    if let Some(count) = heading.approvals.filter(|_| !heading.is_optional) {
        read.note(
            line,
            format!("`[{name}][{count}]`: a policy does not count approvals; one owner is enough"),
        );
    }
    let same = |known: &Section| known.name.to_lowercase() == name.to_lowercase();
    if let Some(at) = read.sections.iter().position(same).filter(|at| *at > 0) {
        return at;
    }
    read.sections.push(Section { name: name.to_owned(), line, approvals: heading.approvals });
    read.sections.len() - 1
}

/// The words that are owners.
fn owners_of(read: &mut Codeowners, line: usize, words: &[&str]) -> Vec<String> {
    let mut owners = Vec::new();
    for word in words {
        if is_owner(word) {
            owners.push((*word).to_owned());
        } else {
            read.note(line, format!("`{word}` is not an owner, and is passed over"));
        }
    }
    sorted(owners.into_iter())
}

/// The pattern, and what follows the first white space that has no backslash before it.
fn divided(line: &str) -> (&str, &str) {
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        if c.is_whitespace() && before != '\\' {
            return line.split_at(at);
        }
        before = c;
    }
    (line, "")
}

/// A pattern from the root, in which `**` stands for folders alone.
fn normalized(pattern: &str) -> String {
    if pattern == "*" {
        return "/**/*".to_owned();
    }
    let pattern = pattern.strip_prefix('\\').filter(|rest| rest.starts_with('#')).unwrap_or(pattern);
    let mut plain = String::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\\' && chars.peek().is_some_and(|next| next.is_whitespace()) {
            while chars.peek().is_some_and(|next| next.is_whitespace()) {
                chars.next();
            }
            plain.push(' ');
        } else {
            plain.push(c);
        }
    }
    let rooted = if plain.starts_with('/') { plain } else { format!("/**/{plain}") };
    if let Some(folder) = rooted.strip_suffix('/') {
        format!("{folder}/**/*")
    } else if let Some(folder) = rooted.strip_suffix("/**") {
        // Without a slash behind it, `**` is a `*`.
        format!("{folder}/*")
    } else {
        rooted
    }
}
