//! `docs/guide.md`: nothing of the guide is left out, and every command that takes its place exists.

use std::collections::BTreeSet;

use crate::support::Scratch;

const PAGE: &str = include_str!("../../docs/guide.md");

/// The commands, files and numbers of the guide, by their short names, in its order.
const GUIDE: &str = include_str!("../fixtures/guide.txt");

/// What says that git-lane does nothing there, or not what.
const EVASIONS: [&str; 4] = ["the same", "affair", "as before", "nothing to do with"];

/// The rows of the table: what the guide has, and what takes its place.
fn rows() -> Vec<(String, &'static str)> {
    let rows = PAGE.lines().filter(|line| line.starts_with("| `"));
    rows.map(|line| {
        let cells = line.trim_start_matches("| ").trim_end_matches(" |");
        let (guide, ours) = cells.split_once(" | ").unwrap_or_else(|| panic!("one cell: {line}"));
        (guide.trim_matches('`').replace("\\|", "|"), ours)
    })
    .collect()
}

/// The words in backquotes.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn nothing_is_left_out() {
    let have: Vec<String> = rows().into_iter().map(|(guide, _)| guide).collect();
    let named: Vec<&str> = GUIDE.lines().collect();
    assert_eq!(have, named);
    let numbers = named.iter().filter(|name| name.contains(|c: char| c.is_ascii_digit())).count();
    assert!(numbers > 40, "ports, memory, limits and goals are named, too: {numbers}");
}

#[test]
fn every_row_says_what_does_it() {
    for (guide, ours) in rows() {
        let evasion = EVASIONS.iter().find(|words| ours.contains(**words));
        assert_eq!(evasion, None, "`{guide}`: {ours}");
        // A command, a rule, or a key of the policy.
        let does_it = |code: &str| {
            code.starts_with("git lane ") || code.contains(": ") || lane_core::rules::find(code).is_some()
        };
        let known = ["worktree", "database", "access", "area", "pre-push", "services"];
        assert!(
            code(ours).any(|code| does_it(code) || known.iter().any(|word| code.contains(word)))
                || ours.contains("area `"),
            "`{guide}` leads nowhere: {ours}"
        );
    }
}

/// `git lane <command>` as it is named on the page, with the second word of commands that have commands.
fn commands() -> BTreeSet<Vec<&'static str>> {
    let typed = code(PAGE).filter_map(|code| code.strip_prefix("git lane "));
    typed
        .map(|typed| {
            let words: Vec<&str> = typed.split(' ').collect();
            let count = if matches!(words[0], "policy" | "request") { 2 } else { 1 };
            words.into_iter().take(count).collect()
        })
        .collect()
}

#[test]
fn every_command_exists() {
    let scratch = Scratch::empty();
    let commands = commands();
    assert!(commands.len() > 20, "{commands:?}");
    let is_missing = |words: &&Vec<&str>| {
        let args: Vec<&str> = words.iter().copied().chain(["-h"]).collect();
        scratch.lane(&args).code != 0
    };
    let missing: Vec<String> =
        commands.iter().filter(is_missing).map(|words| format!("git lane {}", words.join(" "))).collect();
    assert!(missing.is_empty(), "docs/guide.md names commands that are not there: {}", missing.join(", "));
}

#[test]
fn every_rule_exists() {
    let rules: Vec<&str> = lane_core::rules::RULES.iter().map(|rule| rule.id).collect();
    let named = PAGE.split("rule `").skip(1).filter_map(|rest| rest.split('`').next());
    let unknown: Vec<&str> = named.filter(|name| !rules.contains(name)).collect();
    assert!(unknown.is_empty(), "no such rules: {unknown:?}");
}

/// What stands for a name in a command that is printed would be a redirection in a shell: `<id>`.
#[test]
fn no_printed_command_redirects() {
    let redirects = |line: &str| {
        let commands = line.match_indices("git ").chain(line.match_indices("gh "));
        let mut typed = commands.filter_map(|(at, _)| line[at..].split(['"', '`', ';', '\'']).next());
        typed.any(|typed| {
            let word = typed.split_once(" <").map(|(_, word)| word);
            word.is_some_and(|word| word.starts_with(char::is_alphabetic) && word.contains('>'))
        })
    };
    let mut folders = crate::advice_commands::sources();
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
                let wrong: Vec<&str> = lines.filter(|line| redirects(line)).collect();
                assert!(wrong.is_empty(), "{}: {wrong:#?}", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 100, "{seen}");
}
