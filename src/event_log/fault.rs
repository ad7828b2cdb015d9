//! What can be wrong with a ref of a log. Each kind of log says it in its own words.

use lane_core::facts::Oid;

use super::local_files::Floor;
use super::mirror::Divergence;

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
