//! `git lane hook NAME …`: what the installed scripts call.

use std::ffi::{OsStr, OsString};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::output::{Output, complain};
use super::push::PUSHING;
use super::server_hook;
use super::session::Session;
use super::settle::{Landing, settle};
use super::stamp::{complete, stamp};
use super::{Outcome, conflicts, mend};
use crate::error::Error;
use crate::facts::{Event, Unavailable};
use crate::gather::{Opened, Repository, Request, Subject, parse_push_lines};
use crate::install::chain;
use crate::install::program::{self, Starts};
use crate::locks::keeper::Keeper;
use crate::locks::machine::ThisMachine;
use crate::policy::model::{Access, Release};

/// How long a hook waits for the remote that has the locks, where it could do without.
const BRIEFLY: Duration = Duration::from_secs(5);
/// Which part of its work a hook has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// To judge, then to run the hook that was there before.
    Whole,
    /// To judge alone: a host runs the other hooks by itself.
    Alone,
    /// To run the hook that was there before.
    Pass,
}

/// What a hook came to, and what the hooks after it need.
struct Judged {
    code: u8,
    /// What git gave on standard input, if it was read.
    input: Option<Vec<u8>>,
    /// The repository, if it was opened.
    repo: Option<Opened>,
}

/// Judges what a hook stands for; then the hook that was there before has its turn.
pub fn run(name: &str, args: &[OsString], part: Part) -> u8 {
    let is_server = server_event(name).is_some();
    let output = if is_server { Output::of_server_hook() } else { Output::of_hook() };
    let judged = match part {
        Part::Pass => Ok(Judged { code: 0, input: None, repo: None }),
        _ => judged(name, args, &output),
    };
    match judged {
        Ok(Judged { code: 0, input, repo }) if part != Part::Alone => {
            chained(name, args, input.as_deref(), repo).unwrap_or_else(|error| output.error(&error))
        }
        Ok(judged) => judged.code,
        Err(error) => {
            output.error(&error);
            if is_server && matches!(error, Error::Policy(_)) {
                complain(
                    "  help: whoever runs the server lets the mended one in: git lane uninstall --server, push it, \
                     git lane install --server\n",
                );
            }
            if let Some(what) = refused(name) {
                complain(&format!("git-lane: could not decide ({name}); {what}\n"));
            }
            2
        }
    }
}

/// Does what an installed script asks for whose first line has started this program: see
/// [`program`]. `script`: its path.
pub fn run_script(script: &OsStr, args: &[OsString]) -> u8 {
    let resolved = program::resolve(script).and_then(|(name, starts)| match starts {
        Starts::This => Ok(run(name, args, Part::Whole)),
        Starts::Other(binary) => {
            let args = ["hook", name].into_iter().map(OsString::from).chain(args.iter().cloned());
            chain::run_previous(&binary, &args.collect::<Vec<_>>(), None)
        }
    });
    resolved.unwrap_or_else(|error| {
        let name = Path::new(script).file_name().unwrap_or(script).to_string_lossy().into_owned();
        let help = error.help().unwrap_or_default();
        complain(&format!("git-lane: {name} is blocked: {error}.\n{help}\n"));
        2
    })
}

/// Gives back the locks whose work has landed, where the policy says so.
fn give_back(session: &Session) {
    let plan = &session.loaded.plan;
    let is_manual = plan.policy.locks.release.value == Release::Manual || !plan.has_area(Access::Lock);
    if is_manual || std::env::var_os(PUSHING).is_some() {
        return;
    }
    let world = ThisMachine::new();
    let mut keeper = Keeper::new(&session.repo, plan, &world);
    keeper.set_patience(BRIEFLY);
    settle(session, &mut keeper, &Landing::default());
}

fn refused(name: &str) -> Option<&'static str> {
    match name {
        "pre-commit" | "pre-merge-commit" | "commit-msg" => Some("nothing was committed"),
        "pre-push" | "pre-receive" => Some("nothing was pushed"),
        "update" => Some("this ref was not pushed"),
        _ => None,
    }
}

fn server_event(name: &str) -> Option<Event> {
    [Event::PreReceive, Event::Update].into_iter().find(|event| event.name() == name)
}

fn judged(name: &str, args: &[OsString], output: &Output) -> Result<Judged, Error> {
    let judge = |event: Event, subject: Subject| -> Result<Judged, Error> {
        let request = Request { event, agent: None, branch: None, subject };
        let session = match Session::open_for_commit() {
            Err(error) => {
                let (session, report) = mend::judge(error, &request)?;
                let code = output.hook_report(&report);
                return Ok(Judged { code, input: None, repo: Some(session.last()) });
            }
            Ok(session) => session,
        };
        if event == Event::PreCommit {
            give_back(&session);
        }
        if let Subject::Message(path) = &request.subject
            && !complete(&session, path)?
        {
            return Ok(Judged { code: 0, input: None, repo: Some(session.last()) });
        }
        let code = output.hook_report(&session.judge(&request)?);
        Ok(Judged { code, input: None, repo: Some(session.last()) })
    };
    let nothing = |input| Judged { code: 0, input, repo: None };
    if let Some(event) = server_event(name) {
        let server_hook::Received { code, input, repo } = server_hook::judge(event, args)?;
        return Ok(Judged { code, input, repo: Some(repo) });
    }
    match name {
        "pre-commit" => judge(Event::PreCommit, Subject::Staged),
        "pre-merge-commit" => judge(Event::PreMergeCommit, Subject::Staged),
        "commit-msg" => judge(Event::CommitMsg, Subject::Message(message_file(name, args)?)),
        // `git am` takes a tag in brackets for a mark of the mail, and leaves it out.
        "prepare-commit-msg" | "applypatch-msg" => {
            // Not even `--no-verify` skips the first: it helps, and never stands in the way.
            // A template that nobody edits is no message to git, and has to stay so.
            if args.get(1).is_some_and(|source| source == "template") {
                return Ok(nothing(None));
            }
            let stamped = message_file(name, args).and_then(|path| stamp(&path, args));
            let repo = stamped.unwrap_or_else(|error| {
                complain(&format!(
                    "git-lane: not all was put into the message that belongs there: {error}\n"
                ));
                None
            });
            Ok(Judged { repo, ..nothing(None) })
        }
        "pre-push" => {
            let mut input = Vec::new();
            std::io::stdin().read_to_end(&mut input).map_err(|error| {
                Unavailable::new(format!("what git pushes cannot be read: {error}"), "push again")
            })?;
            let lines = parse_push_lines(&input)?;
            let remote = args.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if lines.is_empty() {
                return Ok(nothing(Some(input)));
            }
            let request = Request {
                event: Event::PrePush,
                agent: None,
                branch: None,
                subject: Subject::Push { remote, lines },
            };
            let session = match Session::open(None) {
                Err(error) => {
                    let (session, report) = mend::judge(error, &request)?;
                    let code = output.hook_report(&report);
                    return Ok(Judged { code, input: Some(input), repo: Some(session.last()) });
                }
                Ok(session) => session,
            };
            give_back(&session);
            let code = output.hook_report(&session.judge(&request)?);
            if code == 0
                && let Subject::Push { lines, .. } = &request.subject
            {
                conflicts::note_at_push(&session, lines);
            }
            Ok(Judged { code, input: Some(input), repo: Some(session.last()) })
        }
        name if chain::is_known(name) => Ok(nothing(None)),
        name => Err(Error::usage(
            format!("git has no hook `{name}`"),
            "githooks(5) lists them; the installed scripts call this with the right name",
        )),
    }
}

fn message_file(name: &str, args: &[OsString]) -> Result<PathBuf, Error> {
    args.first().map(PathBuf::from).ok_or_else(|| {
        Error::usage(
            format!("{name} was given no message file"),
            format!("git calls it with one: git lane hook {name} <file>"),
        )
    })
}

fn chained(name: &str, args: &[OsString], input: Option<&[u8]>, repo: Option<Opened>) -> Outcome {
    let repo = match repo {
        Some(repo) => repo,
        None => Opened::open()?,
    };
    let hooks = chain::previous_hooks(&repo.config("core.hooksPath")?, repo.layout(), name);
    repo.abandon();
    match hooks.as_slice() {
        [] => Ok(0),
        hooks => chain::run_all(hooks, args, input),
    }
}
