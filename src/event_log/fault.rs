//! What can be wrong with a ref of a log. Each kind of log says it in its own words.

use lane_core::error::Error;
use lane_core::facts::{Oid, Unavailable};

use super::local_files::Floor;
use super::mirror::Divergence;
use super::record::LogKind;

/// A ref that cannot be relied on, and what helps to repair it.
#[derive(Debug)]
pub struct Fault<'f> {
    /// What is wrong.
    pub kind: RefFault<'f>,
    /// The ref's full name, as it was read here.
    pub name: &'f str,
    /// Its full name where it lies: on the remote, where one has it.
    pub ref_name: &'f str,
    /// The remote that has it.
    pub remote: Option<&'f str>,
    /// The last event that was written here, if that is still known.
    pub last: Option<Oid>,
}

/// What is wrong with a ref.
#[derive(Debug, Clone, Copy)]
pub enum RefFault<'f> {
    /// It points to another ref.
    Symbolic,
    /// Its commit holds no record.
    NoRecord(Oid, &'f str),
    /// A commit further down holds none.
    NoRecordBelow(Oid, &'f str),
    /// It was moved back to this commit.
    MovedBack(Oid, &'f Floor),
    /// It is gone.
    Gone(&'f Floor),
    /// It had this value a moment ago, and is gone.
    JustGone(Oid),
    /// The remote's is not what follows from what it was.
    Diverged(Divergence),
}

/// What is said of a ref of a log whose keys are not used up by whoever holds them: it can be brought back.
pub(crate) fn described(fault: &Fault<'_>, kind: &LogKind) -> Error {
    let Fault { name, ref_name: there, last, .. } = *fault;
    let broken = |name: &str, reason: &str, help: String| -> Error {
        Unavailable::new(format!("the {} ref {name} cannot be read: {reason}", kind.one), help).into()
    };
    let bring_back = |last: Oid| format!("restore it: git update-ref {name} {last}");
    let bring_back_over = |oid| {
        let last = last.filter(|last| *last != oid)?;
        Some(format!("restore its last event: git update-ref {name} {last} {oid}"))
    };
    match fault.kind {
        RefFault::Symbolic => {
            broken(name, "it points to another ref", format!("delete it: git symbolic-ref -d {name}"))
        }
        RefFault::NoRecord(oid, reason) => {
            let help = match (fault.remote, bring_back_over(oid)) {
                (Some(remote), _) => {
                    format!("anyone who may write to `{remote}` can move the ref back, or delete it")
                }
                (None, Some(help)) => help,
                (None, None) => {
                    format!("check it: git log {name}\nto delete it: git update-ref -d {name} {oid}")
                }
            };
            broken(name, reason, help)
        }
        RefFault::NoRecordBelow(oid, reason) => {
            let reason = format!("at {}: {reason}", oid.short());
            broken(there, &reason, format!("list the newer ones: {}", kind.list))
        }
        RefFault::MovedBack(to, _) => {
            let from = last.map(|last| format!(" from {}", last.short())).unwrap_or_default();
            let reason = format!("it was moved back{from} to {}", to.short());
            broken(name, &reason, bring_back_over(to).unwrap_or_default())
        }
        RefFault::Gone(_) => broken(name, "it is missing", last.map(bring_back).unwrap_or_default()),
        RefFault::JustGone(old) => broken(name, "it is missing", bring_back(last.unwrap_or(old))),
        RefFault::Diverged(divergence) => {
            let remote = fault.remote.unwrap_or_default();
            let help = match divergence {
                Divergence::Vanished => format!(
                    "restore it: git push --no-verify {remote} {name}:{there}\n\
                     or forget it, if it was deleted on purpose: git update-ref -d {name}"
                ),
                Divergence::Rewritten { old, .. } => format!(
                    "its history is still here: git log {}\nanyone who may write to `{remote}` can move it back",
                    old.short()
                ),
            };
            broken(&format!("{there} of `{remote}`"), &divergence.words(), help)
        }
    }
}
