//! Mistakes in `files` and `content`.

use std::collections::HashMap;

use super::diagnostic::Diagnostic;
use super::lint::at;
use super::plan::Plan;
use super::source::{Span, Spanned};
use crate::content::{MAX_PATTERN, compile_pattern};

/// The longest name of an entry.
const LONGEST: usize = 60;

pub(super) fn check(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    if let Some(limit) = plan.policy.files.max_path.as_ref().filter(|limit| limit.value == 0) {
        diagnostics.push(
            Diagnostic::error(at(limit), "`files.max_path` is 0, which no path keeps to", "0")
                .help("write the most bytes that a path may have, such as 200"),
        );
    }
    if let (Some(except), true) = (plan.policy.files.except.first(), {
        let files = &plan.policy.files;
        files.max_size.is_none() && files.forbid.is_empty()
    }) {
        diagnostics.push(
            Diagnostic::error(at(except), "`files.except` has nothing to except from", "no effect")
                .help("it applies to `files.max_size` and `files.forbid`"),
        );
    }
    let mut names: HashMap<&str, Span> = HashMap::new();
    for rule in &plan.policy.content.0 {
        if let Some(pattern) = &rule.pattern {
            diagnostics.extend(of_pattern(plan, pattern));
        }
        let Some(name) = &rule.name else { continue };
        if name.value.len() > LONGEST {
            diagnostics.push(
                Diagnostic::error(at(name), "the name is too long", "this name")
                    .help(format!("use at most {LONGEST} bytes, and `message` for the rest")),
            );
        }
        if let Some(first) = names.insert(&name.value, at(name)) {
            diagnostics.push(
                Diagnostic::error(
                    at(name),
                    format!("two entries of `content` are called `{}`", name.value),
                    "the second",
                )
                .related(first, "the first")
                .help("rename one of them"),
            );
        }
    }
}

/// What is wrong with a regular expression, at its place inside the words.
fn of_pattern(plan: &Plan, text: &Spanned<String>) -> Option<Diagnostic> {
    if let Err(error) =
        regex_syntax::ParserBuilder::new().multi_line(true).crlf(true).utf8(false).build().parse(&text.value)
    {
        let (kind, span) = match &error {
            regex_syntax::Error::Parse(error) => (error.kind().to_string(), Some(*error.span())),
            regex_syntax::Error::Translate(error) => (error.kind().to_string(), Some(*error.span())),
            other => (other.to_string(), None),
        };
        let place = span.and_then(|span| inside(plan, text, span.start.offset, span.end.offset));
        return Some(
            Diagnostic::error(
                place.unwrap_or_else(|| at(text)),
                format!("`{}` is not a regular expression: {kind}", text.value),
                "here",
            )
            .help("the syntax is that of the regex crate: https://docs.rs/regex/latest/regex/#syntax"),
        );
    }
    for anchor in ["\\A", "\\z"] {
        if let Some(start) = text.value.find(anchor) {
            let place = inside(plan, text, start, start + anchor.len()).unwrap_or_else(|| at(text));
            return Some(
                Diagnostic::error(
                    place,
                    format!("`{anchor}` has no meaning in `content`: each line is matched by itself"),
                    "here",
                )
                .help("use `^` and `$` for the ends of a line"),
            );
        }
    }
    let error = compile_pattern(&text.value).err()?;
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
fn inside(plan: &Plan, text: &Spanned<String>, start: usize, end: usize) -> Option<Span> {
    let whole = text.span?;
    let written = plan.source.text.get(whole.range())?;
    let offset = written.find(&text.value)?;
    // At its end, the last character is shown.
    let start = start.min(text.value.len().saturating_sub(1));
    Some(Span { start: whole.start + offset + start, len: end.saturating_sub(start).max(1) })
}
