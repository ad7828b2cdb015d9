//! The patterns of a policy in the order in which they decide, and the sets in which they are found.

use super::FILE;
use super::diagnostic::Diagnostic;
use super::model::Policy;
use super::pathset::PathSet;
use super::pattern::escape;
use super::plan::{Entry, EntryOwner, pattern};
use super::source::{Source, Span};

/// The policy's words on paths, and the sets in which they are found by their numbers: as they are, and folded.
pub(super) struct PathEntries {
    pub entries: Vec<Entry>,
    pub paths: PathSet,
    pub odd: PathSet,
    /// Files of the policy that are as unowned as its own file is, whatever lane or area is around them.
    pub unowned_files: PathSet,
}

impl PathEntries {
    /// Mistakes in patterns are added to `diagnostics`.
    pub fn of(policy: &Policy, source: &Source, fold: bool, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let mut all = Self {
            entries: Vec::new(),
            paths: PathSet::new(fold),
            odd: PathSet::of_folded(),
            unowned_files: PathSet::new(true),
        };
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
        for (at, area) in policy.areas.iter().enumerate() {
            for path in &area.paths {
                all.add(EntryOwner::Area(at), &path.value, path.span, false, diagnostics);
            }
        }
        all.add_files(policy, source);
        all
    }

    /// Each file of the policy beside its own belongs to whoever has that one, and to nobody where nobody has it. Only an area
    /// of the policy's own file that names the file, or a folder around it, can say something else: a pattern such as `*.yaml`
    /// was hardly written for it.
    fn add_files(&mut self, policy: &Policy, source: &Source) {
        if source.parts.is_none() {
            return;
        }
        let owner = self.paths.last_match(FILE.as_bytes(), false).map(|at| self.entries[at].owner);
        let own = policy.areas.iter().filter(|area| area.span.start < source.own_len());
        let own: Vec<&str> = own.flat_map(|area| &area.paths).map(|path| path.value.as_str()).collect();
        let extended = source.files().iter().filter(|part| part.folder.is_none());
        let extended = extended.map(|part| (escape(&part.path), Some(part.by)));
        // Also those that are still to come.
        let of_folders = policy.include.iter().map(|pattern| (pattern.value.clone(), pattern.span));
        for (text, by) in extended.chain(of_folders) {
            let text = format!("/{}", text.trim_start_matches('/'));
            if own.iter().any(|pattern| names(pattern, &text)) {
                continue;
            }
            match owner {
                Some(owner) => {
                    self.add(owner, &text, by, false, &mut Vec::new());
                    if let Some(entry) = self.entries.last_mut() {
                        entry.is_of_policy = true;
                    }
                }
                None => {
                    if let Some(pattern) = pattern(&text, by.unwrap_or_default(), &mut Vec::new()) {
                        self.unowned_files.insert(&pattern, 0);
                    }
                }
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

/// Whether a pattern is about a file, which another one names: it is the same, or a folder around it without wildcards.
fn names(pattern: &str, file: &str) -> bool {
    let pattern = format!("/{}", pattern.trim_start_matches('/'));
    let folder = pattern.strip_suffix("**").unwrap_or(&pattern);
    let is_folder = folder.ends_with('/') && folder.len() > 1 && !folder.contains(['*', '?', '[', '!']);
    pattern == file || is_folder && file.starts_with(folder)
}
