//! What is known of the files of a change besides their paths: how large they are, what stands in their new lines, and
//! which names beside them are the same elsewhere.

use std::collections::HashMap;

use super::{Oid, RepoPath};

/// What was found in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Found {
    /// What a pattern of the policy finds; its place under `content`.
    Pattern {
        /// The entry.
        entry: usize,
    },
    /// A key or token.
    Secret {
        /// The entry.
        entry: usize,
        /// What it is: `a GitHub token`.
        name: &'static str,
    },
    /// What a merge left behind.
    ConflictMarker,
    /// A carriage return before the line feed.
    LineEnd,
}

/// One find in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// What.
    pub found: Found,
    /// The line, from 1.
    pub line: u64,
    /// The same for lines that say the same.
    pub text_id: u64,
    /// What may be shown of it; never a whole key.
    pub shown: String,
}

/// A find in a new line of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHit {
    /// The file.
    pub path: RepoPath,
    /// What, and where.
    pub hit: Hit,
    /// Whether the whole change has it, or the commit that is being made, and not only commits of it.
    pub in_whole: bool,
    /// The commits that brought it.
    pub commits: Vec<Oid>,
}

/// What a file is, apart from its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// It begins with `#!`, and is not executable.
    NotExecutable,
    /// It is executable, and a text that does not begin with `#!`.
    Executable,
    /// It is a link to a place outside of the repository.
    LinksOut,
}

/// What stands in the files of a change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// Finds in new lines.
    pub hits: Vec<NewHit>,
    /// Files of a form that may be wrong.
    pub forms: Vec<(RepoPath, Form)>,
    /// Files whose lines are too many to be looked at, and their bytes.
    pub unread: Vec<(RepoPath, u64)>,
}

/// How many bytes the new files of a change have.
pub type Sizes = HashMap<Oid, u64>;

/// Files of a change, each with the path of another one that is the same file elsewhere.
pub type Twins = Vec<(RepoPath, RepoPath)>;
