//! The policy compiled for deciding: the second of the two stages, after [`Policy`].

use std::borrow::Cow;
use std::sync::OnceLock;

use super::branch_names::BranchNames;
use super::compose::includes;
use super::custom_rules::CustomRules;
use super::diagnostic::Diagnostic;
use super::expression::Expressions;
use super::file_rules::FileRules;
use super::fold;
use super::model::{Access, Agent, Area, Level, Mode, Policy};
use super::path_entries::PathEntries;
use super::pathset::PathSet;
use super::pattern::Pattern;
use super::signers::{self, Signer};
use super::source::{PolicyLine, Source, Span};
use super::template::Template;
use crate::facts::is_replacing;

/// A policy that can decide.
#[derive(Debug)]
pub struct Plan {
    /// What was read.
    pub policy: Policy,
    /// The text that it was read from.
    pub source: Source,
    /// How branches are named, if the policy says so.
    pub branch: Option<BranchNames>,
    /// The forms of the agent's tag.
    pub tags: Vec<Template>,
    /// The signing keys of all agents.
    pub(super) signers: Vec<Signer>,
    entries: Vec<Entry>,
    paths: PathSet,
    /// Folded, those patterns that are not their own folded form.
    odd: PathSet,
    unowned_files: PathSet,
    /// All patterns, folded: made for the first path that is not its own folded form.
    folded: OnceLock<PathSet>,
    excluded: PathSet,
    /// What files may be, and what may stand in them.
    pub files: FileRules,
    /// What commits have to have besides.
    pub expressions: Expressions,
    /// Which files the rules of the team's own are about.
    pub custom: CustomRules,
    fold: bool,
}

/// One pattern and what it belongs to.
#[derive(Debug)]
pub struct Entry {
    /// The lane or area.
    pub owner: EntryOwner,
    /// The compiled pattern.
    pub pattern: Pattern,
    /// Where the policy says so.
    pub span: Span,
    /// The pattern, for messages.
    pub text: String,
    /// Whether it comes from a service of a lane.
    pub is_service: bool,
    /// Whether nobody wrote it: a file of the policy is protected as `policy.yaml` is.
    pub is_of_policy: bool,
}

/// What a pattern belongs to, by position in the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryOwner {
    /// The lane of an agent.
    Lane(usize),
    /// An area.
    Area(usize),
}

/// Who has a path.
#[derive(Debug, Clone, Copy)]
pub enum Owner<'p> {
    /// A lane.
    Lane(&'p Agent),
    /// An area.
    Area(&'p Area),
}

/// What the policy says of a path.
#[derive(Debug, Clone, Copy)]
pub struct Decision<'p> {
    /// Who has it; `None` where no lane and no area does.
    pub owner: Option<Owner<'p>>,
    /// The words of the policy that decided.
    pub span: Option<Span>,
}

impl Decision<'_> {
    /// The ids of the agents that own the path by name.
    pub fn owner_ids(&self) -> Vec<&str> {
        match self.owner {
            Some(Owner::Lane(agent)) => vec![agent.id.value.as_str()],
            Some(Owner::Area(area)) if area.access.value == Access::Owner => {
                area.owner.iter().map(|id| id.value.as_str()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The area, if an area decided.
    pub fn area(&self) -> Option<&Area> {
        match self.owner {
            Some(Owner::Area(area)) => Some(area),
            _ => None,
        }
    }
}

impl Plan {
    /// Compiles a policy. `fold`: paths are compared without regard to ASCII case
    /// (`core.ignoreCase`). Mistakes in patterns and templates are added to `diagnostics`.
    pub fn compile(policy: Policy, source: Source, fold: bool, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let PathEntries { entries, paths, odd, unowned_files } =
            PathEntries::of(&policy, &source, fold, diagnostics);
        let mut excluded = PathSet::new(fold);
        for text in &policy.change.exclude {
            if let Some(pattern) = pattern(&text.value, text.span.unwrap_or_default(), diagnostics) {
                excluded.insert(&pattern, 0);
            }
        }
        let files = FileRules::of_policy(&policy, fold, diagnostics);
        let custom = CustomRules::of_policy(&policy, fold, diagnostics);
        let mut template = |text: &str, span: Option<Span>| match Template::new(text) {
            Ok(template) => Some(template),
            Err(reason) => {
                let span = span.unwrap_or_default();
                diagnostics.push(Diagnostic::error(
                    span,
                    format!("`{text}` cannot be read: {reason}"),
                    "here",
                ));
                None
            }
        };
        let tags = policy.message.tag.iter();
        let tags = tags.filter_map(|text| template(&text.value, text.span)).collect();
        let branch = BranchNames::of_policy(&policy.branch).unwrap_or_else(|(text, reason)| {
            let message = format!("`{}` cannot be read: {reason}", text.value);
            diagnostics.push(Diagnostic::error(text.span.unwrap_or_default(), message, "here"));
            None
        });
        Self {
            branch,
            tags,
            signers: signers::of_policy(&policy),
            entries,
            paths,
            odd,
            unowned_files,
            folded: OnceLock::new(),
            excluded,
            files,
            expressions: Expressions::of_policy(&policy),
            custom,
            fold,
            policy,
            source,
        }
    }

    /// Who may change a path: the last area that matches, or else the last lane.
    ///
    /// A link or a submodule (`is_folder`) that stands where a folder of the policy does belongs to
    /// whoever has what is below that folder: `services/x/**` speaks of a submodule `services/x` too.
    pub fn decide(&self, path: &[u8], is_folder: bool) -> Decision<'_> {
        self.decision(self.entry_in(&self.paths, path, is_folder))
    }

    /// What [`Self::decide`] says, and what the policy says of the file that the path is on systems where case,
    /// Unicode form or a dot at the end make no other name, where that one is somebody else's. Both hold.
    pub fn decide_both(&self, path: &[u8], is_folder: bool) -> (Decision<'_>, Option<Decision<'_>>) {
        let exact = self.entry_in(&self.paths, path, is_folder);
        let elsewhere = match fold::folded(path) {
            Cow::Borrowed(_) if self.odd.is_empty() => exact,
            Cow::Borrowed(path) => exact.max(self.entry_in(&self.odd, path, is_folder)),
            Cow::Owned(path) => self.entry_in(self.folded(), &path, is_folder),
        };
        let other = elsewhere.filter(|other| !exact.is_some_and(|exact| self.is_as_good(exact, *other)));
        (self.decision(exact), other.map(|other| self.decision(Some(other))))
    }

    /// Whether nothing is added by the entry that a folded path falls under: it is of the same owner, or the policy
    /// itself tells the two names apart by their spelling.
    fn is_as_good(&self, exact: usize, other: usize) -> bool {
        let (exact, other) = (&self.entries[exact], &self.entries[other]);
        exact.owner == other.owner || exact.pattern.folded() == other.pattern.folded()
    }

    fn folded(&self) -> &PathSet {
        self.folded.get_or_init(|| {
            let mut all = PathSet::of_folded();
            for (at, entry) in self.entries.iter().enumerate() {
                all.insert(&entry.pattern.folded(), at);
            }
            all
        })
    }

    fn entry_in(&self, paths: &PathSet, path: &[u8], is_folder: bool) -> Option<usize> {
        if !self.unowned_files.is_empty() && self.unowned_files.last_match(path, is_folder).is_some() {
            return None;
        }
        let mut entry = paths.last_match(path, is_folder);
        if is_folder {
            let below = [path, b"/\x01"].concat();
            paths.each_match(&below, false, |id| {
                if self.entries[id].pattern.names_its_folder() {
                    entry = entry.max(Some(id));
                }
            });
        }
        entry
    }

    fn decision(&self, entry: Option<usize>) -> Decision<'_> {
        let Some(entry) = entry else {
            return Decision { owner: None, span: None };
        };
        let entry = &self.entries[entry];
        Decision { owner: Some(self.owner(entry.owner)), span: Some(entry.span) }
    }

    /// The areas that have a file: one at most, unless the file is another one elsewhere.
    pub fn areas_of(&self, file: &crate::facts::FileChange) -> impl Iterator<Item = &Area> {
        let (exact, other) = self.decide_both(&file.path.0, file.is_folder());
        let owners = [exact.owner, other.and_then(|other| other.owner)];
        owners.into_iter().flatten().filter_map(|owner| match owner {
            Owner::Area(area) => Some(area),
            Owner::Lane(_) => None,
        })
    }

    /// Resolves an owner.
    pub fn owner(&self, owner: EntryOwner) -> Owner<'_> {
        match owner {
            EntryOwner::Lane(at) => Owner::Lane(&self.policy.agents.0[at]),
            EntryOwner::Area(at) => Owner::Area(&self.policy.areas[at]),
        }
    }

    /// Whether the lines of a file do not count.
    pub fn is_excluded(&self, path: &[u8]) -> bool {
        self.excluded.last_match(path, false).is_some()
    }

    /// Whether two ids, paths or names are the same on this repository's file system.
    pub fn folds_case(&self) -> bool {
        self.fold
    }

    /// Whether nothing is refused by this policy.
    pub fn observes(&self) -> bool {
        self.policy.mode.value == Mode::Observe
    }

    /// Whether what is pushed to a ref is judged even where the policy only observes: git-lane's own records, and refs
    /// by which git takes one object for another.
    pub fn always_binds(&self, reference: &str) -> bool {
        is_replacing(reference) || self.policy.locks.is_record(reference)
    }

    /// Judges from now on as if nothing was only observed.
    pub fn enforce(&mut self) {
        self.policy.mode.value = Mode::Enforce;
        let levels = self.policy.rules.0.values_mut();
        let own = self.policy.custom.iter_mut().map(|rule| &mut rule.level);
        let observing = levels.chain(own).filter(|level| level.value == Level::Observe);
        observing.for_each(|level| level.value = Level::Error);
    }

    /// Whether there is an area with this kind of access.
    pub fn has_area(&self, access: Access) -> bool {
        self.policy.areas.iter().any(|area| area.access.value == access)
    }

    /// All patterns, the ones that win last.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The trie behind [`Self::decide`].
    pub(super) fn paths(&self) -> &PathSet {
        &self.paths
    }

    /// Whether a path is one of the policy's files, or that of its tests.
    pub fn has_file(&self, path: &[u8]) -> bool {
        [super::FILE, super::cases::FILE].iter().any(|own| own.as_bytes() == path)
            || self.source.files().iter().any(|part| part.path.as_bytes() == path)
            || self.policy.include.iter().any(|pattern| includes(&pattern.value, path))
    }

    /// The line of the policy that a span is on.
    pub fn line(&self, span: Option<Span>) -> Option<PolicyLine> {
        span.map(|span| self.source.line_of(span))
    }

    /// The protected-branch entry that a branch name falls under.
    pub fn protected(&self, branch: &str) -> Option<&super::Spanned<String>> {
        self.policy.branch.protected.iter().find(|name| is_ref_match(&name.value, branch))
    }
}

/// Whether a branch name matches a name or a glob in which `*` stays between slashes.
pub fn is_ref_match(pattern: &str, name: &str) -> bool {
    let (mut wanted, mut have) = (pattern.split('/'), name.split('/'));
    loop {
        match (wanted.next(), have.next()) {
            (None, None) => return true,
            (Some("**"), Some(_)) => return true,
            (Some(wanted), Some(have)) => {
                if !super::pattern::wild_match(wanted.as_bytes(), have.as_bytes(), false) {
                    return false;
                }
            }
            _ => return false,
        }
    }
}

pub(super) fn pattern(text: &str, span: Span, diagnostics: &mut Vec<Diagnostic>) -> Option<Pattern> {
    match Pattern::new(text) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            let message = format!("`{text}`: {}", error.reason);
            diagnostics.push(Diagnostic::error(span, message, "not a usable pattern").help(error.help));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_ref_match;

    #[test]
    fn branch_globs() {
        assert!(is_ref_match("main", "main"));
        assert!(is_ref_match("release/*", "release/1.0"));
        assert!(is_ref_match("release/**", "release/1/2"));
        assert!(!is_ref_match("release/*", "release/1/2"));
        assert!(!is_ref_match("main", "feat/a1/main"));
        assert!(!is_ref_match("main", "mainx"));
    }
}
