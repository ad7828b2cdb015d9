//! The narrow interface through which a repository is read: trees, commits, blobs, refs, the staged
//! tree. git2 stands behind it; everything above it is the same for any other backend.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::budget::Budget;
use super::raw_tree::RawTree;
use lane_core::error::Error;
use lane_core::facts::{Cause, FileVersion, Oid, RepoPath, Unavailable};

/// The mode of a folder in a tree.
pub const FOLDER: u32 = 0o040_000;

/// What reading gives: the thing, or why it could not be read.
pub type Read<T> = Result<T, Unavailable>;

/// Here is no repository.
pub(crate) fn no_repository() -> Unavailable {
    Unavailable::new("not a git repository", "change to one, or name it: git lane -C FOLDER …")
        .because(Cause::NoRepository)
}

/// Where a repository lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// This worktree's git folder.
    pub git_dir: PathBuf,
    /// The git folder that all worktrees share.
    pub common_dir: PathBuf,
    /// The worktree's root; `None` for a bare repository.
    pub worktree: Option<PathBuf>,
}

/// Where HEAD points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The full name of the branch, unless HEAD is detached.
    pub branch: Option<String>,
    /// The commit; `None` before the first one.
    pub oid: Option<Oid>,
}

/// One entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// The name, without slashes.
    pub name: Vec<u8>,
    /// Mode and object.
    pub version: FileVersion,
}

/// A commit as it is stored.
#[derive(Debug, Clone)]
pub struct RawCommit {
    /// Its tree.
    pub tree: Oid,
    /// Its parents, cut off at the edge of a shallow clone.
    pub parents: Vec<Oid>,
    /// When it was committed, in seconds since the epoch.
    pub time: i64,
    /// When its author made it, likewise.
    pub authored: i64,
    /// Its author's e-mail address, bytes that are not UTF-8 replaced.
    pub author: String,
    /// Its committer's e-mail address, bytes that are not UTF-8 replaced.
    pub committer: String,
    /// Its message, bytes that are not UTF-8 replaced; where it names an encoding, each byte is one character then.
    pub message: String,
}

/// What a ref holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefTarget {
    /// An object, tags not peeled.
    Object(Oid),
    /// The name of another ref.
    Symbolic,
}

/// Writing objects into a repository. Refs are git's own to move.
pub trait ObjectWriter {
    /// Writes a commit from its raw bytes.
    ///
    /// # Errors
    /// The disk is full, or the folder of objects cannot be written.
    fn write_commit(&self, raw: &[u8]) -> Result<Oid, Error>;

    /// Writes the tree that has nothing in it.
    ///
    /// # Errors
    /// As for commits.
    fn write_empty_tree(&self) -> Result<Oid, Error>;

    /// Writes a blob.
    ///
    /// # Errors
    /// As for commits.
    fn write_blob(&self, bytes: &[u8]) -> Result<Oid, Error>;

    /// Writes the tree that has one file in it.
    ///
    /// # Errors
    /// As for commits.
    fn write_tree_of(&self, name: &str, blob: Oid) -> Result<Oid, Error>;

    /// Writes a tree from its raw bytes.
    ///
    /// # Errors
    /// As for commits.
    fn write_tree(&self, raw: &[u8]) -> Result<Oid, Error>;
}

/// Reading a repository. No method writes to it.
pub trait Repository {
    /// Where it lies.
    fn layout(&self) -> &Layout;

    /// All values of a configuration key, lowest scope first: system, global, local, worktree.
    ///
    /// # Errors
    /// The configuration cannot be read.
    fn config(&self, key: &str) -> Read<Vec<String>>;

    /// Whether any key is set that a regular expression finds; keys are in lower case but for their middle.
    ///
    /// # Errors
    /// The configuration cannot be read.
    fn has_config(&self, pattern: &str) -> Read<bool>;

    /// Where HEAD points.
    ///
    /// # Errors
    /// HEAD cannot be read.
    fn head(&self) -> Read<Head>;

    /// The commit that a full ref name leads to, tags peeled; `None` if there is no such ref, or it
    /// leads to no commit.
    ///
    /// # Errors
    /// The ref or its object cannot be read.
    fn find_ref(&self, name: &str) -> Read<Option<Oid>>;

    /// The target of a symbolic ref.
    ///
    /// # Errors
    /// The ref cannot be read.
    fn symbolic_ref(&self, name: &str) -> Read<Option<String>>;

    /// What a ref holds, by its full name; `None` if there is no such ref.
    ///
    /// # Errors
    /// The ref cannot be read, or holds no object id.
    fn ref_target(&self, name: &str) -> Read<Option<RefTarget>>;

    /// The full names of the refs below a prefix (`refs/lane/locks/`), sorted.
    ///
    /// # Errors
    /// The refs cannot be read.
    fn ref_names(&self, prefix: &str) -> Read<Vec<String>>;

    /// The commit that an object leads to, tags peeled; `None` where that is no commit.
    ///
    /// # Errors
    /// The object is missing.
    fn peel(&self, oid: Oid) -> Read<Option<Oid>>;

    /// The commit that an expression such as `HEAD~2` names.
    ///
    /// # Errors
    /// It names none.
    fn resolve(&self, expression: &str) -> Read<Oid>;

    /// One commit.
    ///
    /// # Errors
    /// It is missing or broken.
    fn commit(&self, oid: Oid) -> Read<RawCommit>;

    /// One commit as the bytes of its object, without git's header of kind and length.
    ///
    /// # Errors
    /// It is missing, or no commit.
    fn commit_bytes(&self, oid: Oid) -> Read<Vec<u8>>;

    /// The best common ancestor of `base` and a merge of `tips`; `None` if they share no history.
    ///
    /// # Errors
    /// History cannot be walked.
    fn merge_base(&self, base: Oid, tips: &[Oid]) -> Read<Option<Oid>>;

    /// All best common ancestors of two commits: several after a criss-cross merge, none without common history.
    ///
    /// # Errors
    /// History cannot be walked.
    fn merge_bases(&self, one: Oid, two: Oid) -> Read<Vec<Oid>>;

    /// The tree that a merge of `theirs` into `ours` has, made in memory, and the paths that a person would have
    /// to merge, which are left out of it.
    ///
    /// # Errors
    /// An object is missing.
    fn merged(&self, ours: Oid, theirs: Oid) -> Read<(Oid, Vec<RepoPath>)>;

    /// The commits that `include` reach and `exclude` do not, parents before children.
    ///
    /// # Errors
    /// History cannot be walked.
    fn commits(&self, include: &[Oid], exclude: &[Oid]) -> Read<Vec<Oid>>;

    /// The commits that the refs below a prefix (`refs/remotes/origin/`) point to, each once, by their ids.
    ///
    /// # Errors
    /// The refs cannot be read.
    fn tips(&self, prefix: &str) -> Read<Vec<Oid>>;

    /// How much of it is read for one verdict.
    fn budget(&self) -> &Budget;

    /// What an object is and how many bytes it has, without reading it.
    ///
    /// # Errors
    /// It is missing.
    fn header(&self, oid: Oid) -> Read<(Kind, usize)>;

    /// How many bytes an object has.
    ///
    /// # Errors
    /// It is missing.
    fn size(&self, oid: Oid) -> Read<usize> {
        Ok(self.header(oid)?.1)
    }

    /// A tree, if it has at most so many bytes.
    ///
    /// # Errors
    /// It is missing, or damaged.
    fn small_tree(&self, oid: Oid, most: usize) -> Read<Option<RawTree>> {
        if self.size(oid)? > most { Ok(None) } else { self.raw_tree(oid).map(Some) }
    }

    /// The contents of a file, if they have at most so many bytes.
    ///
    /// # Errors
    /// It is missing.
    fn blob_up_to(&self, oid: Oid, most: usize) -> Read<Option<Vec<u8>>> {
        if self.size(oid)? > most { Ok(None) } else { self.blob(oid).map(Some) }
    }

    /// The contents of a file that was written lately, if they have at most so many bytes. Such an object mostly lies
    /// loose, where its size and its contents can be read in one go. Unless `is_text`, contents in which
    /// [`has_nul`](crate::attributes::has_nul) finds a NUL may be cut after what it looks at.
    ///
    /// # Errors
    /// It is missing.
    fn recent_blob(&self, oid: Oid, most: usize, _is_text: bool) -> Read<Option<Vec<u8>>> {
        self.blob_up_to(oid, most)
    }

    /// How the contents of a file begin: as much as [`has_nul`](crate::attributes::has_nul) looks at. A large file that lies
    /// loose is not read any further.
    ///
    /// # Errors
    /// It is missing, or so large that nobody reads it.
    fn blob_start(&self, oid: Oid) -> Read<Vec<u8>> {
        let mut bytes = self.blob(oid)?;
        bytes.truncate(crate::attributes::NUL_WITHIN);
        Ok(bytes)
    }

    /// A tag as the bytes of its object, without git's header of kind and length.
    ///
    /// # Errors
    /// It is missing, or no tag.
    fn tag_bytes(&self, oid: Oid) -> Read<Vec<u8>>;

    /// The object that a tag object names.
    ///
    /// # Errors
    /// It is missing, or no tag.
    fn tag_target(&self, oid: Oid) -> Read<Oid>;

    /// A tree.
    ///
    /// # Errors
    /// It is missing or broken.
    fn raw_tree(&self, oid: Oid) -> Read<RawTree>;

    /// The entries of a tree by themselves.
    ///
    /// # Errors
    /// As [`Self::raw_tree`].
    fn tree(&self, oid: Oid) -> Read<Vec<TreeEntry>> {
        Ok(self.raw_tree(oid)?.to_vec())
    }

    /// The bytes of a blob.
    ///
    /// # Errors
    /// It is missing or broken.
    fn blob(&self, oid: Oid) -> Read<Vec<u8>>;

    /// Whether an object is there.
    fn has(&self, oid: Oid) -> bool;

    /// The tree that an index file would be committed as, built in memory.
    ///
    /// # Errors
    /// The index cannot be read, or has unmerged paths.
    fn index_tree(&self, index: &Path) -> Read<Oid>;

    /// The tree of the working tree as `git add -A` would stage it, built in memory.
    ///
    /// # Errors
    /// There is no working tree, or it cannot be read.
    fn worktree_tree(&self) -> Read<Oid>;

    /// Lines added and deleted between two texts, as `git diff` counts them.
    ///
    /// # Errors
    /// The diff fails.
    fn line_diff(&self, old: &[u8], new: &[u8]) -> Read<(u64, u64)>;

    /// The id that a blob of these bytes has.
    ///
    /// # Errors
    /// It cannot be hashed.
    fn blob_id(&self, bytes: &[u8]) -> Read<Oid>;

    /// Whether history is cut off.
    fn is_shallow(&self) -> bool;
}

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A commit.
    Commit,
    /// The list of a folder.
    Tree,
    /// The contents of a file.
    Blob,
    /// A tag with a message.
    Tag,
}

/// Whether a configuration key is set to true, in any of git's spellings.
///
/// # Errors
/// The configuration cannot be read.
pub fn config_bool(repo: &dyn Repository, key: &str) -> Read<bool> {
    let value = repo.config(key)?.pop().unwrap_or_default();
    let is_word = ["true", "yes", "on"].iter().any(|word| value.eq_ignore_ascii_case(word));
    Ok(is_word || value.parse::<i64>().is_ok_and(|number| number != 0))
}

/// The mode that git takes an entry's for: old trees have some such as 0o100664.
pub fn canonical(mode: u32) -> u32 {
    match mode & 0o170_000 {
        0o100_000 if mode & 0o100 != 0 => 0o100_755,
        0o100_000 => 0o100_644,
        0o120_000 => 0o120_000,
        FOLDER => FOLDER,
        _ => 0o160_000,
    }
}

/// The entry at a path below a tree.
///
/// # Errors
/// A tree on the way cannot be read.
pub fn find_in_tree(repo: &dyn Repository, tree: Oid, path: &[u8]) -> Read<Option<FileVersion>> {
    let mut at = FileVersion { mode: FOLDER, oid: tree };
    for name in path.split(|byte| *byte == b'/') {
        if at.mode != FOLDER {
            return Ok(None);
        }
        match repo.raw_tree(at.oid)?.find(name) {
            Some(version) => at = version,
            None => return Ok(None),
        }
    }
    Ok(Some(at))
}

/// The commits at which history is cut off; none where it is whole.
///
/// # Errors
/// The list of them cannot be read.
pub fn shallow_edge(repo: &dyn Repository) -> Read<HashSet<Oid>> {
    if !repo.is_shallow() {
        return Ok(HashSet::new());
    }
    let path = repo.layout().common_dir.join("shallow");
    let text = std::fs::read_to_string(&path).map_err(|error| {
        Unavailable::new(format!("{} cannot be read: {error}", path.display()), "git fsck")
    })?;
    Ok(text.lines().filter_map(Oid::from_hex).collect())
}
