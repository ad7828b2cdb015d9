//! Asking others for changes, and answering.

use super::Session;
use crate::gather::identity;
use crate::machine::ThisMachine;
use crate::requests::heads;
use crate::requests::log::{RequestHead, RequestLog};
use lane_core::error::Error;
use lane_core::facts::{Oid, RepoPath, Unavailable};
use lane_core::identity::Actor;
use lane_core::locks::record::plain;
use lane_core::locks::world::World;
use lane_core::requests::migration::SecondHead;
use lane_core::requests::record::{
    FORMAT, Person, RequestEvent, RequestEventKind, RequestRecord, RequestState,
};
use lane_core::requests::{rights, step};
use lane_core::rules::how_to_join;
use lane_git::tree_diff::tree_diff;
use lane_git::{Repository, revision};

/// The most characters that a reason may have.
const LONGEST: usize = 300;

/// Who asks or answers: the agent that works here, or a maintainer.
///
/// # Errors
/// Claims disagree, or the policy wants to know who it is.
pub fn person(session: &Session, option: Option<&str>) -> Result<Person, Error> {
    let plan = &session.loaded.plan;
    match session.actor(option)? {
        Actor::Agent(agent) => Ok(Person::Agent(agent)),
        Actor::Maintainer => {
            let email = identity::email(&session.repo, &session.environment)?;
            Ok(Person::Maintainer(email.unwrap_or_else(|| "maintainer".to_owned())))
        }
        Actor::Unclear { reason, help } => Err(Unavailable::new(reason, help).into()),
        Actor::Unassigned { .. } => Err(Error::usage("no agent works here", how_to_join(plan))),
        Actor::Stranger => Err(Error::usage(
            "no agent works here",
            format!(
                "name one: --agent {} ({})",
                plan.policy.agent_ids().next().unwrap_or("a1"),
                plan.policy.agents_in_words()
            ),
        )),
    }
}

/// What is asked for.
pub struct RequestOptions<'a> {
    /// What is to be changed, each with whether it is a folder.
    pub paths: &'a [(RepoPath, bool)],
    /// The area, if one was named.
    pub area: Option<&'a str>,
    /// Who is asked, if anybody was named.
    pub to: Option<&'a str>,
    /// How urgent it is.
    pub priority: u8,
    /// What it is for.
    pub reason: &'a str,
    /// A file that comes with it: its name and what is in it.
    pub file: Option<(String, Vec<u8>)>,
}

/// Asks for a change.
///
/// # Errors
/// There is nobody to ask, no reason, or the log cannot be written.
pub fn submit(
    session: &Session,
    log: &RequestLog<'_>,
    by: &Person,
    wanted: RequestOptions<'_>,
) -> Result<RequestHead, Error> {
    let plan = &session.loaded.plan;
    let target = rights::target(plan, wanted.area, wanted.paths)?;
    let target = rights::addressed(plan, target, wanted.to, by)?;
    rights::refuse_own(plan, &target, by)?;
    let words = plain(wanted.reason);
    if words.is_empty() {
        return Err(Error::usage("a request needs --reason", "say in --reason what it is for"));
    }
    let mut file = wanted.file;
    let reason = match short(Some(wanted.reason)) {
        Ok(_) => words,
        Err(error) if file.is_some() => return Err(error),
        // The file has room for all of it, in its own lines.
        Err(_) => {
            file = Some(("reason.txt".to_owned(), format!("{}\n", wanted.reason.trim()).into_bytes()));
            beginning(&words)
        }
    };
    let event = event(session, RequestEventKind::Submit, by, None);
    let (file, content) = file.unzip();
    log.create(content.as_deref(), |id| RequestRecord {
        format: FORMAT,
        id,
        by: by.clone(),
        target: target.clone(),
        file: file.clone(),
        priority: wanted.priority,
        reason: reason.clone(),
        submitted: event.at,
        state: RequestState::Submitted,
        accepted: None,
        turn: None,
        commit: None,
        event: event.clone(),
    })
}

/// What somebody may not do to a request, and why.
pub enum Refusal {
    /// It is for others to answer.
    NotYours(Box<RequestHead>),
    /// Nothing follows what became of it.
    TooLate(Box<RequestHead>),
}

/// An answer to a request.
pub struct Answer<'a> {
    /// Its id.
    pub id: &'a str,
    /// What is answered.
    pub kind: RequestEventKind,
    /// Why.
    pub reason: Option<&'a str>,
    /// The commit that does what was asked for.
    pub commit: Option<&'a str>,
}

/// Answers a request.
///
/// # Errors
/// There is no such request or commit, no reason where one is needed, or the log cannot be written.
pub fn answer(
    session: &Session,
    log: &RequestLog<'_>,
    me: &Person,
    answer: &Answer<'_>,
) -> Result<Result<RequestHead, Refusal>, Error> {
    let Answer { id, kind, reason, commit } = *answer;
    let plan = &session.loaded.plan;
    let reason = short(reason)?;
    if kind == RequestEventKind::Reject && reason.is_none() {
        return Err(Error::usage(
            "a rejection needs --reason",
            format!("add --reason: {} shows it to the requester", id),
        ));
    }
    let commit = commit.map(|commit| revision::resolve(&session.repo, commit)).transpose()?;
    let event = event(session, kind, me, reason);
    log.add(id, |old| {
        let record = &old.record;
        let may = step::may(plan, record, kind, me);
        Ok(match record.follow(event.clone(), commit.map(|oid| oid.to_string()), log.next_turn()?) {
            _ if !may => Err(Refusal::NotYours(Box::new(old.clone()))),
            Some(next) => {
                commit.map(|commit| about(session, record, commit)).transpose()?;
                Ok(next)
            }
            None => Err(Refusal::TooLate(Box::new(old.clone()))),
        })
    })
}

/// A commit that is to have done what was asked has to change some of it.
fn about(session: &Session, record: &RequestRecord, commit: Oid) -> Result<(), Error> {
    let plan = &session.loaded.plan;
    let is_known = |area: &String| plan.policy.areas.iter().any(|known| known.name.value == *area);
    if record.target.area.as_ref().is_some_and(|area| !is_known(area)) {
        return Ok(()); // the policy has changed since, and cannot tell
    }
    let raw = session.repo.commit(commit)?;
    let before = raw.parents.first().map(|parent| session.repo.commit(*parent)).transpose()?;
    let files = tree_diff(&session.repo, before.map(|before| before.tree), Some(raw.tree))?;
    if files.iter().any(|file| rights::is_about(plan, &record.target, &file.path, file.is_folder())) {
        return Ok(());
    }
    let (id, what) = (&record.id, record.target.words());
    Err(Error::usage(
        format!("commit {} does not change {what}, which {id} asks for", commit.short()),
        format!("name the commit that does: git lane request done {id} --commit COMMIT"),
    ))
}

/// The second heads among what was accepted, and `also` as if it were.
pub fn second_heads(
    session: &Session,
    log: &RequestLog<'_>,
    also: Option<&str>,
) -> Result<Vec<SecondHead>, Error> {
    let all = log.all()?;
    let tips: Vec<&RequestHead> = all.iter().filter_map(|(_, tip)| tip.as_ref().ok()).collect();
    let base = session.loaded.base.as_ref().map(|base| base.oid);
    Ok(heads::find(log, &session.loaded.plan, base, &tips, also)?)
}

fn event(session: &Session, kind: RequestEventKind, by: &Person, reason: Option<String>) -> RequestEvent {
    let world = ThisMachine::new();
    let (at, host) = (world.now().wall, world.machine().host.clone());
    RequestEvent {
        kind,
        by: by.clone(),
        at,
        host,
        worktree: session.location(),
        nonce: world.nonce(),
        reason,
    }
}

/// A reason as it is kept.
fn short(reason: Option<&str>) -> Result<Option<String>, Error> {
    let words = plain(reason.unwrap_or_default());
    let length = words.chars().count();
    if length > LONGEST {
        return Err(Error::usage(
            format!("the reason has {length} characters; the limit is {LONGEST}"),
            format!("shorten it to {LONGEST} characters; details belong in the file"),
        ));
    }
    Ok((!words.is_empty()).then_some(words))
}

/// As much of a long reason as lists show.
fn beginning(words: &str) -> String {
    let cut: String = words.chars().take(LONGEST - 1).collect();
    let end = cut.rfind(' ').unwrap_or(cut.len());
    format!("{}…", &cut[..end])
}
