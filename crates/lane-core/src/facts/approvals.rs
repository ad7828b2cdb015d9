//! Whose word a change has.

use super::{Fact, Oid};
use crate::requests::record::{Person, Target};

/// What is known of others' words on a change.
#[derive(Debug, Clone, Default)]
pub struct Approvals {
    /// The requests that are open, or were done after they had been accepted. Not gathered: they are stored elsewhere.
    pub requests: Fact<Vec<ApprovalRequest>>,
    /// Who approves the pull request as it is now. Not gathered: there is none, or the host is not asked.
    pub reviews: Fact<Vec<Person>>,
    /// It was merged long ago, whatever was known of it then.
    pub is_past: bool,
}

/// A request that may be an approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalRequest {
    /// Its id.
    pub id: String,
    /// Who asks.
    pub by: Person,
    /// For a change of what.
    pub target: Target,
    /// Who accepted it; `None`: it waits.
    pub accepted: Option<Person>,
    /// The commit that did it, if it is done: it approves no other change.
    pub done: Option<Oid>,
}
