//! Errors as people read them. miette draws the places; nothing deeper knows it.

use std::fmt;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode, ThemeCharacters,
    ThemeStyles,
};

use lane_core::error::Error;
use lane_core::policy::{Diagnostic, PolicyError, Severity, Source, Span};
use lane_core::text::{self, visible};

/// An error with what to do next, ready for standard error.
pub fn render_error(error: &Error, color: bool) -> String {
    if let Error::Policy(error) = error {
        return render_policy(error, color);
    }
    render("error", &error.to_string(), error.help().unwrap_or_default(), color)
}

/// One sentence that says what is wrong, and what to do next, line by line.
pub fn render(word: &str, message: &str, help: &str, color: bool) -> String {
    let paint = |code: &str, text: &str| if color { text::paint(code, text) } else { text.to_owned() };
    let mut text = format!("git-lane: {}: {message}\n", paint("1;31", word));
    for (at, line) in help.lines().enumerate() {
        let word = if at == 0 { paint("1;32", "help:") } else { "     ".to_owned() };
        text.push_str(&format!("  {word} {line}\n"));
    }
    text
}

/// All mistakes of a policy, each at its place, and how many they are.
pub fn render_policy(error: &PolicyError, color: bool) -> String {
    let mut text = String::new();
    for diagnostic in &error.diagnostics {
        text.push_str(&draw(&error.text, diagnostic, color));
    }
    text.push_str(&format!("git-lane: {error}; nothing is decided with it\n"));
    text
}

/// Warnings about a policy that can be used, each at its place.
pub fn render_warnings(source: &Source, warnings: &[Diagnostic], color: bool) -> String {
    warnings.iter().map(|warning| draw(source, warning, color)).collect()
}

fn draw(source: &Source, diagnostic: &Diagnostic, color: bool) -> String {
    let (source, diagnostic) = written_out(source, diagnostic);
    text::painted(&drawn(&source, &diagnostic, color))
}

/// A place of a policy with everything hidden written out, so that what is marked stands where the mark is.
fn written_out(source: &Source, diagnostic: &Diagnostic) -> (Source, Diagnostic) {
    let seen = |text: &str| visible(text).into_owned();
    let at = |place: usize| visible(source.text.get(..place).unwrap_or(&source.text)).len();
    let span = |span: Span| Span { start: at(span.start), len: at(span.start + span.len) - at(span.start) };
    let diagnostic = Diagnostic {
        severity: diagnostic.severity,
        message: seen(&diagnostic.message),
        span: span(diagnostic.span),
        label: seen(&diagnostic.label),
        help: diagnostic.help.as_deref().map(seen),
        related: diagnostic.related.as_ref().map(|(place, text)| (span(*place), seen(text))),
    };
    (Source { name: seen(&source.name), text: seen(&source.text) }, diagnostic)
}

fn drawn(source: &Source, diagnostic: &Diagnostic, color: bool) -> String {
    let characters = ThemeCharacters {
        error: "error:".into(),
        warning: "warning:".into(),
        underbar: '^',
        ..ThemeCharacters::ascii()
    };
    let styles = if color { ThemeStyles::ansi() } else { ThemeStyles::none() };
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme { characters, styles })
        .with_width(100)
        .with_links(false)
        .with_context_lines(1);
    let mut text = String::new();
    let drawn = Drawn { diagnostic, source: NamedSource::new(&source.name, source.text.clone()) };
    if handler.render_report(&mut text, &drawn).is_err() {
        let (line, column) = source.line_column(diagnostic.span.start);
        text = format!("{}:{line}:{column}: {}\n", source.name, diagnostic.message);
    }
    text
}

struct Drawn<'a> {
    diagnostic: &'a Diagnostic,
    source: NamedSource<String>,
}

impl fmt::Debug for Drawn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.diagnostic, f)
    }
}

impl fmt::Display for Drawn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.diagnostic.message)
    }
}

impl std::error::Error for Drawn<'_> {}

fn label(span: Span, text: &str) -> LabeledSpan {
    LabeledSpan::new(Some(text.to_owned()), span.start, span.len)
}

impl miette::Diagnostic for Drawn<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.diagnostic.help.as_ref()?;
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let diagnostic = self.diagnostic;
        let first = LabeledSpan::new_primary_with_span(
            Some(diagnostic.label.clone()),
            (diagnostic.span.start, diagnostic.span.len),
        );
        let related = diagnostic.related.iter().map(|(span, text)| label(*span, text));
        Some(Box::new(std::iter::once(first).chain(related)))
    }
}
