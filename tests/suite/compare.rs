//! `docs/compare.md`: each line of a policy there refuses what the restriction beside it refuses, and nothing else.

use crate::advice::sh;
use crate::compare_trials::TRIALS;
use crate::support::{Ran, Scratch};

const PAGE: &str = include_str!("../../docs/compare.md");

/// What each trial may call.
const PRELUDE: &str = r#"
set -e
put() { mkdir -p "$(dirname "$1")"; printf '%s\n' "${2-x}" >"$1"; git add -f -- "$1"; }
commit() { git commit -q -m "${1-feat: it}"; }
push() { git push -q origin "$@"; }
A2=$PWD/../a2
"#;

/// The command of the rows about rules of one's own.
const NO_TODO: &str = "#!/bin/sh\ngit grep -n TODO refs/lane/to -- services && exit 1\ntest $? = 1\n";

/// A row with a line of the policy.
struct Row {
    section: &'static str,
    restriction: &'static str,
    line: &'static str,
    rule: &'static str,
}

/// The rows of the tables that have a line of the policy and a rule.
fn rows() -> Vec<Row> {
    let mut section = "";
    let mut rows = Vec::new();
    for line in PAGE.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title;
        }
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        if let [restriction, line, rule] = cells[..]
            && line.starts_with('`')
        {
            rows.push(Row {
                section,
                restriction,
                line: line.trim_matches('`'),
                rule: rule.trim_matches('`'),
            });
        }
    }
    rows
}

/// A small policy of two agents, in which a line takes the place of the one with its key.
fn policy(line: &str) -> String {
    let key = line.split(':').next().unwrap();
    let base = [
        "version: 1",
        "services: { paths: 'services/{service}/**' }",
        "agents: { a1: { services: [web] }, a2: { services: [api] } }",
        "branch: { pattern: 'feat/{agent}/{feature}', protected: [main, 'release/*'] }",
        "message: { tag: ['[{AGENT}]'] }",
        "areas: [{ name: infra, paths: [/infra/], access: coordinate }]",
    ];
    let others = base.into_iter().filter(|own| own.split(':').next() != Some(key));
    others.chain([line]).map(|line| format!("{line}\n")).collect()
}

/// Runs a trial's script in a repository with a policy of that line, a remote, and worktrees with hooks.
fn run(line: &str, script: &str) -> Ran {
    let scratch = Scratch::empty();
    scratch.write("policy.yaml", &policy(line));
    for path in ["services/web/main.py", "services/api/main.py", "infra/main.tf"] {
        scratch.write(path, "a\nb\nc\n");
    }
    scratch.git(&["add", "-A"]).ok();
    if line.starts_with("custom:") {
        scratch.write("scripts/no-todo", NO_TODO);
        scratch.git(&["add", "--chmod=+x", "scripts/no-todo"]).ok();
    }
    scratch.git(&["commit", "-q", "-m", "first"]).ok();
    scratch.add_origin();
    let worktree = |agent: &str| {
        let tree = scratch.worktree(agent, &format!("feat/{agent}/x"));
        tree.lane(&["install", "--agent", agent]).ok();
        tree
    };
    let tree = worktree("a1");
    if script.contains("$A2") {
        worktree("a2");
    }
    sh(&tree, &format!("{PRELUDE}{script}"))
}

/// Tries the rows of a section.
fn hold(section: &str) {
    let (_, trials) = TRIALS.iter().find(|(title, _)| *title == section).unwrap();
    let mut wrong = Vec::new();
    for row in rows().into_iter().filter(|row| row.section == section) {
        let Row { restriction, line, rule, .. } = row;
        let Some((_, refused, passes)) = trials.iter().find(|(name, ..)| *name == restriction) else {
            wrong.push(format!("{restriction}: no trial"));
            continue;
        };
        let ran = run(line, refused);
        if ran.code == 0 || !ran.all().contains(&format!("[{rule}]")) {
            wrong.push(format!("{restriction}: not refused by {rule} ({}): {}", ran.code, ran.all()));
        }
        let ran = run(line, passes);
        if ran.code != 0 {
            wrong.push(format!("{restriction}: does not pass ({}): {}", ran.code, ran.all()));
        }
    }
    assert!(wrong.is_empty(), "{section}:\n{}", wrong.join("\n"));
}

#[test]
fn every_trial_has_its_row() {
    let rows = rows();
    for (section, trials) in TRIALS {
        for (restriction, ..) in *trials {
            let found = rows.iter().any(|row| row.section == *section && row.restriction == *restriction);
            assert!(found, "docs/compare.md: {section}: {restriction} is missing");
        }
    }
    assert_eq!(rows.len(), TRIALS.iter().map(|(_, trials)| trials.len()).sum::<usize>());
}

/// What the page names in its prose is read by the policy, too.
#[test]
fn every_line_of_a_policy_can_be_read() {
    // `identity: { require: proven }` wants keys of each agent besides.
    let keys = [
        "mode",
        "rules",
        "change",
        "files",
        "content",
        "land",
        "branch",
        "message",
        "author",
        "committer",
        "tags",
        "history",
    ];
    let spans = PAGE.split('`').skip(1).step_by(2);
    let lines: Vec<&str> =
        spans.filter(|span| span.split_once(": ").is_some_and(|(key, _)| keys.contains(&key))).collect();
    assert!(lines.len() > 30, "{lines:?}");
    let scratch = Scratch::empty();
    for line in lines {
        scratch.write("policy.yaml", &policy(line));
        let ran = scratch.lane(&["policy", "check", "policy.yaml"]);
        assert_eq!(ran.code, 0, "{line}: {}", ran.all());
    }
}

#[test]
fn github_rulesets() {
    hold("GitHub rulesets");
}

#[test]
fn gitlab_push_rules() {
    hold("GitLab push rules");
}

#[test]
fn gitolite() {
    hold("gitolite");
}

#[test]
fn policy_bot() {
    hold("policy-bot");
}

#[test]
fn codeowners() {
    hold("CODEOWNERS");
}

#[test]
fn mcp_agent_mail() {
    hold("Reservations of mcp_agent_mail");
}

#[test]
fn hooks_of_prek_and_lefthook() {
    hold("Hooks of prek, pre-commit and lefthook");
}
