//! How large a change is.

use super::{Oid, RepoPath};

/// How many lines a change has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    /// Files, as `git diff --numstat -M` lists them: a rename is one.
    pub files: usize,
    /// Lines added.
    pub added: u64,
    /// Lines deleted.
    pub deleted: u64,
    /// Added plus deleted without what is excluded.
    pub counted: u64,
    /// The ref that `counted` begins at: a pushed branch of the same agent that the change is based on.
    pub counted_from: Option<String>,
    /// Of too many lines: the last commit up to which the limit is kept, where that is known.
    pub split: Option<Oid>,
    /// A branch name that is still free, for what goes on above.
    pub next: Option<String>,
    /// Files whose lines cannot be counted.
    pub binary: Vec<RepoPath>,
    /// The files that count most, most first: path and lines.
    pub largest: Vec<(RepoPath, u64)>,
    /// What counts in each area that has a limit of its own and is touched.
    pub areas: Vec<AreaLines>,
}

/// What a change has in one area; what is excluded does not count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AreaLines {
    /// The area's name.
    pub area: String,
    /// Lines added plus deleted.
    pub lines: u64,
    /// Files; a rename within the area is one.
    pub files: u64,
    /// The ref that both begin at, as [`Lines::counted_from`].
    pub counted_from: Option<String>,
    /// The files that count most, most first: path and lines.
    pub largest: Vec<(RepoPath, u64)>,
}

impl Lines {
    /// Adds a file to what counts in an area.
    pub fn add_to_area(&mut self, area: &str, path: &RepoPath, lines: u64) {
        let at = self.areas.iter().position(|known| known.area == area).unwrap_or_else(|| {
            self.areas.push(AreaLines { area: area.to_owned(), ..AreaLines::default() });
            self.areas.len() - 1
        });
        let known = &mut self.areas[at];
        known.lines += lines;
        known.files += 1;
        known.largest.push((path.clone(), lines));
    }
}
