//! The rules of the team's own run once for a commit, where two hooks judge it: the one that is there for commits, and, with
//! `history: { unverified: deny }`, the one that moves the branch to it.

use crate::gather::LoadedPolicy;
use crate::install::verdict_notes::{Subject, is_judged_before, note_for_next_hook};
use lane_core::facts::{Change, Event, Facts, Oid};
use lane_core::policy::model::Unverified;
use lane_git::{GitRepo, Read, Repository};

/// What the note is called.
const NOTE: &str = "custom";

/// Notes for the hook that moves the branch that nothing was found in a commit that is being made.
pub(super) fn note_passed(repo: &GitRepo, loaded: &LoadedPolicy, facts: &Facts) {
    let is_asked = loaded.plan.policy.history.unverified.value == Unverified::Deny;
    let [change] = facts.changes.as_slice() else { return };
    if facts.event == Event::PreCommit && is_asked && !change.is_merging && is_clean(change) {
        let subject = subject(loaded, change.head, change.tree);
        note_for_next_hook(repo.layout(), NOTE, &subject);
    }
}

fn is_clean(change: &Change) -> bool {
    let runs = change.custom.known();
    runs.is_some_and(|runs| runs.iter().all(|run| run.found.as_ref().is_ok_and(Vec::is_empty)))
}

/// Whether a branch is moved to just that commit.
///
/// # Errors
/// The commit cannot be read.
pub(super) fn was_passed(repo: &GitRepo, loaded: &LoadedPolicy, facts: &Facts) -> Read<bool> {
    let [change] = facts.changes.as_slice() else { return Ok(false) };
    let Some(head) = change.head.filter(|_| facts.event == Event::RefUpdate) else { return Ok(false) };
    let commit = repo.commit(head)?;
    if commit.parents.len() > 1 {
        return Ok(false);
    }
    let subject = subject(loaded, commit.parents.first().copied(), Some(commit.tree));
    Ok(is_judged_before(repo.layout(), NOTE, &subject))
}

/// A commit by what it is made of, and the policy that judges.
fn subject(loaded: &LoadedPolicy, parent: Option<Oid>, tree: Option<Oid>) -> Subject {
    [loaded.oid, parent, tree].into_iter().fold(Subject::default(), |subject, oid| {
        subject.bytes(oid.map(|oid| oid.to_string()).unwrap_or_default().as_bytes())
    })
}
