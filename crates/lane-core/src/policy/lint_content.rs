//! Mistakes in `files` and `content`.

use std::collections::HashMap;

use super::diagnostic::Diagnostic;
use super::lint::at;
use super::lint_regex::{self, inside};
use super::plan::Plan;
use super::source::{Span, Spanned};

/// The longest name of an entry.
const LONGEST: usize = 60;

pub(super) fn check(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    if let Some(limit) = plan.policy.files.max_path.as_ref().filter(|limit| limit.value == 0) {
        diagnostics.push(
            Diagnostic::error(at(limit), "`files.max_path` is 0, which no path keeps to", "0")
                .help("write the most bytes that a path may have, such as 200"),
        );
    }
    for text in &plan.policy.files.extensions {
        extension(text, diagnostics);
    }
    if let (Some(except), true) = (plan.policy.files.except.first(), {
        let files = &plan.policy.files;
        files.max_size.is_none() && files.forbid.is_empty() && files.extensions.is_empty()
    }) {
        diagnostics.push(
            Diagnostic::error(at(except), "`files.except` has nothing to except from", "no effect")
                .help("it applies to `files.max_size`, `files.forbid` and `files.extensions`"),
        );
    }
    let mut names: HashMap<&str, Span> = HashMap::new();
    for rule in &plan.policy.content.0 {
        if let Some(pattern) = &rule.pattern {
            diagnostics.extend(lint_regex::check(plan, pattern).or_else(|| anchors(plan, pattern)));
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

/// What follows the last dot of a name, and no pattern.
fn extension(text: &Spanned<String>, diagnostics: &mut Vec<Diagnostic>) {
    let value = &text.value;
    let is_plain =
        |name: &str| !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '*', '?', '[', ' ']);
    if is_plain(value.strip_prefix('.').unwrap_or(value)) {
        return;
    }
    let bare = value.trim_start_matches(['*', '.']);
    let wanted = if is_plain(bare) { bare } else { "what follows the last dot of a name, such as exe" };
    let help = format!("write {wanted}; patterns go under `files.forbid`");
    diagnostics.push(
        Diagnostic::error(at(text), format!("`{value}` is no file extension"), "not an extension").help(help),
    );
}

/// Anchors that have no meaning where each line is matched by itself.
fn anchors(plan: &Plan, text: &Spanned<String>) -> Option<Diagnostic> {
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
    None
}
