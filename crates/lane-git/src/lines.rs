//! How many lines a change has: what `git --attr-source=<base> diff --numstat -M <base> <new>` says,
//! whatever the configuration and the working tree say. See git-diff(1).

use super::attributes::{Attributes, has_nul};
use rustc_hash::FxHashMap;

use super::renames::{self, Pair};
use super::repository::{Read, Repository};
use lane_core::facts::{FileChange, FileVersion, Lines, Oid, RepoPath, Unavailable};

/// `core.bigFileThreshold` as it is unless configured: larger files are binary ones, and are not read to find that out.
pub const BIG_FILE: usize = 512 << 20;
/// How many files are named as the largest.
const LARGEST: usize = 10;
/// How many pairs of objects are remembered: many paths can have one object.
const REMEMBERED: usize = 10_000;

/// Counts the lines of a change between two trees.
///
/// `files` are all files that differ, sorted by path, renames not yet found. The attributes are those
/// of `base_tree` (`None`: the empty tree). Generated files, and those that are `is_excluded`, are part of
/// all numbers but `counted` and `largest`; a rename is, if both of its paths are.
///
/// # Errors
/// A file that is needed cannot be read: there is no count then, rather than one that is too low.
pub fn count(
    repo: &dyn Repository,
    files: &[FileChange],
    base_tree: Option<Oid>,
    is_excluded: &dyn Fn(&[u8]) -> bool,
) -> Read<Lines> {
    count_by_area(repo, files, base_tree, is_excluded, &|_| Vec::new())
}

/// The same, and what of it is in the areas of each file: the names that `areas_of` gives.
///
/// # Errors
/// As [`count`].
pub fn count_by_area<'n>(
    repo: &dyn Repository,
    files: &[FileChange],
    base_tree: Option<Oid>,
    is_excluded: &dyn Fn(&[u8]) -> bool,
    areas_of: &dyn Fn(&FileChange) -> Vec<&'n str>,
) -> Read<Lines> {
    let mut attributes = Attributes::new(repo, base_tree);
    let pairs = renames::pair(repo, files, &mut attributes)?;
    let mut lines = Lines { files: pairs.len(), ..Lines::default() };
    let mut known = LineCounts::default();
    for pair in &pairs {
        let Some(RepoPath(path)) = pair.new.or(pair.old).map(|file| &file.path) else {
            continue;
        };
        let both = match count_pair(repo, &mut attributes, &mut known, pair)? {
            Some((added, deleted)) => {
                lines.added += added;
                lines.deleted += deleted;
                added + deleted
            }
            None => {
                lines.binary.push(RepoPath(path.clone()));
                0
            }
        };
        let sides = || [pair.old, pair.new].into_iter().flatten();
        let mut areas: Vec<&str> = sides().flat_map(areas_of).collect();
        if both == 0 && areas.is_empty() {
            continue;
        }
        let mut counts = false;
        for file in sides() {
            let path = &file.path.0;
            counts |= !is_excluded(path) && !attributes.of(path)?.is_generated;
        }
        if !counts {
            continue;
        }
        let path = RepoPath(path.clone());
        areas.sort_unstable();
        areas.dedup();
        areas.into_iter().for_each(|area| lines.add_to_area(area, &path, both));
        if both > 0 {
            lines.counted += both;
            lines.largest.push((path, both));
        }
    }
    keep_largest(&mut lines.largest);
    lines.areas.iter_mut().for_each(|area| keep_largest(&mut area.largest));
    Ok(lines)
}

/// Stable: files of one size stay sorted by path.
fn keep_largest(files: &mut Vec<(RepoPath, u64)>) {
    files.sort_by_key(|(_, both)| std::cmp::Reverse(*both));
    files.truncate(LARGEST);
}

/// A file of a change, a rename being one, and its lines added and deleted: `None` of a binary one.
#[derive(Debug, Clone, Copy)]
pub struct FileLines<'f> {
    /// The change that has the file before, if it was there.
    pub old: Option<&'f FileChange>,
    /// The change that has it after, if it is there.
    pub new: Option<&'f FileChange>,
    /// Lines added and deleted.
    pub lines: Option<(u64, u64)>,
}

/// Counts the lines of files one by one: of those of [`count`] that somebody asks for, by what they were and what they are.
///
/// # Errors
/// As [`count`].
pub fn of_files<'f>(
    repo: &dyn Repository,
    files: &'f [FileChange],
    base_tree: Option<Oid>,
    is_asked: &dyn Fn(Option<&FileChange>, Option<&FileChange>) -> bool,
) -> Read<Vec<FileLines<'f>>> {
    let mut attributes = Attributes::new(repo, base_tree);
    let mut pairs = renames::pair(repo, files, &mut attributes)?;
    pairs.retain(|pair| is_asked(pair.old, pair.new));
    let mut known = LineCounts::default();
    let one = |pair: &Pair<'f>| {
        let lines = count_pair(repo, &mut attributes, &mut known, pair)?;
        Ok(FileLines { old: pair.old, new: pair.new, lines })
    };
    pairs.iter().map(one).collect()
}

/// What was counted where no attribute had a say: lines of an old and a new object.
type LineCounts = FxHashMap<(Option<FileVersion>, Option<FileVersion>), Option<(u64, u64)>>;

/// Lines added and deleted; `None` where the file is binary before or after.
fn count_pair(
    repo: &dyn Repository,
    attributes: &mut Attributes<'_>,
    known: &mut LineCounts,
    pair: &Pair<'_>,
) -> Read<Option<(u64, u64)>> {
    let old = pair.old.and_then(|file| Some((&file.path, file.old?)));
    let new = pair.new.and_then(|file| Some((&file.path, file.new?)));
    let is_same = old.map(|(_, version)| version.oid) == new.map(|(_, version)| version.oid);
    let (mut is_open, mut is_decided) = (false, false);
    for (path, version) in [old, new].into_iter().flatten() {
        match attributes.is_binary(&path.0, version)? {
            Some(true) => return Ok(None),
            Some(false) => is_decided = true,
            None => is_open |= !version.is_submodule(),
        }
    }
    if is_same && !is_open {
        return Ok(Some((0, 0)));
    }
    let objects = (old.map(|(_, version)| version), new.map(|(_, version)| version));
    if is_decided {
        return count_objects(repo, attributes, old, new);
    }
    if let Some(count) = known.get(&objects) {
        return Ok(*count);
    }
    let count = count_objects(repo, attributes, old, new)?;
    if known.len() >= REMEMBERED {
        known.clear();
    }
    known.insert(objects, count);
    Ok(count)
}

/// The same, by what is in them.
fn count_objects(
    repo: &dyn Repository,
    attributes: &mut Attributes<'_>,
    old: Option<(&RepoPath, FileVersion)>,
    new: Option<(&RepoPath, FileVersion)>,
) -> Read<Option<(u64, u64)>> {
    let is_same = old.map(|(_, version)| version.oid) == new.map(|(_, version)| version.oid);
    let mut texts = [None, None];
    // The new one first: where it is binary, the old one need not be read.
    for (is_new, side) in [(true, new), (false, old)] {
        let Some((path, version)) = side else {
            continue;
        };
        let is_decided = !is_same && attributes.is_binary(&path.0, version)?.is_some();
        let Some(bytes) = contents(repo, version, is_new, is_decided)? else {
            return if is_decided { Err(too_large(path)) } else { Ok(None) };
        };
        if !is_decided && has_nul(&bytes) {
            return Ok(None);
        }
        if is_same {
            return Ok(Some((0, 0)));
        }
        texts[usize::from(is_new)] = Some(bytes);
    }
    Ok(Some(match texts {
        [Some(old), Some(new)] => repo.line_diff(&old, &new)?,
        [old, new] => (line_count(&new.unwrap_or_default()), line_count(&old.unwrap_or_default())),
    }))
}

/// A file that attributes say is text, and that nobody could compare.
fn too_large(path: &RepoPath) -> Unavailable {
    Unavailable::new(
        format!("the lines of {path} cannot be counted: it is larger than {} MB", BIG_FILE >> 20),
        "leave it out, or ask a maintainer to mark it as binary in .gitattributes: PATTERN -diff",
    )
}

/// What a diff of the file compares: a link's target, and for a submodule one line. `None` where it is too large.
/// Where nobody `is_decided` that it is text, a binary one may be cut.
fn contents(
    repo: &dyn Repository,
    version: FileVersion,
    is_new: bool,
    is_decided: bool,
) -> Read<Option<Vec<u8>>> {
    if version.is_submodule() {
        return Ok(Some(format!("Subproject commit {}\n", version.oid).into_bytes()));
    }
    if is_new {
        return repo.recent_blob(version.oid, BIG_FILE, is_decided);
    }
    repo.blob_up_to(version.oid, BIG_FILE)
}

/// Lines, the last one whether or not a line feed ends it.
fn line_count(bytes: &[u8]) -> u64 {
    let ended = bytes.iter().filter(|b| **b == b'\n').count() as u64;
    let is_open = bytes.last().is_some_and(|b| *b != b'\n');
    ended + u64::from(is_open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts_without_a_line_feed() {
        assert_eq!(line_count(b""), 0);
        assert_eq!(line_count(b"\n"), 1);
        assert_eq!(line_count(b"a\nb"), 2);
        assert_eq!(line_count(b"a\nb\n"), 2);
    }
}
