//! Errors as people read them, each place of a policy drawn as for a finding.

use lane_core::error::Error;
use lane_core::policy::{Diagnostic, PolicyError, Severity, Source};
use lane_core::snippet::{Mark, snippet};
use lane_core::text::{self, help_block};

/// An error with what to do next, ready for standard error.
pub fn render_error(error: &Error, color: bool) -> String {
    match error.policy() {
        Some(mistakes) => render_policy(mistakes, color),
        None => render("error", &error.to_string(), error.hints(), color),
    }
}

/// `error: …`, `warning: …` or `note: …`: one sentence, and under it each hint, line by line.
pub fn render(word: &str, message: &str, hints: &[impl AsRef<str>], color: bool) -> String {
    let code = match word {
        "error" => "1;31",
        "warning" => "1;33",
        _ => "1;36",
    };
    let word = format!("{word}:");
    let word = if color { text::paint(code, &word) } else { word };
    let hints = hints.iter().map(|hint| help_block(hint.as_ref(), color));
    format!("{word} {message}\n{}", hints.collect::<String>())
}

/// All mistakes of a policy, each at its place, and how many they are.
pub fn render_policy(error: &PolicyError, color: bool) -> String {
    let mut text = String::new();
    for diagnostic in &error.diagnostics {
        text.push_str(&draw(&error.text, diagnostic, color));
    }
    text.push_str(&format!("error: {error}; it cannot be used\n"));
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
    text.push_str(&help_block(diagnostic.help.as_deref().unwrap_or_default(), color));
    text
}
