//! A repository that is read in process where that is possible, and by git where it is not.

use std::cell::{OnceCell, RefCell};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use super::budget::Budget;
use super::git2_repo::Git2Repository;
use super::plumbing::Plumbing;
use super::raw_tree::RawTree;
use super::recent_trees::RecentTrees;
use super::repository::{Head, Kind, Layout, ObjectWriter, RawCommit, Read, RefTarget, Repository};
use lane_core::error::Error;
use lane_core::facts::{Cause, Oid, RepoPath, Unavailable};

/// The variable that says who is to read.
const VARIABLE: &str = "LANE_GIT_BACKEND";

/// How often a tag may be one of a tag.
const NESTED: usize = 1000;

/// Who may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Backend {
    /// libgit2, and git for what it cannot.
    Either,
    Git2,
    Git,
}

/// An open repository.
pub struct GitRepo {
    /// libgit2's, where it can open the repository and may.
    first: Option<Git2Repository>,
    /// git's: the only one, or opened when the first one fails.
    second: OnceCell<Plumbing>,
    may_ask_git: bool,
    layout: Layout,
    /// The folder that it was opened in; `None`: as the environment says.
    folder: Option<PathBuf>,
    trees: RefCell<RecentTrees>,
    /// The commits that tag objects lead to.
    tags: RefCell<FxHashMap<Oid, Option<Oid>>>,
    budget: Budget,
}

impl GitRepo {
    /// Opens the repository around the current folder, or the one that git names in the environment
    /// of a hook.
    ///
    /// # Errors
    /// There is none, or neither libgit2 nor git can open it; or `LANE_GIT_BACKEND` is neither `git2` nor `git`.
    pub fn open() -> Read<Self> {
        Self::new(None)
    }

    /// Opens the repository in a folder, whatever the environment says.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_at(folder: &Path) -> Read<Self> {
        Self::new(Some(folder))
    }

    fn new(folder: Option<&Path>) -> Read<Self> {
        let choice = choice(std::env::var_os(VARIABLE).as_deref())?;
        let by_git = || folder.map_or_else(Plumbing::open, Plumbing::open_at);
        let by_git2 = || folder.map_or_else(Git2Repository::open, Git2Repository::open_at);
        let layout_of = |repo: &dyn Repository| repo.layout().clone();
        let of_git2 = |first: Git2Repository| Self {
            layout: layout_of(&first),
            first: Some(first),
            second: OnceCell::new(),
            may_ask_git: choice != Backend::Git2,
            folder: folder.map(Path::to_owned),
            trees: RefCell::default(),
            tags: RefCell::default(),
            budget: Budget::default(),
        };
        let of_git = |second: Plumbing| Self {
            layout: layout_of(&second),
            first: None,
            second: OnceCell::from(second),
            may_ask_git: true,
            folder: folder.map(Path::to_owned),
            trees: RefCell::default(),
            tags: RefCell::default(),
            budget: Budget::default(),
        };
        match choice {
            Backend::Git => by_git().map(of_git),
            Backend::Git2 => {
                let first = by_git2()?;
                match first.misread() {
                    Some(why) => {
                        let help =
                            format!("let git read it: unset {VARIABLE}\n{}", why.help.unwrap_or_default());
                        Err(Unavailable::new(why.reason, help))
                    }
                    None => Ok(of_git2(first)),
                }
            }
            Backend::Either => match by_git2() {
                Ok(first) if first.misread().is_none() => Ok(of_git2(first)),
                Ok(_) => by_git().map(of_git),
                Err(why) => match by_git() {
                    Ok(second) => Ok(of_git(second)),
                    Err(other) if other.cause == Cause::NoGit => Err(Unavailable::new(
                        format!("{}; {}", why.reason, other.reason),
                        other.help.unwrap_or_default(),
                    )),
                    Err(other) => Err(other),
                },
            },
        }
    }

    /// Whether `LANE_GIT_BACKEND` means anything, for commands that get along without a repository.
    ///
    /// # Errors
    /// It does not.
    pub fn check_choice() -> Read<()> {
        choice(std::env::var_os(VARIABLE).as_deref()).map(|_| ())
    }

    /// Gives up the repository at the end of a process: what the system reverts anyway is not freed piece by piece.
    pub fn abandon(self) {
        std::mem::forget((self.first, self.trees));
    }

    /// Who read so far, in words.
    pub fn reader(&self) -> &'static str {
        match (&self.first, self.second.get()) {
            (Some(_), None) => "git2",
            (Some(_), Some(_)) => "git2, and git for what git2 cannot read",
            (None, _) => "git",
        }
    }

    fn git(&self) -> Read<&Plumbing> {
        match self.second.get() {
            Some(second) => Ok(second),
            None => {
                let second = self.folder.as_deref().map_or_else(Plumbing::open, Plumbing::open_at)?;
                Ok(self.second.get_or_init(|| second))
            }
        }
    }

    /// Asks libgit2, and git where that fails.
    fn ask<T>(&self, question: impl Fn(&dyn Repository) -> Read<T>) -> Read<T> {
        let Some(first) = &self.first else {
            return question(self.git()?);
        };
        match question(first) {
            Err(why) if self.may_ask_git => match self.git() {
                Ok(git) => question(git),
                Err(_) => Err(why),
            },
            answer => answer,
        }
    }

    fn writer(&self) -> Read<&dyn ObjectWriter> {
        match &self.first {
            Some(first) => Ok(first),
            None => Ok(self.git()?),
        }
    }
}

fn choice(said: Option<&OsStr>) -> Read<Backend> {
    match said.map(OsStr::as_encoded_bytes) {
        None | Some(b"") => Ok(Backend::Either),
        Some(b"git2") => Ok(Backend::Git2),
        Some(b"git") => Ok(Backend::Git),
        Some(other) => Err(Unavailable::new(
            format!("{VARIABLE} is `{}`, which is not a backend", String::from_utf8_lossy(other)),
            format!(
                "choose automatically: unset {VARIABLE}\nor choose: {VARIABLE}=git2 (in process), {VARIABLE}=git (git's own commands)"
            ),
        )),
    }
}

impl Repository for GitRepo {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn config(&self, key: &str) -> Read<Vec<String>> {
        self.ask(|repo| repo.config(key))
    }

    fn has_config(&self, pattern: &str) -> Read<bool> {
        self.ask(|repo| repo.has_config(pattern))
    }

    fn head(&self) -> Read<Head> {
        self.ask(|repo| repo.head())
    }

    fn find_ref(&self, name: &str) -> Read<Option<Oid>> {
        self.ask(|repo| repo.find_ref(name))
    }

    fn symbolic_ref(&self, name: &str) -> Read<Option<String>> {
        self.ask(|repo| repo.symbolic_ref(name))
    }

    fn ref_target(&self, name: &str) -> Read<Option<RefTarget>> {
        self.ask(|repo| repo.ref_target(name))
    }

    fn ref_names(&self, prefix: &str) -> Read<Vec<String>> {
        self.ask(|repo| repo.ref_names(prefix))
    }

    /// Nothing is read but tags of a usual size: whoever pushes may name anything.
    fn peel(&self, oid: Oid) -> Read<Option<Oid>> {
        let (mut tags, mut at) = (Vec::new(), oid);
        let commit = loop {
            if let Some(known) = self.tags.borrow().get(&at) {
                break *known;
            }
            match self.header(at)? {
                (Kind::Commit, _) => break Some(at),
                (Kind::Tree | Kind::Blob, _) => break None,
                (Kind::Tag, size) => self.budget.text(self, "tag", at, size)?,
            }
            if tags.len() >= NESTED {
                return Err(Unavailable::new(
                    format!("the tag {oid} cannot be judged: it is a tag of a tag, more than {NESTED} times"),
                    "tag the commit directly",
                ));
            }
            tags.push(at);
            at = self.ask(|repo| repo.tag_target(at))?;
        };
        self.tags.borrow_mut().extend(tags.into_iter().map(|tag| (tag, commit)));
        Ok(commit)
    }

    fn resolve(&self, expression: &str) -> Read<Oid> {
        self.ask(|repo| repo.resolve(expression))
    }

    fn commit(&self, oid: Oid) -> Read<RawCommit> {
        self.ask(|repo| repo.commit(oid))
    }

    fn commit_bytes(&self, oid: Oid) -> Read<Vec<u8>> {
        self.ask(|repo| repo.commit_bytes(oid))
    }

    fn merge_base(&self, base: Oid, tips: &[Oid]) -> Read<Option<Oid>> {
        self.ask(|repo| repo.merge_base(base, tips))
    }

    fn merge_bases(&self, one: Oid, two: Oid) -> Read<Vec<Oid>> {
        self.ask(|repo| repo.merge_bases(one, two))
    }

    fn merged(&self, ours: Oid, theirs: Oid) -> Read<(Oid, Vec<RepoPath>)> {
        self.ask(|repo| repo.merged(ours, theirs))
    }

    fn commits(&self, include: &[Oid], exclude: &[Oid]) -> Read<Vec<Oid>> {
        self.ask(|repo| repo.commits(include, exclude))
    }

    fn tips(&self, prefix: &str) -> Read<Vec<Oid>> {
        self.ask(|repo| repo.tips(prefix))
    }

    fn budget(&self) -> &Budget {
        &self.budget
    }

    fn header(&self, oid: Oid) -> Read<(Kind, usize)> {
        self.ask(|repo| repo.header(oid))
    }

    fn tag_bytes(&self, oid: Oid) -> Read<Vec<u8>> {
        self.ask(|repo| repo.tag_bytes(oid))
    }

    fn tag_target(&self, oid: Oid) -> Read<Oid> {
        self.ask(|repo| repo.tag_target(oid))
    }

    fn raw_tree(&self, oid: Oid) -> Read<RawTree> {
        if let Some(known) = self.trees.borrow().of.get(&oid) {
            return Ok(known.clone());
        }
        let tree = if self.budget.limits_trees() {
            match self.ask(|repo| repo.small_tree(oid, self.budget.tree_bytes()))? {
                Some(tree) => tree,
                None => {
                    self.budget.charge(self, self.size(oid)?)?;
                    self.ask(|repo| repo.raw_tree(oid))?
                }
            }
        } else {
            self.ask(|repo| repo.raw_tree(oid))?
        };
        self.trees.borrow_mut().keep(oid, &tree);
        Ok(tree)
    }

    fn blob(&self, oid: Oid) -> Read<Vec<u8>> {
        self.ask(|repo| repo.blob(oid))
    }

    fn small_tree(&self, oid: Oid, most: usize) -> Read<Option<RawTree>> {
        self.ask(|repo| repo.small_tree(oid, most))
    }

    fn recent_blob(&self, oid: Oid, most: usize, is_text: bool) -> Read<Option<Vec<u8>>> {
        self.ask(|repo| repo.recent_blob(oid, most, is_text))
    }

    fn blob_start(&self, oid: Oid) -> Read<Vec<u8>> {
        self.ask(|repo| repo.blob_start(oid))
    }

    fn has(&self, oid: Oid) -> bool {
        match (&self.first, self.second.get()) {
            (Some(first), None) => first.has(oid),
            // What git made for us lies where only that git looks.
            (Some(first), Some(git)) => first.has(oid) || git.has(oid),
            (None, Some(git)) => git.has(oid),
            (None, None) => false,
        }
    }

    fn index_tree(&self, index: &Path) -> Read<Oid> {
        self.ask(|repo| repo.index_tree(index))
    }

    fn worktree_tree(&self) -> Read<Oid> {
        self.ask(|repo| repo.worktree_tree())
    }

    fn line_diff(&self, old: &[u8], new: &[u8]) -> Read<(u64, u64)> {
        self.ask(|repo| repo.line_diff(old, new))
    }

    fn blob_id(&self, bytes: &[u8]) -> Read<Oid> {
        self.ask(|repo| repo.blob_id(bytes))
    }

    fn is_shallow(&self) -> bool {
        self.first
            .as_ref()
            .map_or_else(|| self.second.get().is_some_and(Repository::is_shallow), Repository::is_shallow)
    }
}

impl ObjectWriter for GitRepo {
    fn write_commit(&self, raw: &[u8]) -> Result<Oid, Error> {
        self.writer()?.write_commit(raw)
    }

    fn write_empty_tree(&self) -> Result<Oid, Error> {
        self.writer()?.write_empty_tree()
    }

    fn write_blob(&self, bytes: &[u8]) -> Result<Oid, Error> {
        self.writer()?.write_blob(bytes)
    }

    fn write_tree_of(&self, name: &str, blob: Oid) -> Result<Oid, Error> {
        self.writer()?.write_tree_of(name, blob)
    }

    fn write_tree(&self, raw: &[u8]) -> Result<Oid, Error> {
        self.writer()?.write_tree(raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices() {
        for (said, meant) in [("", Backend::Either), ("git", Backend::Git), ("git2", Backend::Git2)] {
            assert_eq!(choice(Some(OsStr::new(said))).ok(), Some(meant), "{said}");
        }
        assert_eq!(choice(None).ok(), Some(Backend::Either));
        for said in ["Git", "gix", " git"] {
            assert!(choice(Some(OsStr::new(said))).is_err(), "{said}");
        }
    }
}
