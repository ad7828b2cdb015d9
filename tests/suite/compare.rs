//! `docs/compare.md`: each line of a policy there refuses what the restriction beside it refuses, and nothing else.

use std::collections::BTreeMap;

use crate::compare_trials::TRIALS;
use crate::support::{Scratch, Worktree};

const PAGE: &str = include_str!("../../docs/compare.md");

/// What each trial may call.
const PRELUDE: &str = r#"
set -e
put() { mkdir -p "$(dirname "$1")"; printf '%s\n' "${2-x}" >"$1"; git add -f -- "$1"; }
commit() { git commit -q -m "${1-feat: it}"; }
push() { git push -q origin "$@"; }
"#;

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

/// A repository with that policy, two worktrees with hooks, and a remote.
fn repository(line: &str) -> (Scratch, Worktree, Worktree) {
    let scratch = Scratch::empty();
    scratch.write("policy.yaml", &policy(line));
    for path in ["services/web/main.py", "services/api/main.py", "infra/main.tf", "migrations/1.sql"] {
        scratch.write(path, "a\nb\nc\n");
    }
    scratch.git(&["add", "-A"]).ok();
    scratch.git(&["commit", "-q", "-m", "first"]).ok();
    scratch.add_origin();
    let [a1, a2] = ["a1", "a2"].map(|agent| {
        let tree = scratch.worktree(agent, &format!("feat/{agent}/x"));
        tree.lane(&["install", "--agent", agent]).ok();
        tree
    });
    (scratch, a1, a2)
}

/// Runs a trial's script in the worktree of a1; says its exit code and what it printed.
fn run(row: &Row, script: &str) -> (i32, String) {
    let (scratch, a1, a2) = repository(row.line);
    let mut command = a1.command("sh");
    let lane = std::path::Path::new(crate::support::LANE).parent().unwrap().to_owned();
    let path = std::env::join_paths(
        std::iter::once(lane).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    );
    command.env("PATH", path.unwrap()).env("A2", &a2.root).env("ROOT", scratch.root());
    let output = command.arg("-c").arg(format!("{PRELUDE}{script}")).output().unwrap();
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (output.status.code().unwrap_or(-1), said)
}

/// Tries the rows of a section.
fn hold(section: &str) {
    let trials: BTreeMap<(&str, &str), (&str, &str)> = TRIALS
        .iter()
        .map(|(section, restriction, no, yes)| ((*section, *restriction), (*no, *yes)))
        .collect();
    let mut wrong = Vec::new();
    for row in rows().into_iter().filter(|row| row.section == section) {
        let name = row.restriction;
        let Some((refused, passes)) = trials.get(&(section, name)) else {
            wrong.push(format!("{name}: no trial"));
            continue;
        };
        let (code, said) = run(&row, refused);
        if code == 0 || !said.contains(&format!("[{}]", row.rule)) {
            wrong.push(format!("{name}: not refused by {} ({code}): {said}", row.rule));
        }
        let (code, said) = run(&row, passes);
        if code != 0 {
            wrong.push(format!("{name}: does not pass ({code}): {said}"));
        }
    }
    assert!(wrong.is_empty(), "{section}:\n{}", wrong.join("\n"));
}

#[test]
fn every_trial_has_its_row() {
    let rows = rows();
    for (section, restriction, ..) in TRIALS {
        let found = rows.iter().any(|row| row.section == *section && row.restriction == *restriction);
        assert!(found, "docs/compare.md: {section}: {restriction} is missing");
    }
    assert_eq!(rows.len(), TRIALS.len());
}

/// What the page names in its prose is read by the policy, too.
#[test]
fn every_line_of_a_policy_can_be_read() {
    // `identity: { require: proven }` wants keys of each agent besides.
    let keys = ["mode", "rules", "change", "files", "content", "land", "branch"];
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
