//! What `--watch` shows: from a state to a frame of the terminal, and from keys to a state. It reads and writes no terminal.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::text::{Line as Row, Text};
use ratatui::widgets::{List, ListState};

use super::table::{Tone, clash_lines, stack_lines, table, tone, truncate};
use super::{Line, Status};
use crate::conflicts::Forecast;
use lane_core::policy::scalar::{clock, format_duration};
use lane_core::text::visible;

/// What the screen knows.
#[derive(Debug, Clone, Default)]
pub struct Screen {
    /// What was read last.
    pub status: Option<Status>,
    /// Why it could not be read again.
    pub error: Option<String>,
    /// It is being read.
    pub is_busy: bool,
    /// The row that is selected, and the first that is shown.
    list: ListState,
    /// Details of it are shown.
    has_details: bool,
}

/// What a key stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// One row down: `j`, arrow.
    Down,
    /// One row up: `k`, arrow.
    Up,
    /// The first row: `g`, Home.
    First,
    /// The last row: `G`, End.
    Last,
    /// Details on or off: Enter.
    Details,
}

impl Screen {
    /// Takes what was read; the selection stays with its agent.
    pub fn update(&mut self, read: Result<Status, String>) {
        self.is_busy = false;
        match read {
            Ok(status) => {
                let known = self.line().map(|line| (line.title(), line.root.clone()));
                let same = |line: &Line| Some((line.title(), line.root.clone())) == known;
                self.list.select(status.lines.iter().position(same).or(Some(0)));
                self.status = Some(status);
                self.error = None;
            }
            Err(why) => self.error = Some(why),
        }
    }

    /// Takes a key.
    pub fn press(&mut self, key: Key) {
        match key {
            Key::Down => self.list.select_next(),
            Key::Up => self.list.select_previous(),
            Key::First => self.list.select_first(),
            Key::Last => self.list.select_last(),
            Key::Details => self.has_details ^= true,
        }
    }

    fn line(&self) -> Option<&Line> {
        let lines = &self.status.as_ref()?.lines;
        lines.get(self.list.selected()?.min(lines.len().saturating_sub(1)))
    }

    /// Draws the whole screen. Without color, what is selected and what is a heading can still be told.
    pub fn draw(&mut self, frame: &mut Frame<'_>, color: bool) {
        let width = usize::from(frame.area().width);
        let [body, bottom] =
            frame.area().layout(&Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]));
        frame.render_widget(fit_row(self.bottom(), width), bottom);
        match &self.status {
            None => frame.render_widget(Row::from("reading …").dim(), body),
            Some(status) => {
                let below = if self.has_details { self.details(status) } else { summary(status) };
                let table = table(status, width);
                // The table has what it needs, but leaves the pane a third of the screen.
                let for_pane =
                    if below.is_empty() { 0 } else { (below.len() + 1).min(usize::from(body.height) / 3) };
                let shown = Layout::vertical([
                    Constraint::Length(1),
                    Constraint::Max(u16::try_from(status.lines.len()).unwrap_or(u16::MAX)),
                    Constraint::Min(u16::try_from(for_pane).unwrap_or(0)),
                ]);
                let [head, rows, pane] = body.layout(&shown);
                frame.render_widget(fit_row(Row::from(table.head).bold(), width), head);
                let lines =
                    table.rows.into_iter().map(|(text, tone)| fit_row(Row::styled(text, tone), width));
                let list = List::new(lines).highlight_style(Style::reset().reversed());
                frame.render_stateful_widget(list, rows, &mut self.list);
                let below = below.into_iter().map(|row| fit_row(row, width));
                frame.render_widget(Text::from_iter(std::iter::once(Row::default()).chain(below)), pane);
            }
        }
        if !color {
            for cell in &mut frame.buffer_mut().content {
                cell.fg = Color::Reset;
                cell.modifier.remove(Modifier::DIM);
            }
        }
    }

    fn bottom(&self) -> Row<'static> {
        if let Some(why) = &self.error {
            let why = why.lines().next().unwrap_or_default();
            return Row::from(format!("could not refresh: {why}")).red();
        }
        let read = self.status.as_ref().map(|status| clock(status.now, status.now)).unwrap_or_default();
        let busy = if self.is_busy { " …" } else { "" };
        Row::from(format!("j/k select  Enter details  r refresh  q quit  {read}{busy}")).dim()
    }

    fn details(&self, status: &Status) -> Vec<Row<'static>> {
        let Some(line) = self.line() else { return Vec::new() };
        let mut rows: Vec<Row<'static>> = Vec::new();
        let plain = Style::new();
        let mut put = |label: &str, text: String, style: Style| {
            rows.push(Row::styled(format!("{label:<10}{text}"), style));
        };
        let head = line.head.map(|oid| format!(" at {}", oid.short())).unwrap_or_default();
        put(&line.title(), format!("{}{head}", line.branch.clone().unwrap_or_default()), plain.bold());
        if let Some(root) = &line.root {
            put("worktree", root.display().to_string(), plain);
        }
        if let Some(branch) = &line.into {
            put("into", branch.clone(), plain);
        }
        if line.is_unassigned {
            put(
                "no lane",
                "no agent is assigned: commits of a coding agent are refused".to_owned(),
                Style::from(Tone::Warning),
            );
            put("", "git lane join ID".to_owned(), plain.dim());
        }
        if let Some(word) = line.under_way {
            put("under way", format!("a {word}"), Style::from(Tone::Warning));
        }
        for why in &line.troubles {
            put("trouble", why.reason.clone(), Style::from(Tone::Error));
            if let Some(help) = &why.help {
                help.lines().for_each(|line| put("", line.to_owned(), plain.dim()));
            }
        }
        if let Some(last) = &line.last {
            put("last", last.subject.clone(), plain);
        }
        if let Some(check) = &line.check {
            for why in &check.undecided {
                put("undecided", why.clone(), Style::from(Tone::Error));
            }
            for (is_error, rule, message) in &check.findings {
                let look = if *is_error { Style::from(Tone::Error) } else { Style::from(Tone::Warning) };
                put(if *is_error { "error" } else { "warning" }, format!("{rule}: {message}"), look);
            }
            if tone(line) == Tone::Plain {
                put("check", "passes".to_owned(), plain);
            }
        }
        for lock in &line.locks {
            let why = lock.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            put("lock", format!("{} for {}{why}", lock.scope, format_duration(lock.left)), plain);
        }
        for scope in &line.waits {
            put("waits for", scope.clone(), Style::from(Tone::Warning));
        }
        if !line.ports.is_empty() {
            let ports: Vec<String> = line.ports.iter().map(u16::to_string).collect();
            put("ports", ports.join(" "), plain);
        }
        for pull in &line.pulls {
            let draft = if pull.is_draft { " (draft)" } else { "" };
            put("pull", format!("{}{draft}", pull.url), plain);
        }
        let side = line.side();
        let own = |pair: &&super::Pair| {
            let is_it = |name: &str| name == side || name.starts_with(&format!("{side} ("));
            is_it(&pair.one) || is_it(&pair.two)
        };
        for pair in status.clashes.iter().filter(own) {
            if let Forecast::Conflicts(files) = &pair.forecast {
                let names: Vec<String> = files.iter().map(|file| file.path.to_string()).collect();
                put(
                    "conflict",
                    format!("{} + {}: {}", pair.one, pair.two, names.join(", ")),
                    Style::from(Tone::Warning),
                );
            }
        }
        rows
    }
}

/// What stands below the table while no line is looked at closely.
fn summary(status: &Status) -> Vec<Row<'static>> {
    let clashes = clash_lines(&status.clashes);
    let mut rows: Vec<Row<'static>> = stack_lines(&status.lines).into_iter().map(Row::from).collect();
    if !clashes.is_empty() {
        rows.push(Row::from("would conflict if merged now:"));
        rows.extend(clashes.into_iter().map(|text| Row::from(format!("  {text}")).yellow()));
    }
    rows.extend(status.notes.iter().map(|note| Row::from(format!("note: {note}")).dim()));
    rows
}

/// A row that is cut where it does not fit.
fn fit_row(row: Row<'static>, width: usize) -> Row<'static> {
    let text = truncate(&visible(&row.to_string()), width);
    Row::styled(text, row.style)
}

impl From<Tone> for Style {
    fn from(tone: Tone) -> Self {
        match tone {
            Tone::Plain => Self::new(),
            Tone::Warning => Self::new().yellow(),
            Tone::Error => Self::new().red(),
        }
    }
}
