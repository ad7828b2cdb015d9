//! The report for people and agents.

mod sections;

use super::table::{Align, lines, wrapped};
use super::words::{count, day, decimal, duration};
use super::{Distribution, GoalState, Metrics};
use crate::report::text::Style;
use crate::text::{help_block, paint};
use sections::SECTIONS;

/// How wide a line of words may become.
const WIDTH: usize = 98;

/// What a section is written in.
struct Page {
    out: String,
    style: Style,
}

impl Page {
    fn painted(&self, code: &str, text: &str) -> String {
        if self.style.color { paint(code, text) } else { text.to_owned() }
    }

    fn title(&mut self, title: &str) {
        let title = self.painted("1", title);
        self.out.push_str(&format!("\n{title}\n"));
    }

    fn line(&mut self, text: &str) {
        for (at, line) in wrapped(text, WIDTH - 4).iter().enumerate() {
            let indent = if at == 0 { "  " } else { "    " };
            self.out.push_str(&format!("{indent}{line}\n"));
        }
    }

    fn table(&mut self, head: &[(&str, Align)], rows: &[Vec<String>]) {
        let has_head = head.iter().any(|(title, _)| !title.is_empty());
        for (at, line) in lines(head, rows).iter().enumerate() {
            let line = if at == 0 && has_head { self.painted("2", line) } else { line.clone() };
            self.out.push_str(&format!("{line}\n"));
        }
    }

    /// What comes after a few rows.
    fn more(&mut self, all: usize, shown: usize) {
        if all > shown {
            self.line(&format!("and {} more: --format json", all - shown));
        }
    }
}

/// The whole report as text.
pub fn render(metrics: &Metrics, style: Style) -> String {
    let mut page = Page { out: String::new(), style };
    let seconds = metrics.period.to.saturating_sub(metrics.period.from);
    let agent = metrics.agent.as_ref().map(|agent| format!(", {agent} alone")).unwrap_or_default();
    let title = format!(
        "{}: {} to {} ({}), merged into {}{agent}",
        metrics.repository,
        day(metrics.period.from),
        day(metrics.period.to),
        duration(u64::try_from(seconds).unwrap_or(0)),
        metrics.base
    );
    let title = page.painted("1", &title);
    page.out.push_str(&format!("{title}\n"));
    goals(&mut page, metrics);
    agents(&mut page, metrics);
    SECTIONS.iter().for_each(|section| section(&mut page, metrics));
    missing(&mut page, metrics);
    page.out
}

fn goals(page: &mut Page, metrics: &Metrics) {
    if metrics.goals.is_empty() {
        return;
    }
    page.title("Goals");
    let row = |goal: &super::Goal| {
        let state = match goal.state {
            GoalState::Met => "met",
            GoalState::Missed => "missed",
            GoalState::Unknown => "unknown",
        };
        vec![
            goal.name.to_owned(),
            goal.goal.clone(),
            goal.shown.clone(),
            state.to_owned(),
            goal.about.to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = metrics.goals.iter().map(row).collect();
    let left = Align::Left;
    let head = [("", left), ("goal", left), ("measured", left), ("", left), ("", left)];
    for (at, line) in lines(&head, &rows).into_iter().enumerate() {
        let line = match at.checked_sub(1).and_then(|at| metrics.goals.get(at)).map(|goal| goal.state) {
            None => page.painted("2", &line),
            Some(GoalState::Missed) => page.painted("1;31", &line),
            Some(GoalState::Met) => page.painted("32", &line),
            Some(GoalState::Unknown) => line,
        };
        page.out.push_str(&format!("{line}\n"));
    }
}

fn agents(page: &mut Page, metrics: &Metrics) {
    if metrics.agents.is_empty() {
        return;
    }
    page.title("Agents");
    let row = |row: &super::AgentMetrics| {
        let title = match (&row.agent, &row.name) {
            (Some(agent), Some(name)) => format!("{agent} ({name})"),
            (Some(agent), None) => agent.clone(),
            (None, _) => "no agent".to_owned(),
        };
        let none_as_dash = |number: u64, shown: String| if number == 0 { "-".to_owned() } else { shown };
        let number = |number: usize| none_as_dash(number as u64, number.to_string());
        let time = |seconds: u64| none_as_dash(seconds, duration(seconds));
        vec![
            title,
            number(row.merged),
            row.per_active_day.map_or("-".to_owned(), decimal),
            none_as_dash(row.lines, row.lines.to_string()),
            number(row.oversized),
            row.lead_time.map_or("-".to_owned(), |lead| duration(lead.median)),
            number(row.conflicts),
            time(row.locks_held),
            time(row.locks_waited),
            number(row.refusals),
            number(row.requests),
        ]
    };
    let rows: Vec<Vec<String>> = metrics.agents.iter().map(row).collect();
    let head = [
        "agent",
        "merged",
        "a day",
        "lines",
        "too large",
        "lead time",
        "conflicts",
        "held",
        "waited",
        "refused",
        "asked",
    ];
    let align = |at: usize| if at == 0 { Align::Left } else { Align::Right };
    let head: Vec<(&str, Align)> = head.iter().enumerate().map(|(at, title)| (*title, align(at))).collect();
    page.table(&head, &rows);
}

fn missing(page: &mut Page, metrics: &Metrics) {
    if metrics.missing.is_empty() {
        return;
    }
    page.title("Not known");
    for missing in &metrics.missing {
        page.line(&format!("{}: {}", missing.what, missing.reason));
        if let Some(help) = &missing.help {
            let help = help_block(help, page.style.color);
            help.lines().for_each(|line| page.out.push_str(&format!("  {line}\n")));
        }
    }
}

/// A spread in words: `median 3h, 90% within 1d, longest 2d`.
fn times(spread: Distribution) -> String {
    match spread.count {
        1 => duration(spread.median),
        _ => format!(
            "median {}, 90% within {}, longest {}",
            duration(spread.median),
            duration(spread.p90),
            duration(spread.max)
        ),
    }
}

/// `1 line`, `410 lines`.
fn line_count(lines: u64) -> String {
    count(usize::try_from(lines).unwrap_or(usize::MAX), "line", "lines")
}

#[cfg(test)]
mod tests {
    use super::super::sample::metrics;
    use super::super::{Metrics, Period};
    use super::*;

    #[test]
    fn as_text() {
        insta::assert_snapshot!(render(&metrics(), Style::default()));
    }

    #[test]
    fn with_nothing_in_it() {
        let period = Period { from: 1_795_867_200 - 86_400, to: 1_795_867_200 };
        let empty = Metrics::empty("shop".into(), "main".into(), period, Some("a1".into()));
        insta::assert_snapshot!(render(&empty, Style::default()));
    }

    #[test]
    fn no_line_is_too_long() {
        let mut metrics = metrics();
        metrics.contested[0].path = "services/".repeat(40);
        metrics.branches[0].branch = "feat/a2/".repeat(40);
        metrics.lane_cuts[0].proposal = "words and ".repeat(40);
        metrics.locks.areas[0].area = "an-area-".repeat(20);
        let text = render(&metrics, Style::default());
        for line in text.lines() {
            assert!(line.chars().count() <= 104, "{line}");
        }
    }

    #[test]
    fn colours_change_no_word() {
        let colored = render(&metrics(), Style { color: true, ..Style::default() });
        let painted = crate::text::sanitize(&colored);
        assert!(painted.contains("\u{1b}[1;31m") && painted.contains("\u{1b}[32m"));
        let mut plain = String::new();
        let mut rest: &str = &painted;
        while let Some(at) = rest.find("\u{1b}[") {
            plain.push_str(&rest[..at]);
            rest = &rest[at..];
            rest = &rest[rest.find('m').expect("an end") + 1..];
        }
        plain.push_str(rest);
        assert_eq!(plain, render(&metrics(), Style::default()));
    }
}
