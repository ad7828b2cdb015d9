//! The report as text: findings of one kind are one block, with the policy line that decided and
//! the next command.

use std::fmt::Write;

use super::{Finding, Format, NotJudged, Report, UndecidedRule, Verdict, finding, timing};
use crate::facts::RepoPath;
use crate::hooks;
use crate::policy::model::{Level, Mode};
use crate::snippet::policy_line;
use crate::text::help_block;

/// How the text looks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// With ANSI colours.
    pub color: bool,
    /// Only what is wrong.
    pub quiet: bool,
    /// All paths, and what was read.
    pub verbose: bool,
}

/// Its row.
pub static FORMAT: Format = Format {
    word: "text",
    about: "For people and agents",
    is_of_verdicts: false,
    render: |report, style| Ok(render(report, style)),
};

/// How many paths a block lists before it counts the rest.
const LISTED: usize = 10;
/// How many paths a suggested command takes.
const IN_COMMAND: usize = 20;

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        if self.color { crate::text::paint(code, text) } else { text.to_owned() }
    }

    fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    fn level(self, level: Level, text: &str) -> String {
        self.paint(if level == Level::Error { "1;31" } else { "1;33" }, text)
    }
}

/// Writes a report as text. Empty where a hook has nothing to say.
pub fn render(report: &Report, style: Style) -> String {
    let mut out = String::new();
    for block in blocks(&report.findings) {
        if style.quiet && !block[0].is_error() && !block[0].is_observed() {
            continue;
        }
        render_block(&mut out, report, &block, style);
    }
    for undecided in report.undecided.iter().filter(|undecided| !is_told(report, undecided)) {
        render_undecided(&mut out, undecided, style);
    }
    if !style.quiet {
        report.notes.iter().for_each(|note| render_note(&mut out, note, style));
        report.not_judged.iter().for_each(|files| render_not_judged(&mut out, files, style));
    }
    let is_hook = hooks::find(report.event).is_some();
    let is_silent = report.verdict == Verdict::Pass && (is_hook || style.quiet) && !style.verbose;
    if !(is_silent && out.is_empty()) {
        let _ = writeln!(out, "{}", last_line(report, style));
        if is_hook && report.spared().is_some() {
            render_help(&mut out, "see the next steps: git lane check", style);
        }
    }
    out.push_str(&timing::table(&report.timings));
    if style.verbose {
        for path in report.changes.iter().flat_map(|change| &change.binary) {
            let _ = writeln!(out, "{}", style.dim(&format!("binary, no lines counted: {path}")));
        }
        let oid = report.policy.oid.as_deref().unwrap_or("no object");
        let _ = writeln!(out, "{}", style.dim(&format!("policy: {} ({oid})", report.policy.source)));
        if let Some(reader) = report.reader {
            let _ = writeln!(out, "{}", style.dim(&format!("repository: read by {reader}")));
        }
    }
    out
}

/// Findings that share rule, level, headline and policy line, whichever ref they came with.
pub(super) fn blocks(findings: &[Finding]) -> Vec<Vec<&Finding>> {
    type Key<'a> =
        (&'a str, Level, &'a str, Option<(Option<&'a str>, usize)>, &'a str, bool, bool, bool, &'a [String]);
    fn key(finding: &Finding) -> Key<'_> {
        (
            &finding.rule,
            finding.level,
            &finding.headline,
            finding.policy.as_ref().map(|line| (line.file.as_deref(), line.line)),
            &finding.help_template,
            finding.commit.is_some(),
            finding.waived.is_some(),
            finding.observed,
            finding.words.as_ref().map_or(&[], |words| words.details.as_slice()),
        )
    }
    let mut blocks: Vec<Vec<&Finding>> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for finding in findings {
        let at = *places.entry(key(finding)).or_insert_with(|| {
            blocks.push(Vec::new());
            blocks.len() - 1
        });
        blocks[at].push(finding);
    }
    // Errors first, what is waived last; otherwise in the report's own order.
    blocks.sort_by_key(|block| (block[0].waived.is_some(), block[0].level, !block[0].observed));
    blocks
}

fn render_block(out: &mut String, report: &Report, block: &[&Finding], style: Style) {
    let first = block[0];
    let title = match &first.waived {
        Some(_) => style.dim(&format!("waived[{}]", first.rule)),
        None => style.level(first.level, &format!("{}[{}]", prefix(first.level), first.rule)),
    };
    let on_ref = if report.changes.len() > 1 { pushed_refs(block) } else { String::new() };
    // Several refs may bring one and the same.
    let mut seen = std::collections::HashSet::new();
    let line = |finding: &Finding| finding.line.filter(|_| finding.words.is_some());
    let key = |finding: &Finding| (finding.path.clone(), finding.commit, line(finding));
    let block: Vec<&Finding> = block.iter().copied().filter(|finding| seen.insert(key(finding))).collect();
    let paths: Vec<&Finding> = block.iter().copied().filter(|finding| finding.path.is_some()).collect();
    let commits: Vec<&Finding> = block.iter().copied().filter(|finding| finding.subject.is_some()).collect();
    let count = match (finding::files(&paths), commits.len()) {
        (0, 0) => String::new(),
        (0, 1) => "1 commit ".to_owned(),
        (0, count) => format!("{count} commits "),
        (1, _) => "1 file ".to_owned(),
        (count, _) => format!("{count} files "),
    };
    let would_be = if first.is_observed() { "observed, would be refused: " } else { "" };
    let headline = format!("{would_be}{}{on_ref}", first.heading(&count));
    let _ = writeln!(out, "{title}: {}", style.bold(&headline));
    for line in first.words.iter().flat_map(|words| &words.details) {
        let _ = writeln!(out, "    {line}");
    }
    let limit = if style.verbose { usize::MAX } else { LISTED };
    for finding in paths.iter().take(limit) {
        if let Some(path) = &finding.path {
            let line = line(finding).map(|line| format!(":{line}")).unwrap_or_default();
            let _ = writeln!(out, "    {path}{line}{}", style.dim(&in_commits(finding)));
        }
    }
    for finding in commits.iter().take(limit) {
        if let (Some(oid), Some(subject)) = (finding.commit, &finding.subject) {
            let _ = writeln!(out, "    {} {subject}", oid.short());
        }
    }
    let listed = paths.len().max(commits.len());
    if listed > limit {
        let _ = writeln!(out, "    … and {} more (git lane check -v lists them all)", listed - limit);
    }
    if let Some(line) = &first.policy {
        out.push_str(&policy_line(line.file_or(&report.policy.source), line, style.color));
    }
    if let Some(waived) = &first.waived {
        let _ = writeln!(out, "  {}\n", waived.words());
        return;
    }
    if let Some(reason) = &first.waiver_request {
        let _ = writeln!(out, "  a commit asks a maintainer to waive this: {reason}");
    }
    // What goes through all the same is in another state by then, in which `git lane check` has the next steps.
    if first.is_observed() && hooks::find(report.event).is_some() {
        out.push('\n');
        return;
    }
    render_next_step(out, first, &paths, style);
}

/// What to do about findings of one kind.
fn render_next_step(out: &mut String, first: &Finding, paths: &[&Finding], style: Style) {
    let shown: Vec<RepoPath> =
        paths.iter().filter_map(|finding| finding.path.clone()).take(IN_COMMAND).collect();
    let mut help = first.help(&shown);
    if paths.len() > IN_COMMAND
        && ["{paths}", "{pathspecs}"].iter().any(|place| first.help_template.contains(place))
    {
        let _ = write!(help, "\n(the same for the other {})", paths.len() - IN_COMMAND);
    }
    render_help(out, &help, style);
    out.push('\n');
}

/// The word before a finding; the policy and JSON have shorter ones.
fn prefix(level: Level) -> &'static str {
    match level {
        Level::Warn => "warning",
        level => level.word(),
    }
}

/// Which refs a block is about: ` (pushing refs/heads/a, refs/heads/b)`.
fn pushed_refs(block: &[&Finding]) -> String {
    let mut refs: Vec<&str> = block.iter().filter_map(|finding| finding.reference.as_deref()).collect();
    refs.sort_unstable();
    refs.dedup();
    let more = refs.len().saturating_sub(3);
    refs.truncate(3);
    match (refs.is_empty(), more) {
        (true, _) => String::new(),
        (false, 0) => format!(" (pushing {})", refs.join(", ")),
        (false, more) => format!(" (pushing {} and {more} more refs)", refs.join(", ")),
    }
}

pub(super) fn in_commits(finding: &Finding) -> String {
    let mut oids = finding.commits.iter().map(crate::facts::Oid::short);
    match (finding.commits.len(), finding.commit.is_some()) {
        (0, _) => String::new(),
        (1, false) => format!("  (commit {})", oids.next().unwrap_or_default()),
        (1, true) => format!("  (only in commit {})", oids.next().unwrap_or_default()),
        (count, false) => format!("  ({count} commits, first {})", oids.next().unwrap_or_default()),
        (count, true) => {
            let first = oids.next().unwrap_or_default();
            format!("  (only in {count} commits, first {first})")
        }
    }
}

/// The next step under what it is for, each line alone.
pub fn render_help(out: &mut String, help: &str, style: Style) {
    out.push_str(&help_block(help, style.color));
}

/// Whether a finding says the same: conflicting identities are both.
fn is_told(report: &Report, undecided: &UndecidedRule) -> bool {
    let same = |finding: &&Finding| {
        Some(&finding.rule) == undecided.rule.as_ref() && undecided.reason.ends_with(&finding.message)
    };
    report.findings.iter().filter(|finding| finding.is_error()).any(|finding| same(&finding))
}

fn render_note(out: &mut String, note: &str, style: Style) {
    let _ = writeln!(out, "{}: {note}\n", style.paint("1;36", "note"));
}

/// The files that were not judged, and the command that judges them too.
fn render_not_judged(out: &mut String, NotJudged { count, files }: &NotJudged, style: Style) {
    if *count == 0 {
        return;
    }
    let listed = if style.verbose { files.len() } else { LISTED };
    let files_are = if *count == 1 { "1 file is".to_owned() } else { format!("{count} files are") };
    let _ = writeln!(
        out,
        "{}: {files_are} not judged: unstaged edits and untracked files",
        style.paint("1;36", "note")
    );
    for file in files.iter().take(listed) {
        let _ = writeln!(out, "    {file}");
    }
    let shown = files.len().min(listed);
    if *count > shown {
        let _ = writeln!(out, "    … and {} more (git status lists them all)", count - shown);
    }
    render_help(out, "judge them too: git lane check --worktree", style);
    out.push('\n');
}

fn render_undecided(out: &mut String, undecided: &UndecidedRule, style: Style) {
    let rule = undecided.rule.as_ref().map(|rule| format!("[{rule}]")).unwrap_or_default();
    let (level, would_be) = match undecided.observed {
        true => (Level::Warn, "observed, would be refused: could not decide: "),
        false => (Level::Error, ""),
    };
    let title = style.level(level, &format!("{}{rule}", prefix(level)));
    let _ = writeln!(out, "{title}: {would_be}{}", style.bold(&undecided.reason));
    if let Some(help) = &undecided.help {
        render_help(out, help, style);
    }
    out.push('\n');
}

/// Whose change it is, in words.
pub(super) fn actor(report: &Report) -> &str {
    let is_nobody = report.findings.iter().any(|finding| finding.rule == "identity");
    let agents = report.changes.iter().filter_map(|change| change.agent.as_deref());
    match (&report.agent, agents.count()) {
        (Some(agent), _) => agent.as_str(),
        (None, 0) if is_nobody => "nobody known",
        (None, 0) => "a maintainer",
        (None, _) => "several agents",
    }
}

/// What it was held against, where that is not the base that the policy names.
fn against(report: &Report) -> String {
    let others = report.changes.iter().filter(|change| change.is_other_base);
    let mut names: Vec<&str> =
        others.filter_map(|change| change.base_ref.as_deref()).map(crate::facts::typed_ref).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() { String::new() } else { format!(", against {}", names.join(" and ")) }
}

/// How much was found: `2 errors, 1 warning`.
pub(super) fn counts(report: &Report) -> String {
    let count = |is_it: fn(&Finding) -> bool, one: &str, many: &str| {
        let count = report.findings.iter().filter(|finding| is_it(finding)).count();
        match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            _ => Some(format!("{count} {many}")),
        }
    };
    let counts = [
        count(Finding::is_error, "error", "errors"),
        count(Finding::is_observed, "would be refused", "would be refused"),
        count(Finding::is_warning, "warning", "warnings"),
        count(|finding| finding.waived.is_some(), "waived", "waived"),
    ];
    let counts: Vec<String> = counts.into_iter().flatten().collect();
    if counts.is_empty() { "no findings".to_owned() } else { counts.join(", ") }
}

/// The verdict in a few words: `fail: 2 errors, 1 warning`.
pub fn verdict_words(report: &Report) -> String {
    match report.verdict {
        Verdict::Pass if report.spared() == Some(Verdict::Fail) => {
            format!("observed: fail: {}", counts(report))
        }
        Verdict::Pass if report.spared().is_some() => "observed: could not decide".to_owned(),
        Verdict::Pass => format!("pass: {}", counts(report)),
        Verdict::Fail => format!("fail: {}", counts(report)),
        Verdict::Undecided => "could not decide".to_owned(),
    }
}

/// The verdict on one line.
pub(super) fn last_line(report: &Report, style: Style) -> String {
    let found = counts(report);
    let whose = format!("{}, {}{}", report.event, actor(report), against(report));
    if let Some(spared) = report.spared() {
        let word = if spared == Verdict::Fail { "fail" } else { "could not decide" };
        let word = style.level(Level::Warn, &format!("observed: {word}"));
        let why = match report.mode {
            Mode::Observe => "the policy has `mode: observe`",
            Mode::Enforce => "the policy only observes by these rules",
        };
        return format!("git-lane: {word} ({whose}): {found}; nothing is refused: {why}");
    }
    match report.verdict {
        Verdict::Pass => {
            let size = match (report.stats.files, report.stats.counted) {
                (Some(files), Some(counted)) => {
                    let many = |count: u64, word: &str| {
                        format!("{count} {word}{}", if count == 1 { "" } else { "s" })
                    };
                    format!("; {}, {}", many(files as u64, "file"), many(counted, "line"))
                }
                _ => String::new(),
            };
            format!("git-lane: {} ({whose}): {found}{size}", style.paint("1;32", "pass"))
        }
        Verdict::Fail => {
            let refused = prevented(report).map(|what| format!("refused; {what}"));
            let refused = refused.as_deref().unwrap_or("fail");
            let learn = report.findings.iter().find(|finding| finding.is_error());
            let learn =
                learn.map(|finding| format!("; more: git lane rule {}", finding.rule)).unwrap_or_default();
            // What a job judges is pushed already.
            // The title and the labels are no part of what is pushed.
            let is_pushed =
                |finding: &Finding| finding.is_error() && !finding.rule.starts_with("pull-request-");
            let again = match report.event {
                "ci" if report.findings.iter().any(is_pushed) => {
                    "; fix this, then push again: git lane push -f"
                }
                _ => "",
            };
            format!("git-lane: {} ({whose}): {found}{learn}{again}", style.level(Level::Error, refused))
        }
        Verdict::Undecided => {
            let mut refused = "could not decide".to_owned();
            prevented(report).iter().for_each(|what| refused.push_str(&format!("; {what}")));
            let event = format!("{}{}", report.event, against(report));
            format!("git-lane: {} ({event})", style.level(Level::Error, &refused))
        }
    }
}

/// What a hook's refusal kept from happening.
fn prevented(report: &Report) -> Option<&'static str> {
    hooks::find(report.event)?.prevents
}
