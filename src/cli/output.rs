//! Where text goes. A full standard output is an error, never a panic; a reader that has seen enough, such as
//! head(1), is none: the work goes on, and the exit code is what it would have been.

use std::io::{self, IsTerminal, Write};
use std::process::{Command, ExitStatus};

use serde::Serialize;
use serde_json::json;

use super::options::{Format, Global, When};
use super::{diagnostics, pager, relay, step_summary};
use crate::ops::Ui;
use lane_core::error::Error;
use lane_core::report::text::{self, Style};
use lane_core::report::{Report, json, narrow};
use lane_core::text::sanitize;

/// How a command was asked to speak.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    format: Format,
    style: Style,
    error_color: bool,
    /// What a hook says is cut to lines of so many characters.
    width: Option<usize>,
}

/// What reaches a pusher as `remote: …` is cut to lines of so many characters.
const REMOTE_WIDTH: usize = 100;

/// Writes to standard error, everything hidden in it written out; there is nobody to tell if that fails.
pub fn print_error(message: &str) {
    write_error(&sanitize(message));
}

/// Writes to standard error text of our own, or that went through [`sanitize`].
pub(crate) fn write_error(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Something worth knowing that stops nothing: `note: …`.
pub fn note(text: &str) {
    print_error(&format!("note: {text}\n"));
}

/// The same, with what to do about it.
pub fn note_with_help(text: &str, help: &str) {
    print_error(&diagnostics::render("note", text, &[help], false));
}

/// Something that is probably wrong and stops nothing: `warning: …`, and what to do about it.
pub fn warn(text: &str, help: &str) {
    print_error(&diagnostics::render("warning", text, &[help], false));
}

/// Whether to use colours: as the options, the terminal and the environment say.
pub(crate) fn wants_color(when: When, is_terminal: bool) -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto => !is_set("NO_COLOR") && (is_terminal || is_set("CLICOLOR_FORCE")),
    }
}

impl Output {
    /// As the options say.
    pub fn new(global: &Global) -> Self {
        Self {
            format: global.format,
            style: Style {
                color: wants_color(global.color, std::io::stdout().is_terminal() || pager::is_in_use()),
                quiet: global.quiet,
                verbose: global.verbose,
            },
            error_color: wants_color(global.color, std::io::stderr().is_terminal()),
            width: None,
        }
    }

    /// As a hook speaks: to standard error.
    pub fn of_hook() -> Self {
        let color = wants_color(When::Auto, std::io::stderr().is_terminal());
        let style = Style { color, quiet: false, verbose: false };
        Self { format: Format::TEXT, style, error_color: color, width: None }
    }

    /// As a hook on a server speaks: to whoever pushes, through git, which is no terminal.
    pub fn of_server_hook() -> Self {
        Self { format: Format::TEXT, style: Style::default(), error_color: false, width: Some(REMOTE_WIDTH) }
    }

    /// How to report.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether programs read it.
    pub fn is_json(&self) -> bool {
        self.format == Format::JSON
    }

    /// Whether people read it.
    pub fn is_text(&self) -> bool {
        self.format == Format::TEXT
    }

    /// Whether more was asked for.
    pub fn is_verbose(&self) -> bool {
        self.style.verbose
    }

    /// Whether less was asked for.
    pub fn is_quiet(&self) -> bool {
        self.style.quiet
    }

    /// How text on standard output looks.
    pub fn style(&self) -> Style {
        self.style
    }

    /// Whether standard output has colours.
    pub fn color(&self) -> bool {
        self.style.color
    }

    /// Whether standard error has colours.
    pub fn error_color(&self) -> bool {
        self.error_color
    }

    /// Writes to standard output, everything hidden in it written out.
    ///
    /// # Errors
    /// It is full, or cannot be written.
    pub fn print(&self, text: &str) -> Result<(), Error> {
        self.print_bytes(&sanitize(text))
    }

    /// Writes to standard output what may be long: through the pager, where that is a terminal and lower than the text.
    ///
    /// # Errors
    /// It is full, or cannot be written.
    pub fn page(&self, text: &str) -> Result<(), Error> {
        let text = sanitize(text);
        if std::io::stdout().is_terminal() && pager::show(&text) {
            return Ok(());
        }
        self.print_bytes(&text)
    }

    /// Writes what a program is to have byte for byte; on a terminal it is for people after all.
    ///
    /// # Errors
    /// Standard output is full, or cannot be written.
    pub fn print_data(&self, text: &str) -> Result<(), Error> {
        if std::io::stdout().is_terminal() { self.print(text) } else { self.print_bytes(text) }
    }

    /// The same; false where the reader is gone, and may not have read it.
    ///
    /// # Errors
    /// It is full, or cannot be written.
    pub fn print_to_reader(&self, text: &str) -> Result<bool, Error> {
        self.write_bytes(&sanitize(text))
    }

    fn print_bytes(&self, text: &str) -> Result<(), Error> {
        self.write_bytes(text).map(drop)
    }

    fn write_bytes(&self, text: &str) -> Result<bool, Error> {
        let mut out = std::io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Error::write(
                format!("standard output cannot be written: {error}"),
                "rerun it with output to a terminal or to a file on a disk with free space",
            )),
            written => Ok(written.is_ok()),
        }
    }

    /// Writes a value as JSON.
    ///
    /// # Errors
    /// Standard output is full, or cannot be written.
    pub fn print_json(&self, value: &impl Serialize) -> Result<(), Error> {
        self.print(&json::text(value)?)
    }

    /// Writes a report, and gives its exit code.
    ///
    /// # Errors
    /// Standard output is full, or cannot be written.
    pub fn report(&self, report: &Report) -> Result<u8, Error> {
        self.report_as(report, self.format)
    }

    /// Writes a job's report: in a job of GitHub as annotations, where nothing else was asked for.
    ///
    /// # Errors
    /// Standard output is full, or cannot be written.
    pub fn write_ci_report(&self, report: &Report, is_github: bool) -> Result<u8, Error> {
        let format = if is_github && self.format == Format::TEXT { Format::GITHUB } else { self.format };
        self.report_as(report, format)
    }

    fn report_as(&self, report: &Report, format: Format) -> Result<u8, Error> {
        let text = rendered(report, format, self.style)?;
        if format == Format::TEXT {
            self.page(&text)?
        } else {
            self.print(&text)?
        }
        if format == Format::GITHUB {
            step_summary::append(report);
        }
        Ok(report.verdict.exit_code())
    }

    /// Writes a hook's report to standard error, and gives its exit code.
    pub fn hook_report(&self, report: &Report) -> u8 {
        self.hook_says(&text::render(report, self.style));
        report.verdict.exit_code()
    }

    /// Writes what a hook says to standard error.
    pub fn hook_says(&self, text: &str) {
        match self.width {
            Some(width) => print_error(&narrow(text, width)),
            None => print_error(text),
        }
    }

    /// Writes an error to standard error; its kind is the exit code.
    pub fn error(&self, error: &Error) -> u8 {
        print_error(&diagnostics::render_error(error, self.error_color));
        error.kind().exit_code()
    }

    /// An error of a command that gives no verdict: programs get it as JSON.
    pub fn report_error(&self, error: &Error) -> u8 {
        let said = json!({ "error": { "reason": error.to_string(), "help": error.help() } });
        if self.is_json() && self.print_json(&said).is_ok() {
            return error.kind().exit_code();
        }
        self.error(error)
    }

    /// Writes what was refused, and the next step, where the command goes on with other things.
    pub fn refuse(&self, text: &str, help: &str) {
        self.error(&Error::refused(text, help));
    }

    /// An error instead of a verdict: programs still get a report.
    pub fn undecided(&self, event: &'static str, error: &Error) -> u8 {
        if self.format == Format::TEXT || self.report(&Report::undecided(event, error)).is_err() {
            return self.error(error);
        }
        error.kind().exit_code()
    }
}

impl Ui for Output {
    fn note(&self, text: &str) {
        note(text);
    }

    fn message(&self, text: &str) {
        print_error(&format!("{text}\n"));
    }

    fn detail(&self, text: &str) {
        if !self.is_json() && !self.is_quiet() {
            self.message(text);
        }
    }

    fn verdict(&self, report: &Report) {
        Self::of_hook().hook_report(report);
    }

    fn run_git(&self, command: &mut Command) -> io::Result<ExitStatus> {
        relay::run(command)
    }

    fn progress(&self) -> Option<&'static str> {
        match self.is_quiet() {
            true => Some("--quiet"),
            false => std::io::stderr().is_terminal().then_some("--progress"),
        }
    }

    fn is_quiet(&self) -> bool {
        self.style.quiet
    }
}

/// A report in one of its forms; those of variables are refused before there is one.
///
/// # Errors
/// It cannot be written so.
pub(crate) fn rendered(report: &Report, format: Format, style: Style) -> Result<String, Error> {
    match format {
        Format::Report(format) => (format.render)(report, style),
        Format::Metrics(_) | Format::Sh | Format::Dotenv | Format::GithubMatrix => {
            Ok(text::render(report, style))
        }
    }
}
