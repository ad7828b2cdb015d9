//! `git lane request`

pub mod args;
mod list;
pub(in crate::commands) mod text;

use std::io::Read;
use std::path::Path;

use serde_json::json;

use crate::cli::Outcome;
use crate::cli::output::{Output, note, print_error};
use crate::cli::session;
use crate::commands::request::text::{RequestView, closed_message, refusal};
use crate::commands::who;
use crate::gather::tracked_below;
use crate::ops::Session;
use crate::ops::request::{self, Refusal, RequestOptions, person, second_heads};
use crate::requests::log::{RequestHead, RequestLog};
use args::{Answer, Request, Submit};
use lane_core::error::Error;
use lane_core::facts::RepoPath;
use lane_core::locks::record::plain;
use lane_core::report::quote;
use lane_core::requests::folder_owners::{Holding, holdings};
use lane_core::requests::record::{Person, RequestEventKind, RequestState};
use lane_git::Repository;

pub use args::Args;

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
        Request::Accept(args) => answer(RequestEventKind::Accept, args, None, output),
        Request::Reject(args) => answer(RequestEventKind::Reject, args, None, output),
        Request::Done(args) => answer(RequestEventKind::Done, &args.answer, Some(&args.commit), output),
        Request::Withdraw(args) => answer(RequestEventKind::Withdraw, args, None, output),
    }
}

fn submit(args: &Submit, output: &Output) -> Outcome {
    let session = session::open_to_work(output, None)?;
    let by = person(&session, args.agent.as_deref())?;
    let mut paths = Vec::new();
    for path in &args.paths {
        let (path, is_folder) = who::in_repository(&session, Path::new(path))?;
        paths.extend(of_one_owner(&session, &by, path, is_folder)?);
    }
    let file = args.file.as_deref().map(|path| Ok::<_, Error>((file_name(path), read_file(path)?)));
    let wanted = RequestOptions {
        paths: &paths,
        area: args.area.as_deref(),
        to: args.to.as_deref(),
        priority: args.priority,
        reason: &args.reason,
        file: file.transpose()?,
    };
    let log = RequestLog::new(&session.repo, &session.loaded.plan);
    let tip = request::submit(&session, &log, &by, wanted)?;
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
                format!("submit one request for each:\n{}", asked.join("\n")),
            ))
        }
    }
}

fn answer(kind: RequestEventKind, args: &Answer, commit: Option<&str>, output: &Output) -> Outcome {
    let session = session::open_to_work(output, None)?;
    let plan = &session.loaded.plan;
    let me = person(&session, args.agent.as_deref())?;
    let log = RequestLog::new(&session.repo, plan);
    let answer = request::Answer { id: &args.id, kind, reason: args.reason.as_deref(), commit };
    match request::answer(&session, &log, &me, &answer)? {
        Ok(tip) => report(&session, &log, &tip, &me, output),
        Err(refused) => {
            let (tip, said) = match &refused {
                Refusal::NotYours(tip) => (tip, refusal(plan, &tip.record, kind, &me)),
                Refusal::TooLate(tip) => (tip, closed_message(plan, &tip.record, kind)),
            };
            if output.is_json() {
                let seen = RequestView { log: &log, plan, tip, me: Some(&me), heads: &[] };
                let refused = json!({ "reason": said.0, "help": said.1 });
                output.print_json(&json!({ "request": seen.json(), "refused": refused }))?;
            }
            output.refuse(&said.0, &said.1);
            Ok(1)
        }
    }
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
    let is_of_heads =
        matches!(tip.record.state, RequestState::Submitted | RequestState::Accepted | RequestState::Done);
    let heads = if is_of_heads { second_heads(session, log, Some(&tip.record.id)) } else { Ok(Vec::new()) };
    // It is written by now: what cannot be told about it does not undo that.
    let heads = heads.unwrap_or_else(|error| {
        note(&format!("whether it is a second head could not be checked: {error}"));
        Vec::new()
    });
    if !output.is_quiet() {
        log.take_notes().iter().for_each(|note| crate::cli::output::note(note.as_ref()));
    }
    let seen = RequestView { log, plan, tip, me: Some(me), heads: &heads };
    if output.is_json() {
        output.print_json(&json!({ "request": seen.json(), "refused": null }))?;
        return Ok(0);
    }
    if !output.is_quiet() {
        output.print(&seen.confirmation())?;
    }
    let warnings = seen.warnings();
    if !warnings.is_empty() {
        print_error(&warnings);
    }
    Ok(0)
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
        Error::usage(format!("{name} cannot be read: {error}"), "name a file with the change after --file")
    })?;
    if bytes.len() as u64 > LARGEST {
        return Err(Error::usage(
            format!("{name} is larger than {} KiB, the limit for a request", LARGEST / 1024),
            "make it smaller, or name the branch with the change in --reason",
        ));
    }
    if bytes.is_empty() {
        return Err(Error::usage(format!("{name} is empty"), "put the change into it, or omit --file"));
    }
    Ok(bytes)
}
