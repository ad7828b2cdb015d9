//! Reading values out of a YAML tree, collecting every mistake instead of stopping at the first.

use std::fmt::Display;
use std::str::FromStr;

use rustc_hash::FxHashMap;

use super::diagnostic::Diagnostic;
use super::node::{Key, Node, Value};
use super::source::{Span, Spanned};
use super::unknown::did_you_mean;

/// Collects what is wrong while a tree is read.
pub struct Reader {
    /// The mistakes found so far.
    pub diagnostics: Vec<Diagnostic>,
}

/// The entries of one mapping whose keys are known.
pub struct Fields<'a> {
    /// Where the mapping stands: its key if it has one.
    pub span: Span,
    entries: Vec<(&'a Key, &'a Node)>,
}

impl<'a> Fields<'a> {
    /// The value under a key, unless it is missing or null.
    pub fn get(&self, name: &str) -> Option<&'a Node> {
        self.entries
            .iter()
            .find(|(key, node)| key.name == name && !matches!(node.value, Value::Null))
            .map(|(_, node)| *node)
    }
}

impl Reader {
    /// Adds a mistake.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Says that a value has the wrong shape.
    pub fn wrong_kind(&mut self, node: &Node, expected: impl Display) {
        self.report(Diagnostic::error(
            node.span,
            format!("expected {expected}, found {}", node.kind()),
            format!("expected {expected}"),
        ));
    }

    /// The entries of a mapping, duplicates reported and left out.
    pub fn entries<'a>(&mut self, node: &'a Node, what: impl Display) -> Option<Vec<(&'a Key, &'a Node)>> {
        let Value::Map(entries) = &node.value else {
            self.wrong_kind(node, format_args!("a mapping for {what}"));
            return None;
        };
        let mut seen: Vec<(&Key, &Node)> = Vec::with_capacity(entries.len());
        let mut names = FxHashMap::default();
        for (key, value) in entries {
            if let Some(first) = names.insert(key.name.as_str(), key.span) {
                names.insert(key.name.as_str(), first);
                self.report(
                    Diagnostic::error(
                        key.span,
                        format!("duplicate key `{}` in {what}", key.name),
                        "the second",
                    )
                    .related(first, "the first")
                    .help("keep one of them"),
                );
            } else {
                seen.push((key, value));
            }
        }
        Some(seen)
    }

    /// The entries of a mapping that has only known keys; unknown ones are reported with the nearest.
    pub fn fields<'a>(
        &mut self,
        node: &'a Node,
        span: Span,
        what: impl Display,
        known: &[&str],
    ) -> Option<Fields<'a>> {
        let entries = self.entries(node, &what)?;
        for (key, _) in &entries {
            if !known.contains(&key.name.as_str()) {
                let help = did_you_mean(&key.name, known.iter().copied())
                    .unwrap_or_else(|| format!("{what} has: {}", known.join(", ")));
                self.report(
                    Diagnostic::error(
                        key.span,
                        format!("unknown key `{}` in {what}", key.name),
                        "unknown key",
                    )
                    .help(help),
                );
            }
        }
        Some(Fields { span, entries })
    }

    /// A text. Numbers and booleans are texts too where one is wanted: `name: 7`.
    pub fn text(&mut self, node: &Node, what: impl Display) -> Option<Spanned<String>> {
        let text = match &node.value {
            Value::String(text) if text.trim().is_empty() => {
                self.report(Diagnostic::error(node.span, format!("{what} is empty"), "expected some text"));
                return None;
            }
            Value::String(text) => text.clone(),
            Value::Integer(_, word) | Value::Word(word) => word.clone(),
            Value::Null | Value::List(_) | Value::Map(_) => {
                self.wrong_kind(node, format_args!("a text for {what}"));
                return None;
            }
        };
        Some(Spanned::at(text, node.span))
    }

    /// A whole number that is not negative.
    pub fn number(&mut self, node: &Node, what: impl Display) -> Option<Spanned<u64>> {
        if let Value::Integer(number, _) = &node.value
            && let Ok(number) = u64::try_from(*number)
        {
            return Some(Spanned::at(number, node.span));
        }
        self.report(Diagnostic::error(
            node.span,
            format!("{what} must be a whole number, 0 or more"),
            "expected a whole number",
        ));
        None
    }

    /// A value written as one word, such as a port range.
    pub fn parsed<T: FromStr<Err = String>>(
        &mut self,
        node: &Node,
        what: impl Display,
    ) -> Option<Spanned<T>> {
        let text = self.text(node, &what)?;
        match text.value.parse() {
            Ok(value) => Some(Spanned::at(value, node.span)),
            Err(reason) => {
                self.report(Diagnostic::error(
                    node.span,
                    format!("{what} `{}`: {reason}", text.value),
                    "cannot be read",
                ));
                None
            }
        }
    }

    /// One of a few words.
    pub fn choice<T: Copy>(
        &mut self,
        node: &Node,
        what: impl Display,
        choices: &[(&str, T)],
    ) -> Option<Spanned<T>> {
        let word = self.text(node, &what)?;
        if let Some((_, value)) = choices.iter().find(|(name, _)| *name == word.value) {
            return Some(Spanned::at(*value, node.span));
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let help = did_you_mean(&word.value, names.iter().copied())
            .unwrap_or_else(|| format!("one of: {}", names.join(", ")));
        self.report(
            Diagnostic::error(
                node.span,
                format!("`{}` is not a valid {what}", word.value),
                format!("expected {}", names.join(", ")),
            )
            .help(help),
        );
        None
    }

    /// A list of texts; where `or_one`, a single text counts as a list of one.
    pub fn texts(&mut self, node: &Node, what: impl Display, or_one: bool) -> Vec<Spanned<String>> {
        match &node.value {
            Value::List(items) => items.iter().filter_map(|item| self.text(item, &what)).collect(),
            Value::String(_) | Value::Integer(..) | Value::Word(_) if or_one => {
                self.text(node, &what).into_iter().collect()
            }
            _ => {
                self.wrong_kind(node, format_args!("a list for {what}"));
                Vec::new()
            }
        }
    }

    /// The items of a list.
    pub fn items<'a>(&mut self, node: &'a Node, what: impl Display) -> &'a [Node] {
        if let Value::List(items) = &node.value {
            items
        } else {
            self.wrong_kind(node, format_args!("a list for {what}"));
            &[]
        }
    }

    /// Says that a key which must be there is not.
    pub fn missing(&mut self, span: Span, key: &str, what: impl Display) {
        self.report(
            Diagnostic::error(span, format!("{what} has no `{key}`"), format!("`{key}` is missing"))
                .help(format!("add `{key}:`")),
        );
    }
}
