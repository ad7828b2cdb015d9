//! The patterns of a policy in the order in which they decide, and the sets in which they are found.

use super::FILE;
use super::diagnostic::Diagnostic;
use super::model::{Area, Policy};
use super::pathset::PathSet;
use super::pattern::{Pattern, escape};
use super::plan::{Entry, EntryOwner, pattern};
use super::source::{Source, Span};

/// The policy's words on paths, and the sets in which they are found by their numbers: as they are, and folded.
pub(super) struct PathEntries {
    pub entries: Vec<Entry>,
    pub paths: PathSet,
    pub odd: PathSet,
}

impl PathEntries {
    /// Mistakes in patterns are added to `diagnostics`.
    pub fn of(policy: &Policy, source: &Source, fold: bool, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let mut all = Self { entries: Vec::new(), paths: PathSet::new(fold), odd: PathSet::of_folded() };
        for (at, agent) in policy.agents.0.iter().enumerate() {
            for service in &agent.services {
                if let Some(template) = &policy.services.paths {
                    let text = template.value.replace("{service}", &escape(&service.value));
                    all.add(EntryOwner::Lane(at), &text, service.span, true, diagnostics);
                }
            }
            for owned in &agent.owns {
                all.add(EntryOwner::Lane(at), &owned.value, owned.span, false, diagnostics);
            }
        }
        // The policy's own areas stand last, and they alone may say something else of its files.
        let others = policy.areas.iter().take_while(|area| area.span.start >= source.own_len()).count();
        for (at, area) in policy.areas.iter().enumerate() {
            if at == others {
                all.add_files(policy, source, fold);
            }
            all.add_area(at, area, diagnostics);
        }
        if others == policy.areas.len() {
            all.add_files(policy, source, fold);
        }
        all
    }

    fn add_area(&mut self, at: usize, area: &Area, diagnostics: &mut Vec<Diagnostic>) {
        for path in &area.paths {
            self.add(EntryOwner::Area(at), &path.value, path.span, false, diagnostics);
        }
    }

    /// Each file of the policy beside its own belongs to whoever has that one.
    fn add_files(&mut self, policy: &Policy, source: &Source, fold: bool) {
        if source.parts.is_none() {
            return;
        }
        let has = |area: &Area| area.paths.iter().any(|path| has_own(&path.value, fold));
        let Some(area) = policy.areas.iter().rposition(has) else { return };
        let extended = source.files().iter().filter(|part| part.folder.is_none());
        let extended = extended.map(|part| (escape(&part.path), Some(part.by)));
        // Also those that are still to come.
        let of_folders = policy.include.iter().map(|pattern| (pattern.value.clone(), pattern.span));
        for (text, by) in extended.chain(of_folders) {
            let text = format!("/{}", text.trim_start_matches('/'));
            self.add(EntryOwner::Area(area), &text, by, false, &mut Vec::new());
            if let Some(entry) = self.entries.last_mut() {
                entry.is_of_policy = true;
            }
        }
    }

    fn add(
        &mut self,
        owner: EntryOwner,
        text: &str,
        span: Option<Span>,
        is_service: bool,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let span = span.unwrap_or_default();
        if let Some(pattern) = pattern(text, span, diagnostics) {
            self.paths.insert(&pattern, self.entries.len());
            if !pattern.is_folded() {
                self.odd.insert(&pattern.folded(), self.entries.len());
            }
            let text = text.to_owned();
            self.entries.push(Entry { owner, pattern, span, text, is_service, is_of_policy: false });
        }
    }
}

/// Whether a pattern has the policy's own file. A file at the root is in no folder, which nearly all patterns name.
fn has_own(text: &str, fold: bool) -> bool {
    let rooted = text.strip_prefix('/').unwrap_or(text);
    if rooted.contains('/') && !rooted.starts_with("**") {
        return false;
    }
    Pattern::new(text).is_ok_and(|pattern| {
        let mut one = PathSet::new(fold);
        one.insert(&pattern, 0);
        one.last_match(FILE.as_bytes(), false).is_some()
    })
}
