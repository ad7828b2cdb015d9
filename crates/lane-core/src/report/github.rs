//! The report as GitHub's workflow commands: annotations on the changed files.
//!
//! The form is that of "Workflow commands for GitHub Actions":
//! `::error file=…,line=…,title=…::message`, with `%`, CR and LF escaped in messages, and `:` and `,` in
//! properties too. GitHub shows ten errors, ten warnings and ten notices of a step and drops the rest without a
//! word; so the most important go first, and a notice counts what is left.

use std::collections::HashMap;
use std::fmt::Write;

use super::location::{line_path, place_path};
use super::text::{self, Style};
use super::{Finding, Format, Report, UndecidedRule};
use crate::policy::model::Level;
use crate::text::{has_hidden, visible};

/// Its row.
pub static FORMAT: Format = Format {
    word: "github",
    about: "Annotations on GitHub, and the summary of the step",
    is_of_verdicts: true,
    render: |report, _| Ok(render(report)),
};

/// How many annotations of one level GitHub takes from a step.
const SHOWN: usize = 10;

/// Writes a report as workflow commands, and the verdict as a last line for whoever reads the log.
pub fn render(report: &Report) -> String {
    let undecided = |observed: bool| {
        let all = report.undecided.iter().filter(move |undecided| undecided.observed == observed);
        all.map(|undecided| of_undecided(report, undecided))
    };
    let (errors, more_errors) = first(undecided(false).chain(of_kind(report, Finding::is_error)).collect());
    let observed = undecided(true).chain(of_kind(report, Finding::is_observed));
    let (warnings, more_warnings) = first(observed.chain(of_kind(report, Finding::is_warning)).collect());
    let mut out: String = errors.iter().chain(&warnings).map(Command::to_line).collect();
    if more_errors + more_warnings > 0 {
        out.push_str(&rest(more_errors, more_warnings).to_line());
    }
    let _ = writeln!(out, "{}", visible(&text::last_line(report, Style::default())));
    out
}

fn first(mut commands: Vec<Command>) -> (Vec<Command>, usize) {
    let more = commands.len().saturating_sub(SHOWN);
    commands.truncate(SHOWN);
    (commands, more)
}

/// One workflow command, not yet escaped.
struct Command {
    name: &'static str,
    place: Option<(String, usize)>,
    title: String,
    message: String,
}

impl Command {
    fn to_line(&self) -> String {
        let mut line = format!("::{} ", self.name);
        if let Some((file, number)) = &self.place {
            let _ = write!(line, "file={},line={number},", escape_property(file));
        }
        let _ = writeln!(
            line,
            "title={}::{}",
            escape_property(&visible(&self.title)),
            escape_data(&visible(&self.message))
        );
        line
    }
}

/// The findings of one kind, those first that say something new: one of each kind, then the second of each.
fn of_kind(report: &Report, is_it: fn(&Finding) -> bool) -> impl Iterator<Item = Command> {
    let mut seen: HashMap<(&str, &str), usize> = HashMap::new();
    let mut ranked: Vec<(usize, &Finding)> = Vec::new();
    for finding in report.findings.iter().filter(|finding| is_it(finding)) {
        // Where commits are what is wrong, each has its own headline or all have one: the rule is enough.
        let kind = if finding.path.is_some() { finding.headline.as_str() } else { "" };
        let count = seen.entry((&finding.rule, kind)).or_default();
        ranked.push((*count, finding));
        *count += 1;
    }
    ranked.sort_by_key(|(round, _)| *round);
    ranked.into_iter().map(|(_, finding)| of_finding(report, finding))
}

fn of_finding(report: &Report, finding: &Finding) -> Command {
    let mut message = finding.message.clone();
    if let Some(owner) = &finding.owner
        && !finding.headline.contains(owner.as_str())
    {
        let _ = write!(message, "\nowner: {owner}");
    }
    if let Some(line) = &finding.policy {
        let _ = write!(message, "\n{}:{}: {}", line.file_or(&report.policy.source), line.line, line.text);
    }
    let _ = write!(message, "\nnext: {}", finding.help(finding.path.as_slice()));
    let place = match &finding.path {
        // GitHub knows no paths but UTF-8, and its log shows them as they are; the message has this one as git quotes it.
        Some(path) => path
            .as_text()
            .filter(|path| !has_hidden(path))
            .map(|path| (path.to_owned(), finding.line_or_first())),
        None => finding.policy.as_ref().map(|line| (line_path(report, line).to_owned(), line.line)),
    };
    let name = if finding.level == Level::Error { "error" } else { "warning" };
    Command {
        name,
        place,
        title: format!("git-lane: {}{}", finding.rule, would_be(finding.observed)),
        message,
    }
}

/// What is only observed is said to be so.
fn would_be(observed: bool) -> &'static str {
    if observed { " (observed: would be refused)" } else { "" }
}

fn of_undecided(report: &Report, undecided: &UndecidedRule) -> Command {
    let mut message = undecided.reason.clone();
    if let Some(help) = &undecided.help {
        let _ = write!(message, "\nnext: {help}");
    }
    let rule = undecided.rule.as_ref().map(|rule| format!(": {rule}")).unwrap_or_default();
    Command {
        name: if undecided.observed { "warning" } else { "error" },
        place: undecided.place.as_ref().map(|place| (place_path(report, place).to_owned(), place.line)),
        title: format!("git-lane could not decide{rule}{}", would_be(undecided.observed)),
        message,
    }
}

fn rest(errors: usize, warnings: usize) -> Command {
    let many = |count: usize, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ => Some(format!("{count} {word}s")),
    };
    let counts: Vec<String> =
        [many(errors, "error"), many(warnings, "warning")].into_iter().flatten().collect();
    Command {
        name: "notice",
        place: None,
        title: "git-lane: more findings".to_owned(),
        message: format!(
            "and {} more, which GitHub does not show here; see the summary of the job, or `git lane check -v`",
            counts.join(" and ")
        ),
    }
}

/// Escapes a message.
fn escape_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property.
fn escape_property(text: &str) -> String {
    escape_data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::testing;

    /// What GitHub's runner makes of a command: name, properties, message.
    fn parsed(line: &str) -> (String, HashMap<String, String>, String) {
        let (command, message) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
        let (name, properties) = command.split_once(' ').unwrap();
        let properties = properties.split(',').map(|property| {
            let (key, value) = property.split_once('=').unwrap();
            (key.to_owned(), unescape(value, true))
        });
        (name.to_owned(), properties.collect(), unescape(message, false))
    }

    fn unescape(text: &str, is_property: bool) -> String {
        let text = if is_property { text.replace("%3A", ":").replace("%2C", ",") } else { text.to_owned() };
        text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
    }

    fn commands(report: &Report) -> Vec<(String, HashMap<String, String>, String)> {
        render(report).lines().filter(|line| line.starts_with("::")).map(parsed).collect()
    }

    #[test]
    fn a_report() {
        insta::assert_snapshot!(render(&testing::fail()));
    }

    #[test]
    fn paths_come_out_as_they_are() {
        let all = commands(&testing::fail());
        let files: Vec<_> =
            all.iter().map(|(_, properties, _)| properties.get("file").map(String::as_str)).collect();
        assert!(files.contains(&Some("services/revenue/100%,a:b.py")), "{files:?}");
        assert!(files.contains(&Some("services/revenue/new\nline|`@all`<b>.py")), "{files:?}");
        let (_, properties, message) = all.iter().find(|(.., message)| message.contains(r"caf\351")).unwrap();
        assert!(!properties.contains_key("file"), "{message}");
    }

    #[test]
    fn nobody_else_gives_commands() {
        let report = testing::fail();
        let out = render(&report);
        assert_eq!(out.lines().count(), report.findings.len() + 1, "{out}");
        assert!(!out.contains('\r') && out.lines().last().unwrap().starts_with("git-lane: "), "{out}");
    }

    #[test]
    fn undecided_is_an_error_at_its_place() {
        let all = commands(&testing::undecided());
        assert_eq!(all[0].0, "error");
        assert_eq!((all[0].1["file"].as_str(), all[0].1["line"].as_str()), ("policy.yaml", "3"));
        assert_eq!(all[1].1["title"], "git-lane could not decide: oversized-change");
        assert!(all[1].2.contains("50% of them\nare missing"));
        assert_eq!(all.len(), 3);
    }

    #[test]
    fn no_more_than_github_shows_and_the_rest_is_counted() {
        let mut report = testing::fail();
        let many = (0..40).map(|n| testing::in_lane(format!("services/revenue/{n}.py").as_bytes()));
        report.findings.splice(0..0, many);
        report.findings.extend((0..13).map(|_| testing::warning()));
        let all = commands(&report);
        let count = |name: &str| all.iter().filter(|command| command.0 == name).count();
        assert_eq!((count("error"), count("warning"), count("notice")), (10, 10, 1));
        let last = &all.last().unwrap().2;
        assert!(last.starts_with("and 34 errors and 4 warnings more"), "{last}");
        // One of each kind stands before forty of one kind.
        assert!(all.iter().any(|command| command.1["title"] == "git-lane: untagged-message"));
    }

    proptest! {
        #[test]
        fn what_is_escaped_can_be_read_again(text in "(?s).*") {
            prop_assert_eq!(unescape(&escape_data(&text), false), text.clone());
            let property = escape_property(&text);
            prop_assert!(!property.contains([':', ',', '\r', '\n']));
            prop_assert_eq!(unescape(&property, true), text);
        }

        #[test]
        fn escapes_in_the_text_stay(text in "(%25|%0A|%3A|%2C|%|0|A|:|,|\n){0,20}") {
            prop_assert_eq!(unescape(&escape_property(&text), true), text);
        }
    }
}
