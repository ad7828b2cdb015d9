//! Which files the rules of the team's own are about, compiled.

use super::diagnostic::Diagnostic;
use super::model::Policy;
use super::pathset::PathSet;
use super::plan::pattern;
use super::source::Spanned;
use crate::facts::FileChange;

/// The patterns under `custom`, entry by entry.
#[derive(Debug, Default)]
pub struct CustomRules(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    /// `None`: all files.
    when: Option<PathSet>,
    except: PathSet,
}

impl CustomRules {
    /// Of a policy. Mistakes in patterns are added to `diagnostics`.
    pub(super) fn of_policy(policy: &Policy, fold: bool, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let mut set = |texts: &[Spanned<String>]| {
            let mut set = PathSet::new(fold);
            for text in texts {
                if let Some(pattern) = pattern(&text.value, text.span.unwrap_or_default(), diagnostics) {
                    set.insert(&pattern, 0);
                }
            }
            set
        };
        let entries = policy.custom.iter().map(|rule| Entry {
            when: (!rule.when.is_empty()).then(|| set(&rule.when)),
            except: set(&rule.except),
        });
        Self(entries.collect())
    }

    /// Whether an entry is about a file.
    pub fn is_about(&self, entry: usize, file: &FileChange) -> bool {
        let Some(entry) = self.0.get(entry) else { return true };
        let matches = |set: &PathSet| set.last_match(&file.path.0, file.is_folder()).is_some();
        entry.when.as_ref().is_none_or(matches) && !matches(&entry.except)
    }
}
