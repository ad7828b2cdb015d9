//! Which deletion and which addition are one file with a new name, as `git diff -M` decides it:
//! git-diff(1), `--find-renames` at 50 %, no copies, `-l1000`, whatever the configuration says.
//!
//! 1. Same object: the first deletion with the addition's file name, else the first one.
//! 2. A file name that one deletion and one addition have alone: renamed from a score of 75 % on.
//! 3. Every deletion against every addition, the best pairs first, unless those are more than 1000 × 1000.

use std::collections::HashMap;

use super::attributes::{Attributes, is_regular};
use super::repository::{Read, Repository};
use super::similarity::{MAX_SCORE, Side, Summaries};
use lane_core::facts::{FileChange, Oid};

const MIN_SCORE: u64 = MAX_SCORE / 2;
/// Where the file name is the only hint, more must be alike.
const MIN_NAME_SCORE: u64 = MAX_SCORE / 4 * 3;
/// The root of the largest number of pairs that are compared.
const RENAME_LIMIT: usize = 1000;
/// How many deletions are kept in mind for an addition.
const CANDIDATES: usize = 4;
/// How many deletions of one object are looked at for one with the right file name.
const MAX_IDENTICAL: usize = 100;

/// One file of a change, as `git diff -M` lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair<'a> {
    /// The change that has the file before, if it was there.
    pub old: Option<&'a FileChange>,
    /// The change that has the file after, if it is there; another one than `old` for a rename.
    pub new: Option<&'a FileChange>,
}

/// The files of a change with renames found. `files` must be sorted by path, and so are the pairs: a
/// rename stands where its new path does.
///
/// Nothing is read unless there are both additions and deletions that differ.
///
/// # Errors
/// A file, or the attributes that decide whether it is text, cannot be read.
pub fn pair<'a>(
    repo: &dyn Repository,
    files: &'a [FileChange],
    attributes: &mut Attributes<'_>,
) -> Read<Vec<Pair<'a>>> {
    let mut summaries = Summaries::new(repo, attributes);
    let mut search = Search::new(files);
    search.run(&mut |old, new, minimum| summaries.score(old, new, minimum))?;
    Ok(search.pairs(files))
}

/// How much of the first file is in the second; zero is allowed for whatever is below the minimum.
type Score<'s> = &'s mut dyn FnMut(&Side<'_>, &Side<'_>, u64) -> Read<u64>;

struct Search<'a> {
    olds: Vec<Side<'a>>,
    news: Vec<Side<'a>>,
    is_used: Vec<bool>,
    /// For each of `news` the place of its origin in `olds`.
    origins: Vec<Option<usize>>,
}

/// A deletion that an addition may come from.
#[derive(Clone, Copy)]
struct Candidate {
    score: u64,
    has_same_name: bool,
    old: usize,
    new: usize,
}

impl Candidate {
    /// What candidates are compared by; no candidate is worse than any.
    fn rank(candidate: &Option<Self>) -> Option<(u64, bool)> {
        candidate.map(|candidate| (candidate.score, candidate.has_same_name))
    }
}

impl<'a> Search<'a> {
    fn new(files: &'a [FileChange]) -> Self {
        let (mut olds, mut news) = (Vec::new(), Vec::new());
        for (index, file) in files.iter().enumerate() {
            let path = file.path.0.as_slice();
            let side = |version| Side { path, version, index };
            match (file.old, file.new) {
                (Some(version), None) => olds.push(side(version)),
                (None, Some(version)) => news.push(side(version)),
                _ => {}
            }
        }
        Self { is_used: vec![false; olds.len()], origins: vec![None; news.len()], olds, news }
    }

    fn run(&mut self, score: Score<'_>) -> Read<()> {
        if self.olds.is_empty() || self.news.is_empty() {
            return Ok(());
        }
        self.match_identical();
        self.match_names(score)?;
        self.match_all(score)
    }

    fn record(&mut self, old: usize, new: usize) {
        self.is_used[old] = true;
        self.origins[new] = Some(old);
    }

    fn unused(&self) -> Vec<usize> {
        (0..self.olds.len()).filter(|old| !self.is_used[*old]).collect()
    }

    fn unmatched(&self) -> Vec<usize> {
        (0..self.news.len()).filter(|new| self.origins[*new].is_none()).collect()
    }

    fn match_identical(&mut self) {
        let mut by_oid: HashMap<Oid, Vec<usize>> = HashMap::new();
        for (at, old) in self.olds.iter().enumerate() {
            by_oid.entry(old.version.oid).or_default().push(at);
        }
        for at in 0..self.news.len() {
            let new = self.news[at];
            let Some(same) = by_oid.get(&new.version.oid) else {
                continue;
            };
            let may_be = |old: &&usize| {
                let mode = self.olds[**old].version.mode;
                let are_regular = is_regular(mode) && is_regular(new.version.mode);
                !self.is_used[**old] && (are_regular || mode == new.version.mode)
            };
            let mut eligible = same.iter().filter(may_be).take(MAX_IDENTICAL).peekable();
            let first = eligible.peek().copied();
            let named = eligible.find(|old| self.olds[**old].name() == new.name());
            if let Some(old) = named.or(first) {
                self.record(*old, at);
            }
        }
    }

    fn match_names(&mut self, score: Score<'_>) -> Read<()> {
        let olds = unique_names(self.unused().into_iter().map(|at| (self.olds[at].name(), at)));
        let news = unique_names(self.unmatched().into_iter().map(|at| (self.news[at].name(), at)));
        for old in self.unused() {
            let name = self.olds[old].name();
            if let (Some(Some(_)), Some(Some(new))) = (olds.get(name), news.get(name))
                && score(&self.olds[old], &self.news[*new], MIN_NAME_SCORE)? >= MIN_NAME_SCORE
            {
                self.record(old, *new);
            }
        }
        Ok(())
    }

    fn match_all(&mut self, score: Score<'_>) -> Read<()> {
        let (olds, news) = (self.unused(), self.unmatched());
        if olds.len().saturating_mul(news.len()) > RENAME_LIMIT * RENAME_LIMIT {
            return Ok(());
        }
        let mut all = Vec::with_capacity(CANDIDATES * news.len());
        for &new in &news {
            let mut best: [Option<Candidate>; CANDIDATES] = [None; CANDIDATES];
            for &old in &olds {
                let (one, two) = (&self.olds[old], &self.news[new]);
                let candidate = Some(Candidate {
                    score: score(one, two, MIN_SCORE)?,
                    has_same_name: one.name() == two.name(),
                    old,
                    new,
                });
                // Which of equals is kept, and where, is seen in the result: the first worst gives way.
                let worst = best.iter_mut().min_by_key(|candidate| Candidate::rank(candidate));
                if let Some(worst) = worst
                    && Candidate::rank(&candidate) > Candidate::rank(worst)
                {
                    *worst = candidate;
                }
            }
            all.extend(best);
        }
        all.sort_by_key(|candidate| std::cmp::Reverse(Candidate::rank(candidate)));
        for candidate in all.into_iter().flatten() {
            let is_free = !self.is_used[candidate.old] && self.origins[candidate.new].is_none();
            if candidate.score >= MIN_SCORE && is_free {
                self.record(candidate.old, candidate.new);
            }
        }
        Ok(())
    }

    fn pairs(&self, files: &'a [FileChange]) -> Vec<Pair<'a>> {
        let mut origins = HashMap::new();
        let mut gone = vec![false; files.len()];
        for (new, old) in self.news.iter().zip(&self.origins) {
            if let Some(old) = old {
                let old = self.olds[*old].index;
                origins.insert(new.index, &files[old]);
                gone[old] = true;
            }
        }
        let mut pairs = Vec::with_capacity(files.len());
        for (index, file) in files.iter().enumerate().filter(|(index, _)| !gone[*index]) {
            pairs.push(Pair {
                old: file.old.map(|_| file).or(origins.get(&index).copied()),
                new: file.new.map(|_| file),
            });
        }
        pairs
    }
}

/// What each name stands for, `None` where it stands for several.
fn unique_names<'a>(names: impl Iterator<Item = (&'a [u8], usize)>) -> HashMap<&'a [u8], Option<usize>> {
    let mut alone = HashMap::new();
    for (name, at) in names {
        alone.entry(name).and_modify(|known| *known = None).or_insert(Some(at));
    }
    alone
}

#[cfg(test)]
mod tests {
    use super::*;
    use lane_core::facts::{FileVersion, RepoPath};

    const FILE: u32 = 0o100_644;
    const LINK: u32 = 0o120_000;

    fn change(text: &str, mode: u32) -> FileChange {
        let (kind, rest) = text.split_at(1);
        let (path, object) = rest.split_once(':').expect("-path:object");
        let oid = Oid::from_bytes(&[object.as_bytes()[0]; 20]).expect("an id");
        let version = Some(FileVersion { mode, oid });
        FileChange {
            path: RepoPath(path.into()),
            old: version.filter(|_| kind != "+"),
            new: version.filter(|_| kind != "-"),
        }
    }

    /// `-path:object` or `+path:object`, with scores of `old>new`; gives `old>new` for each rename.
    fn renames(changes: &[&str], mode: u32, scores: &[(&str, u64)]) -> Vec<String> {
        let files: Vec<FileChange> = changes.iter().map(|text| change(text, mode)).collect();
        let mut search = Search::new(&files);
        let name = |old: &[u8], new: &[u8]| [old, b">", new].concat();
        let mut score = |old: &Side<'_>, new: &Side<'_>, _| {
            let name = name(old.path, new.path);
            Ok(scores.iter().find(|(pair, _)| pair.as_bytes() == name).map_or(0, |(_, score)| *score))
        };
        search.run(&mut score).expect("scores");
        let pairs = search.pairs(&files);
        let renamed = pairs.iter().filter_map(|pair| pair.old.zip(pair.new));
        let names = renamed.map(|(old, new)| name(&old.path.0, &new.path.0));
        names.map(|name| String::from_utf8(name).expect("text")).collect()
    }

    #[test]
    fn identical_files() {
        assert_eq!(renames(&["-a:x", "-b/c:x", "+d/c:x"], FILE, &[]), ["b/c>d/c"], "the name decides");
        assert_eq!(renames(&["-a:x", "-b:x", "+c:x"], FILE, &[]), ["a>c"], "else the order");
        assert_eq!(renames(&["+a:x", "+b:x", "-c:x"], FILE, &[]), ["c>a"], "one origin, one rename");
        assert_eq!(renames(&["-a:x", "+b:x"], LINK, &[]), ["a>b"]);
    }

    #[test]
    fn modes_of_identical_files() {
        let mut files = [change("-a:x", FILE), change("+b:x", LINK)];
        let paired = |files: &[FileChange]| {
            let mut search = Search::new(files);
            search.match_identical();
            search.pairs(files).len() == 1
        };
        assert!(!paired(&files), "a link is no file");
        files[1] = change("+b:x", 0o100_755);
        assert!(paired(&files), "an executable is");
    }

    #[test]
    fn similar_files() {
        let changes = ["-a/x:1", "-b/y:2", "+c/x:3", "+c/z:4"];
        let by_name = [("a/x>c/x", 45_000), ("b/y>c/x", 59_000)];
        assert_eq!(renames(&changes, FILE, &by_name), ["a/x>c/x"], "a lone name beats a better score");
        let too_little = [("a/x>c/x", 44_999), ("b/y>c/x", 59_000)];
        assert_eq!(renames(&changes, FILE, &too_little), ["b/y>c/x"], "unless too little is alike");
        let by_score = [("a/x>c/z", 30_000), ("b/y>c/z", 29_999)];
        assert_eq!(renames(&changes, FILE, &by_score), ["a/x>c/z"]);
        assert!(renames(&changes, FILE, &[("b/y>c/z", 29_999)]).is_empty());
    }

    #[test]
    fn equal_scores() {
        let changes = ["-a/x:1", "-b/x:2", "-b/y:3", "+c/x:4", "+d/x:5"];
        let scores = [("b/y>c/x", 40_000), ("b/x>c/x", 40_000), ("a/x>d/x", 40_000), ("b/x>d/x", 40_000)];
        assert_eq!(renames(&changes, FILE, &scores), ["b/x>c/x", "a/x>d/x"], "names, then order");
    }

    #[test]
    fn nothing_is_compared_without_both_sides() {
        for changes in [&["+a:1", "+b:2"], &["-a:1", "-b:2"], &["-a:1", "+b:1"]] {
            let files = changes.map(|text| change(text, FILE));
            let mut search = Search::new(&files);
            search.run(&mut |_, _, _| panic!("compared")).expect("nothing is read");
        }
    }

    #[test]
    fn too_many_pairs_are_not_compared() {
        let paths: Vec<String> = (0..1001).flat_map(|n| [format!("-{n}:1"), format!("+a{n}:2")]).collect();
        let files: Vec<FileChange> = paths.iter().map(|text| change(text, FILE)).collect();
        let mut search = Search::new(&files);
        search.run(&mut |_, _, _| panic!("compared")).expect("nothing is read");
    }
}
