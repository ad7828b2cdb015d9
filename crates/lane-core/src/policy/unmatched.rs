//! What of a policy matches nothing in a repository, which is most likely a slip of the pen: services, patterns,
//! worktrees, branches and remotes. These are warnings: files may be about to be added.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::cases;
use super::diagnostic::{Diagnostic, merge_repeated};
use super::lint::{at, lexical};
use super::model::{Access, Agent};
use super::pathset::PathSet;
use super::pattern::{Pattern, Segment, wild_match};
use super::plan::{Entry, EntryOwner, Plan};
use super::source::Span;
use super::unknown::{did_you_mean, nearest};
use super::unmatched_refs::{self, Refs};
use super::unmatched_rules;
use super::{FILE, Spanned};
use super::{lint_health, lint_services, unmatched_files};

/// What is there in a repository.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// The files: of the base, of HEAD, and of the working tree as `git add -A` would stage it. With each, whether it is a
    /// link or a submodule.
    pub files: Vec<(Vec<u8>, bool)>,
    /// The root of the main worktree, if there is one.
    pub main: Option<PathBuf>,
    /// The roots of all worktrees but the main one.
    pub worktrees: Vec<PathBuf>,
    /// Branches and remotes.
    pub refs: Refs,
}

/// How many names a help lists.
const LISTED: usize = 8;

/// The warnings about a policy in a repository, in the order of the text.
pub fn warnings(plan: &Plan, inventory: &Inventory) -> Vec<Diagnostic> {
    let mut warnings = repeated_services(plan);
    // A repository without files says nothing about a policy.
    if !inventory.files.is_empty() {
        patterns(plan, inventory, &mut warnings);
        exclusions(plan, inventory, &mut warnings);
        unmatched_rules::paths(plan, inventory, &mut warnings);
        lint_services::warnings(plan, inventory, &mut warnings);
    }
    lint_health::warnings(plan, &mut warnings);
    unmatched_rules::warnings(plan, &mut warnings);
    worktrees(plan, inventory, &mut warnings);
    unmatched_refs::warnings(plan, &inventory.refs, &mut warnings);
    unmatched_files::warnings(plan, inventory, &mut warnings);
    warnings.sort_by_key(|warning| (warning.span.start, warning.span.len));
    merge_repeated(&mut warnings);
    warnings
}

/// A service that one agent has twice. In two lanes it is an error.
pub fn repeated_services(plan: &Plan) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for agent in &plan.policy.agents.0 {
        for (place, service) in agent.services.iter().enumerate() {
            let first = agent.services[..place].iter().find(|other| other.value == service.value);
            if let Some(first) = first {
                let message = format!("`{}` has the service `{}` twice", agent.id.value, service.value);
                found.push(
                    Diagnostic::warning(at(service), message, "the second")
                        .related(at(first), "the first")
                        .help("remove one of them, or correct the name"),
                );
            }
        }
    }
    found
}

fn patterns(plan: &Plan, inventory: &Inventory, warnings: &mut Vec<Diagnostic>) {
    let entries = plan.entries();
    let mut is_matched = vec![false; entries.len()];
    for (path, is_folder) in &inventory.files {
        plan.paths().each_match(path, *is_folder, |id| is_matched[id] = true);
        if *is_folder {
            let below = [path.as_slice(), b"/\x01"].concat();
            plan.paths().each_match(&below, false, |id| {
                is_matched[id] |= entries[id].pattern.names_its_folder();
            });
        }
    }
    let unmatched: Vec<&Entry> = entries
        .iter()
        .zip(&is_matched)
        .filter(|(_, is_matched)| !**is_matched)
        .map(|(entry, _)| entry)
        .collect();
    if unmatched.is_empty() {
        return;
    }
    let names = Names::new(inventory, plan.folds_case());
    let services =
        |entries: &mut dyn Iterator<Item = &Entry>| entries.filter(|entry| entry.is_service).count();
    let all = services(&mut entries.iter());
    // Where no service is found, it is their common place that is wrong.
    let is_place_wrong = all > 1
        && all == services(&mut unmatched.iter().copied())
        && plan.policy.services.paths.as_ref().is_some_and(|paths| !names.has_place(&paths.value));
    if let (true, Some(paths)) = (is_place_wrong, &plan.policy.services.paths) {
        let message = format!("`{}` matches no file: none of the {all} services is there", paths.value);
        warnings
            .push(Diagnostic::warning(at(paths), message, "matches nothing").help(names.help(&paths.value)));
    }
    for entry in unmatched {
        if entry.is_service {
            if !is_place_wrong {
                warnings.push(service(plan, entry, &names));
            }
        } else if !is_meant_to_be_absent(plan, entry) {
            warnings.push(pattern(entry.span, &entry.text, &names));
        }
    }
}

/// Local files match nothing by design, and the policy's own tests are protected before there are any.
fn is_meant_to_be_absent(plan: &Plan, entry: &Entry) -> bool {
    let own = [FILE, cases::FILE].contains(&entry.text.trim_start_matches('/'));
    own || entry.is_of_policy
        || match entry.owner {
            EntryOwner::Area(at) => plan.policy.areas[at].access.value == Access::Never,
            EntryOwner::Lane(_) => false,
        }
}

fn pattern(span: Span, text: &str, names: &Names<'_>) -> Diagnostic {
    Diagnostic::warning(span, format!("`{text}` matches no file"), "matches nothing").help(names.help(text))
}

fn service(plan: &Plan, entry: &Entry, names: &Names<'_>) -> Diagnostic {
    let name = plan.source.text.get(entry.span.range()).unwrap_or_default();
    let name = name.trim_matches(['"', '\'']);
    let template = plan.policy.services.paths.as_ref().map_or("", |paths| &paths.value);
    let there = names.services(template);
    let help = match did_you_mean(name, there.iter().map(String::as_str)) {
        Some(hint) => hint,
        None if there.is_empty() => names.help(&entry.text),
        None => {
            let others: Vec<&str> = there.iter().map(String::as_str).take(LISTED).collect();
            let more = there.len() - others.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("remove it, or name one that is there: {}{more}", others.join(", "))
        }
    };
    let message = format!("the service `{name}` does not exist: `{}` matches no file", entry.text);
    Diagnostic::warning(entry.span, message, "no such service").help(help)
}

/// Patterns of kinds of files are for whenever there is one; those of one place are not.
fn exclusions(plan: &Plan, inventory: &Inventory, warnings: &mut Vec<Diagnostic>) {
    unmatched_paths(plan, inventory, &plan.policy.change.exclude, warnings);
}

/// Patterns that match no file, but for those of names that may be anywhere.
pub(super) fn unmatched_paths(
    plan: &Plan,
    inventory: &Inventory,
    texts: &[Spanned<String>],
    warnings: &mut Vec<Diagnostic>,
) {
    for text in texts {
        let Ok(pattern) = Pattern::new(&text.value) else { continue };
        if pattern.segments.first() == Some(&Segment::AnyDepth) {
            continue;
        }
        let mut set = PathSet::new(plan.folds_case());
        set.insert(&pattern, 0);
        if !inventory.files.iter().any(|(path, is_folder)| set.last_match(path, *is_folder).is_some()) {
            let names = Names::new(inventory, plan.folds_case());
            warnings.push(self::pattern(at(text), &text.value, &names));
        }
    }
}

fn worktrees(plan: &Plan, inventory: &Inventory, warnings: &mut Vec<Diagnostic>) {
    let Some(main) = &inventory.main else { return };
    let place = |path: &Spanned<String>| PathBuf::from(lexical(&main.join(&path.value).to_string_lossy()));
    let is_there = |place: &Path| place == main || inventory.worktrees.iter().any(|root| root == place);
    let wanted: Vec<(&Agent, &Spanned<String>, PathBuf)> = plan
        .policy
        .agents
        .0
        .iter()
        .filter_map(|agent| agent.worktree.as_ref().map(|path| (agent, path, place(path))))
        .collect();
    // Before the first one is made, none is missing.
    let has_some = wanted.iter().any(|(_, _, place)| is_there(place));
    let free: Vec<&PathBuf> =
        inventory.worktrees.iter().filter(|root| wanted.iter().all(|(_, _, place)| place != *root)).collect();
    for (agent, path, place) in &wanted {
        if is_there(place) {
            continue;
        }
        let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
        let near = name(place).and_then(|wanted| {
            let names: Vec<String> = free.iter().filter_map(|root| name(root)).collect();
            let near = nearest(&wanted, names.iter().map(String::as_str)).map(str::to_owned)?;
            free.iter().find(|root| name(root).as_ref() == Some(&near)).map(|root| relative(main, root))
        });
        let id = &agent.id.value;
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None if has_some => format!("correct it, or create the worktree: git lane setup {id}"),
            None => continue,
        };
        let message = format!("no worktree at `{}`, the worktree of `{id}`", path.value);
        warnings.push(Diagnostic::warning(at(path), message, "no such worktree").help(help));
    }
}

/// `to` as seen from `from`: `../wt-a1`.
pub fn relative(from: &Path, to: &Path) -> String {
    let (mut a, mut b) = (from.components().peekable(), to.components().peekable());
    while a.peek().is_some() && a.peek() == b.peek() {
        a.next();
        b.next();
    }
    let ups = a.map(|_| "..".to_owned());
    let downs = b.map(|part| part.as_os_str().to_string_lossy().into_owned());
    ups.chain(downs).collect::<Vec<_>>().join("/")
}

/// The names that are there, for saying which one was meant.
pub(super) struct Names<'i> {
    /// Every file and folder once, as the names on the way to it.
    paths: BTreeSet<Vec<&'i [u8]>>,
    fold: bool,
}

impl<'i> Names<'i> {
    pub(super) fn new(inventory: &'i Inventory, fold: bool) -> Self {
        let mut paths = BTreeSet::new();
        for (path, _) in &inventory.files {
            let mut names: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
            while !names.is_empty() && paths.insert(names.clone()) {
                names.pop();
            }
        }
        Self { paths, fold }
    }

    /// The names that stand where the segments end.
    fn after(&self, segments: &[Segment]) -> BTreeSet<String> {
        let names = self.paths.iter().filter_map(|path| {
            let (last, above) = path.split_last()?;
            takes(segments, above, self.fold).then(|| String::from_utf8(last.to_vec()).ok()).flatten()
        });
        names.collect()
    }

    fn has(&self, segments: &[Segment]) -> bool {
        self.paths.iter().any(|path| takes(segments, path, self.fold))
    }

    /// Whether what stands before `{service}` is there.
    fn has_place(&self, template: &str) -> bool {
        segments(template).is_none_or(|segments| {
            let place = before_service(&segments);
            place.iter().all(|segment| *segment == Segment::AnyDepth) || self.has(place)
        })
    }

    /// The names that `{service}` may stand for.
    fn services(&self, template: &str) -> BTreeSet<String> {
        let Some(segments) = segments(template) else { return BTreeSet::new() };
        let place = before_service(&segments);
        let Some(Segment::Literal(name)) = segments.get(place.len()) else { return BTreeSet::new() };
        let name = String::from_utf8_lossy(name).into_owned();
        let (start, end) = name.split_once("{service}").unwrap_or_default();
        let rest = &segments[place.len() + 1..];
        let there = self.after(place).into_iter();
        there
            .filter(|name| {
                // Something lies in it, where the pattern wants that.
                let here = [place, &[Segment::Literal(name.clone().into_bytes())], rest].concat();
                self.has(&here)
            })
            .filter_map(|name| Some(name.strip_prefix(start)?.strip_suffix(end)?.to_owned()))
            .collect()
    }

    /// What was probably meant by a pattern that matches nothing.
    pub(super) fn help(&self, text: &str) -> String {
        let near = segments(text).and_then(|segments| {
            let known = (0..segments.len()).take_while(|at| self.has(&segments[..=*at])).count();
            let Some(Segment::Literal(name)) = segments.get(known) else { return None };
            let name = String::from_utf8(name.clone()).ok()?;
            let there = self.after(&segments[..known]);
            let near = nearest(&name, there.iter().map(String::as_str))?;
            Some(text.replacen(&name, near, 1)).filter(|meant| meant != text)
        });
        match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "correct it, or remove it until such files exist".to_owned(),
        }
    }
}

fn segments(text: &str) -> Option<Vec<Segment>> {
    Pattern::new(text).ok().map(|pattern| pattern.segments)
}

fn before_service(segments: &[Segment]) -> &[Segment] {
    let is_it = |segment: &Segment| segment.to_string().contains("{service}");
    &segments[..segments.iter().position(is_it).unwrap_or(segments.len())]
}

/// Whether segments take a path exactly.
fn takes(segments: &[Segment], path: &[&[u8]], fold: bool) -> bool {
    let same = |one: &[u8], two: &[u8]| one == two || (fold && one.eq_ignore_ascii_case(two));
    match (segments.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((Segment::AnyDepth, rest)), _) => {
            (0..=path.len()).any(|taken| takes(rest, &path[taken..], fold))
        }
        (Some((Segment::Literal(name), rest)), Some((first, path))) => {
            same(name, first) && takes(rest, path, fold)
        }
        (Some((Segment::Wild(wild), rest)), Some((first, path))) => {
            wild_match(wild, first, fold) && takes(rest, path, fold)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
