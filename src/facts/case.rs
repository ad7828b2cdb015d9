//! The facts of a sentence that tests a policy.

use super::*;
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
    let locks = case.holding.iter().map(|area| LockClaim {
        area: area.clone(),
        agent: case.agent.clone().unwrap_or_default(),
        since: 0,
        place: String::new(),
    });
    Facts {
        event: Event::CheckStaged,
        now: i64::try_from(lock_ttl / 2).unwrap_or(0),
        claims: claim.into_iter().collect(),
        email: None,
        locks: Fact::Known(locks.collect()),
        message: Fact::NotGathered,
        base_ref: None,
        form: CommitForm::Index,
        unpushed_base: None,
        in_subfolder: false,
        changes: vec![Change {
            files: Fact::Known(vec![file.clone()]),
            staged: Fact::Known(vec![file]),
            ..Change::default()
        }],
    }
}
