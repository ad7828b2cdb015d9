//! The only module that knows git2.

use std::cell::{Cell, OnceCell, RefCell};
use std::path::{Path, PathBuf};

use git2::{ErrorCode, ObjectType, Repository as Git};
use rustc_hash::FxHashMap;

use super::budget::Budget;
use super::commit_graph::CommitGraph;
use super::raw_commit;
use super::raw_tree::RawTree;
use super::repository::{
    Head, Kind, Layout, ObjectWriter, RawCommit, Read, RefTarget, Repository, config_bool,
};
use crate::paths::path_of;
use lane_core::error::Error;
use lane_core::facts::{Oid, RepoPath, Unavailable};

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
    /// The commit graph, where there is one that git would read.
    graph: OnceCell<Option<CommitGraph>>,
    /// Whether history was cut off, once somebody has asked.
    is_shallow: OnceCell<bool>,
    /// Commits that were read: the tips and their bases are asked for again and again, and libgit2 forgets what it read as
    /// soon as a walk through history has parsed it.
    commits: RefCell<FxHashMap<Oid, RawCommit>>,
    budget: Budget,
    /// Whether what `git` writes stays in memory.
    is_in_memory: Cell<bool>,
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
        added.map_err(|error| failed("the folder of objects", &error))
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
        let git = opened.map_err(|error| cannot_open(&error))?;
        // libgit2 looks at each file of the configuration again for each key that it asks for.
        let config = git.config().and_then(|mut config| config.snapshot());
        config.and_then(|config| git.set_config(&config)).map_err(|error| cannot_open(&error))?;
        let layout = Layout {
            git_dir: clean(git.path()),
            common_dir: clean(git.commondir()),
            worktree: git.workdir().map(clean),
        };
        let (config, graph) = (OnceCell::new(), OnceCell::new());
        let (is_in_memory, lasting, is_shallow) = (Cell::new(false), OnceCell::new(), OnceCell::new());
        let (commits, budget) = (RefCell::default(), Budget::default());
        Ok(Self { git, layout, config, graph, is_shallow, commits, budget, is_in_memory, lasting })
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
                "info/grafts gives commits other parents than they have, and libgit2 believes it",
                "git replace --convert-graft-file makes of it what git-lane does not follow",
            ));
        }
        // It looks for that file in the worktree's own git folder, finds none, and misses the commits.
        if has("shallow") && self.layout.git_dir != self.layout.common_dir {
            return Some(Unavailable::new(
                "this is a worktree of a shallow clone, and libgit2 does not see where its history ends",
                "fetch all of it: git fetch --unshallow",
            ));
        }
        None
    }

    fn to_git(oid: Oid) -> Read<git2::Oid> {
        git2::Oid::from_bytes(oid.as_bytes()).map_err(|error| failed("an object id", &error))
    }

    fn write(&self, kind: ObjectType, bytes: &[u8]) -> Result<Oid, Error> {
        let written = self.lasting().and_then(Git::odb).and_then(|odb| odb.write(kind, bytes));
        let oid = written.map_err(|error| {
            let folder = self.layout.common_dir.join("objects");
            Error::write(
                format!("an object cannot be written: {}", error.message()),
                format!("nothing was changed; look at the room and the permissions of {}", folder.display()),
            )
        })?;
        Ok(from_git(oid)?)
    }

    /// What the commit graph tells of the merge base; `None` if it does not.
    fn merge_base_by_graph(&self, base: Oid, tips: &[Oid]) -> Option<Option<Oid>> {
        let open = || {
            let key = "core.commitGraph";
            let is_off = !self.config(key).ok()?.is_empty() && !config_bool(self, key).ok()?;
            // Where history was cut off, what the graph says of it is not what is here.
            let is_read = !is_off && !self.is_shallow();
            is_read.then(|| CommitGraph::open(&self.layout.common_dir.join("objects"))).flatten()
        };
        let graph = self.graph.get_or_init(open).as_ref()?;
        graph.merge_base(base, tips, &|oid| self.commit(oid).ok().map(|commit| (commit.parents, commit.time)))
    }

    /// A commit as libgit2 makes it out.
    fn lenient_commit(&self, oid: Oid) -> Read<RawCommit> {
        let commit = self.git.find_commit(Self::to_git(oid)?);
        let commit = commit.map_err(|error| failed(&format!("the commit {oid}"), &error))?;
        let parents: Read<Vec<Oid>> = commit.parent_ids().map(from_git).collect();
        Ok(RawCommit {
            tree: from_git(commit.tree_id())?,
            parents: parents?,
            time: commit.committer().when().seconds(),
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
    let (added, deleted) = diff().map_err(|error| failed("a difference of files", &error))?;
    Ok((added as u64, deleted as u64))
}

/// The SHA-1 id that a blob has, in whatever repository.
pub fn blob_id(bytes: &[u8]) -> Read<Oid> {
    let oid = git2::Oid::hash_object(ObjectType::Blob, bytes);
    from_git(oid.map_err(|error| failed("an object id", &error))?)
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

/// libgit2 ends folders in a slash.
fn clean(path: &Path) -> PathBuf {
    path.components().collect()
}

fn cannot_open(error: &git2::Error) -> Unavailable {
    let message = error.message();
    match error.code() {
        ErrorCode::NotFound => {
            Unavailable::new("this is no git repository", "go into one, or name it: git lane -C FOLDER …")
        }
        ErrorCode::Owner => Unavailable::new(
            format!("the repository belongs to another user: {message}"),
            "git config --global --add safe.directory FOLDER",
        ),
        _ => Unavailable::new(
            format!("the repository cannot be opened: {message}"),
            "libgit2 does not read all formats; git does, if it is on the PATH: unset LANE_GIT_BACKEND",
        ),
    }
}

fn failed(what: &str, error: &git2::Error) -> Unavailable {
    let message = error.message();
    let help = match error.code() {
        ErrorCode::NotFound => "git fsck shows what is missing; git fetch may bring it back",
        _ => "git fsck shows whether the repository is damaged",
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

impl Repository for Git2Repository {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn config(&self, key: &str) -> Read<Vec<String>> {
        let read = || -> Result<Vec<(String, String)>, git2::Error> {
            let mut all = Vec::new();
            self.git.config()?.entries(None)?.for_each(|entry| {
                // A key alone is git's short form of `true`.
                let value = if entry.has_value() { entry.value_bytes() } else { b"true" };
                let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
                all.push((text(entry.name_bytes()), text(value)));
            })?;
            Ok(all)
        };
        let all = match self.config.get() {
            Some(all) => all,
            None => {
                let all = read().map_err(|error| failed(&format!("the configuration `{key}`"), &error))?;
                self.config.get_or_init(|| all)
            }
        };
        let key = canonical_key(key);
        Ok(all.iter().filter(|(name, _)| *name == key).map(|(_, value)| value.clone()).collect())
    }

    fn has_config(&self, pattern: &str) -> Read<bool> {
        let read =
            || self.git.config()?.snapshot()?.entries(Some(pattern))?.next().transpose().map(|e| e.is_some());
        read().map_err(|error| failed("the configuration", &error))
    }

    fn head(&self) -> Read<Head> {
        let head = self.git.find_reference("HEAD").map_err(|error| failed("HEAD", &error))?;
        let branch = head.symbolic_target().ok().flatten().map(str::to_owned);
        let oid = match &branch {
            Some(name) => self.find_ref(name)?,
            None => head.target().map(from_git).transpose()?,
        };
        Ok(Head { branch, oid })
    }

    fn find_ref(&self, name: &str) -> Read<Option<Oid>> {
        let found = match self.git.find_reference(name) {
            Ok(reference) => reference,
            Err(error) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::InvalidSpec) => {
                return Ok(None);
            }
            Err(error) => return Err(failed(&format!("the ref `{name}`"), &error)),
        };
        // libgit2 resolves what is direct already by reading it once more.
        let nothing = || git2::Error::from_str("it names no object");
        let direct = match found.target() {
            Some(oid) => Ok(oid),
            None => found.resolve().and_then(|direct| direct.target().ok_or_else(nothing)),
        };
        match direct.and_then(|oid| self.commit_at(oid)) {
            Ok(commit) => commit.map(from_git).transpose(),
            Err(error)
                if error.code() == ErrorCode::NotFound
                    && found.symbolic_target().ok().flatten().is_some() =>
            {
                Ok(None)
            }
            Err(error) => Err(failed(&format!("the ref `{name}`"), &error)),
        }
    }

    fn symbolic_ref(&self, name: &str) -> Read<Option<String>> {
        match self.git.find_reference(name) {
            Ok(reference) => Ok(reference.symbolic_target().ok().flatten().map(str::to_owned)),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(failed(&format!("the ref `{name}`"), &error)),
        }
    }

    fn ref_target(&self, name: &str) -> Read<Option<RefTarget>> {
        match self.git.find_reference(name) {
            Ok(reference) => match reference.target() {
                Some(oid) => Ok(Some(RefTarget::Object(from_git(oid)?))),
                None => Ok(Some(RefTarget::Symbolic)),
            },
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(failed(&format!("the ref `{name}`"), &error)),
        }
    }

    fn ref_names(&self, prefix: &str) -> Read<Vec<String>> {
        let read = || -> Result<Vec<String>, git2::Error> {
            let mut names = Vec::new();
            for name in self.git.references_glob(&format!("{prefix}*"))?.names() {
                names.push(name?.to_owned());
            }
            names.sort();
            Ok(names)
        };
        read().map_err(|error| failed(&format!("the refs below {prefix}"), &error))
    }

    fn peel(&self, oid: Oid) -> Read<Option<Oid>> {
        let commit = self
            .commit_at(Self::to_git(oid)?)
            .map_err(|error| failed(&format!("the object {oid}"), &error))?;
        commit.map(from_git).transpose()
    }

    fn resolve(&self, expression: &str) -> Read<Oid> {
        let found = self.git.revparse_single(expression);
        match found.and_then(|object| object.peel(ObjectType::Commit)) {
            Ok(commit) => from_git(commit.id()),
            Err(error) => Err(Unavailable::new(
                format!("`{expression}` names no commit here: {}", error.message()),
                format!(
                    "git rev-parse --verify '{expression}^{{commit}}' shows what git makes of it; git fetch may bring it"
                ),
            )),
        }
    }

    fn commit(&self, oid: Oid) -> Read<RawCommit> {
        if let Some(known) = self.commits.borrow().get(&oid) {
            return Ok(known.clone());
        }
        let bytes = self.commit_bytes(oid)?;
        // libgit2 takes some that git would not write.
        let mut commit = raw_commit::parse(&bytes).map_or_else(|| self.lenient_commit(oid), Ok)?;
        if self.is_shallow() {
            commit.parents.retain(|parent| self.has(*parent));
        }
        let mut commits = self.commits.borrow_mut();
        if commits.len() < REMEMBERED && commit.message.len() < SHORT {
            commits.insert(oid, commit.clone());
        }
        Ok(commit)
    }

    fn commit_bytes(&self, oid: Oid) -> Read<Vec<u8>> {
        let read = || -> Result<Option<Vec<u8>>, git2::Error> {
            let objects = self.git.odb()?;
            let object = objects.read(git2::Oid::from_bytes(oid.as_bytes())?)?;
            Ok((object.kind() == ObjectType::Commit).then(|| object.data().to_vec()))
        };
        let what = format!("the commit {oid}");
        match read().map_err(|error| failed(&what, &error))? {
            Some(bytes) => Ok(bytes),
            None => Err(Unavailable::new(format!("{what} is no commit"), "git fsck says more")),
        }
    }

    fn merge_base(&self, base: Oid, tips: &[Oid]) -> Read<Option<Oid>> {
        if let Some(told) = self.merge_base_by_graph(base, tips) {
            return Ok(told);
        }
        let mut all = vec![Self::to_git(base)?];
        for tip in tips {
            all.push(Self::to_git(*tip)?);
        }
        match self.git.merge_base_many(&all) {
            Ok(oid) => from_git(oid).map(Some),
            Err(error) if error.code() == ErrorCode::NotFound => {
                // The same code is given for a missing commit.
                for oid in std::iter::once(base).chain(tips.iter().copied()) {
                    self.commit(oid)?;
                }
                Ok(None)
            }
            Err(error) => Err(failed("the merge base", &error)),
        }
    }

    fn merge_bases(&self, one: Oid, two: Oid) -> Read<Vec<Oid>> {
        if let Some(told) = self.merge_base_by_graph(one, &[two]) {
            return Ok(told.into_iter().collect());
        }
        match self.git.merge_bases(Self::to_git(one)?, Self::to_git(two)?) {
            Ok(oids) => oids.iter().copied().map(from_git).collect(),
            Err(error) if error.code() == ErrorCode::NotFound => {
                // The same code is given for a missing commit.
                self.commit(one).and_then(|_| self.commit(two)).map(|_| Vec::new())
            }
            Err(error) => Err(failed("the merge bases", &error)),
        }
    }

    fn merged(&self, ours: Oid, theirs: Oid) -> Read<(Oid, Vec<RepoPath>)> {
        let merge = || -> Result<(git2::Oid, Vec<RepoPath>), git2::Error> {
            self.keep_writes_in_memory()?;
            let commit = |oid: Oid| self.git.find_commit(git2::Oid::from_bytes(oid.as_bytes())?);
            let mut index = self.git.merge_commits(&commit(ours)?, &commit(theirs)?, None)?;
            let mut open = Vec::new();
            for conflict in index.conflicts()? {
                let conflict = conflict?;
                let sides = [conflict.ancestor, conflict.our, conflict.their];
                open.extend(sides.into_iter().flatten().map(|entry| RepoPath(entry.path)));
            }
            open.sort();
            open.dedup();
            for path in &open {
                index.conflict_remove(&path_of(&path.0))?;
            }
            Ok((index.write_tree_to(&self.git)?, open))
        };
        let (tree, open) = merge().map_err(|error| failed("what a merge would make", &error))?;
        Ok((from_git(tree)?, open))
    }

    fn commits(&self, include: &[Oid], exclude: &[Oid]) -> Read<Vec<Oid>> {
        let walk = || -> Result<Vec<git2::Oid>, git2::Error> {
            let mut walk = self.git.revwalk()?;
            walk.set_sorting(git2::Sort::TOPOLOGICAL | git2::Sort::REVERSE)?;
            for oid in include {
                walk.push(git2::Oid::from_bytes(oid.as_bytes())?)?;
            }
            for oid in exclude {
                walk.hide(git2::Oid::from_bytes(oid.as_bytes())?)?;
            }
            walk.collect()
        };
        let oids = walk().map_err(|error| failed("the history of the change", &error))?;
        oids.into_iter().map(from_git).collect()
    }

    fn tips(&self, prefix: &str) -> Read<Vec<Oid>> {
        let read = || -> Result<Vec<git2::Oid>, git2::Error> {
            let mut oids = Vec::new();
            for reference in self.git.references_glob(&format!("{prefix}*"))? {
                if let Ok(commit) = reference?.peel_to_commit() {
                    oids.push(commit.id());
                }
            }
            Ok(oids)
        };
        let oids = read().map_err(|error| failed(&format!("the refs below {prefix}"), &error))?;
        oids.into_iter().map(from_git).collect()
    }

    fn budget(&self) -> &Budget {
        &self.budget
    }

    fn header(&self, oid: Oid) -> Read<(Kind, usize)> {
        let read = || self.git.odb()?.read_header(git2::Oid::from_bytes(oid.as_bytes())?);
        let (size, kind) = read().map_err(|error| failed(&format!("the object {oid}"), &error))?;
        let kind = match kind {
            ObjectType::Tree => Kind::Tree,
            ObjectType::Blob => Kind::Blob,
            ObjectType::Tag => Kind::Tag,
            ObjectType::Commit | ObjectType::Any => Kind::Commit,
        };
        Ok((kind, size))
    }

    fn tag_target(&self, oid: Oid) -> Read<Oid> {
        let tag = self.git.find_tag(Self::to_git(oid)?);
        from_git(tag.map_err(|error| failed(&format!("the tag {oid}"), &error))?.target_id())
    }

    fn raw_tree(&self, oid: Oid) -> Read<RawTree> {
        let read = || -> Result<Option<Read<RawTree>>, git2::Error> {
            let objects = self.git.odb()?;
            let object = objects.read(git2::Oid::from_bytes(oid.as_bytes())?)?;
            Ok((object.kind() == ObjectType::Tree).then(|| RawTree::new(oid, object.data())))
        };
        read().map_err(|error| failed(&format!("the tree {oid}"), &error))?.unwrap_or_else(|| {
            let help = "git fsck shows whether the repository is damaged";
            Err(Unavailable::new(format!("the object {oid} is no tree"), help))
        })
    }

    fn blob(&self, oid: Oid) -> Read<Vec<u8>> {
        let blob = self
            .git
            .find_blob(Self::to_git(oid)?)
            .map_err(|error| failed(&format!("the file contents {oid}"), &error))?;
        Ok(blob.content().to_vec())
    }

    fn has(&self, oid: Oid) -> bool {
        let found = || -> Result<bool, git2::Error> {
            Ok(self.git.odb()?.exists(git2::Oid::from_bytes(oid.as_bytes())?))
        };
        found().unwrap_or(false)
    }

    fn index_tree(&self, index: &Path) -> Read<Oid> {
        let build = || -> Result<git2::Oid, git2::Error> {
            let mut index = git2::Index::open(index)?;
            let intended: Vec<Vec<u8>> = index
                .iter()
                .filter(|entry| {
                    let extended = git2::IndexEntryExtendedFlag::from_bits_truncate(entry.flags_extended);
                    extended.contains(git2::IndexEntryExtendedFlag::INTENT_TO_ADD)
                })
                .map(|entry| entry.path)
                .collect();
            for path in intended {
                index.remove(&path_of(&path), 0)?;
            }
            self.keep_writes_in_memory()?;
            index.write_tree_to(&self.git)
        };
        match build() {
            Ok(oid) => from_git(oid),
            Err(error) if error.code() == ErrorCode::Unmerged => Err(Unavailable::new(
                "the index has unmerged paths",
                "solve the conflicts and `git add` the files; git status lists them",
            )),
            Err(error) => {
                let help = match error.message() {
                    text if text.contains("'link'") || text.contains("'sdir'") || text.contains("sparse") => {
                        "libgit2 reads no split or sparse index; git does, if it is on the PATH: unset LANE_GIT_BACKEND"
                    }
                    _ => {
                        "if it is damaged: move the file away and run `git reset` (the working tree stays as it is)"
                    }
                };
                let place = index.display();
                Err(Unavailable::new(format!("the index {place} cannot be read: {}", error.message()), help))
            }
        }
    }

    fn worktree_tree(&self) -> Read<Oid> {
        let build = || -> Result<git2::Oid, git2::Error> {
            self.keep_writes_in_memory()?;
            let mut index = self.git.index()?;
            // libgit2 would take what a sparse checkout leaves out for deleted.
            let is_left_out = |entry: git2::IndexEntry| {
                let extended = git2::IndexEntryExtendedFlag::from_bits_truncate(entry.flags_extended);
                extended.contains(git2::IndexEntryExtendedFlag::SKIP_WORKTREE)
            };
            if index.iter().any(is_left_out) {
                return Err(git2::Error::from_str(
                    "it is a sparse checkout, which only git reads (LANE_GIT_BACKEND)",
                ));
            }
            index.add_all(["*"], git2::IndexAddOption::DEFAULT, None)?;
            index.update_all(["*"], None)?;
            index.write_tree()
        };
        build().map_err(|error| failed("the working tree", &error)).and_then(from_git)
    }

    fn line_diff(&self, old: &[u8], new: &[u8]) -> Read<(u64, u64)> {
        line_diff(old, new)
    }

    fn blob_id(&self, bytes: &[u8]) -> Read<Oid> {
        blob_id(bytes)
    }

    fn is_shallow(&self) -> bool {
        *self.is_shallow.get_or_init(|| self.git.is_shallow())
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
