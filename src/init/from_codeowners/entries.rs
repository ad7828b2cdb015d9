//! Patterns in the order of a policy, and who has a path by them.

use lane_core::policy::pathset::PathSet;
use lane_core::policy::pattern::Pattern;

use super::Holder;

/// A pattern, and who has what it matches.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) text: String,
    pub(super) pattern: Pattern,
    pub(super) holder: Holder,
    /// The line that it comes from.
    pub(super) line: Option<usize>,
}

impl Entry {
    /// Whether it is about files of git-lane itself.
    pub(super) fn is_own(&self) -> bool {
        !matches!(self.holder, Holder::Owners(_))
    }
}

/// Them all; the last one that has a path decides.
#[derive(Debug)]
pub(super) struct Entries {
    pub(super) list: Vec<Entry>,
    paths: PathSet,
}

impl Default for Entries {
    fn default() -> Self {
        Self { list: Vec::new(), paths: PathSet::new(false) }
    }
}

impl Entries {
    /// Adds a pattern, unless it is none.
    pub(super) fn add(&mut self, text: &str, holder: Holder, line: Option<usize>) {
        if let Ok(pattern) = Pattern::new(text) {
            self.paths.insert(&pattern, self.list.len());
            self.list.push(Entry { text: text.to_owned(), pattern, holder, line });
        }
    }

    /// Who has a path, as [`lane_core::policy::Plan::decide`] finds it.
    pub(super) fn holder(&self, path: &[u8], is_folder: bool) -> Option<&Holder> {
        let mut entry = self.paths.last_match(path, is_folder);
        if is_folder {
            let below = [path, b"/\x01"].concat();
            self.paths.each_match(&below, false, |id| {
                if self.list[id].pattern.names_its_folder() {
                    entry = entry.max(Some(id));
                }
            });
        }
        Some(&self.list[entry?].holder)
    }

    /// Takes out what never decides, as a later pattern has all of it; the lines that it came from.
    pub(super) fn without_covered(&mut self) -> Vec<usize> {
        let is_covered = |id: usize, entry: &Entry| {
            let Some(path) = entry.pattern.example(false) else { return false };
            let mut is_covered = false;
            self.paths.each_match(&path, false, |other| {
                is_covered |= other > id && self.list[other].pattern.covers(&entry.pattern);
            });
            is_covered
        };
        let covered: Vec<bool> =
            self.list.iter().enumerate().map(|(id, entry)| is_covered(id, entry)).collect();
        let lines = self.list.iter().zip(&covered).filter(|(_, covered)| **covered);
        let lines = lines.filter_map(|(entry, _)| entry.line).collect();
        let kept = std::mem::take(self).list.into_iter().zip(covered).filter(|(_, covered)| !covered);
        for (entry, _) in kept {
            self.add(&entry.text, entry.holder, entry.line);
        }
        lines
    }
}
