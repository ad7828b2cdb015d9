//! `files` and `content` of a policy, compiled. A regular expression is compiled when the first file asks for it.

use std::sync::OnceLock;

use regex::bytes::Regex;

use super::diagnostic::Diagnostic;
use super::fold;
use super::model::{Builtin, ContentRule, Policy};
use super::pathset::PathSet;
use super::plan::pattern;
use super::source::Spanned;
use crate::content::{Asked, Pattern, compile_pattern};

/// Patterns of `files` and `content`.
#[derive(Debug, Default)]
pub struct FileRules {
    /// Folded.
    forbidden: PathSet,
    /// Folded, each with its dot.
    extensions: Vec<Vec<u8>>,
    excepted: PathSet,
    contents: Vec<ContentEntry>,
}

#[derive(Debug)]
struct ContentEntry {
    /// `None`: all files.
    within: Option<PathSet>,
    except: PathSet,
    regex: OnceLock<Option<Regex>>,
}

impl FileRules {
    /// Of a policy. Mistakes in patterns of paths are added to `diagnostics`.
    pub(super) fn of_policy(policy: &Policy, fold: bool, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let mut set = |texts: &[Spanned<String>], is_folded: bool| {
            let mut set = if is_folded { PathSet::of_folded() } else { PathSet::new(fold) };
            for (id, text) in texts.iter().enumerate() {
                if let Some(pattern) = pattern(&text.value, text.span.unwrap_or_default(), diagnostics) {
                    set.insert(&if is_folded { pattern.folded() } else { pattern }, id);
                }
            }
            set
        };
        let files = &policy.files;
        Self {
            forbidden: set(&files.forbid, true),
            extensions: files.extensions.iter().map(|text| dotted(&text.value)).collect(),
            excepted: set(&files.except, false),
            contents: policy
                .content
                .0
                .iter()
                .map(|entry| ContentEntry {
                    within: (!entry.within.is_empty()).then(|| set(&entry.within, false)),
                    except: set(&entry.except, false),
                    regex: OnceLock::new(),
                })
                .collect(),
        }
    }

    /// The pattern of `files.forbid` that a path falls under, by its place there.
    pub fn forbidden(&self, path: &[u8], is_folder: bool) -> Option<usize> {
        let found = self.forbidden.last_match(&fold::folded(path), is_folder)?;
        (!self.is_excepted(path)).then_some(found)
    }

    /// The entry of `files.extensions` that a file falls under, by its place there.
    pub fn forbidden_extension(&self, path: &[u8], is_folder: bool) -> Option<usize> {
        if self.extensions.is_empty() || is_folder {
            return None;
        }
        let folded = fold::folded(path);
        let found = self.extensions.iter().position(|extension| folded.ends_with(extension))?;
        (!self.is_excepted(path)).then_some(found)
    }

    /// Whether a path is one of `files.except`.
    pub fn is_excepted(&self, path: &[u8]) -> bool {
        self.excepted.last_match(path, false).is_some()
    }

    /// Whether an entry of `content` looks at a path.
    pub(super) fn looks_at(&self, entry: usize, path: &[u8]) -> bool {
        let entry = &self.contents[entry];
        entry.within.as_ref().is_none_or(|within| within.last_match(path, false).is_some())
            && entry.except.last_match(path, false).is_none()
    }

    /// The entries of `content` that look at a path. A pattern that cannot be compiled is given by its place.
    ///
    /// # Errors
    /// The place of a pattern that cannot be compiled.
    pub fn asked<'p>(&'p self, rules: &'p [ContentRule], path: &[u8]) -> Result<Vec<Asked<'p>>, usize> {
        let looking = rules.iter().enumerate().filter(|(entry, _)| self.looks_at(*entry, path));
        looking
            .map(|(entry, rule)| {
                let marker = rule.marker.as_ref().map(|marker| marker.value.as_str());
                let pattern = match (&rule.builtin, &rule.pattern) {
                    (Some(Spanned { value: Builtin::Secrets, .. }), _) => Pattern::Secrets,
                    (None, Some(text)) => {
                        let compile = || compile_pattern(&text.value).ok();
                        Pattern::Regex(self.contents[entry].regex.get_or_init(compile).as_ref().ok_or(entry)?)
                    }
                    (None, None) => return Err(entry),
                };
                Ok(Asked { entry, pattern, marker })
            })
            .collect()
    }
}

fn dotted(extension: &str) -> Vec<u8> {
    let text = format!(".{}", extension.strip_prefix('.').unwrap_or(extension));
    fold::folded(text.as_bytes()).into_owned()
}
