//! `git lane request`

pub mod args;
mod list;
mod text;

use std::io::Read;
use std::path::Path;

use serde_json::json;

use crate::cli::Outcome;
use crate::cli::output::{Output, complain};
use crate::cli::session;
use crate::commands::request::text::{Seen, finished, refusal};
use crate::commands::who;
use crate::gather::{identity, tracked_below};
use crate::machine::ThisMachine;
use crate::ops::Session;
use crate::requests::heads;
use crate::requests::log::{RequestHead, RequestLog};
use args::{Answer, Request, Submit};
use lane_core::error::Error;
use lane_core::facts::{Oid, RepoPath, Unavailable};
use lane_core::identity::Who;
use lane_core::locks::record::plain;
use lane_core::locks::world::World;
use lane_core::report::quote;
use lane_core::requests::below::{Holding, holdings};
use lane_core::requests::migration::SecondHead;
use lane_core::requests::record::{Event, FORMAT, Kind, Person, Record, State};
use lane_core::requests::{rights, step};
use lane_core::rules::how_to_join;
use lane_git::tree_diff::tree_diff;
use lane_git::{Repository, revision};

pub use args::Args;

/// The most characters that a reason may have.
const LONGEST: usize = 300;
/// The most paths that a folder stands for.
const MOST_PATHS: usize = 20;
/// The most bytes that a file may have: it is kept in every clone for good.
const LARGEST: u64 = 1 << 20;

/// Asks, answers, lists. Exit code 1 where an answer is refused.
///
/// # Errors
/// No repository or policy, an area or id that is none, or a log that cannot be read or written.
pub fn run(args: &Args, output: &Output) -> Outcome {
    match &args.command {
        Request::Submit(args) => submit(args, output),
        Request::List(args) => list::list(args, output),
        Request::Show { id } => list::show(id, output),
        Request::Accept(args) => answer(Kind::Accept, args, None, output),
        Request::Reject(args) => answer(Kind::Reject, args, None, output),
        Request::Done(args) => answer(Kind::Done, &args.answer, Some(&args.commit), output),
        Request::Withdraw(args) => answer(Kind::Withdraw, args, None, output),
    }
}

/// Who asks or answers: the agent that works here, or a maintainer.
///
/// # Errors
/// Claims disagree, or the policy wants to know who it is.
pub(in crate::commands) fn person(session: &Session, option: Option<&str>) -> Result<Person, Error> {
    let plan = &session.loaded.plan;
    match session.who(option)? {
        Who::Agent(agent) => Ok(Person::Agent(agent)),
        Who::Maintainer => {
            let email = identity::email(&session.repo, &session.environment)?;
            Ok(Person::Maintainer(email.unwrap_or_else(|| "maintainer".to_owned())))
        }
        Who::Unclear { reason, help } => Err(Unavailable::new(reason, help).into()),
        Who::Unassigned { .. } => {
            Err(Error::usage("nothing here says which agent you are", how_to_join(plan)))
        }
        Who::Stranger => Err(Error::usage(
            "nothing here says which agent you are",
            format!(
                "name it: --agent {} ({})",
                plan.policy.agent_ids().next().unwrap_or("a1"),
                plan.policy.agents_in_words()
            ),
        )),
    }
}

fn submit(args: &Submit, output: &Output) -> Outcome {
    let session = session::open_to_work(output, None)?;
    let plan = &session.loaded.plan;
    let by = person(&session, args.agent.as_deref())?;
    let mut paths = Vec::new();
    for path in &args.paths {
        let (path, is_folder) = who::in_repository(&session, Path::new(path))?;
        paths.extend(of_one_owner(&session, &by, path, is_folder)?);
    }
    let target = rights::target(plan, args.area.as_deref(), &paths)?;
    let target = rights::addressed(plan, target, args.to.as_deref())?;
    rights::refuse_own(plan, &target, &by)?;
    let words = plain(&args.reason);
    if words.is_empty() {
        return Err(Error::usage("a request needs a reason", "say in --reason what it is for"));
    }
    let mut content = args.file.as_deref().map(read_file).transpose()?;
    let mut file = args.file.as_deref().map(file_name);
    let reason = match short(Some(&args.reason)) {
        Ok(_) => words,
        Err(error) if content.is_some() => return Err(error),
        // The file has room for all of it, in its own lines.
        Err(_) => {
            content = Some(format!("{}\n", args.reason.trim()).into_bytes());
            file = Some("reason.txt".to_owned());
            beginning(&words)
        }
    };
    let event = event(&session, Kind::Submit, &by, None);
    let log = RequestLog::new(&session.repo, plan);
    let tip = log.create(content.as_deref(), |id| Record {
        format: FORMAT,
        id,
        by: by.clone(),
        target: target.clone(),
        file: file.clone(),
        priority: args.priority,
        reason: reason.clone(),
        submitted: event.at,
        state: State::Submitted,
        accepted: None,
        turn: None,
        commit: None,
        event: event.clone(),
    })?;
    report(&session, &log, &tip, &by, output)
}

/// Whether this is a folder below the root, where a path from the root is written otherwise.
fn is_in_subfolder(session: &Session) -> bool {
    let root = session.repo.layout().worktree.as_ref().and_then(|root| root.canonicalize().ok());
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).ok();
    root.is_some_and(|root| here.is_some_and(|here| here != root))
}

/// A path to ask for; of a folder that nobody has as a whole, what its one owner has below it.
///
/// # Errors
/// Several have something there.
fn of_one_owner(
    session: &Session,
    by: &Person,
    path: RepoPath,
    is_folder: bool,
) -> Result<Vec<(RepoPath, bool)>, Error> {
    let plan = &session.loaded.plan;
    if !is_folder || plan.decide(&path.0, true).owner.is_some() {
        return Ok(vec![(path, is_folder)]);
    }
    let files = tracked_below(&session.repo, &path)?;
    let mut found = holdings(plan, &path, &files);
    let is_others = |holding: &Holding<'_>| !holding.is_lane_of(by.agent());
    if found.iter().any(is_others) {
        found.retain(is_others);
    }
    match found.as_mut_slice() {
        [] => Ok(vec![(path, is_folder)]),
        [one] if one.paths.len() <= MOST_PATHS => {
            let is_file = |path: &RepoPath| files.contains(path);
            Ok(std::mem::take(&mut one.paths)
                .into_iter()
                .map(|path| (path.clone(), !is_file(&path)))
                .collect())
        }
        several => {
            let above = if is_in_subfolder(session) { b":/".as_slice() } else { b"" };
            let ask = |holding: &Holding<'_>| {
                let paths =
                    holding.paths.iter().take(MOST_PATHS).map(|path| quote(&[above, &path.0].concat()));
                format!("git lane request submit {} --reason '…'", paths.collect::<Vec<_>>().join(" "))
            };
            let whose: Vec<String> = several.iter().map(Holding::whose).collect();
            let asked: Vec<String> = several.iter().map(ask).collect();
            Err(Error::usage(
                format!("{path} has no one owner: below it are files of {}", whose.join(", ")),
                format!("ask for each in a request of its own:\n{}", asked.join("\n")),
            ))
        }
    }
}

/// What somebody may not do to a request, and why.
enum Refusal {
    /// It is for others to answer.
    NotYours(Box<RequestHead>),
    /// Nothing follows what became of it.
    TooLate(Box<RequestHead>),
}

fn answer(kind: Kind, args: &Answer, commit: Option<&str>, output: &Output) -> Outcome {
    let session = session::open_to_work(output, None)?;
    let plan = &session.loaded.plan;
    let me = person(&session, args.agent.as_deref())?;
    let reason = short(args.reason.as_deref())?;
    if kind == Kind::Reject && reason.is_none() {
        return Err(Error::usage(
            "a rejection needs a reason",
            format!("say it in --reason: {} shows it to whoever asked", args.id),
        ));
    }
    let commit = commit.map(|commit| revision::resolve(&session.repo, commit)).transpose()?;
    let log = RequestLog::new(&session.repo, plan);
    let event = event(&session, kind, &me, reason);
    let added = log.add(&args.id, |old| {
        let record = &old.record;
        let may = step::may(plan, record, kind, &me);
        Ok(match record.follow(event.clone(), commit.map(|oid| oid.to_string()), log.next_turn()?) {
            _ if !may => Err(Refusal::NotYours(Box::new(old.clone()))),
            Some(next) => {
                commit.map(|commit| about(&session, record, commit)).transpose()?;
                Ok(next)
            }
            None => Err(Refusal::TooLate(Box::new(old.clone()))),
        })
    })?;
    match added {
        Ok(tip) => report(&session, &log, &tip, &me, output),
        Err(refused) => {
            let (tip, said) = match &refused {
                Refusal::NotYours(tip) => (tip, refusal(plan, &tip.record, kind, &me)),
                Refusal::TooLate(tip) => (tip, finished(plan, &tip.record, kind)),
            };
            if output.is_json() {
                let seen = Seen { log: &log, plan, tip, me: Some(&me), heads: &[] };
                let refused = json!({ "reason": said.0, "help": said.1 });
                output.print_json(&json!({ "request": seen.json(), "refused": refused }))?;
            }
            complain(&output.refusal(&said.0, &said.1));
            Ok(1)
        }
    }
}

/// A commit that is to have done what was asked has to change some of it.
fn about(session: &Session, record: &Record, commit: Oid) -> Result<(), Error> {
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
        format!("commit {} changes nothing of {what}, which {id} asks for", commit.short()),
        format!("name the commit that does: git lane request done {id} --commit COMMIT"),
    ))
}

/// Tells what was written, and what has to be known about it.
fn report(
    session: &Session,
    log: &RequestLog<'_>,
    tip: &RequestHead,
    me: &Person,
    output: &Output,
) -> Outcome {
    let plan = &session.loaded.plan;
    let is_of_heads = matches!(tip.record.state, State::Submitted | State::Accepted | State::Done);
    let heads = if is_of_heads { second_heads(session, log, Some(&tip.record.id)) } else { Ok(Vec::new()) };
    // It is written by now: what cannot be told about it does not undo that.
    let heads = heads.unwrap_or_else(|error| {
        complain(&format!("git-lane: note: nobody can tell whether it is a second head: {error}\n"));
        Vec::new()
    });
    if !output.is_quiet() {
        log.take_notes().iter().for_each(|note| complain(&format!("git-lane: note: {note}\n")));
    }
    let seen = Seen { log, plan, tip, me: Some(me), heads: &heads };
    if output.is_json() {
        output.print_json(&json!({ "request": seen.json(), "refused": null }))?;
        return Ok(0);
    }
    if !output.is_quiet() {
        output.print(&seen.written())?;
    }
    let warnings = seen.warnings();
    if !warnings.is_empty() {
        complain(&warnings);
    }
    Ok(0)
}

/// The second heads among what was accepted, and `also` as if it were.
pub(in crate::commands) fn second_heads(
    session: &Session,
    log: &RequestLog<'_>,
    also: Option<&str>,
) -> Result<Vec<SecondHead>, Error> {
    let all = log.all()?;
    let tips: Vec<&RequestHead> = all.iter().filter_map(|(_, tip)| tip.as_ref().ok()).collect();
    let base = session.loaded.base.as_ref().map(|base| base.oid);
    Ok(heads::find(log, &session.loaded.plan, base, &tips, also)?)
}

fn event(session: &Session, kind: Kind, by: &Person, reason: Option<String>) -> Event {
    let world = ThisMachine::new();
    let (at, host) = (world.now().wall, world.machine().host.clone());
    Event { kind, by: by.clone(), at, host, worktree: session.place(), nonce: world.nonce(), reason }
}

/// A reason as it is kept.
fn short(reason: Option<&str>) -> Result<Option<String>, Error> {
    let words = plain(reason.unwrap_or_default());
    let length = words.chars().count();
    if length > LONGEST {
        return Err(Error::usage(
            format!("the reason has {length} characters, and every list of requests shows it"),
            format!("say it in at most {LONGEST}; the rest belongs into the file"),
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

fn file_name(path: &Path) -> String {
    let name = path.file_name().map(|name| plain(&name.to_string_lossy()));
    name.filter(|name| name != "-").unwrap_or_else(|| "stdin".to_owned())
}

fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    let name = path.display();
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| {
        Error::usage(
            format!("{name} cannot be read: {error}"),
            "name a file with the change in it after --file",
        )
    })?;
    if bytes.len() as u64 > LARGEST {
        return Err(Error::usage(
            format!("{name} has more than {} KiB, and it would be kept in every clone", LARGEST / 1024),
            "ask for less at once, or say in --reason on which branch the change is",
        ));
    }
    if bytes.is_empty() {
        return Err(Error::usage(format!("{name} is empty"), "put the change into it, or leave --file away"));
    }
    Ok(bytes)
}
