//! The verdict on a push that no hook of ours would judge: git runs another program's pre-push there, or none.

use std::time::Duration;

use crate::gather::{PushLine, Request, Subject};
use crate::install::{in_force, verdict_notes};
use crate::journal;
use crate::ops::{Session, conflict_note};
use lane_core::error::Error;
use lane_core::facts::{Event, Oid};
use lane_core::hooks;
use lane_core::policy::Plan;
use lane_core::report::Verdict;
use lane_git::command::run;
use lane_git::{Read, Repository};

/// How long a remote may take to say what it has.
const LIMIT: Duration = Duration::from_secs(600);

/// Judges the push of branches as pre-push does, unless git is going to start that hook: the verdict.
///
/// # Errors
/// Something without which nothing can be judged cannot be read.
pub fn unless_hooked(session: &Session, refs: &[(String, Oid)]) -> Result<Verdict, Error> {
    if in_force::is_in_force(session.repo.layout(), Event::PrePush.name()) || is_configured() {
        return Ok(Verdict::Pass);
    }
    let remote = session.loaded.plan.policy.remote.value.clone();
    let mut lines = Vec::new();
    for (reference, tip) in refs {
        let line = PushLine {
            local_ref: reference.clone(),
            local: Some(*tip),
            remote_ref: reference.clone(),
            remote: there(session, &remote, reference)?,
        };
        if line.remote != line.local {
            lines.push(line);
        }
    }
    if lines.is_empty() {
        return Ok(Verdict::Pass); // git starts no hook either
    }
    let subject = Subject::Push { remote, lines: lines.clone() };
    let request = Request { event: Event::PrePush, agent: None, branch: None, subject };
    // What was fetched and released since the command began counts, as it does for a hook.
    let session = session.reopened()?;
    let report = session.judge(&request)?;
    journal::note(session.repo.layout(), &session.loaded.plan.policy, &report);
    session.ui.verdict(&report);
    if report.verdict == Verdict::Pass {
        conflict_note::note_at_push(&session, &lines);
        // What git starts instead may ask for our verdict as well.
        let subject = pushed_subject(&session.loaded.plan, &lines);
        verdict_notes::note_for_next_hook(session.repo.layout(), Event::PrePush.name(), &subject);
    }
    Ok(report.verdict)
}

/// Whether this git starts our hook from its configuration. One before 2.54 knows of none, and of no such command.
fn is_configured() -> bool {
    let hook = Event::PrePush.name();
    git_output(&["hook", "list", hook]).is_some_and(|names| hooks::is_configured(hook, &names))
}

/// What the remote has under this name; where it does not answer, what it had when it did.
fn there(session: &Session, remote: &str, reference: &str) -> Read<Option<Oid>> {
    let url = git_output(&["remote", "get-url", "--push", "--", remote]);
    let source = url.as_deref().map_or(remote, str::trim_end);
    let Some(refs) = git_output(&["ls-remote", "--", source, reference]) else {
        let branch = reference.strip_prefix("refs/heads/").unwrap_or(reference);
        return session.repo.find_ref(&format!("refs/remotes/{remote}/{branch}"));
    };
    let found = refs.lines().filter_map(|line| line.split_once('\t')).find(|(_, name)| *name == reference);
    Ok(found.and_then(|(oid, _)| Oid::from_hex(oid)))
}

/// What git says, run as the push is; `None` where it fails.
fn git_output(arguments: &[&str]) -> Option<String> {
    let mut git = lane_git::command::git();
    git.args(arguments);
    run(git, None, LIMIT).ok().filter(|ran| ran.ok).map(|ran| ran.stdout)
}

/// What pre-push judges, so that it is known again, whatever a hook manager leaves of its arguments. Records are
/// pushed beside it.
pub fn pushed_subject(plan: &Plan, lines: &[PushLine]) -> verdict_notes::Subject {
    let places = &plan.policy.locks;
    let oid = |oid: Option<Oid>| oid.map(|oid| oid.to_string()).unwrap_or_default();
    let lines = lines.iter().filter(|line| !places.is_record(&line.remote_ref));
    lines.fold(verdict_notes::Subject::default().bytes(Event::PrePush.name().as_bytes()), |subject, line| {
        let PushLine { local, remote_ref, remote, .. } = line;
        subject.bytes(oid(*local).as_bytes()).bytes(remote_ref.as_bytes()).bytes(oid(*remote).as_bytes())
    })
}
