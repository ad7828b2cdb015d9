//! What prepare-commit-msg puts into a message: the agent's tag, and the locks that the commit is made
//! under.

use std::ffi::OsString;
use std::path::Path;

use super::session::Session;
use crate::error::Error;
use crate::facts::{Event, Fact, LOCK_TRAILER, LockToken, Message};
use crate::gather::message::{self, Draft};
use crate::gather::{Opened, Repository, Request, Subject};
use crate::identity;
use crate::locks::keeper::Keeper;
use crate::locks::machine::ThisMachine;
use crate::locks::scope::{Scope, lockable};
use crate::policy::model::Access;

/// Writes tag and locks into the message file, before anyone has to be told. `args`: what git gave to the
/// hook after the file.
///
/// # Errors
/// What keeps it from doing so, or from part of it.
pub(super) fn stamp(path: &Path, args: &[OsString]) -> Result<Option<Opened>, Error> {
    let session = Session::open_for_commit()?;
    let plan = &session.loaded.plan;
    if plan.tags.is_empty() && !plan.has_area(Access::Lock) {
        return Ok(Some(session.last()));
    }
    let before = message::read(&session.repo, &session.environment, path)?;
    let request = Request { event: Event::CommitMsg, agent: None, branch: None, subject: Subject::Nothing };
    let mut facts = session.facts(&request)?;
    facts.message = Fact::Known(before.message.clone());
    let who = identity::resolve(plan, &facts, &facts.changes[0]);
    let Some(agent) = who.agent() else {
        return Ok(Some(session.last()));
    };
    let mut draft = before.clone();
    if let Some(tagged) = plan.tag_message(&draft.raw, &draft.message, agent) {
        draft = again(&session, &draft, tagged)?;
    }
    // Locks that cannot be read keep nobody from the tag.
    let tokens = tokens(&session, agent, args);
    for token in tokens.iter().flatten() {
        if let Some(raw) = with_token(&draft, token) {
            draft = again(&session, &draft, raw)?;
        }
    }
    if draft.raw != before.raw {
        std::fs::write(path, draft.encoded(&draft.raw)).map_err(|error| {
            Error::write(format!("{} cannot be written: {error}", path.display()), "put the tag in by hand")
        })?;
    }
    tokens?;
    Ok(Some(session.last()))
}

fn again(session: &Session, draft: &Draft, raw: String) -> Result<Draft, Error> {
    let message = message::parse(&session.repo, &session.environment, &raw)?;
    Ok(Draft { raw, message, is_utf8: draft.is_utf8 })
}

/// A lock that a commit is made under.
struct Token {
    /// `common@7`.
    text: String,
    /// The agent holds it now; else it is what the amended commit bore.
    is_held: bool,
}

/// A token for each lock that the agent holds on something which the commit changes.
fn tokens(session: &Session, agent: &str, args: &[OsString]) -> Result<Vec<Token>, Error> {
    let plan = &session.loaded.plan;
    if !plan.has_area(Access::Lock) {
        return Ok(Vec::new());
    }
    let world = ThisMachine::new();
    let mut keeper = Keeper::new(&session.repo, plan, &world);
    let held = keeper.held_by(agent);
    // `commit --amend` is told from `commit -C HEAD` by nothing; what the last commit changed counts in both.
    let is_amend = parent_amends()
        || (args.get(1).is_some_and(|source| source == "commit")
            && args.get(2).is_some_and(|commit| commit == "HEAD"));
    let before = if is_amend { head_tokens(session)? } else { Vec::new() };
    if held.is_empty() && before.is_empty() {
        return Ok(Vec::new());
    }
    let subject = Subject::Made { is_amend };
    let facts = session.facts(&Request { event: Event::CommitMsg, agent: None, branch: None, subject })?;
    let files = facts.changes[0].staged.get()?;
    let is_touched = |scope: &Scope| {
        files.iter().any(|file| {
            plan.area_of(file).is_some_and(|area| area.name.value == scope.area)
                && scope.has(&file.path.0, file.is_folder(), plan.folds_case())
        })
    };
    let mut tokens = Vec::new();
    // What the amended commit bore stays true of what it still changes; a newer one of the same scope comes
    // after it and takes its place.
    for token in before {
        let scopes = lockable(plan).into_iter().filter_map(|area| Scope::stored(area, &token.scope));
        if scopes.into_iter().any(|scope| is_touched(&scope)) {
            tokens.push(Token { text: format!("{}@{}", token.scope, token.generation), is_held: false });
        }
    }
    for (tip, lease) in held {
        let scope = lease.stake.scope_in(&tip.record.area);
        if is_touched(&scope) {
            tokens.push(Token { text: format!("{}@{}", scope.text, lease.generation), is_held: true });
        }
    }
    Ok(tokens)
}

/// Whether the git that runs this hook was told to amend. Only its command line tells, where a message was
/// given with `-m`.
#[cfg(target_os = "linux")]
fn parent_amends() -> bool {
    let parent = std::os::unix::process::parent_id();
    let line = std::fs::read(format!("/proc/{parent}/cmdline")).unwrap_or_default();
    line.split(|byte| *byte == 0).any(|word| word == b"--amend")
}

#[cfg(not(target_os = "linux"))]
fn parent_amends() -> bool {
    false
}

/// The locks that the last commit says it was made under.
fn head_tokens(session: &Session) -> Result<Vec<LockToken>, Error> {
    let Some(head) = session.repo.head()?.oid else {
        return Ok(Vec::new());
    };
    let message = Message { text: session.repo.commit(head)?.message };
    Ok(message.lock_tokens())
}

/// The message with a lock's generation in it; an older one of the same scope gives way to what is held.
/// `None` where nothing is to be done.
fn with_token(draft: &Draft, token: &Token) -> Option<String> {
    let Token { text: token, is_held } = token;
    let (scope, _) = token.rsplit_once('@')?;
    let present = draft.message.trailer(LOCK_TRAILER);
    if present.iter().any(|value| value == token) {
        return None;
    }
    let is_older = |value: &&String| value.rsplit_once('@').is_some_and(|(other, _)| other == scope);
    let older = present.iter().find(is_older);
    if older.is_some() && !is_held {
        return None;
    }
    let Some(older) = older else {
        return Some(crate::policy::with_trailer(
            &draft.raw,
            &draft.message,
            &format!("{LOCK_TRAILER}: {token}"),
        ));
    };
    let is_line = |line: &str| {
        line.split_once(':').is_some_and(|(key, value)| {
            key.trim().eq_ignore_ascii_case(LOCK_TRAILER) && value.trim() == older.as_str()
        })
    };
    let lines = draft
        .raw
        .split_inclusive('\n')
        .map(|line| if is_line(line) { format!("{LOCK_TRAILER}: {token}\n") } else { line.to_owned() });
    Some(lines.collect())
}
