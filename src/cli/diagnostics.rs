//! Errors as people read them, each place of a policy drawn as for a finding.

use lane_core::error::Error;
use lane_core::policy::{Diagnostic, PolicyError, Severity, Source};
use lane_core::report::text::{Style, render_help};
use lane_core::snippet::{Mark, snippet};
use lane_core::text;

/// An error with what to do next, ready for standard error.
pub fn render_error(error: &Error, color: bool) -> String {
    if let Error::Policy(error) = error {
        return render_policy(error, color);
    }
    render("error", &error.to_string(), error.help().unwrap_or_default(), color)
}

/// One sentence that says what is wrong, and what to do next, line by line.
pub fn render(word: &str, message: &str, help: &str, color: bool) -> String {
    let word = if color { text::paint("1;31", word) } else { word.to_owned() };
    let mut text = format!("git-lane: {word}: {message}\n");
    render_help(&mut text, help, Style { color, ..Style::default() });
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
    let (word, code) = match diagnostic.severity {
        Severity::Error => ("error:", "1;31"),
        Severity::Warning => ("warning:", "1;33"),
    };
    let word = if color { text::paint(code, word) } else { word.to_owned() };
    let first = (diagnostic.span, Some(diagnostic.label.as_str()));
    let related = diagnostic.related.iter().map(|(span, label)| (*span, Some(label.as_str())));
    let marks: Vec<Mark<'_>> = std::iter::once(first).chain(related).collect();
    let mut text = format!("{word} {}\n{}", diagnostic.message, snippet(source, &marks, color));
    render_help(
        &mut text,
        diagnostic.help.as_deref().unwrap_or_default(),
        Style { color, ..Style::default() },
    );
    text
}
