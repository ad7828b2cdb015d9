//! What is known of the files of a change besides their paths: sizes, names beside them, what stands in their new lines.
//! Nothing of it is read unless a rule asks for it, and no old file before something is found in the new one.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::collector::Collector;
use lane_core::content::{MAX_FILE, Scan};
use lane_core::facts::{
    Change, Commit, Content, FileChange, FileVersion, Form, Found, Hit, NewHit, Oid, RepoPath, Sizes, Stage,
    Twins, Unavailable,
};
use lane_core::policy::{Plan, fold};
use lane_core::rules::{self, Need};
use lane_git::attributes::{Attributes, State, has_nul, is_regular};
use lane_git::lines::BIG_FILE;
use lane_git::{Read, Repository, added_lines, find_in_tree, renames};

/// The mode of a link.
const LINK: u32 = 0o120_000;
/// How many bytes the target of a link may have to be looked at.
const LONGEST_LINK: usize = 4096;

/// What a change is held against.
pub(super) struct Sides<'a> {
    /// The tree at the merge base: its attributes count.
    pub base: Option<Oid>,
    /// The tree that the change comes to.
    pub tree: Option<Oid>,
    /// Of a merge that is being committed: the trees of its parents.
    pub parents: &'a [Option<Oid>],
    /// Whether the files of the commit that is being made count, and not those of the whole change.
    pub only_staged: bool,
}

impl Collector<'_> {
    /// Fills in what the rules ask for.
    pub(super) fn read_files(&self, change: &mut Change, sides: &Sides<'_>) {
        let whole = if sides.only_staged { &change.staged } else { &change.files };
        let Some(whole) = whole.known() else { return };
        let commits: Vec<&Commit> = if sides.only_staged {
            Vec::new()
        } else {
            change.commits.known().into_iter().flatten().filter(|commit| !commit.is_pushed).collect()
        };
        if self.wants(Need::Sizes) {
            let files = whole.iter().chain(commits.iter().flat_map(|commit| &commit.files));
            change.sizes = sizes(self.repo, files).into();
        }
        if self.wants(Need::Twins) {
            change.twins = twins(self.repo, sides.tree, whole).into();
        }
        if self.wants(Need::Content) {
            let content =
                FileReader::new(self, sides.base).and_then(|reader| reader.read(whole, &commits, sides));
            change.content = content.into();
        }
    }
}

/// What the policy's patterns look for in a file.
pub(super) fn scan_of<'p>(plan: &'p Plan, path: &RepoPath) -> Read<Scan<'p>> {
    let asked = plan.files.asked(&plan.policy.content.0, &path.0).map_err(|entry| {
        let name = plan.policy.content.0[entry].name.as_ref().map_or("", |name| &name.value);
        Unavailable::new(
            format!("the pattern of `{name}` under `content` cannot be compiled"),
            "look at it: git lane policy check",
        )
    })?;
    Ok(Scan { asked, markers: false, line_ends: false })
}

/// The sizes of new files, from the headers of their objects.
fn sizes<'f>(repo: &dyn Repository, files: impl Iterator<Item = &'f FileChange>) -> Read<Sizes> {
    let mut sizes = Sizes::default();
    for version in files.filter_map(|file| file.new).filter(|version| is_regular(version.mode)) {
        if let Entry::Vacant(entry) = sizes.entry(version.oid) {
            entry.insert(repo.size(version.oid)? as u64);
        }
    }
    Ok(sizes)
}

/// The names in a folder, by their folded forms.
type Names = HashMap<Vec<u8>, Vec<Vec<u8>>>;

/// New files that are another one of the tree on other systems.
fn twins(repo: &dyn Repository, tree: Option<Oid>, files: &[FileChange]) -> Read<Twins> {
    let Some(tree) = tree else { return Ok(Twins::new()) };
    let mut folders: HashMap<&[u8], Names> = HashMap::new();
    let mut twins = Twins::new();
    for file in files.iter().filter(|file| file.old.is_none() && file.new.is_some()) {
        let path = &file.path.0;
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        let mut start = 0;
        for end in slashes.chain([path.len()]) {
            let (folder, name) = (&path[..start.max(1) - 1], &path[start..end]);
            if !folders.contains_key(folder) {
                folders.insert(folder, names_in(repo, tree, folder)?);
            }
            let same = folders[folder].get(&*fold::folded(name));
            if let Some(other) = same.into_iter().flatten().find(|other| *other != name) {
                twins.push((file.path.clone(), RepoPath([&path[..start], other].concat())));
                break;
            }
            start = end + 1;
        }
    }
    Ok(twins)
}

/// The names in a folder by their folded forms.
fn names_in(repo: &dyn Repository, tree: Oid, folder: &[u8]) -> Read<Names> {
    let oid = match folder {
        [] => Some(tree),
        _ => find_in_tree(repo, tree, folder)?
            .filter(|version| version.mode == lane_git::FOLDER)
            .map(|v| v.oid),
    };
    let mut names = Names::new();
    if let Some(oid) = oid {
        for entry in repo.raw_tree(oid)?.entries() {
            names.entry(fold::folded(entry.name).into_owned()).or_default().push(entry.name.to_vec());
        }
    }
    Ok(names)
}

/// A file as it was at each side that a new line must not be on.
type Olds = Vec<Option<FileVersion>>;

/// Reads the new files of one change.
struct FileReader<'c> {
    collector: &'c Collector<'c>,
    attributes: Attributes<'c>,
    wants_markers: bool,
    wants_line_ends: bool,
    wants_modes: bool,
    wants_links: bool,
    known: HashMap<(RepoPath, Oid, Olds), Vec<Hit>>,
    content: Content,
    /// Where a find in the whole change is.
    places: HashMap<(RepoPath, Found, u64), usize>,
}

impl<'c> FileReader<'c> {
    fn new(collector: &'c Collector<'c>, base: Option<Oid>) -> Read<Self> {
        let stages: &[Stage] = collector.event.stages();
        let applies = |id: &str| rules::find(id).is_some_and(|rule| rule.applies(collector.plan, stages));
        Ok(Self {
            collector,
            attributes: Attributes::new(collector.repo, base),
            wants_markers: applies("conflict-marker"),
            wants_line_ends: applies("line-ending"),
            wants_modes: applies("executable-bit"),
            wants_links: applies("outside-link"),
            known: HashMap::new(),
            content: Content::default(),
            places: HashMap::new(),
        })
    }

    fn read(mut self, whole: &[FileChange], commits: &[&Commit], sides: &Sides<'_>) -> Read<Content> {
        for (path, olds, new) in self.pairs(whole, sides.parents)? {
            self.form(path, &olds, new)?;
            for hit in self.hits(path, olds, new)? {
                self.places.entry((path.clone(), hit.found, hit.text_id)).or_insert(self.content.hits.len());
                self.content.hits.push(NewHit {
                    path: path.clone(),
                    hit,
                    in_whole: true,
                    commits: Vec::new(),
                });
            }
        }
        for commit in commits {
            let parents = self.parents_of(commit)?;
            for (path, olds, new) in self.pairs(&commit.files, &parents)? {
                for hit in self.hits(path, olds, new)? {
                    self.add_of_commit(path, hit, commit.oid);
                }
            }
        }
        self.content.unread.sort();
        self.content.unread.dedup();
        Ok(self.content)
    }

    /// A find that one commit brings; what the whole change has too is one find.
    fn add_of_commit(&mut self, path: &RepoPath, hit: Hit, commit: Oid) {
        if let Some(at) = self.places.get(&(path.clone(), hit.found, hit.text_id)) {
            let commits = &mut self.content.hits[*at].commits;
            if commits.last() != Some(&commit) {
                commits.push(commit);
            }
        } else if matches!(hit.found, Found::Pattern { .. } | Found::Secret { .. }) {
            self.places.insert((path.clone(), hit.found, hit.text_id), self.content.hits.len());
            self.content.hits.push(NewHit {
                path: path.clone(),
                hit,
                in_whole: false,
                commits: vec![commit],
            });
        }
    }

    /// The trees of a merge's parents; none for any other commit.
    fn parents_of(&self, commit: &Commit) -> Read<Vec<Option<Oid>>> {
        if commit.parents < 2 || commit.files.is_empty() {
            return Ok(Vec::new());
        }
        let repo = self.collector.repo;
        let parents = repo.commit(commit.oid)?.parents;
        parents.into_iter().map(|parent| Ok(Some(repo.commit(parent)?.tree))).collect()
    }

    /// The new files with what they were before: renames are followed, and of a merge each parent counts.
    fn pairs<'f>(
        &mut self,
        files: &'f [FileChange],
        parents: &[Option<Oid>],
    ) -> Read<Vec<(&'f RepoPath, Olds, FileVersion)>> {
        let repo = self.collector.repo;
        let mut pairs = Vec::new();
        if parents.len() < 2 {
            for pair in renames::pair(repo, files, &mut self.attributes)? {
                let Some((path, new)) = pair.new.and_then(|file| Some((&file.path, file.new?))) else {
                    continue;
                };
                pairs.push((path, vec![pair.old.and_then(|file| file.old)], new));
            }
            return Ok(pairs);
        }
        for file in files {
            let Some(new) = file.new else { continue };
            let old = |tree: &Option<Oid>| match tree {
                Some(tree) => find_in_tree(repo, *tree, &file.path.0),
                None => Ok(None),
            };
            pairs.push((&file.path, parents.iter().map(old).collect::<Read<Olds>>()?, new));
        }
        Ok(pairs)
    }

    /// What is found in the new lines of a file.
    fn hits(&mut self, path: &RepoPath, olds: Olds, new: FileVersion) -> Read<Vec<Hit>> {
        let is_old = olds.iter().flatten().any(|old| old.oid == new.oid && is_regular(old.mode));
        if !is_regular(new.mode) || is_old {
            return Ok(Vec::new());
        }
        let plan = self.collector.plan;
        let mut scan = scan_of(plan, path)?;
        scan.markers = self.wants_markers;
        scan.line_ends = self.wants_line_ends;
        if scan.is_nothing() {
            return Ok(Vec::new());
        }
        let key = (path.clone(), new.oid, olds);
        if let Some(known) = self.known.get(&key) {
            return Ok(known.clone());
        }
        let of = self.attributes.of(&path.0)?;
        scan.line_ends &= of.text != State::Unset;
        let mut hits = match self.text(path, new, of.diff)? {
            Some(text) if !scan.is_nothing() => {
                let mut hits = scan.run(&text);
                for old in key.2.iter().flatten() {
                    if hits.is_empty() {
                        break;
                    }
                    self.leave_old(&mut hits, *old, &text, of.text == State::Set)?;
                }
                hits
            }
            _ => Vec::new(),
        };
        hits.shrink_to_fit();
        self.known.insert(key, hits.clone());
        Ok(hits)
    }

    /// The lines of a file; `None` where it is binary, or too large.
    fn text(&mut self, path: &RepoPath, version: FileVersion, diff: State) -> Read<Option<Vec<u8>>> {
        if diff == State::Unset {
            return Ok(None);
        }
        let repo = self.collector.repo;
        let is_text = diff == State::Set;
        if let Some(bytes) = repo.recent_blob(version.oid, MAX_FILE, is_text)? {
            return Ok((is_text || !has_nul(&bytes)).then_some(bytes));
        }
        let size = repo.size(version.oid)?;
        if is_text || size <= BIG_FILE && !has_nul(&repo.blob_start(version.oid)?) {
            self.content.unread.push((path.clone(), size as u64));
        }
        Ok(None)
    }

    /// Leaves the finds in new lines. `is_text`: line ends are wrong whatever they were before.
    fn leave_old(&self, hits: &mut Vec<Hit>, old: FileVersion, new: &[u8], is_text: bool) -> Read<()> {
        if !is_regular(old.mode) {
            return Ok(());
        }
        let Some(before) = self.collector.repo.blob_up_to(old.oid, BIG_FILE)? else { return Ok(()) };
        if !is_text && before.windows(2).any(|pair| pair == b"\r\n") {
            hits.retain(|hit| hit.found != Found::LineEnd);
        }
        if hits.is_empty() {
            return Ok(());
        }
        let added = added_lines(&before, new)?;
        hits.retain(|hit| {
            let at = added.partition_point(|(_, last)| *last < hit.line);
            added.get(at).is_some_and(|(first, _)| *first <= hit.line)
        });
        Ok(())
    }

    /// What a new file is, or one whose mode has changed.
    fn form(&mut self, path: &RepoPath, olds: &Olds, new: FileVersion) -> Read<()> {
        let was = |old: &&FileVersion| old.mode == new.mode && (new.mode != LINK || old.oid == new.oid);
        if olds.iter().flatten().any(|old| was(&old)) {
            return Ok(());
        }
        let repo = self.collector.repo;
        if self.wants_links && new.mode == LINK {
            let target = repo.blob_up_to(new.oid, LONGEST_LINK)?;
            if target.is_none_or(|target| leads_out(&path.0, &target)) {
                self.content.forms.push((path.clone(), Form::LinksOut));
            }
        }
        if self.wants_modes && is_regular(new.mode) && repo.size(new.oid)? > 0 {
            let start = repo.blob_start(new.oid)?;
            let form = match (start.starts_with(b"#!"), new.mode & 0o100 != 0) {
                // An attribute of a crate or a module looks the same: `#![deny(…)]`.
                (true, false) if !start.starts_with(b"#![") => Some(Form::NotExecutable),
                (false, true) if !has_nul(&start) => Some(Form::Executable),
                _ => None,
            };
            self.content.forms.extend(form.map(|form| (path.clone(), form)));
        }
        Ok(())
    }
}

/// Whether a link at a path leads out of the repository.
fn leads_out(path: &[u8], target: &[u8]) -> bool {
    let is_drive = target.get(1) == Some(&b':') && target[0].is_ascii_alphabetic();
    if is_drive || matches!(target.first(), Some(b'/' | b'\\')) {
        return true;
    }
    let mut depth = path.iter().filter(|byte| **byte == b'/').count();
    for part in target.split(|byte| matches!(byte, b'/' | b'\\')) {
        match part {
            b"" | b"." => {}
            b".." => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return true,
            },
            _ => depth += 1,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::leads_out;

    #[test]
    fn links() {
        for (path, target) in [
            ("a", "/etc/passwd"),
            ("a", "../x"),
            ("a/b", "../../x"),
            ("a/b", "c/../../../x"),
            ("a", "C:\\x"),
            ("a", "\\\\host\\x"),
        ] {
            assert!(leads_out(path.as_bytes(), target.as_bytes()), "{path} -> {target}");
        }
        for (path, target) in
            [("a", "b"), ("a/b", "../c"), ("a/b", "c/../../d"), ("a/b/c", "../../x/.."), ("a", "..b")]
        {
            assert!(!leads_out(path.as_bytes(), target.as_bytes()), "{path} -> {target}");
        }
    }
}
