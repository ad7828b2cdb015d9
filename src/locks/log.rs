//! The log of locks: a ref for each area, named by a hash.

use crate::event_log::{EventLog, Fault, Head, LogKind, LogRecord, RefFault};
use lane_core::error::Error;
use lane_core::facts::{Oid, Unavailable};
use lane_core::locks::record::LockRecord;
use lane_core::policy::model;
use lane_git::{ObjectWriter, Repository};

/// The locks of one repository, where they lie.
pub type LockLog<'a> = EventLog<'a, LockRecord>;
/// The last event of an area.
pub type LockHead = Head<LockRecord>;

/// The names and words of the log.
pub(super) const KIND: LogKind = LogKind {
    one: "lock",
    many: "locks",
    mirror: "refs/lane/remotes",
    folder: "lane/locks",
    unknown: "who holds what",
    list: "git lane locks",
    beside: "",
};

impl LogRecord for LockRecord {
    type Files = ();

    const KIND: &'static LogKind = &KIND;

    fn prefix(locks: &model::Locks) -> String {
        locks.locks_prefix().to_owned()
    }

    /// Sixteen hexadecimal digits: on some file systems `Common` and `common` would be one file.
    fn ref_part(repo: &dyn Repository, area: &str) -> Result<String, Error> {
        crate::event_log::hashed(repo, area)
    }

    fn key(&self) -> &str {
        &self.area
    }

    fn key_in_words(area: &str) -> String {
        format!("the lock `{area}`")
    }

    fn generation(&self) -> u64 {
        self.generation
    }

    fn check_key(_: &str) -> Result<(), String> {
        Ok(())
    }

    fn parse(message: &str, area: Option<&str>) -> Result<Self, String> {
        Self::parse(message, area)
    }

    fn read_files(&self, _: &dyn Repository, _: Oid) -> Result<(), String> {
        Ok(())
    }

    fn tree((): &(), writer: &dyn ObjectWriter) -> Result<Oid, Error> {
        writer.write_empty_tree()
    }

    fn commit(&self, tree: &str, parent: Option<&str>) -> Result<Vec<u8>, serde_json::Error> {
        self.commit(tree, parent)
    }

    fn describe(fault: &Fault<'_>) -> Error {
        let Fault { name, ref_name: there, .. } = *fault;
        match fault.kind {
            RefFault::Symbolic => no_lock(fault, name, None, "it points to another ref"),
            RefFault::NoRecord(oid, reason) => no_lock(fault, name, Some(oid), reason),
            RefFault::NoRecordBelow(oid, reason) => no_lock(fault, there, Some(oid), reason),
            RefFault::JustGone(old) => no_lock(fault, name, Some(old), "it disappeared a moment ago"),
            RefFault::Diverged(divergence) => match divergence.value_now() {
                Some(new) => no_lock(fault, there, Some(new), &divergence.words()),
                None => lost_ref_error(fault),
            },
            RefFault::MovedBack(to, floor) => {
                went_back(fault, &format!("was moved back to {}", to.short()), &floor.oid, floor.generation)
            }
            RefFault::Gone(floor) => went_back(fault, "is gone", &floor.oid, floor.generation),
        }
    }
}

/// A ref that was taken away, or moved back.
fn went_back(fault: &Fault<'_>, what: &str, last: &str, generation: u64) -> Error {
    let name = fault.name;
    let help = match fault.last {
        Some(last) => format!("restore it: git update-ref {name} {last}"),
        None => format!("its last event was {last}; the reflog and other clones may have it"),
    };
    Unavailable::new(
        format!("the lock ref {name} {what}; it had generation {generation}"),
        format!("the lock cannot be taken until this is fixed; {help}"),
    )
    .into()
}

/// A ref with something else in it.
fn no_lock(fault: &Fault<'_>, name: &str, oid: Option<Oid>, reason: &str) -> Error {
    let value = oid.map_or_else(|| "it".to_owned(), |oid| oid.to_string());
    let help = match (fault.remote, oid, fault.last) {
        (Some(remote), ..) => format!("\nanyone who may write to `{remote}` can move the ref back"),
        (None, None, _) => format!("\ndelete it: git symbolic-ref -d {name}"),
        (None, Some(oid), Some(last)) => {
            format!("\nrestore the last event written by git-lane: git update-ref {name} {last} {oid}")
        }
        (None, Some(oid), None) => format!(
            "\nto start over, keep it under another name: git update-ref refs/lane/kept/{} {oid}\n\
             and: git update-ref -d {name} {oid}",
            oid.short()
        ),
    };
    Unavailable::new(
        format!("the lock ref {name} has no valid lock: {reason}"),
        format!("the lock cannot be taken until this is fixed; look at {value}: git log {name}{help}"),
    )
    .into()
}

/// A ref that the remote had, and has no more.
fn lost_ref_error(fault: &Fault<'_>) -> Error {
    let Fault { name: view, ref_name: there, .. } = *fault;
    let remote = fault.remote.unwrap_or_default();
    Unavailable::new(
        format!("`{remote}` lost the lock ref {there}"),
        format!(
            "the lock cannot be taken until it is restored: git push --no-verify {remote} {view}:{there}"
        ),
    )
    .into()
}

impl EventLog<'_, LockRecord> {
    /// The generation above which an area's next one has to be, where its whole history is gone from here.
    ///
    /// # Errors
    /// Nothing can be hashed.
    pub fn lost_generation(&self, area: &str) -> Result<u64, Error> {
        Ok(self.floor(&self.ref_part(area)?).map_or(0, |floor| floor.generation))
    }
}
