//! The status as a table that fits a width; whatever is too wide is cut, never wrapped.

use unicode_truncate::{Alignment, UnicodeTruncateStr};
use unicode_width::UnicodeWidthStr;

use super::{HealthCount, Line, Pair, Status};
use crate::conflicts::Forecast;
use lane_core::text::plain;

/// Files of a pair that are named on its one line.
const NAMED: usize = 2;

/// A table: its heading and one row for each line of the status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The heading.
    pub head: String,
    /// The rows, and how each stands.
    pub rows: Vec<(String, Tone)>,
}

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Nothing is the matter.
    Plain,
    /// There are warnings.
    Warning,
    /// There are errors, or something is not known.
    Error,
}

struct Column {
    title: &'static str,
    is_right: bool,
    /// What is cut off is its beginning: branches of one agent begin alike.
    keeps_end: bool,
    /// The least that it is cut to; `None`: never cut.
    least: Option<usize>,
    /// Left out where no line has anything in it.
    is_optional: bool,
    cell: fn(&Line, i64) -> String,
}

const fn fixed(title: &'static str, cell: fn(&Line, i64) -> String) -> Column {
    Column { title, is_right: true, keeps_end: false, least: None, is_optional: false, cell }
}

const fn wide(title: &'static str, least: usize, cell: fn(&Line, i64) -> String) -> Column {
    Column { title, is_right: false, keeps_end: false, least: Some(least), is_optional: false, cell }
}

const COLUMNS: [Column; 14] = [
    wide("AGENT", 5, |line, _| line.title()),
    Column { keeps_end: true, ..wide("BRANCH", 10, |line, _| branch(line)) },
    Column {
        keeps_end: true,
        is_optional: true,
        ..wide("INTO", 7, |line, _| line.into.clone().unwrap_or_default())
    },
    fixed("BASE", |line, _| distance(line)),
    fixed("AGE", |line, now| line.merge_base_at.map_or(String::new(), |at| age(at, now))),
    fixed("LINES", |line, _| size(line)),
    fixed("EDITS", |line, _| line.uncommitted.map_or("?".to_owned(), |count| count.to_string())),
    fixed("CHECK", |line, _| check(line)),
    Column { is_optional: true, ..wide("LOCKS", 8, |line, _| locks(line)) },
    Column { is_optional: true, ..fixed("PORTS", |line, _| count_cell(line.ports.len())) },
    Column {
        is_optional: true,
        ..fixed("HEALTH", |line, _| line.health.map_or(String::new(), HealthCount::words))
    },
    Column { is_optional: true, ..fixed("ASKED", |line, _| count_cell(line.requests.unwrap_or(0))) },
    Column { is_optional: true, ..fixed("PR", |line, _| pulls(line)) },
    wide("LAST", 10, last),
];

/// Lays the lines out within a width, in columns of a terminal.
pub fn table(status: &Status, width: usize) -> Table {
    let cells = |column: &Column| -> Vec<String> {
        status.lines.iter().map(|line| (column.cell)(line, status.now)).collect()
    };
    let mut columns: Vec<(&Column, Vec<String>)> =
        COLUMNS.iter().map(|column| (column, cells(column))).collect();
    columns.retain(|(column, cells)| !column.is_optional || cells.iter().any(|cell| !cell.is_empty()));
    // A line that is not there has one sentence instead of numbers: it must not widen the columns.
    let mut widths: Vec<usize> = columns
        .iter()
        .map(|(column, cells)| {
            let cells = cells.iter().zip(&status.lines).filter(|(_, line)| !is_sentence(line));
            cells.map(|(cell, _)| cell.width()).max().unwrap_or(0).max(column.title.width())
        })
        .collect();
    let gap = shrink(&mut widths, &columns, width);
    let row = |cell: &dyn Fn(usize) -> String| {
        let texts = columns.iter().zip(&widths).enumerate();
        let texts = texts.map(|(at, ((column, _), width))| {
            let text = cell(at);
            let text = if column.keeps_end { truncate_front(&text, *width) } else { text };
            padded(&text, *width, column.is_right)
        });
        truncate(texts.collect::<Vec<_>>().join(&" ".repeat(gap)).trim_end(), width)
    };
    let head = row(&|at| columns[at].0.title.to_owned());
    let rows = status.lines.iter().enumerate().map(|(number, line)| {
        let text = if is_sentence(line) {
            let why = line.troubles.first().map(|why| why.reason.as_str()).unwrap_or_default();
            let place = line.branch.clone().unwrap_or_default();
            let held = titled("locks: ", locks(line));
            let asked = titled("asked: ", count_cell(line.requests.unwrap_or(0)));
            let words = [padded(&line.title(), widths[0], false), place, held, asked, format!("({why})")];
            let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
            truncate(&words.join(&" ".repeat(gap)), width)
        } else {
            row(&|at| columns[at].1[number].clone())
        };
        (text, tone(line))
    });
    Table { head, rows: rows.collect() }
}

fn titled(title: &str, text: String) -> String {
    if text.is_empty() { text } else { format!("{title}{text}") }
}

/// Whether a line has nothing to put into columns.
fn is_sentence(line: &Line) -> bool {
    line.check.is_none() && line.uncommitted.is_none()
}

/// Narrows the widest of the columns that may be narrowed until all fit; the gap between them.
fn shrink(widths: &mut [usize], columns: &[(&Column, Vec<String>)], width: usize) -> usize {
    let mut gap = 2;
    loop {
        let total = widths.iter().sum::<usize>() + gap * widths.len().saturating_sub(1);
        if total <= width {
            return gap;
        }
        let spare = |at: &usize| columns[*at].0.least.map_or(0, |least| widths[*at].saturating_sub(least));
        match (0..widths.len()).filter(|at| spare(at) > 0).max_by_key(|at| widths[*at]) {
            Some(at) => widths[at] -= (total - width).min(spare(&at)).min(1),
            None if gap > 1 => gap = 1,
            None => return gap,
        }
    }
}

/// How a line stands.
pub fn tone(line: &Line) -> Tone {
    match &line.check {
        Some(check) if check.errors > 0 || !check.undecided.is_empty() => Tone::Error,
        _ if !line.troubles.is_empty() => Tone::Error,
        Some(check) if check.warnings > 0 || line.is_unassigned => Tone::Warning,
        _ if line.is_unwell() => Tone::Warning,
        _ => Tone::Plain,
    }
}

fn branch(line: &Line) -> String {
    let branch = line.branch.clone().unwrap_or_else(|| match line.head {
        Some(oid) => format!("({})", &oid.short()[..7]),
        None => "(no commit)".to_owned(),
    });
    line.under_way.map_or(branch.clone(), |word| format!("{branch} ({word})"))
}

fn distance(line: &Line) -> String {
    match (line.ahead, line.behind) {
        (Some(ahead), Some(behind)) => format!("+{ahead} -{behind}"),
        _ => "?".to_owned(),
    }
}

fn size(line: &Line) -> String {
    match line.lines {
        Some((counted, Some(limit))) => format!("{counted}/{limit}"),
        Some((counted, None)) => counted.to_string(),
        None if line.check.is_some() => "0".to_owned(),
        None => "?".to_owned(),
    }
}

fn check(line: &Line) -> String {
    let Some(check) = &line.check else { return "?".to_owned() };
    let found = match (check.undecided.len(), check.errors, check.warnings) {
        (0, 0, 0) if line.is_unassigned => return "no lane".to_owned(),
        (0, 0, 0) if !check.not_run.is_empty() => format!("ok, {} not run", check.not_run.len()),
        (0, 0, 0) => "ok".to_owned(),
        (0, 0, warnings) => format!("{warnings}w"),
        (0, errors, 0) => format!("{errors}e"),
        (0, errors, warnings) => format!("{errors}e {warnings}w"),
        _ => "?".to_owned(),
    };
    if line.is_unassigned { format!("{found} no lane") } else { found }
}

fn locks(line: &Line) -> String {
    let held = line.locks.iter().map(|lock| lock.scope.clone());
    held.chain(line.waits.iter().map(|scope| format!("~{scope}"))).collect::<Vec<_>>().join(" ")
}

fn count_cell(count: usize) -> String {
    if count == 0 { String::new() } else { count.to_string() }
}

fn pulls(line: &Line) -> String {
    line.pulls.iter().map(|pull| format!("#{}", pull.number)).collect::<Vec<_>>().join(" ")
}

fn last(line: &Line, now: i64) -> String {
    line.last.as_ref().map_or(String::new(), |last| format!("{} {}", age(last.at, now), last.subject))
}

/// How long ago, in two or three characters: `5m`, `3h`, `2d`, `7w`.
pub fn age(at: i64, now: i64) -> String {
    let minutes = (now - at).max(0) / 60;
    match (minutes, minutes / 60, minutes / 1_440) {
        (0, ..) => "now".to_owned(),
        (minutes @ ..=119, ..) => format!("{minutes}m"),
        (_, hours @ ..=47, _) => format!("{hours}h"),
        (_, _, days @ ..=20) => format!("{days}d"),
        (_, _, days) => format!("{}w", days / 7),
    }
}

/// Each stack of branches: a heading, and a line for each branch, the one that is checked out first.
pub fn stack_lines(lines: &[Line]) -> Vec<String> {
    lines.iter().filter(|line| !line.stack.is_empty()).flat_map(stack_of).collect()
}

fn stack_of(line: &Line) -> Vec<String> {
    let base = line.base.as_ref().map(|(name, _)| format!(" on {name}")).unwrap_or_default();
    let own = line.stack_top.map_or_else(|| "?".to_owned(), |count| count.to_string());
    let mut rows = vec![("*", branch(line), own, "")];
    for step in line.stack.iter().rev() {
        let state = match (step.is_pushed(), step.pushed.is_some()) {
            (true, _) => "",
            (_, true) => "  differs on the remote",
            _ => "  not pushed",
        };
        rows.push(("o", plain(&step.branch), step.commits.to_string(), state));
    }
    let width = rows.iter().map(|(_, name, ..)| name.width()).max().unwrap_or(0);
    let drawn = rows.into_iter().map(|(mark, name, commits, state)| {
        format!("  {mark} {}  +{commits}{state}", padded(&name, width, false))
    });
    std::iter::once(format!("stack of {}{base}:", line.title())).chain(drawn).collect()
}

/// Each pair that would conflict, on one line; then how many pairs are unknown.
pub fn clash_lines(clashes: &[Pair]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut unknown: Vec<(&Pair, &str)> = Vec::new();
    for pair in clashes {
        match &pair.forecast {
            Forecast::Clean => {}
            Forecast::Unknown(why) => unknown.push((pair, &why.reason)),
            Forecast::Conflicts(files) => {
                let names: Vec<String> = files.iter().take(NAMED).map(|file| file.path.to_string()).collect();
                let more = match files.len().saturating_sub(NAMED) {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                lines.push(format!("{} + {}: {}{more}", pair.one, pair.two, names.join(", ")));
            }
        }
    }
    if let Some((pair, why)) = unknown.first() {
        let more =
            if unknown.len() > 1 { format!(", and {} more pairs", unknown.len() - 1) } else { String::new() };
        lines.push(format!("could not check {} + {}{more}: {why}", pair.one, pair.two));
    }
    lines
}

/// A text of just so many columns.
fn padded(text: &str, width: usize, is_right: bool) -> String {
    let side = if is_right { Alignment::Right } else { Alignment::Left };
    truncate(text, width).unicode_pad(width, side, false).into_owned()
}

/// A text of at most so many columns, `…` at its end where something was cut off.
pub fn truncate(text: &str, width: usize) -> String {
    match width.checked_sub(1) {
        _ if text.width() <= width => text.to_owned(),
        Some(left) => format!("{}…", text.unicode_truncate(left).0),
        None => String::new(),
    }
}

/// The same with its end kept.
fn truncate_front(text: &str, width: usize) -> String {
    match width.checked_sub(1) {
        _ if text.width() <= width => text.to_owned(),
        Some(left) => format!("…{}", text.unicode_truncate_start(left).0),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        let of = |seconds: i64| age(1_000_000_000 - seconds, 1_000_000_000);
        assert_eq!([0, 59, 60, 7_199].map(of), ["now", "now", "1m", "119m"]);
        assert_eq!([7_200, 172_799, 172_800, 1_814_400].map(of), ["2h", "47h", "2d", "3w"]);
        assert_eq!(of(-500), "now", "a clock that runs ahead");
    }

    #[test]
    fn cuts() {
        assert_eq!(truncate("abc", 3), "abc");
        assert_eq!(truncate("abcd", 3), "ab…");
        assert_eq!(truncate("日本語", 5), "日本…");
        assert_eq!(truncate("日本語", 4), "日…");
        assert_eq!(truncate("abc", 0), "");
        assert_eq!(truncate("👩‍👩‍👧‍👦 home", 4), "👩‍👩‍👧‍👦 …", "a picture of four stays whole");
        assert_eq!(truncate_front("feat/a1/pool", 6), "…/pool");
        assert_eq!(padded("é", 3, true), "  é");
    }
}
