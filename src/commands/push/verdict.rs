//! The verdict on a push that no hook of ours would judge: git runs another program's pre-push there, or none.

use std::process::Command;
use std::time::Duration;

use crate::cli::Outcome;
use crate::cli::output::Output;
use crate::commands::conflicts;
use crate::commands::hook::others as hook_others;
use crate::gather::{PushLine, Request, Subject};
use crate::install::{in_force, ran};
use crate::ops::Session;
use lane_core::facts::{Event, Oid};
use lane_core::hooks;
use lane_git::command::run;
use lane_git::{Read, Repository};

/// How long a remote may take to say what it has.
const LIMIT: Duration = Duration::from_secs(600);

/// Judges the push of one branch as pre-push does, unless git is going to start that hook: the exit code.
///
/// # Errors
/// Something without which nothing can be judged cannot be read.
pub(in crate::commands) fn unless_hooked(session: &Session, reference: &str, tip: Oid) -> Outcome {
    if in_force::is_in_force(session.repo.layout(), Event::PrePush.name()) || is_configured() {
        return Ok(0);
    }
    let remote = session.loaded.plan.policy.remote.value.clone();
    let line = PushLine {
        local_ref: reference.to_owned(),
        local: Some(tip),
        remote_ref: reference.to_owned(),
        remote: there(session, &remote, reference)?,
    };
    if line.remote == line.local {
        return Ok(0); // git starts no hook either
    }
    let lines = vec![line];
    let subject = Subject::Push { remote, lines: lines.clone() };
    let request = Request { event: Event::PrePush, agent: None, branch: None, subject };
    // What was fetched and given back since the command began counts, as it does for a hook.
    let session = session.reopened()?;
    let code = Output::of_hook().hook_report(&session.judge(&request)?);
    if code == 0 {
        conflicts::note_at_push(&session, &lines);
        // What git starts instead may ask for our verdict as well.
        let subject = hook_others::pushed_subject(&session.loaded.plan, &lines);
        ran::judged_for_next(session.repo.layout(), Event::PrePush.name(), &subject);
    }
    Ok(code)
}

/// Whether this git starts our hook from its configuration. One before 2.54 knows of none, and of no such command.
fn is_configured() -> bool {
    let hook = Event::PrePush.name();
    said(&["hook", "list", hook]).is_some_and(|names| hooks::is_configured(hook, &names))
}

/// What the remote has under this name; where it does not answer, what it had when it did.
fn there(session: &Session, remote: &str, reference: &str) -> Read<Option<Oid>> {
    let url = said(&["remote", "get-url", "--push", "--", remote]);
    let source = url.as_deref().map_or(remote, str::trim_end);
    let Some(refs) = said(&["ls-remote", "--", source, reference]) else {
        let branch = reference.strip_prefix("refs/heads/").unwrap_or(reference);
        return session.repo.find_ref(&format!("refs/remotes/{remote}/{branch}"));
    };
    let found = refs.lines().filter_map(|line| line.split_once('\t')).find(|(_, name)| *name == reference);
    Ok(found.and_then(|(oid, _)| Oid::from_hex(oid)))
}

/// What git says, run as the push is; `None` where it fails.
fn said(arguments: &[&str]) -> Option<String> {
    let mut git = Command::new("git");
    git.args(arguments);
    run(git, None, LIMIT).ok().filter(|ran| ran.ok).map(|ran| ran.out)
}
