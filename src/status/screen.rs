//! What `--watch` shows: from a state to lines of text, and from keys to a state. No terminal in here.

use super::table::{Tone, clash_lines, cut, table, tone};
use super::{Line, Status};
use crate::conflicts::Forecast;
use lane_core::policy::scalar::{clock, in_words};

/// What the screen knows.
#[derive(Debug, Clone, Default)]
pub struct Screen {
    /// What was read last.
    pub status: Option<Status>,
    /// Why it could not be read anew.
    pub error: Option<String>,
    /// It is being read.
    pub is_busy: bool,
    /// The row that is selected.
    selected: usize,
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

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// As it is.
    Plain,
    /// The heading.
    Bold,
    /// Less important.
    Dim,
    /// A warning.
    Warning,
    /// An error.
    Error,
    /// The row that is selected.
    Selected,
}

/// One line of the screen.
pub type Row = (String, Look);

impl Screen {
    /// Takes what was read; the selection stays with its agent.
    pub fn update(&mut self, read: Result<Status, String>) {
        self.is_busy = false;
        match read {
            Ok(status) => {
                let known = self.line().map(|line| (line.title(), line.root.clone()));
                let same = |line: &Line| Some((line.title(), line.root.clone())) == known;
                self.selected = status.lines.iter().position(same).unwrap_or(0);
                self.status = Some(status);
                self.error = None;
            }
            Err(why) => self.error = Some(why),
        }
    }

    /// Takes a key.
    pub fn press(&mut self, key: Key) {
        let last = self.status.as_ref().map_or(0, |status| status.lines.len().saturating_sub(1));
        self.selected = match key {
            Key::Down => (self.selected + 1).min(last),
            Key::Up => self.selected.saturating_sub(1),
            Key::First => 0,
            Key::Last => last,
            Key::Details => self.selected,
        };
        self.has_details ^= key == Key::Details;
    }

    fn line(&self) -> Option<&Line> {
        self.status.as_ref()?.lines.get(self.selected)
    }

    /// The whole screen: exactly `height` lines, none wider than `width`.
    pub fn frame(&self, width: usize, height: usize) -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::new();
        let bottom = self.bottom();
        let room = height.saturating_sub(1);
        match &self.status {
            None => rows.push(("reading …".to_owned(), Look::Dim)),
            Some(status) => {
                let below = if self.has_details { self.details(status) } else { summary(status) };
                let table = table(status, width);
                // The table has what it needs, but leaves the pane a third of the screen.
                let for_pane = if below.is_empty() { 0 } else { (below.len() + 1).min(room / 3) };
                let shown = (status.lines.len()).min(room.saturating_sub(1 + for_pane)).max(1);
                let from = (self.selected + 1).saturating_sub(shown);
                rows.push((table.head, Look::Bold));
                for (at, (text, tone)) in table.rows.into_iter().enumerate().skip(from).take(shown) {
                    let look = if at == self.selected { Look::Selected } else { Look::of(tone) };
                    rows.push((text, look));
                }
                if !below.is_empty() {
                    rows.push((String::new(), Look::Plain));
                    rows.extend(below);
                }
            }
        }
        rows.truncate(room);
        rows.resize(room, (String::new(), Look::Plain));
        rows.push(bottom);
        rows.truncate(height);
        rows.into_iter().map(|(text, look)| (cut(&text, width), look)).collect()
    }

    fn bottom(&self) -> Row {
        let keys = "j/k select  Enter details  r refresh  q quit";
        if let Some(why) = &self.error {
            return (
                format!("could not read it anew: {}", why.lines().next().unwrap_or_default()),
                Look::Error,
            );
        }
        let read = self.status.as_ref().map(|status| clock(status.now, status.now));
        let busy = if self.is_busy { " …" } else { "" };
        (format!("{keys}  {}{busy}", read.unwrap_or_default()), Look::Dim)
    }

    fn details(&self, status: &Status) -> Vec<Row> {
        let Some(line) = self.line() else { return Vec::new() };
        let mut rows: Vec<Row> = Vec::new();
        let mut put = |label: &str, text: String, look: Look| rows.push((format!("{label:<10}{text}"), look));
        let head = line.head.map(|oid| format!(" at {}", oid.short())).unwrap_or_default();
        put(&line.title(), format!("{}{head}", line.branch.clone().unwrap_or_default()), Look::Bold);
        if let Some(root) = &line.root {
            put("worktree", root.display().to_string(), Look::Plain);
        }
        if let Some(branch) = &line.into {
            put("into", branch.clone(), Look::Plain);
        }
        if line.is_unassigned {
            put("no lane", "no agent is assigned: the commits of one are refused".to_owned(), Look::Warning);
            put("", "git lane join ID".to_owned(), Look::Dim);
        }
        if let Some(word) = line.under_way {
            put("under way", format!("a {word}"), Look::Warning);
        }
        for why in &line.troubles {
            put("trouble", why.reason.clone(), Look::Error);
            if let Some(help) = &why.help {
                help.lines().for_each(|line| put("", line.to_owned(), Look::Dim));
            }
        }
        if let Some(last) = &line.last {
            put("last", last.subject.clone(), Look::Plain);
        }
        if let Some(check) = &line.check {
            for why in &check.undecided {
                put("undecided", why.clone(), Look::Error);
            }
            for (is_error, rule, message) in &check.findings {
                let look = if *is_error { Look::Error } else { Look::Warning };
                put(if *is_error { "error" } else { "warning" }, format!("{rule}: {message}"), look);
            }
            if tone(line) == Tone::Plain {
                put("check", "passes".to_owned(), Look::Plain);
            }
        }
        for lock in &line.locks {
            let why = lock.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            put("lock", format!("{} for {}{why}", lock.scope, in_words(lock.left)), Look::Plain);
        }
        for scope in &line.waits {
            put("waits for", scope.clone(), Look::Warning);
        }
        if !line.ports.is_empty() {
            let ports: Vec<String> = line.ports.iter().map(u16::to_string).collect();
            put("ports", ports.join(" "), Look::Plain);
        }
        for pull in &line.pulls {
            let draft = if pull.is_draft { " (draft)" } else { "" };
            put("pull", format!("{}{draft}", pull.url), Look::Plain);
        }
        let side = line.side();
        let own = |pair: &&super::Pair| {
            let is_it = |name: &str| name == side || name.starts_with(&format!("{side} ("));
            is_it(&pair.one) || is_it(&pair.two)
        };
        for pair in status.clashes.iter().filter(own) {
            if let Forecast::Conflicts(files) = &pair.forecast {
                let names: Vec<String> = files.iter().map(|file| file.path.to_string()).collect();
                put("conflict", format!("{} + {}: {}", pair.one, pair.two, names.join(", ")), Look::Warning);
            }
        }
        rows
    }
}

/// What stands below the table while no line is looked at closely.
fn summary(status: &Status) -> Vec<Row> {
    let clashes = clash_lines(&status.clashes);
    let mut rows: Vec<Row> = Vec::new();
    if !clashes.is_empty() {
        rows.push(("would conflict if merged now:".to_owned(), Look::Plain));
        rows.extend(clashes.into_iter().map(|text| (format!("  {text}"), Look::Warning)));
    }
    rows.extend(status.notes.iter().map(|note| (format!("note: {note}"), Look::Dim)));
    rows
}

impl Look {
    fn of(tone: Tone) -> Self {
        match tone {
            Tone::Plain => Self::Plain,
            Tone::Warning => Self::Warning,
            Tone::Error => Self::Error,
        }
    }
}
