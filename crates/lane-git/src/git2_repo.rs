//! The only module that knows git2.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use git2::{ErrorCode, ObjectType, Repository as Git};
use rustc_hash::FxHashMap;

use super::budget::Budget;
use super::history::{History, Reader};
use super::raw_commit;
use super::raw_tree::RawTree;
use super::ref_store::{RefStore, Target};
use super::repository::{
    Head, Kind, Layout, ObjectWriter, RawCommit, Read, RefTarget, Repository, config_bool,
};
use lane_core::error::Error;
use lane_core::facts::{Oid, RepoPath, Unavailable};
use lane_os::path_of;

mod loose;
mod repository;

/// How many commits are remembered, and how long in bytes a message may be for that.
const REMEMBERED: usize = 128;
const SHORT: usize = 4096;

/// A repository read through libgit2.
pub struct Git2Repository {
    git: Git,
    layout: Layout,
    /// The whole configuration in order, read when it is first asked for. libgit2 copies all of it for each
    /// key that is asked for.
    config: OnceCell<Vec<(String, String)>>,
    /// What walks through history have read, and the commit graph, where there is one that git would read.
    history: RefCell<Option<History>>,
    /// Refs, where several are listed.
    refs: RefCell<RefStore>,
    /// Whether history was cut off, once somebody has asked.
    is_shallow: OnceCell<bool>,
    /// Commits that were read: the tips and their bases are asked for again and again, and libgit2 forgets what it read as
    /// soon as a walk through history has parsed it.
    commits: RefCell<FxHashMap<Oid, RawCommit>>,
    budget: Budget,
    /// Whether what `git` writes stays in memory.
    is_in_memory: Cell<bool>,
    /// How many of the last objects that were looked for among the loose ones were not there.
    blob_misses: Cell<u8>,
    tree_misses: Cell<u8>,
    /// The same repository with nothing in memory, once something is to last after all.
    lasting: OnceCell<Git>,
}

impl Git2Repository {
    /// Opens the repository around the current folder, or the one that git names in the environment
    /// of a hook.
    ///
    /// # Errors
    /// There is none, or libgit2 cannot read its format.
    pub fn open() -> Read<Self> {
        let this = Self::new(Git::open_from_env())?;
        this.see_quarantine()?;
        Ok(this)
    }

    /// While a server receives a push, what is new lies in a folder of objects of its own, and git names the
    /// repository's as an alternate: see `git help git-receive-pack`, QUARANTINE ENVIRONMENT. libgit2 does
    /// not read the quotes that git puts around a path with a colon.
    fn see_quarantine(&self) -> Read<()> {
        if std::env::var_os("GIT_QUARANTINE_PATH").is_none() {
            return Ok(());
        }
        let objects = self.layout.common_dir.join("objects");
        let Some(objects) = objects.to_str() else {
            return Ok(()); // then what libgit2 itself made of the variable has to do
        };
        let added = self.git.odb().and_then(|odb| odb.add_disk_alternate(objects));
        added.map_err(|error| git2_error("the folder of objects", &error))
    }

    /// Opens the repository in a folder, whatever the environment says.
    ///
    /// # Errors
    /// There is none, or libgit2 cannot read its format.
    pub fn open_at(folder: &Path) -> Read<Self> {
        Self::new(Git::open(folder))
    }

    fn new(opened: Result<Git, git2::Error>) -> Read<Self> {
        // A short-lived reader trusts the object names that git wrote; checking each hash more than
        // doubles the time to read a large tree.
        git2::opts::strict_hash_verification(false);
        // Nor does the tree of an index get any truer by opening each file's object.
        git2::opts::strict_object_creation(false);
        let git = opened.map_err(|error| cannot_open(&error))?;
        // libgit2 looks at each file of the configuration again for each key that it asks for.
        let config = git.config().and_then(|mut config| config.snapshot());
        config.and_then(|config| git.set_config(&config)).map_err(|error| cannot_open(&error))?;
        let layout = Layout {
            git_dir: clean(git.path()),
            common_dir: clean(git.commondir()),
            worktree: git.workdir().map(clean),
        };
        let (config, history) = (OnceCell::new(), RefCell::default());
        let (is_in_memory, lasting, is_shallow) = (Cell::new(false), OnceCell::new(), OnceCell::new());
        let (blob_misses, tree_misses) = (Cell::new(0), Cell::new(0));
        let (commits, budget) = (RefCell::default(), Budget::default());
        Ok(Self {
            git,
            layout,
            config,
            history,
            refs: RefCell::default(),
            is_shallow,
            commits,
            budget,
            is_in_memory,
            blob_misses,
            tree_misses,
            lasting,
        })
    }

    /// What of this repository libgit2 would read otherwise than git does, if anything, and what to do about it.
    pub fn misread(&self) -> Option<Unavailable> {
        let has = |name: &str| {
            let file = self.layout.common_dir.join(name);
            std::fs::symlink_metadata(file).is_ok_and(|data| data.len() > 0)
        };
        // Anybody can write it, and it would hide commits.
        if has("info/grafts") {
            return Some(Unavailable::new(
                "info/grafts overrides the parents of commits, which libgit2 follows",
                "convert it to replace refs, which git-lane ignores: git replace --convert-graft-file",
            ));
        }
        // It looks for that file in the worktree's own git folder, finds none, and misses the commits.
        if has("shallow") && self.layout.git_dir != self.layout.common_dir {
            return Some(Unavailable::new(
                "this is a worktree of a shallow clone, whose history limit libgit2 does not see",
                "fetch the whole history: git fetch --unshallow",
            ));
        }
        None
    }

    fn to_git(oid: Oid) -> Read<git2::Oid> {
        git2::Oid::from_bytes(oid.as_bytes()).map_err(|error| git2_error("an object id", &error))
    }

    fn write(&self, kind: ObjectType, bytes: &[u8]) -> Result<Oid, Error> {
        let written = self.lasting().and_then(Git::odb).and_then(|odb| odb.write(kind, bytes));
        let oid = written.map_err(|error| {
            let folder = self.layout.common_dir.join("objects");
            Error::write(
                format!("an object cannot be written: {}", error.message()),
                format!("nothing was changed; check free space and permissions of {}", folder.display()),
            )
        })?;
        Ok(from_git(oid)?)
    }

    /// The bytes of an object of a kind.
    fn bytes_of(&self, oid: Oid, kind: ObjectType, word: &str) -> Read<Vec<u8>> {
        let read = || -> Result<Option<Vec<u8>>, git2::Error> {
            let objects = self.git.odb()?;
            let object = objects.read(git2::Oid::from_bytes(oid.as_bytes())?)?;
            Ok((object.kind() == kind).then(|| object.data().to_vec()))
        };
        let what = format!("the {word} {oid}");
        match read().map_err(|error| git2_error(&what, &error))? {
            Some(bytes) => Ok(bytes),
            None => Err(Unavailable::new(format!("{what} is not a {word}"), "see `git fsck` for details")),
        }
    }

    fn refs_below(&self, prefix: &str) -> Read<BTreeMap<Vec<u8>, Target>> {
        let refs = self.refs.borrow_mut().below(&self.layout.common_dir, prefix);
        refs.map_err(|error| unreadable_refs(prefix, &error.to_string()))
    }

    /// Walks through history. `None`: libgit2 has to.
    fn walked<T>(&self, walk: impl FnOnce(&mut History, Reader<'_>) -> Option<T>) -> Option<T> {
        // Where history was cut off, neither the graph nor commits tell where: a parent that was may be here as another's.
        if self.is_shallow() {
            return None;
        }
        let mut history = self.history.borrow_mut();
        if history.is_none() {
            let key = "core.commitGraph";
            let is_off = !self.config(key).ok()?.is_empty() && !config_bool(self, key).ok()?;
            let objects = || self.layout.common_dir.join("objects");
            *history = Some(if is_off { History::new() } else { History::with_graph(&objects()) });
        }
        let objects = self.git.odb().ok()?;
        walk(history.as_mut()?, &|oid| {
            // The first of them are asked for again: tips and their bases.
            let is_remembered = self.commits.borrow().len() < REMEMBERED;
            if is_remembered || self.commits.borrow().contains_key(&oid) {
                return self.commit(oid).ok().map(|commit| (commit.parents, commit.time));
            }
            let object = objects.read(git2::Oid::from_bytes(oid.as_bytes()).ok()?).ok()?;
            let told = (object.kind() == ObjectType::Commit).then(|| raw_commit::parents(object.data()))?;
            told.or_else(|| self.lenient_commit(oid).ok().map(|commit| (commit.parents, commit.time)))
        })
    }

    /// A commit as libgit2 makes it out.
    fn lenient_commit(&self, oid: Oid) -> Read<RawCommit> {
        let commit = self.git.find_commit(Self::to_git(oid)?);
        let commit = commit.map_err(|error| git2_error(&format!("the commit {oid}"), &error))?;
        let parents: Read<Vec<Oid>> = commit.parent_ids().map(from_git).collect();
        Ok(RawCommit {
            tree: from_git(commit.tree_id())?,
            parents: parents?,
            time: commit.committer().when().seconds(),
            authored: commit.author().when().seconds(),
            author: String::from_utf8_lossy(commit.author().email_bytes()).into_owned(),
            committer: String::from_utf8_lossy(commit.committer().email_bytes()).into_owned(),
            message: String::from_utf8_lossy(commit.message_bytes()).into_owned(),
        })
    }

    /// The commit that an object is, or that a tag names in the end; `None` if there is none. What is read as it is stored
    /// stays at hand for walks through history; what libgit2 has parsed is read from disk again.
    fn commit_at(&self, oid: git2::Oid) -> Result<Option<git2::Oid>, git2::Error> {
        match self.git.odb()?.read(oid)?.kind() {
            ObjectType::Commit => Ok(Some(oid)),
            ObjectType::Tag => commit_of(&self.git.find_object(oid, None)?),
            _ => Ok(None),
        }
    }

    /// Objects written from here on stay in memory.
    fn keep_writes_in_memory(&self) -> Result<(), git2::Error> {
        if !self.is_in_memory.replace(true) {
            self.git.odb()?.add_new_mempack_backend(i32::MAX)?;
        }
        Ok(())
    }

    /// The repository that writes to disk.
    fn lasting(&self) -> Result<&Git, git2::Error> {
        if !self.is_in_memory.get() {
            return Ok(&self.git);
        }
        if let Some(git) = self.lasting.get() {
            return Ok(git);
        }
        let git = Git::open(self.git.path())?;
        Ok(self.lasting.get_or_init(|| git))
    }
}

/// Lines added and deleted between two texts. This needs no repository.
pub fn line_diff(old: &[u8], new: &[u8]) -> Read<(u64, u64)> {
    let diff = || -> Result<(usize, usize), git2::Error> {
        let mut options = git2::DiffOptions::new();
        options.force_text(true).context_lines(0);
        let patch = git2::Patch::from_buffers(old, None, new, None, Some(&mut options))?;
        let (_, added, deleted) = patch.line_stats()?;
        Ok((added, deleted))
    };
    let (added, deleted) = diff().map_err(|error| git2_error("a difference of files", &error))?;
    Ok((added as u64, deleted as u64))
}

/// The lines of a text that another one does not have, as `git diff` shows them: first and last, from 1.
///
/// # Errors
/// The diff fails.
pub fn added_lines(old: &[u8], new: &[u8]) -> Read<Vec<(u64, u64)>> {
    let diff = || -> Result<Vec<(u64, u64)>, git2::Error> {
        let mut options = git2::DiffOptions::new();
        options.force_text(true).context_lines(0);
        let patch = git2::Patch::from_buffers(old, None, new, None, Some(&mut options))?;
        let mut added = Vec::with_capacity(patch.num_hunks());
        for at in 0..patch.num_hunks() {
            let (hunk, _) = patch.hunk(at)?;
            let (first, count) = (u64::from(hunk.new_start()), u64::from(hunk.new_lines()));
            if count > 0 {
                added.push((first, first + count - 1));
            }
        }
        Ok(added)
    };
    diff().map_err(|error| git2_error("a difference of files", &error))
}

/// The SHA-1 id that a blob has, in whatever repository.
pub fn blob_id(bytes: &[u8]) -> Read<Oid> {
    let oid = git2::Oid::hash_object(ObjectType::Blob, bytes);
    from_git(oid.map_err(|error| git2_error("an object id", &error))?)
}

/// A key as libgit2 lists it: the first and the last part in small letters, what is between them as it is.
fn canonical_key(key: &str) -> String {
    let (section, rest) = key.split_once('.').unwrap_or((key, ""));
    let (between, name) = rest.rsplit_once('.').map_or((None, rest), |(between, name)| (Some(between), name));
    let (section, name) = (section.to_ascii_lowercase(), name.to_ascii_lowercase());
    match between {
        Some(between) => format!("{section}.{between}.{name}"),
        None => format!("{section}.{name}"),
    }
}

fn unreadable_refs(prefix: &str, why: &str) -> Unavailable {
    let reason = format!("the refs below {prefix} cannot be read: {why}");
    Unavailable::new(reason, "check whether the repository is damaged: git fsck")
}

/// libgit2 ends folders in a slash.
fn clean(path: &Path) -> PathBuf {
    path.components().collect()
}

fn cannot_open(error: &git2::Error) -> Unavailable {
    let message = error.message();
    match error.code() {
        ErrorCode::NotFound => crate::repository::no_repository(),
        ErrorCode::Owner => Unavailable::new(
            format!("the repository belongs to another user: {message}"),
            "git config --global --add safe.directory FOLDER",
        ),
        _ => Unavailable::new(
            format!("the repository cannot be opened: {message}"),
            "libgit2 does not read all formats; let git read it: unset LANE_GIT_BACKEND",
        ),
    }
}

fn git2_error(what: &str, error: &git2::Error) -> Unavailable {
    let message = error.message();
    let help = match error.code() {
        ErrorCode::NotFound => "see what is missing with `git fsck`; `git fetch` may restore it",
        _ => "check whether the repository is damaged: git fsck",
    };
    Unavailable::new(format!("{what} cannot be read: {message}"), help)
}

fn from_git(oid: git2::Oid) -> Read<Oid> {
    Oid::from_bytes(oid.as_bytes())
        .ok_or_else(|| Unavailable::new("an object id of unknown length", "git fsck"))
}

/// The commit that an object is, or that a tag names in the end; `None` if there is none.
fn commit_of(object: &git2::Object<'_>) -> Result<Option<git2::Oid>, git2::Error> {
    match object.peel(ObjectType::Commit) {
        Ok(commit) => Ok(Some(commit.id())),
        Err(error) if matches!(error.code(), ErrorCode::InvalidSpec | ErrorCode::Peel) => Ok(None),
        Err(error) => Err(error),
    }
}

impl ObjectWriter for Git2Repository {
    fn write_commit(&self, raw: &[u8]) -> Result<Oid, Error> {
        self.write(ObjectType::Commit, raw)
    }

    fn write_empty_tree(&self) -> Result<Oid, Error> {
        self.write(ObjectType::Tree, b"")
    }

    fn write_blob(&self, bytes: &[u8]) -> Result<Oid, Error> {
        self.write(ObjectType::Blob, bytes)
    }

    fn write_tree_of(&self, name: &str, blob: Oid) -> Result<Oid, Error> {
        self.write(ObjectType::Tree, &[b"100644 ", name.as_bytes(), b"\0", blob.as_bytes()].concat())
    }

    fn write_tree(&self, raw: &[u8]) -> Result<Oid, Error> {
        self.write(ObjectType::Tree, raw)
    }
}
