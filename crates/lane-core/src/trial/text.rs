//! The same for people: counts, rules, agents, and which changes would be refused.

use std::fmt::Write;

use super::{AgentTrial, BY_FILES, RuleTrial, Trial, TriedChange};
use crate::metrics::table::{Align, lines_with_ends};
use crate::metrics::words::{count, day};
use crate::report::Verdict;

/// How many changes are listed where not all were asked for.
const LISTED: usize = 20;
/// How many reasons a rule is shown with.
const REASONS: usize = 3;
/// How long a subject may be.
const SUBJECT: usize = 48;

/// Writes it as text. `is_verbose`: every change that would be refused, with what was found.
pub fn render(trial: &Trial, is_verbose: bool) -> String {
    let is_assumed = |change: &&TriedChange| change.agent_by == Some(BY_FILES);
    let assumed = trial.changes.iter().filter(is_assumed).count();
    let mut out = head(trial);
    table(&mut out, "Rules that would refuse", &RULES, trial.rules.iter().map(rule).collect());
    if trial.agents.iter().any(|agent| agent.agent.is_some()) {
        table(&mut out, "Agents", &AGENTS, trial.agents.iter().map(|one| agent(one, assumed > 0)).collect());
    }
    changes(&mut out, trial, is_verbose);
    if assumed > 0 {
        let name = if assumed == 1 { "names" } else { "name" };
        let _ = writeln!(
            out,
            "\n* {} of {} {name} no agent: each is judged as the agent whose lane has most of its files, by its paths and its size alone",
            assumed, trial.judged
        );
    }
    for note in &trial.notes {
        let _ = writeln!(out, "\nnote: {note}");
    }
    out
}

fn head(trial: &Trial) -> String {
    let period = match trial.period {
        Some((from, to)) => format!(", {} to {}", day(from), day(to)),
        None => String::new(),
    };
    let changes = count(trial.judged, "change", "changes");
    let mut out = format!("{} on the last {changes} of {}{period}\n", trial.policy, trial.base);
    let pass = trial.judged - trial.refused - trial.warned - trial.undecided;
    let _ = write!(
        out,
        "{} would be refused, {} would pass with warnings, {pass} pass",
        trial.refused, trial.warned
    );
    match trial.undecided {
        0 => out.push('\n'),
        undecided => drop(writeln!(out, ", {undecided} could not be judged")),
    }
    if let (Some(old), Some(refused)) = (&trial.old, trial.old_refused) {
        let is = |change: &&TriedChange, now: bool| {
            let old = change.old_verdict == Some(Verdict::Fail);
            (change.verdict == Verdict::Fail) == now && old != now
        };
        let new = trial.changes.iter().filter(|change| is(change, true)).count();
        let gone = trial.changes.iter().filter(|change| is(change, false)).count();
        let _ = writeln!(out, "{old} would refuse {refused}: {new} are new, {gone} are refused no more");
    }
    out
}

const RULES: [(&str, Align); 3] =
    [("rule", Align::Left), ("changes", Align::Right), ("findings", Align::Right)];
const AGENTS: [(&str, Align); 3] =
    [("agent", Align::Left), ("changes", Align::Right), ("refused", Align::Right)];

/// Columns, and at the end of each row what may be longer than a column is.
fn table(out: &mut String, title: &str, head: &[(&str, Align)], rows: Vec<(Vec<String>, String)>) {
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{title}");
    for line in lines_with_ends(head, rows) {
        let _ = writeln!(out, "{line}");
    }
}

fn rule(rule: &RuleTrial) -> (Vec<String>, String) {
    let often = rule.reasons.iter().filter(|(_, count)| *count > 1);
    let often: Vec<String> = often.take(REASONS).map(|(reason, count)| format!("{count} {reason}")).collect();
    let cells = vec![rule.rule.clone(), rule.changes.to_string(), rule.findings.to_string()];
    (cells, often.join("; "))
}

fn agent(agent: &AgentTrial, is_assumed: bool) -> (Vec<String>, String) {
    let rules: Vec<String> = agent.rules.iter().map(|(rule, count)| format!("{rule} {count}")).collect();
    let name = agent.agent.clone().unwrap_or_else(|| nobody(is_assumed).to_owned());
    (vec![name, agent.changes.to_string(), agent.refused.to_string()], rules.join(", "))
}

/// Who has a change that no lane has a part in.
fn nobody(is_assumed: bool) -> &'static str {
    if is_assumed { "any agent" } else { "no agent" }
}

fn changes(out: &mut String, trial: &Trial, is_verbose: bool) {
    let refused: Vec<&TriedChange> =
        trial.changes.iter().filter(|change| change.verdict != Verdict::Pass).collect();
    if refused.is_empty() {
        return;
    }
    let shown = if is_verbose { refused.len() } else { refused.len().min(LISTED) };
    let listed = match refused.len() - shown {
        0 => String::new(),
        more => format!(" (the newest; {more} more with -v)"),
    };
    let _ = writeln!(out, "\nWould be refused{listed}");
    for change in &refused[..shown] {
        one(out, change, is_verbose);
    }
}

fn one(out: &mut String, change: &TriedChange, is_verbose: bool) {
    let short = change.commit.get(..8).unwrap_or(&change.commit);
    let is_assumed = change.agent_by == Some(BY_FILES);
    let agent = change.agent.as_deref().unwrap_or_else(|| nobody(is_assumed));
    let agent = format!("{agent}{}, ", if is_assumed { "*" } else { "" });
    let lines = match change.lines {
        Some(1) => "1 line, ".to_owned(),
        Some(lines) => format!("{lines} lines, "),
        None => String::new(),
    };
    let files = count(change.files, "file", "files");
    let mut subject: String = change.subject.chars().take(SUBJECT).collect();
    if subject.len() < change.subject.len() {
        subject.push('…');
    }
    let was = match change.old_verdict {
        Some(Verdict::Fail) => ", before too",
        Some(_) => ", new",
        None => "",
    };
    let _ = writeln!(out, "  {short} {subject} ({agent}{lines}{files}{was})");
    for why in &change.undecided {
        let _ = writeln!(out, "      could not decide: {why}");
    }
    for found in change.findings.iter().filter(|found| found.refuses) {
        let reason = found.reasons.first().map_or("", String::as_str);
        let times = if found.count > 1 { format!(" {}", found.count) } else { String::new() };
        let place = match (found.paths.as_slice(), is_verbose) {
            ([], _) => String::new(),
            ([first, ..], false) => format!(": {first}"),
            (paths, true) => format!(": {}", paths.join(", ")),
        };
        let _ = writeln!(
            out,
            "      {}{times}{place}{}",
            found.rule,
            if reason.is_empty() { String::new() } else { format!(" ({reason})") }
        );
    }
}
