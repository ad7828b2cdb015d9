//! The facts of a sentence that tests a policy.

use super::*;
use crate::locks::scope::Scope;
use crate::policy::cases::Case;

/// The facts of a sentence of `policy test`: one agent adds one file in one commit.
pub fn for_case(case: &Case, lock_ttl: u64) -> Facts {
    let file = FileChange {
        path: RepoPath(case.path.trim_end_matches('/').as_bytes().to_vec()),
        old: None,
        new: Oid::from_bytes(&[1; 20]).map(|oid| FileVersion {
            mode: if case.path.ends_with('/') { 0o160_000 } else { 0o100_644 },
            oid,
        }),
    };
    let claim = case
        .agent
        .as_ref()
        .map(|agent| IdentityClaim { source: IdentitySource::Option, agent: agent.clone() });
    let leases = case.holding.iter().map(|area| HeldLock {
        scope: Scope::of_area(area),
        agent: case.agent.clone().unwrap_or_default(),
        generation: 1,
        remaining: lock_ttl,
        is_firm: true,
        is_timed: true,
        reason: None,
        worktree: String::new(),
        by_hand: None,
        from: Vec::new(),
        pushed_by: None,
    });
    let change = Change {
        files: Fact::Known(vec![file.clone()]),
        staged: Fact::Known(vec![file]),
        ..Change::default()
    };
    Facts {
        claims: claim.into_iter().collect(),
        locks: Fact::Known(Locks { leases: leases.collect(), ..Locks::default() }),
        leaves_out_custom: true,
        ..Facts::of(Event::CheckStaged, 0, vec![change])
    }
}
