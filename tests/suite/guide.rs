//! `docs/guide.md`: nothing of the guide is left out, and every command that takes its place exists.

use std::collections::BTreeSet;

use crate::support::Scratch;

const PAGE: &str = include_str!("../../docs/guide.md");

/// The commands and files of the guide, by their short names, in its order.
const GUIDE: &[&str] = &[
    "./setup-4-agents.sh",
    "../wt-a1-mlops",
    "../wt-a2-genai",
    "../wt-a3-analytics",
    "../wt-a4-platform",
    "8080-8099",
    "agent_a1",
    "cd ../wt-a1-mlops",
    "source .venv/bin/activate",
    "source .agent.env",
    "AGENT_ID",
    "AGENT_FOCUS.md",
    ".agent.env",
    "/services/common/*",
    "ls .locks/",
    "touch .locks/.common-lock-a1",
    "rm .locks/.common-lock-a1",
    "alembic",
    "services/orchestrator/db/migration_queue.py",
    "submit_migration(agent_id=\"a2\", sql=\"ALTER TABLE...\", priority=1)",
    "feat/<agent_id>/<feature>",
    "git add .",
    "git commit -m",
    "git push origin feat/a1/main",
    "gh pr create --title \"[A1] Your feature\"",
    "--label \"auto-merge\"",
    "git fetch origin main",
    "git rebase origin/main",
    "git push --force-with-lease",
    ".gitignore",
    "*.local",
    ".locks/",
    "/services/common/*.py",
    "/requirements.txt",
    "/helm/",
    "export OPENAI_API_KEY_A1=sk-proj-xxx",
    "pytest services/your_service/tests/",
    "just dev-start",
    "just e2e",
    "./agent-status.sh",
    "kubectl get pods",
    "kubectl logs <your-service-pod>",
    "SET search_path TO agent_a1, public;",
    "git fetch origin",
    "# See who has the lock",
    "# Wait or coordinate with that agent",
    "under 300 lines",
    "echo $AGENT_ID",
    "echo $AGENT_SERVICES",
    "echo $PORT_OFFSET",
    "touch .locks/.common-lock-$AGENT_ID",
    "rm .locks/.common-lock-$AGENT_ID",
    "gh pr create --title \"[$AGENT_ID] Feature\"",
    "Check AGENT_FOCUS.md in your worktree",
    "Run ./agent-status.sh for overall status",
    "Review this guide",
    "Check PR comments for coordination",
];

/// The rows of the table: what the guide has, and what takes its place.
fn rows() -> Vec<(&'static str, &'static str)> {
    let rows = PAGE.lines().filter(|line| line.starts_with("| `"));
    rows.map(|line| {
        let cells = line.trim_start_matches("| ").trim_end_matches(" |");
        let (guide, ours) = cells.split_once(" | ").unwrap_or_else(|| panic!("one cell: {line}"));
        (guide.trim_matches('`'), ours)
    })
    .collect()
}

/// The words in backquotes.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn nothing_is_left_out() {
    let have: Vec<&str> = rows().into_iter().map(|(guide, _)| guide).collect();
    assert_eq!(have, GUIDE);
}

#[test]
fn every_row_names_something() {
    for (guide, ours) in rows() {
        assert!(
            code(ours).next().is_some() || ours.starts_with("the same"),
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
