//! What the host of the remote has to do with a landing.

use crate::ops::Session;
use lane_core::facts::Oid;
use lane_core::landings::record::Landing;

/// The tip of the branch on the remote, where the branch is to be moved together with the base: a host shows a pull request as
/// merged once the base has its tip.
pub fn branch_to_move(_session: &Session, _landing: &Landing, _to: Oid) -> Option<Oid> {
    None
}
