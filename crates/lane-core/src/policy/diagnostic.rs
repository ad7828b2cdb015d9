//! What is wrong with a policy, and where.

use super::source::Span;

/// How bad a mistake is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The policy cannot be used.
    Error,
    /// The policy works, but probably not as meant.
    Warning,
}

/// One mistake in a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong, as one sentence without a full stop.
    pub message: String,
    /// The words that are wrong.
    pub span: Span,
    /// What stands under the caret.
    pub label: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Another place that matters, and why: the first of two that clash.
    pub related: Option<(Span, String)>,
}

fn one_line(text: String) -> String {
    if text.contains(['\n', '\r']) { text.replace('\n', "\\n").replace('\r', "\\r") } else { text }
}

impl Diagnostic {
    /// An error at `span`; `label` is written under the caret. What is quoted in them stays on its line, whatever somebody
    /// wrote in the policy.
    pub fn error(span: Span, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            message: one_line(message.into()),
            span,
            label: one_line(label.into()),
            help: None,
            related: None,
        }
    }

    /// A warning at `span`; `label` is written under the caret.
    pub fn warning(span: Span, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(span, message, label) }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds the other place of a clash.
    #[must_use]
    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related = Some((span, label.into()));
        self
    }
}

/// Leaves one of those that say the same at the same words: a series of agents is written once and read many times.
/// `diagnostics`: sorted by their places.
pub(super) fn merge_repeated(diagnostics: &mut Vec<Diagnostic>) {
    let mut kept: Vec<(Diagnostic, usize)> = Vec::new();
    for diagnostic in diagnostics.drain(..) {
        let same = |(one, _): &&mut (Diagnostic, usize)| {
            (one.severity, one.span, &one.label) == (diagnostic.severity, diagnostic.span, &diagnostic.label)
        };
        match kept.iter_mut().rev().take_while(|(one, _)| one.span == diagnostic.span).find(same) {
            Some((_, more)) => *more += 1,
            None => kept.push((diagnostic, 0)),
        }
    }
    diagnostics.extend(kept.into_iter().map(|(mut diagnostic, more)| {
        if more > 0 {
            diagnostic.message.push_str(&format!(", and so for {more} more of the series"));
        }
        diagnostic
    }));
}
