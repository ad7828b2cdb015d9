//! What prepare-commit-msg puts into a message: the agent's tag, and the locks that the commit is made
//! under; commit-msg, where that one could not.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{Session, Ui};
use crate::gather::message::{self, Draft};
use crate::gather::{Invocation, Request, Subject, cleanup, identity};
use crate::locks::manager::LockManager;
use crate::machine::ThisMachine;
use lane_core::error::Error;
use lane_core::facts::{Event, LOCK_TRAILER, LockToken, Message};
use lane_core::locks::scope::{Scope, lockable};
use lane_core::policy::model::Access;
use lane_git::{GitRepo, Repository};

/// Writes tag and locks into the message file, before anyone has to be told. `args`: what git gave to the
/// hook after the file.
///
/// # Errors
/// What keeps it from doing so, or from part of it.
pub fn prepare(
    repo: GitRepo,
    ui: impl Ui + 'static,
    path: &Path,
    args: &[OsString],
) -> Result<GitRepo, Error> {
    let session = Session::open_for_commit_in(repo, ui)?;
    let plan = &session.loaded.plan;
    if plan.tags.is_empty() && !plan.has_area(Access::Lock) {
        return Ok(session.last());
    }
    let before = message::read(&session.repo, &session.environment, path)?;
    write_message(&session, path, &before, args)?;
    Ok(session.last())
}

/// Looks at a message that was edited, before it is judged. False: it says nothing, which git itself tells whoever
/// left it so. Where prepare-commit-msg had to leave it alone, or came too early (`is_due`), or an editor has replaced
/// all of what it had put in, tag and locks are put in now.
///
/// # Errors
/// The message or the configuration cannot be read.
pub fn complete(session: &Session, path: &Path, is_due: bool) -> Result<bool, Error> {
    let Session { repo, environment, loaded, .. } = session;
    let plan = &loaded.plan;
    let draft = message::read(repo, environment, path)?;
    if plan.is_bare(&draft.message) {
        return restore_unwritten(session, path, &draft);
    }
    let template = template(session)?;
    if let Some(template) = template.as_ref().and_then(|file| std::fs::read_to_string(file).ok())
        && is_untouched(&draft.message, &draft.with(template).message)
    {
        return Ok(false);
    }
    let is_untagged =
        || !plan.tags.is_empty() && plan.tagged(&draft.message).is_empty() && !draft.message.is_of_merge();
    if is_due || template.is_some() || is_untagged() {
        write_message(session, path, &draft, &[])?;
    }
    Ok(true)
}

/// Leaves a message that nobody wrote as it was before anything was put in. False: git will refuse it.
fn restore_unwritten(session: &Session, path: &Path, draft: &Draft) -> Result<bool, Error> {
    let mode = cleanup::mode(&session.repo, &session.environment)?;
    let raw = session.loaded.plan.without_tag(&draft.raw, &draft.message);
    // git takes blank lines for a message in this mode.
    if mode.as_deref() == Some("verbatim") && !raw.is_empty() {
        return Ok(true);
    }
    if raw != draft.raw {
        write(path, draft, &raw)?;
    }
    Ok(false)
}

/// The template that the message was begun with, if it was.
fn template(session: &Session) -> Result<Option<PathBuf>, Error> {
    let Session { repo, environment, .. } = session;
    if let Some(file) = &Invocation::of_process().template {
        let folder = environment.prefix.clone().unwrap_or_default();
        return Ok(Some(folder.join(file)));
    }
    let Some(file) = cleanup::value(repo, environment, "commit.template")?.filter(|file| !file.is_empty())
    else {
        return Ok(None);
    };
    let home =
        file.strip_prefix("~/").and_then(|rest| Some(PathBuf::from(std::env::var_os("HOME")?).join(rest)));
    Ok(Some(home.unwrap_or_else(|| PathBuf::from(file))))
}

/// Whether a message is a template and sign-offs alone: git then says that it was not edited.
fn is_untouched(message: &Message, template: &Message) -> bool {
    let rest = message.text.strip_prefix(template.text.as_str()).unwrap_or(&message.text);
    rest.lines().all(|line| line.trim().is_empty() || line.starts_with("Signed-off-by: "))
}

/// Puts tag and locks into a message file.
fn write_message(session: &Session, path: &Path, before: &Draft, args: &[OsString]) -> Result<(), Error> {
    let plan = &session.loaded.plan;
    let Session { repo, environment, .. } = session;
    let who = identity::here(repo, environment, plan, None, Some(&before.message))?;
    let Some(agent) = who.agent() else {
        return Ok(());
    };
    let mut draft = before.clone();
    let hides = |line: &str| draft.cleanup.hides(line);
    if let Some(tagged) = plan.tag_message(&draft.raw, &draft.message, agent, &hides) {
        draft = draft.with(tagged);
    }
    // Locks that cannot be read keep nobody from the tag.
    let tokens = tokens(session, agent, args);
    for token in tokens.iter().flatten() {
        if let Some(raw) = with_token(&draft, token) {
            draft = draft.with(raw);
        }
    }
    if draft.raw != before.raw {
        write(path, &draft, &draft.raw)?;
    }
    tokens.map(drop)
}

fn write(path: &Path, draft: &Draft, raw: &str) -> Result<(), Error> {
    std::fs::write(path, draft.encode(raw)).map_err(|error| {
        Error::write(format!("{} cannot be written: {error}", path.display()), "add the tag yourself")
    })
}

/// A lock that a commit is made under.
struct Token {
    /// `common@7`.
    text: String,
    /// The agent holds it now; else it is what the amended commit had.
    is_held: bool,
}

/// A token for each lock that the agent holds on something which the commit changes.
fn tokens(session: &Session, agent: &str, args: &[OsString]) -> Result<Vec<Token>, Error> {
    let plan = &session.loaded.plan;
    if !plan.has_area(Access::Lock) {
        return Ok(Vec::new());
    }
    let world = ThisMachine::new();
    let mut manager = LockManager::new(&session.repo, plan, &world);
    let held = manager.leases_of(agent);
    // Where no command line can be seen, `commit --amend` is told from `commit -C HEAD` by nothing; what the last
    // commit changed counts in both.
    let is_amend = Invocation::of_process().amends
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
            plan.areas_of(file).any(|area| area.name.value == scope.area)
                && scope.has(&file.path.0, file.is_folder(), plan.folds_case())
        })
    };
    let mut tokens = Vec::new();
    // What the amended commit had stays true of what it still changes; a newer one of the same scope comes
    // after it and takes its place.
    for token in before {
        let scopes = lockable(plan).into_iter().filter_map(|area| Scope::from_record(area, &token.scope));
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
        return Some(lane_core::policy::with_trailer(
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
