//! How far a command is: on a terminal a line for each thing that goes on, redrawn in place; else a line of text when
//! something else goes on.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::output::print_error;
use lane_core::text::plain;

/// The lines of one command, by what they are about. Threads share it.
pub struct Progress {
    bars: Option<MultiProgress>,
    is_quiet: bool,
    lines: Mutex<BTreeMap<String, Line>>,
}

struct Line {
    bar: Option<ProgressBar>,
    last: String,
}

impl Progress {
    /// Nothing shown so far.
    pub fn new(is_quiet: bool) -> Self {
        let has_bars = !is_quiet && std::io::stderr().is_terminal();
        Self { bars: has_bars.then(MultiProgress::new), is_quiet, lines: Mutex::default() }
    }

    /// Says what goes on with one thing; `detail` may change from moment to moment, which only a terminal shows.
    pub fn status(&self, about: &str, what: &str, detail: &str) {
        self.update(about, what, &format!("{what}{detail}"), "{wide_msg}", |bar, text| bar.set_message(text));
    }

    /// Says which of several steps has begun; the first is number 1.
    pub fn step(&self, about: &str, step: &str, number: usize, of: usize) {
        let text = format!("{about}: {step} ({number} of {of})");
        self.update(about, &text, &text, "{prefix:>10} [{bar:24}] {pos}/{len} {msg}", |bar, _| {
            bar.set_length(u64::try_from(of).unwrap_or(u64::MAX));
            bar.set_position(u64::try_from(number.saturating_sub(1)).unwrap_or(u64::MAX));
            bar.set_prefix(plain(about));
            bar.set_message(plain(step));
        });
    }

    /// Says that the step that was begun last has ended; `failure`: what its bar stops at.
    pub fn step_ended(&self, about: &str, text: &str, failure: Option<&str>) {
        self.update(about, text, text, "{msg}", |bar, _| match failure {
            Some(failure) => bar.abandon_with_message(plain(failure)),
            None => bar.inc(1),
        });
    }

    /// Says something once, above the lines.
    pub fn line(&self, text: &str) {
        if !self.is_quiet {
            self.write(text);
        }
    }

    /// Takes the lines away.
    pub fn end(&self) {
        if let Some(bars) = &self.bars {
            let _ = bars.clear();
        }
    }

    fn write(&self, text: &str) {
        let write = || print_error(&format!("{text}\n"));
        match &self.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }

    /// `key`: what has to differ for a new line of text; a row is redrawn where `text` does.
    fn update(
        &self,
        about: &str,
        key: &str,
        text: &str,
        form: &str,
        draw: impl FnOnce(&ProgressBar, String),
    ) {
        if self.is_quiet {
            return;
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || Line { bar: self.bars.as_ref().map(|bars| bar(bars, form)), last: String::new() };
        let line = lines.entry(about.to_owned()).or_insert_with(make);
        let shown = if line.bar.is_some() { text } else { key };
        if line.last == shown {
            return;
        }
        shown.clone_into(&mut line.last);
        match &line.bar {
            Some(bar) => draw(bar, plain(text)),
            None => self.write(text),
        }
    }
}

fn bar(bars: &MultiProgress, form: &str) -> ProgressBar {
    let bar = bars.add(ProgressBar::new(0));
    if let Ok(style) = ProgressStyle::with_template(form) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}
