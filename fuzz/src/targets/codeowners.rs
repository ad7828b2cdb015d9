//! CODEOWNERS: any text is read as a search through its rules says; and a policy that is written as one gives each file to whom the
//! policy gives it.
//!
//! Input: the text. Its lines up to an empty one are also the areas of a policy, a pattern and who owns it in each; those below are paths.

use lane_core::codeowners::{Codeowners, Host, Rule, policy_owners, write};
use lane_core::policy::pattern::{Segment, wild_match};
use lane_core::policy::{FILE, Plan, Source, load};

/// Runs the target.
pub fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (rules, below) = text.split_once("\n\n").unwrap_or((&text, ""));
    let paths: Vec<&str> = below.lines().filter(|path| is_path(path)).take(12).collect();
    for host in [Host::GitHub, Host::GitLab] {
        read(host, &text, &paths);
    }
    written(rules, &paths);
}

fn is_path(path: &str) -> bool {
    // All ways are tried: of long paths there are many.
    path.matches('/').count() < 8
        && path.split('/').all(|name| !matches!(name, "" | "." | "..") && !name.contains('\0'))
}

/// Each path is owned as it is by the last rule of each section that has it.
fn read(host: Host, text: &str, paths: &[&str]) {
    let read = Codeowners::parse(host, text);
    let lines = text.strip_prefix('\u{feff}').unwrap_or(text).lines().count();
    let places = read.rules.iter().map(|rule| rule.line).chain(read.notes.iter().map(|note| note.line));
    assert!(places.into_iter().all(|line| (1..=lines).contains(&line)), "a line that is not there");
    for rule in &read.rules {
        assert!(rule.section < read.sections.len());
        assert!(rule.owners.is_sorted() && rule.owners.iter().all(|owner| *owner == owner.to_lowercase()));
    }
    for path in paths {
        let found: Vec<usize> = read.deciding(path.as_bytes()).iter().map(|rule| rule.line).collect();
        let mut expected = Vec::new();
        for section in 0..read.sections.len() {
            let of: Vec<&Rule> =
                read.rules.iter().filter(|rule| rule.section == section && has(rule, path)).collect();
            if !of.iter().any(|rule| rule.is_exclusion) {
                expected.extend(of.last().map(|rule| rule.line));
            }
        }
        assert_eq!(found, expected, "{host:?}: {path}");
        assert!(read.owners(path.as_bytes()).owners.is_sorted());
    }
}

/// Whether a rule has a path, by trying all ways in which its segments can be laid on the path's names.
fn has(rule: &Rule, path: &str) -> bool {
    let names: Vec<&[u8]> = path.as_bytes().split(|byte| *byte == b'/').collect();
    let below = rule.pattern.segments.last() == Some(&Segment::AnyDepth);
    (1..=names.len()).any(|len| {
        let is_whole = len == names.len();
        // The path itself is a file.
        let is_asked = if rule.pattern.folder_only { !is_whole } else { is_whole || !rule.is_exact };
        // A `**` at the end takes one name at least.
        let takes_one = !below
            || rule.is_exact
            || laid(&rule.pattern.segments[..rule.pattern.segments.len() - 1], &names[..len - 1], true);
        is_asked && takes_one && laid(&rule.pattern.segments, &names[..len], false)
    })
}

/// Whether segments take all names. `or_more`: or some of them from the first on.
fn laid(segments: &[Segment], names: &[&[u8]], or_more: bool) -> bool {
    match (segments.split_first(), names.split_first()) {
        (None, _) => names.is_empty() || or_more,
        (Some((Segment::AnyDepth, rest)), None) => laid(rest, names, or_more),
        (Some((Segment::AnyDepth, rest)), Some((_, below))) => {
            laid(rest, names, or_more) || laid(segments, below, or_more)
        }
        (Some(_), None) => false,
        (Some((Segment::Literal(literal), rest)), Some((name, below))) => {
            literal == name && laid(rest, below, or_more)
        }
        (Some((Segment::Wild(wild), rest)), Some((name, below))) => {
            wild_match(wild, name, false) && laid(rest, below, or_more)
        }
    }
}

/// A policy with an area for each line.
fn policy(rules: &str) -> Option<Plan> {
    let mut text = "version: 1\nagents: { a0: { owner: '@a0' }, a1: { owner: '@a1' } }\nareas:\n".to_owned();
    for (at, line) in rules.lines().take(8).enumerate() {
        let (pattern, owner) = line.rsplit_once(' ').unwrap_or((line, ""));
        let access = match owner.as_bytes().last().map_or(2, |byte| byte % 3) {
            2 => "open".to_owned(),
            agent => format!("owner, owner: a{agent}"),
        };
        let quoted = pattern.replace('\'', "''");
        text.push_str(&format!("  - {{ name: n{at}, paths: ['{quoted}'], access: {access} }}\n"));
    }
    load(Source::new(FILE, text), false).ok()
}

/// What is written is read by its host as the policy says it.
fn written(rules: &str, paths: &[&str]) {
    let Some(plan) = policy(rules) else { return };
    let is_file = |path: &&&str| !paths.iter().any(|other| other.starts_with(&format!("{path}/")));
    let files: Vec<(Vec<u8>, bool)> =
        paths.iter().filter(is_file).map(|path| (path.as_bytes().to_vec(), false)).collect();
    for host in [Host::GitHub, Host::GitLab] {
        let written = write(&plan, host, &files);
        let is_all = !written.text.contains("# not said here: ");
        assert!(is_all || !written.warnings.is_empty());
        let read = Codeowners::parse(host, &written.text);
        if !is_all {
            continue;
        }
        let odd = read.notes.iter().find(|note| !note.text.contains("has no owners"));
        assert_eq!(odd, None, "{host:?}\n{}", written.text);
        for (path, is_folder) in &files {
            let ours = policy_owners(&plan, host, &plan.decide(path, *is_folder)).unwrap_or_default();
            let theirs = read.owners(path).owners;
            let shown = String::from_utf8_lossy(path);
            assert_eq!(theirs, ours, "{host:?}: {shown}\n{}\n{}", plan.source.text, written.text);
        }
    }
}
