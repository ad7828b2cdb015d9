//! A repository read through git's own plumbing: whatever format git itself opens. Slower than in process,
//! since every question starts a git or waits for one; so it is asked where the other backend cannot answer.

mod batch;
mod config;
mod history;
mod objects;
mod open;
mod process;
mod refs;
mod staged;
mod write;

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::path::Path;

use self::config::Config;
use self::objects::Objects;
use self::process::Git;
use super::budget::Budget;
use super::git2_repo;
use super::raw_commit;
use super::raw_tree::RawTree;
use super::repository::{Head, Kind, Layout, RawCommit, Read, RefTarget, Repository};
use lane_core::facts::{Oid, RepoPath};

/// A repository read through git's commands. None of them writes into it, unless an object is to be written.
pub struct Plumbing {
    git: Git,
    layout: Layout,
    objects: Objects,
    /// Read when it is first asked for.
    config: OnceCell<Config>,
    is_shallow: bool,
    budget: Budget,
}

impl Plumbing {
    /// Opens the repository around the current folder, or the one that git names in the environment
    /// of a hook.
    ///
    /// # Errors
    /// There is none, there is no git on the PATH, or git cannot read its format.
    pub fn open() -> Read<Self> {
        open::open(Git::new(None))
    }

    /// Opens the repository in a folder, whatever the environment says.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_at(folder: &Path) -> Read<Self> {
        open::open(Git::new(Some(folder)))
    }

    fn whole_config(&self) -> Read<&Config> {
        match self.config.get() {
            Some(config) => Ok(config),
            None => {
                let config = Config::read(&self.git)?;
                Ok(self.config.get_or_init(|| config))
            }
        }
    }
}

impl Repository for Plumbing {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn config(&self, key: &str) -> Read<Vec<String>> {
        Ok(self.whole_config()?.values(key))
    }

    fn has_config(&self, pattern: &str) -> Read<bool> {
        config::has(&self.git, pattern)
    }

    fn head(&self) -> Read<Head> {
        let branch = self.symbolic_ref("HEAD")?;
        let oid = match &branch {
            Some(name) => self.find_ref(name)?,
            None => self.ref_object("HEAD")?,
        };
        Ok(Head { branch, oid })
    }

    fn find_ref(&self, name: &str) -> Read<Option<Oid>> {
        match self.ref_object(name)? {
            Some(oid) => self.peel(oid),
            None => Ok(None),
        }
    }

    fn symbolic_ref(&self, name: &str) -> Read<Option<String>> {
        refs::symbolic(&self.git, name)
    }

    fn ref_target(&self, name: &str) -> Read<Option<RefTarget>> {
        if self.symbolic_ref(name)?.is_some() {
            return Ok(Some(RefTarget::Symbolic));
        }
        Ok(self.ref_object(name)?.map(RefTarget::Object))
    }

    fn ref_names(&self, prefix: &str) -> Read<Vec<String>> {
        refs::names(&self.git, prefix)
    }

    fn peel(&self, oid: Oid) -> Read<Option<Oid>> {
        let what = format!("the object {oid}");
        let peeled = self.objects.peeled(&self.git, &[oid]);
        match peeled.map_err(|why| self.unpromised(why, &what, oid))?.as_slice() {
            [Some(commit)] => Ok(*commit),
            _ => Err(self.missing(&what, oid)),
        }
    }

    fn resolve(&self, expression: &str) -> Read<Oid> {
        history::resolve(&self.git, expression)
    }

    fn commit(&self, oid: Oid) -> Read<RawCommit> {
        let bytes = self.commit_bytes(oid)?;
        let what = format!("the commit {oid}");
        let mut commit = raw_commit::parse(&bytes)
            .ok_or_else(|| process::command_error(&what, "it is not a valid commit"))?;
        if self.is_shallow {
            if self.shallow_edge()?.contains(&oid) {
                commit.parents.clear();
            }
            commit.parents.retain(|parent| self.has(*parent));
        }
        Ok(commit)
    }

    fn commit_bytes(&self, oid: Oid) -> Read<Vec<u8>> {
        self.object(oid, "commit", &format!("the commit {oid}"))
    }

    fn merge_base(&self, base: Oid, tips: &[Oid]) -> Read<Option<Oid>> {
        Ok(history::merge_bases(&self.git, false, base, tips)?.into_iter().next())
    }

    fn merge_bases(&self, one: Oid, two: Oid) -> Read<Vec<Oid>> {
        history::merge_bases(&self.git, true, one, &[two])
    }

    fn merged(&self, ours: Oid, theirs: Oid) -> Read<(Oid, Vec<RepoPath>)> {
        self.with_scratch()?;
        history::merged(&self.git, ours, theirs)
    }

    fn commits(&self, include: &[Oid], exclude: &[Oid]) -> Read<Vec<Oid>> {
        history::commits(&self.git, include, exclude)
    }

    fn tips(&self, prefix: &str) -> Read<Vec<Oid>> {
        let named: BTreeSet<Oid> = refs::objects(&self.git, prefix)?.into_iter().collect();
        // As with the other backend, a ref that leads nowhere adds nothing.
        let commits = self.objects.peeled(&self.git, &Vec::from_iter(named))?;
        let tips: BTreeSet<Oid> = commits.into_iter().flatten().flatten().collect();
        Ok(tips.into_iter().collect())
    }

    fn budget(&self) -> &Budget {
        &self.budget
    }

    fn header(&self, oid: Oid) -> Read<(Kind, usize)> {
        self.object_header(oid)
    }

    fn tag_bytes(&self, oid: Oid) -> Read<Vec<u8>> {
        self.object(oid, "tag", &format!("the tag {oid}"))
    }

    fn tag_target(&self, oid: Oid) -> Read<Oid> {
        let what = format!("the tag {oid}");
        let bytes = self.object(oid, "tag", &what)?;
        let line = bytes.split(|byte| *byte == b'\n').next().and_then(|line| line.strip_prefix(b"object "));
        let target = line.and_then(|hex| Oid::from_hex(std::str::from_utf8(hex).ok()?));
        target.ok_or_else(|| process::command_error(&what, "it is not a valid tag"))
    }

    fn raw_tree(&self, oid: Oid) -> Read<RawTree> {
        RawTree::new(oid, &self.object(oid, "tree", &format!("the tree {oid}"))?)
    }

    fn blob(&self, oid: Oid) -> Read<Vec<u8>> {
        self.object(oid, "blob", &format!("the file contents {oid}"))
    }

    fn has(&self, oid: Oid) -> bool {
        self.objects.has(&self.git, oid)
    }

    fn index_tree(&self, index: &Path) -> Read<Oid> {
        self.with_scratch()?;
        staged::index_tree(self, index)
    }

    fn worktree_tree(&self) -> Read<Oid> {
        self.with_scratch()?;
        staged::worktree_tree(self)
    }

    fn line_diff(&self, old: &[u8], new: &[u8]) -> Read<(u64, u64)> {
        git2_repo::line_diff(old, new)
    }

    fn blob_id(&self, bytes: &[u8]) -> Read<Oid> {
        self.objects.blob_id(bytes)
    }

    fn is_shallow(&self) -> bool {
        self.is_shallow
    }
}
