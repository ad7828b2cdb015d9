//! A log and how it is read: refs and commits, through the repository.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::time::Duration;

use super::fault::{Fault, RefFault};
use super::guard::Guard;
use super::local_files::{Floor, LocalFiles};
use super::mirror::Divergence;
use super::namespace::Namespace;
use super::record::{Head, LogRecord};
use super::refs::descends_from;
use lane_core::error::Error;
use lane_core::facts::Oid;
use lane_core::policy::Plan;
use lane_git::{ObjectWriter, RefTarget, Repository};

/// The records of one kind in one repository.
pub struct EventLog<'a, R> {
    pub(super) namespace: Namespace<'a>,
    pub(super) repo: &'a dyn Repository,
    pub(super) files: LocalFiles,
    /// What is wrong with the remote's refs, by the last part of their names.
    diverged: RefCell<BTreeMap<String, Divergence>>,
    /// What did not work out and stops nothing.
    pub(super) notes: RefCell<Vec<String>>,
    record: PhantomData<R>,
}

impl<'a, R: LogRecord> EventLog<'a, R> {
    /// The log of a repository. Nothing is read yet.
    pub fn new(repo: &'a dyn Repository, plan: &Plan) -> Self {
        let namespace = Namespace::new(repo, R::remote(repo, plan), R::prefix(&plan.policy.locks), R::KIND);
        let files = LocalFiles::of(namespace.common_dir(), R::KIND).read_only(namespace.is_served());
        let (diverged, notes) = (RefCell::default(), RefCell::default());
        Self { namespace, repo, files, diverged, notes, record: PhantomData }
    }

    /// The repository.
    pub fn repo(&self) -> &'a dyn Repository {
        self.repo
    }

    /// What is kept beside it.
    pub(crate) fn files(&self) -> &LocalFiles {
        &self.files
    }

    /// What did not work out and stops nothing; told once.
    pub fn take_notes(&self) -> Vec<String> {
        self.notes.take()
    }

    /// The remote's name.
    pub fn remote_name(&self) -> Option<&str> {
        self.namespace.configured_remote().map(|remote| remote.name.as_str())
    }

    /// Whether it lies in this repository, and on no remote.
    pub fn is_here(&self) -> bool {
        self.namespace.is_here()
    }

    /// Whether this is the bare repository that others push it to.
    pub fn is_served(&self) -> bool {
        self.namespace.is_served()
    }

    /// Makes sure that it may be written from here.
    ///
    /// # Errors
    /// This is the bare repository that others push it to.
    pub fn check_writable(&self) -> Result<(), Error> {
        self.namespace.check_writable()
    }

    /// What writes objects to the disk.
    ///
    /// # Errors
    /// The repository cannot be opened, or nothing is written in it.
    pub fn writer(&self) -> Result<&dyn ObjectWriter, Error> {
        self.namespace.writer()
    }

    /// Has nobody else move its refs here, where they lie here: `None` as for [`LocalFiles::guard`], and where a remote
    /// decides.
    ///
    /// # Errors
    /// The guard's file cannot be written.
    pub(crate) fn guard(&self) -> Result<Option<Guard>, Error> {
        if self.is_here() { self.files.guard() } else { Ok(None) }
    }

    /// Waits so long for a remote, and no longer.
    pub fn set_patience(&mut self, limit: Duration) {
        self.namespace.set_patience(limit);
    }

    /// The last part of the name of a key's ref.
    ///
    /// # Errors
    /// Nothing can be hashed.
    pub fn ref_part(&self, key: &str) -> Result<String, Error> {
        R::ref_part(self.repo, key)
    }

    /// The full name of the ref that speaks for a key, wherever it lies.
    ///
    /// # Errors
    /// Nothing can be hashed.
    pub fn reference(&self, key: &str) -> Result<String, Error> {
        Ok(self.full_name(&self.ref_part(key)?))
    }

    /// The full name of a ref whose name ends so, wherever it lies.
    pub fn full_name(&self, part: &str) -> String {
        self.namespace.reference(part)
    }

    /// The full name of a ref whose name ends so, where it is read here.
    ///
    /// # Errors
    /// Nothing can be hashed.
    pub fn local_reference(&self, part: &str) -> Result<String, Error> {
        Ok(format!("{}/{part}", self.namespace.view()?))
    }

    /// The last parts of the names of all refs that are known here.
    ///
    /// # Errors
    /// The refs cannot be listed.
    pub fn ref_parts(&self) -> Result<Vec<String>, Error> {
        let view = self.local_reference("")?;
        Ok(self.repo.ref_names(&view)?.into_iter().map(|name| name[view.len()..].to_owned()).collect())
    }

    /// The last event of a ref that was noted here; nothing where a remote has the log.
    pub(crate) fn floor(&self, part: &str) -> Option<Floor> {
        if self.is_here() { self.files.floor(part) } else { None }
    }

    /// Reads the remote's refs again; true where something is new here. Nothing to do where they lie here.
    ///
    /// A ref that was there and is gone, or that does not come from what it was, is never taken for one that never
    /// was: whoever reads it is told so.
    ///
    /// # Errors
    /// The remote cannot be reached.
    pub fn refresh(&self) -> Result<bool, Error> {
        let Some(remote) = self.namespace.remote()? else {
            return Ok(false);
        };
        let (diverged, is_new) = self.namespace.mirror(remote, &self.files)?.refresh()?;
        *self.diverged.borrow_mut() = diverged;
        Ok(is_new)
    }

    /// Whether all that was last heard of the remote is noted here.
    pub fn is_current(&self) -> bool {
        self.diverged.borrow().is_empty() && self.notes.borrow().is_empty()
    }

    /// Whether the remote's ref of that name does not follow from what it was.
    pub fn has_diverged(&self, part: &str) -> bool {
        self.diverged.borrow().contains_key(part)
    }

    /// The head of a key as it is known here; `None` if there never was one.
    ///
    /// # Errors
    /// There is a ref, and it holds no record; or the ref was taken away or moved back.
    pub fn read(&self, key: &str) -> Result<Option<Head<R>>, Error> {
        let part = self.ref_part(key)?;
        let name = self.local_reference(&part)?;
        // In this order: what is noted is never newer than the ref.
        let floor = self.floor(&part);
        let head = self.read_ref(&name, Some(key))?;
        if let Some(floor) = floor {
            self.check_floor(&name, &floor, head.as_ref())?;
        }
        Ok(head)
    }

    /// Notes a head whose ref was moved together with others, here.
    ///
    /// # Errors
    /// Nothing can be hashed.
    pub(crate) fn keep_last(&self, head: &Head<R>) -> Result<(), Error> {
        let part = self.ref_part(head.record.key())?;
        let floor = Floor { oid: head.oid.to_string(), generation: head.record.generation() };
        self.files.keep_floor(&part, &floor);
        Ok(())
    }

    /// Refuses a ref that was taken away, or moved back: whoever was there last may still go by it, and
    /// generations must not be given out again.
    fn check_floor(&self, name: &str, floor: &Floor, head: Option<&Head<R>>) -> Result<(), Error> {
        let last = Oid::from_hex(&floor.oid).filter(|last| self.repo.has(*last));
        let what = match (head, last) {
            (Some(head), last)
                if head.record.generation() < floor.generation
                    || last
                        .is_some_and(|last| last != head.oid && descends_from(self.repo, last, head.oid)) =>
            {
                RefFault::MovedBack(head.oid, floor)
            }
            (None, Some(_)) => RefFault::Gone(floor),
            _ => return Ok(()),
        };
        Err(self.fault(name, last, what))
    }

    /// The head that a ref holds, whatever was noted of it. `key`: the one it has to speak for.
    ///
    /// # Errors
    /// The ref holds none.
    pub fn read_ref(&self, name: &str, key: Option<&str>) -> Result<Option<Head<R>>, Error> {
        let fault = |what| self.fault(name, self.last(name), what);
        let part = name.strip_prefix(&self.local_reference("")?).unwrap_or_default();
        if let Some(divergence) = self.diverged.borrow().get(part) {
            return Err(fault(RefFault::Diverged(*divergence)));
        }
        match self.repo.ref_target(name)? {
            None => Ok(None),
            Some(RefTarget::Object(oid)) => match self.head(oid, key) {
                Ok(head) => Ok(Some(head)),
                Err(reason) => Err(fault(RefFault::NoRecord(oid, &reason))),
            },
            Some(RefTarget::Symbolic) => Err(fault(RefFault::Symbolic)),
        }
    }

    /// The record in a commit.
    fn head(&self, oid: Oid, key: Option<&str>) -> Result<Head<R>, String> {
        Ok(self.head_and_parent(oid, key)?.0)
    }

    /// The record in a commit, and the event before it.
    fn head_and_parent(&self, oid: Oid, key: Option<&str>) -> Result<(Head<R>, Option<Oid>), String> {
        key.map_or(Ok(()), R::check_key)?;
        let commit = self.repo.commit(oid).map_err(|why| why.reason)?;
        let record = R::parse(&commit.message, key)?;
        let files = record.read_files(self.repo, commit.tree)?;
        Ok((Head { oid, record, files }, commit.parents.first().copied()))
    }

    /// The last event of a ref that was noted here and is still in the repository.
    pub(super) fn last(&self, name: &str) -> Option<Oid> {
        let floor = self.floor(name.rsplit('/').next().unwrap_or_default())?;
        Oid::from_hex(&floor.oid).filter(|last| self.repo.has(*last))
    }

    pub(super) fn fault(&self, name: &str, last: Option<Oid>, what: RefFault<'_>) -> Error {
        let there = self.full_name(name.rsplit('/').next().unwrap_or_default());
        R::describe(&Fault { kind: what, name, ref_name: &there, remote: self.remote_name(), last })
    }

    /// The chain of a key, newest first, until `stop` has seen enough. Each with its commit.
    ///
    /// # Errors
    /// A commit of the chain is missing, or no record.
    pub fn walk(&self, head: &Head<R>, mut stop: impl FnMut(&Head<R>) -> bool) -> Result<(), Error> {
        let (mut at, key) = (head.clone(), head.record.key());
        let mut parent = self.repo.commit(at.oid)?.parents.first().copied();
        while !stop(&at) {
            let Some(below) = parent else {
                return Ok(());
            };
            match self.head_and_parent(below, Some(key)) {
                Ok(found) => (at, parent) = found,
                Err(reason) => {
                    let name = self.reference(key)?;
                    return Err(self.fault(&name, self.last(&name), RefFault::NoRecordBelow(below, &reason)));
                }
            }
        }
        Ok(())
    }
}
