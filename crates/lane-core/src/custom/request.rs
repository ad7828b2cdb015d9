//! What a command is told, as JSON on its standard input: docs/custom.md.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::facts::{Oid, RepoPath};

/// A change, as a rule of the team's own is told of it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(title = "git-lane custom rule request")]
pub struct Request {
    /// Version of this format; 1. Keys are only ever added.
    pub version: u32,
    /// The rule's id.
    pub rule: String,
    /// What asks: a hook's name, `check` or `ci`.
    pub event: &'static str,
    /// The agent whose change it is; null for a maintainer.
    pub agent: Option<String>,
    /// The branch, by its short name; null for what is none.
    pub branch: Option<String>,
    /// The ref that is pushed.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    /// The ref of the base.
    pub base_ref: Option<String>,
    /// Its tip.
    #[schemars(with = "Option<String>")]
    pub base: Option<Oid>,
    /// What the change begins at: HEAD for a commit that is made, else the merge base.
    pub from: Side,
    /// What it comes to.
    pub to: Side,
    /// The files that `when` and `except` leave, sorted by path.
    pub files: Vec<FileFacts>,
    /// The commits from the merge base on, oldest first; none for a commit that is made.
    pub commits: Vec<CommitFacts>,
}

/// One end of a change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Side {
    /// The commit; null where there is none yet.
    #[schemars(with = "Option<String>")]
    pub commit: Option<Oid>,
    /// Its tree; null where nothing is.
    #[schemars(with = "Option<String>")]
    pub tree: Option<Oid>,
}

/// One file of a change. A rename is one.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FileFacts {
    /// Its path from the root, as git prints it with `core.quotePath=false`: in quotes where it is not plain text.
    #[schemars(with = "String")]
    pub path: RepoPath,
    /// The bytes of its path in hexadecimal digits; null where `path` is not in quotes.
    pub path_hex: Option<String>,
    /// What happened to it.
    pub status: Status,
    /// Its path before, where that is another.
    #[schemars(with = "Option<String>")]
    pub old_path: Option<RepoPath>,
    /// Its mode before, as `100644`; null where it was not there.
    pub old_mode: Option<String>,
    /// Its object before.
    #[schemars(with = "Option<String>")]
    pub old_oid: Option<Oid>,
    /// Its mode; null where it is gone.
    pub mode: Option<String>,
    /// Its object: `git cat-file blob OID` prints it.
    #[schemars(with = "Option<String>")]
    pub oid: Option<Oid>,
    /// Lines added, as `git diff --numstat -M` counts them; null for a binary file.
    pub added: Option<u64>,
    /// Lines deleted, likewise.
    pub deleted: Option<u64>,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is new.
    Added,
    /// It has other contents, or another mode.
    Modified,
    /// It is gone.
    Deleted,
    /// It has another path, and perhaps other contents.
    Renamed,
}

/// One commit of a change.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CommitFacts {
    /// Its id.
    #[schemars(with = "String")]
    pub oid: Oid,
    /// How many parents it has.
    pub parents: usize,
    /// Its whole message, bytes that are not UTF-8 replaced.
    pub message: String,
}

impl Request {
    /// The JSON Schema of it.
    pub fn json_schema() -> Value {
        schemars::schema_for!(Self).to_value()
    }
}
