//! Mistakes in regular expressions.

use super::branch_names::parser;
use super::diagnostic::Diagnostic;
use super::lint::at;
use super::plan::Plan;
use super::source::{Span, Spanned};
use crate::content::{MAX_PATTERN, compile_pattern};

/// What is wrong with a regular expression, at its place inside the words.
pub(super) fn check(plan: &Plan, text: &Spanned<String>) -> Option<Diagnostic> {
    check_as(plan, text, &text.value, |offset| offset)
}

/// The same for an expression that is written in another way than it is compiled. `written`: a place of the one in the
/// other.
pub(super) fn check_as(
    plan: &Plan,
    text: &Spanned<String>,
    compiled: &str,
    written: impl Fn(usize) -> usize,
) -> Option<Diagnostic> {
    if let Err(error) = parser().parse(compiled) {
        let (kind, span) = match &error {
            regex_syntax::Error::Parse(error) => (error.kind().to_string(), Some(*error.span())),
            regex_syntax::Error::Translate(error) => (error.kind().to_string(), Some(*error.span())),
            other => (other.to_string(), None),
        };
        let place =
            span.and_then(|span| inside(plan, text, written(span.start.offset), written(span.end.offset)));
        return Some(
            Diagnostic::error(
                place.unwrap_or_else(|| at(text)),
                format!("`{}` is not a regular expression: {kind}", text.value),
                "here",
            )
            .help("the syntax is that of the regex crate: https://docs.rs/regex/latest/regex/#syntax"),
        );
    }
    let error = compile_pattern(compiled).err()?;
    let why = match error {
        regex::Error::CompiledTooBig(_) => {
            format!("it would take more than {} MB of memory", MAX_PATTERN >> 20)
        }
        other => other.to_string(),
    };
    Some(
        Diagnostic::error(at(text), format!("the regular expression cannot be used: {why}"), "too large")
            .help("use fewer or smaller repetitions, or make several entries of it"),
    )
}

/// The place of a part of a text that stands in the policy as it is spelled.
pub(super) fn inside(plan: &Plan, text: &Spanned<String>, start: usize, end: usize) -> Option<Span> {
    let whole = text.span?;
    let written = plan.source.text.get(whole.range())?;
    let offset = written.find(&text.value)?;
    // At its end, the last character is shown.
    let start = start.min(text.value.len().saturating_sub(1));
    Some(Span { start: whole.start + offset + start, len: end.saturating_sub(start).max(1) })
}
