//! Who holds what, as rules see it.

use std::collections::HashSet;

use super::{Message, Oid, RepoPath};
use crate::locks::record::{LockEventKind, Loser};
use crate::locks::scope::Scope;

/// The key of the trailer that says under which lock a commit was made: `Lane-Lock: <scope>@<generation>`.
pub const LOCK_TRAILER: &str = "Lane-Lock";

/// The locks on the areas that a change touches.
#[derive(Debug, Clone, Default)]
pub struct Locks {
    /// Claims that agents made by hand, by touching a file.
    pub markers: Vec<LockClaim>,
    /// What is held.
    pub leases: Vec<HeldLock>,
    /// Every lock that was taken, oldest first, as far back as the commits of the change speak of; nothing
    /// where no commit is judged.
    pub taken: Vec<TakenLock>,
    /// The commits of the change of which the history of locks says that they were pushed.
    pub pushed: Vec<Oid>,
    /// Nothing of the above can be known here: the locks lie where this server does not see them.
    pub is_elsewhere: bool,
    /// Why the remote that has the locks could not be asked just now, where going on is still right.
    pub doubt: Option<String>,
}

/// An agent's claim on an area, made by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockClaim {
    /// The area's name.
    pub area: String,
    /// The agent's id.
    pub agent: String,
    /// When the claim was made, in seconds since the epoch.
    pub since: i64,
    /// The same, nanoseconds within that second: two may touch their files in one.
    pub nanos: u32,
    /// The worktree in which the claim lies.
    pub place: String,
}

impl LockClaim {
    /// The manual claim that holds an area: the oldest that has not expired. `now` and `ttl` in seconds.
    pub fn holding<'c>(claims: &'c [Self], area: &str, now: i64, ttl: u64) -> Option<&'c Self> {
        let alive = |claim: &&Self| now < claim.since.saturating_add_unsigned(ttl);
        let claims = claims.iter().filter(|claim| claim.area == area).filter(alive);
        claims.min_by_key(|claim| (claim.since, claim.nanos, &claim.agent))
    }
}

/// A lock that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldLock {
    /// On what.
    pub scope: Scope,
    /// By whom.
    pub agent: String,
    /// Its generation.
    pub generation: u64,
    /// How many seconds it lives on unless it is renewed; of a lock on another machine, the most it can be.
    pub remaining: u64,
    /// Whether its holder may still rely on it: not in the last moments before its end.
    pub is_firm: bool,
    /// Whether this machine's clock measures its life.
    pub is_timed: bool,
    /// Why, in the holder's words.
    pub reason: Option<String>,
    /// The worktree it was taken in, with its machine where that is another one.
    pub worktree: String,
    /// The worktree in which its holder had claimed the area by hand.
    pub by_hand: Option<String>,
    /// Whose locks ended when it was taken.
    pub from: Vec<Loser>,
    /// On a server: the refspec of the push that is judged by which it would come to be held. Nothing may rely on that:
    /// git may take one ref of a push and refuse another.
    pub pushed_by: Option<String>,
}

/// A lock that was taken once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenLock {
    /// On what.
    pub scope: Scope,
    /// By whom.
    pub agent: String,
    /// Its generation.
    pub generation: u64,
    /// Whether it was taken or stolen.
    pub kind: LockEventKind,
    /// Why, in the words of whoever took it.
    pub reason: Option<String>,
    /// When, in seconds since the epoch, by the clock of whoever took it.
    pub at: i64,
    /// Whose locks ended with it.
    pub from: Vec<Loser>,
    /// The commits of the change that were pushed before, as far as the history of locks tells.
    pub after: Vec<Oid>,
    /// Paths on which others' work has landed since it ended, each with the merge base that has that work.
    pub overtaken: HashSet<(Oid, RepoPath)>,
    /// On a server: the refspec of the push that is judged by which its record would come there.
    pub pushed_by: Option<String>,
}

/// How a change stands to what landed on its base under locks: of the paths that it asks for, which are where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LandedPaths {
    /// The base has a newer version, which the change does not contain.
    pub missing: HashSet<RepoPath>,
    /// The change has been put onto another version of the base since its commits were pushed.
    pub moved: HashSet<RepoPath>,
}

/// What a ref of locks that is pushed brings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockEvents {
    /// Whose events they are, each once.
    pub agents: Vec<String>,
    /// Why they cannot be what git-lane made, as the end of a sentence.
    pub fault: Option<String>,
}

/// Under which lock a commit says that it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockToken {
    /// The scope.
    pub scope: String,
    /// The generation.
    pub generation: u64,
}

impl LockToken {
    /// Reads `<scope>@<generation>`.
    pub fn parse(text: &str) -> Option<Self> {
        let (scope, generation) = text.rsplit_once('@')?;
        let generation = generation.parse().ok()?;
        (!scope.is_empty()).then(|| Self { scope: scope.to_owned(), generation })
    }
}

impl Message {
    /// The locks that it says the commit was made under.
    pub fn lock_tokens(&self) -> Vec<LockToken> {
        self.trailer(LOCK_TRAILER).iter().filter_map(|text| LockToken::parse(text)).collect()
    }

    /// The same wherever it stands: a squash puts whole messages into one.
    pub fn lock_lines(&self) -> Vec<LockToken> {
        let values =
            self.text.lines().filter_map(|line| line.trim().strip_prefix(LOCK_TRAILER)?.strip_prefix(':'));
        values.filter_map(|value| LockToken::parse(value.trim())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens() {
        let message = Message { text: "x\n\nLane-Lock: common@7\nLane-Lock: a@b/c@12\nLane-Lock: no".into() };
        let token = |scope: &str, generation| LockToken { scope: scope.into(), generation };
        assert_eq!(message.lock_tokens(), [token("common", 7), token("a@b/c", 12)]);
        assert_eq!(LockToken::parse("@7"), None);
    }
}
