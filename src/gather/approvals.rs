//! Others' words on what a change touches: requests, and reviews of its pull request.

use super::change::{Request, Subject};
use super::locks::unavailable;
use crate::requests::log::{RequestHead, RequestLog};
use lane_core::error::Error;
use lane_core::facts::{ApprovalRequest, Approvals, Change, Event, Fact, FileChange, Oid};
use lane_core::policy::Plan;
use lane_core::requests::record::{RequestEventKind, RequestState};
use lane_git::worktrees::worktrees;
use lane_git::{Read, Repository};

/// What is known of approvals, where a change touches an area that wants one.
pub(super) fn approvals(
    repo: &dyn Repository,
    plan: &Plan,
    request: &Request,
    changes: &[Change],
) -> Fact<Approvals> {
    let wants = |file: &FileChange| plan.areas_of(file).any(|area| !area.approve.is_empty());
    if !changes.iter().any(|change| files(change).any(wants)) {
        return Fact::NotGathered;
    }
    let reviews = match &request.subject {
        Subject::Landed { .. } => return Fact::Known(Approvals { is_past: true, ..Approvals::default() }),
        Subject::Proposed { told, .. } => told.reviews.clone(),
        _ => Fact::NotGathered,
    };
    let requests = match are_here(repo, plan, request) {
        Ok(true) => read(repo, plan, request.event).map_err(unavailable).into(),
        Ok(false) => Fact::NotGathered,
        Err(why) => Fact::Unavailable(why),
    };
    Fact::Known(Approvals { requests, reviews, is_past: false })
}

fn files(change: &Change) -> impl Iterator<Item = &FileChange> {
    let commits = change.commits.known().into_iter().flatten().flat_map(|commit| &commit.files);
    let whole = [&change.files, &change.staged].into_iter().filter_map(|files| files.known());
    whole.flatten().chain(commits)
}

/// Whether requests can be read from here: a server has them where agents push them to it, or work in its worktrees; a job
/// where a remote has them, or where agents work beside it.
fn are_here(repo: &dyn Repository, plan: &Plan, request: &Request) -> Read<bool> {
    let (event, layout) = (request.event, repo.layout());
    let is_job = match &request.subject {
        Subject::Proposed { told, .. } => !told.is_landing,
        _ => event.is_server(),
    };
    Ok(match &plan.policy.locks.remote {
        Some(remote) => !event.is_server() || remote.value == plan.policy.remote.value,
        None if is_job => worktrees(layout)?.iter().any(|tree| tree.git_dir != layout.common_dir),
        None => true,
    })
}

/// The requests that are open, or done. A ref that holds none is no approval.
fn read(repo: &dyn Repository, plan: &Plan, event: Event) -> Result<Vec<ApprovalRequest>, Error> {
    let log = RequestLog::new(repo, plan);
    if !event.is_server() {
        log.refresh()?;
    }
    let mut found = Vec::new();
    for (_, head) in log.all()? {
        let Ok(head) = head else { continue };
        found.extend(approval(&log, &head)?);
    }
    Ok(found)
}

fn approval(log: &RequestLog<'_>, head: &RequestHead) -> Result<Option<ApprovalRequest>, Error> {
    let record = &head.record;
    let mut accepted = None;
    match record.state {
        RequestState::Submitted => {}
        RequestState::Accepted | RequestState::Done => log.walk(head, |at| {
            let event = &at.record.event;
            if event.kind == RequestEventKind::Accept {
                accepted = Some(event.by.clone());
            }
            accepted.is_some()
        })?,
        RequestState::Rejected | RequestState::Withdrawn => return Ok(None),
    }
    let is_done = record.state == RequestState::Done;
    let done = record.commit.as_deref().and_then(Oid::from_hex).filter(|_| is_done);
    // Done by whoever was asked, or with a commit that nobody named: it says nothing of this change.
    if is_done && (accepted.is_none() || done.is_none()) {
        return Ok(None);
    }
    let (id, by, target) = (record.id.clone(), record.by.clone(), record.target.clone());
    Ok(Some(ApprovalRequest { id, by, target, accepted, done }))
}
