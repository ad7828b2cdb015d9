//! `git lane hook pre-receive` and `update`: what a server asks about a push.

use std::ffi::OsString;
use std::io::Read as _;

use super::diagnostics;
use super::output::complain;
use super::trace;
use crate::gather::server_policy::{self, InForce};
use crate::gather::{
    Environment, Loaded, PushLine, Request, Subject, gather, parse_received_lines, received_line,
};
use lane_core::engine;
use lane_core::error::Error;
use lane_core::facts::{Event, Unavailable};
use lane_core::report::narrow;
use lane_core::report::text::{self, Style};
use lane_git::{Opened, Repository};

/// What reaches the pusher as `remote: …` is cut to lines of so many characters.
const WIDTH: usize = 100;

/// As deep as git follows refs that lead to others.
const DEEPEST: usize = 5;

/// What a server hook came to.
pub struct Received {
    /// The exit code.
    pub code: u8,
    /// What git gave on standard input.
    pub input: Option<Vec<u8>>,
    /// The repository.
    pub repo: Opened,
}

/// Judges the refs of a push before they are there.
///
/// # Errors
/// Nothing can be decided, or the push would leave a policy with which nothing could be any more.
pub fn judge(event: Event, args: &[OsString]) -> Result<Received, Error> {
    let (lines, input) = match event {
        Event::Update => (vec![named(args)?], None),
        _ => {
            let mut input = Vec::new();
            std::io::stdin().read_to_end(&mut input).map_err(|error| {
                Unavailable::new(format!("what is pushed cannot be read: {error}"), "push again")
            })?;
            (parse_received_lines(&input)?, Some(input))
        }
    };
    if std::env::var_os("GIT_NAMESPACE").is_some_and(|name| !name.is_empty()) {
        return Err(Unavailable::new(
            "the server uses git namespaces: nobody can tell which refs are whose",
            "whoever runs it: give each repository a folder of its own, without GIT_NAMESPACE",
        )
        .into());
    }
    let repo = Opened::open()?;
    trace::debug(|| format!("repository: {:?}", repo.layout()));
    let lines = lines.into_iter().map(|line| meant(&repo, line)).collect::<Result<Vec<_>, _>>()?;
    let code = if lines.is_empty() { 0 } else { all(&repo, event, &lines)? };
    Ok(Received { code, input, repo })
}

fn named(args: &[OsString]) -> Result<PushLine, Error> {
    let words: Vec<Option<&str>> = args.iter().map(|arg| arg.to_str()).collect();
    match words.as_slice() {
        [Some(name), Some(old), Some(new)] => Ok(received_line(name, old, new)?),
        _ => Err(Error::usage(
            "update was not given a ref and two object ids",
            "git calls it with them: git lane hook update REF OLD_OID NEW_OID",
        )),
    }
}

/// git follows a ref that leads to another one: what moves is the other.
fn meant(repo: &Opened, mut line: PushLine) -> Result<PushLine, Unavailable> {
    for _ in 0..DEEPEST {
        match repo.symbolic_ref(&line.remote_ref)? {
            Some(target) => line.remote_ref = target,
            None => return Ok(line),
        }
    }
    Err(Unavailable::new(
        format!("the ref {} on the server leads to others without end", line.local_ref),
        format!("a server administrator sees where it leads: git symbolic-ref {}", line.local_ref),
    ))
}

fn all(repo: &Opened, event: Event, lines: &[PushLine]) -> Result<u8, Error> {
    let environment = Environment::of_process();
    let in_force = server_policy::find(repo, lines)?;
    let (mut code, loaded) = match in_force {
        InForce::Nothing(why) => {
            complain(&narrow(
                &format!("git-lane: nobody is bound by a policy here yet ({why}); nothing was judged\n"),
                WIDTH,
            ));
            (0, None)
        }
        InForce::Policy(loaded) => (0, Some(loaded)),
    };
    if let Some(loaded) = &loaded {
        trace::debug(|| format!("policy: {}, base: {:?}", loaded.plan.source.name, loaded.base));
        let mut common = Vec::new();
        for line in lines {
            match server_policy::of_branch(repo, loaded, line)? {
                Some(own) => {
                    code = code.max(judged(repo, &environment, &own, event, vec![line.clone()], lines)?)
                }
                None => common.push(line.clone()),
            }
        }
        if !common.is_empty() {
            code = code.max(judged(repo, &environment, loaded, event, common, lines)?);
        }
    }
    if code == 0 {
        code = new_policies(repo, loaded.as_deref(), event, lines)?;
    }
    Ok(code)
}

/// The verdict of one policy on some refs of the push.
fn judged(
    repo: &Opened,
    environment: &Environment,
    loaded: &Loaded,
    event: Event,
    lines: Vec<PushLine>,
    all: &[PushLine],
) -> Result<u8, Error> {
    let subject = Subject::Received { lines, all: all.to_vec() };
    let facts = gather(repo, environment, loaded, &Request { event, agent: None, branch: None, subject })?;
    trace::facts(&facts);
    let report = engine::judge(&loaded.plan, &facts, loaded.oid.map(|oid| oid.to_string()));
    trace::report(&report);
    complain(&narrow(&text::render(&report, Style::default()), WIDTH));
    Ok(report.verdict.exit_code())
}

/// A policy with mistakes on the base would keep out everything, the next edit of it too.
fn new_policies(
    repo: &Opened,
    loaded: Option<&Loaded>,
    event: Event,
    lines: &[PushLine],
) -> Result<u8, Error> {
    match server_policy::check_new(repo, loaded, lines) {
        Ok(notes) => {
            for note in notes {
                complain(&narrow(&format!("git-lane: {note}\n"), WIDTH));
            }
            Ok(0)
        }
        Err(Error::Policy(error)) => {
            complain(&diagnostics::render_policy(&error, false));
            complain(&narrow(
                &format!(
                    "git-lane: refused; nothing was pushed ({}): with this policy nothing could be pushed any \
                     more\n  help: mend it, then push again: git lane policy check\n",
                    event.name()
                ),
                WIDTH,
            ));
            Ok(1)
        }
        Err(error) => Err(error),
    }
}
