//! `git lane hook NAME …`: what the installed scripts call.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::output::{Output, complain};
use super::push::PUSHING;
use super::server_hook;
use super::session::Session;
use super::settle::{Landing, settle};
use super::stamp::{complete, stamp};
use super::{Outcome, by_hand, hook_others, mend};
use crate::gather::{Request, Subject};
use crate::install::chain::{self, Turn};
use crate::install::program::{self, Starts};
use crate::install::{in_force, ran};
use crate::locks::keeper::Keeper;
use crate::machine::ThisMachine;
use lane_core::error::Error;
use lane_core::facts::Event;
use lane_core::policy::model::{Access, Release};
use lane_git::{Opened, Repository};

mod push;

/// How long a hook waits for the remote that has the locks, where it could do without.
const BRIEFLY: Duration = Duration::from_secs(5);

/// `git lane hook`
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Judge, and leave the hook that was there before to others
    #[arg(long, conflicts_with = "pass")]
    pub alone: bool,
    /// Run the hook that was there before, and nothing else
    #[arg(long)]
    pub pass: bool,
    /// The hook's name, as git has it
    pub name: String,
    /// What git gave to the hook
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub args: Vec<OsString>,
}

impl Args {
    /// The part of the hook's work that is asked for.
    pub fn part(&self) -> Part {
        match (self.alone, self.pass) {
            (true, _) => Part::Alone,
            (_, true) => Part::Pass,
            _ => Part::Whole,
        }
    }
}

/// Which part of its work a hook has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// To judge, then to run the hook that was there before.
    Whole,
    /// To judge alone: a host runs the other hooks by itself.
    Alone,
    /// To run the hook that was there before.
    Pass,
    /// To judge alone, unless git starts our script as well: this is the hook from the configuration.
    Configured,
    /// To judge what was not judged yet, then the hook that was there before: a manager has started our script under
    /// another name.
    Renamed,
}

impl Part {
    /// What a script says that it is.
    pub fn of_script(flag: &OsStr) -> Option<Self> {
        match flag.as_encoded_bytes() {
            b"--configured" => Some(Self::Configured),
            b"--renamed" => Some(Self::Renamed),
            _ => None,
        }
    }

    fn flag(self) -> Option<&'static str> {
        match self {
            Self::Configured => Some("--configured"),
            Self::Renamed => Some("--renamed"),
            Self::Whole | Self::Alone | Self::Pass => None,
        }
    }

    /// Whether the hook that was there before is run by this one.
    fn chains(self) -> bool {
        matches!(self, Self::Whole | Self::Pass | Self::Renamed)
    }
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
    if part == Part::Configured {
        if name == "post-checkout" {
            return hook_others::after_checkout(args);
        }
        if in_force::is_started_by_folder(name) {
            return 0;
        }
    }
    let is_server = server_event(name).is_some();
    let output = if is_server { Output::of_server_hook() } else { Output::of_hook() };
    let judged = match part {
        Part::Pass => Ok(Judged { code: 0, input: None, repo: None }),
        _ => Hook { name, args, part, output: &output }.judged(),
    };
    match judged {
        Ok(Judged { code: 0, input, repo }) if part.chains() => {
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
    let resolved = program::resolve(script).and_then(|found| {
        let is_renamed = Path::new(script).file_name().is_some_and(|file| file != found.name);
        let part = match (found.is_configured, is_renamed) {
            (true, _) => Part::Configured,
            (_, true) => Part::Renamed,
            _ => Part::Whole,
        };
        if let (Some(gone), "pre-commit" | "pre-push") = (&found.gone, found.name) {
            complain(&format!(
                "warning: {} is not there, or is not executable: its copy beside the hooks judges\n  \
                 help: install git-lane again, then run: git lane install\n",
                gone.display()
            ));
        }
        match found.starts {
            Starts::This => Ok(run(found.name, args, part)),
            Starts::Other(binary) => {
                let words = ["hook"].into_iter().chain(part.flag()).chain([found.name]);
                let args = words.map(OsString::from).chain(args.iter().cloned());
                chain::run_previous(&binary, &args.collect::<Vec<_>>(), None, None)
            }
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
fn give_back(session: &Session, event: Event) {
    let plan = &session.loaded.plan;
    if event == Event::PrePush && plan.has_area(Access::Lock) && std::env::var_os(PUSHING).is_none() {
        let world = ThisMachine::new();
        let mut keeper = Keeper::new(&session.repo, plan, &world);
        keeper.set_patience(BRIEFLY);
        by_hand::give_back(session, &mut keeper, None);
    }
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

/// A hook that is running.
struct Hook<'a> {
    name: &'a str,
    args: &'a [OsString],
    part: Part,
    output: &'a Output,
}

impl Hook<'_> {
    fn judged(&self) -> Result<Judged, Error> {
        let (name, args) = (self.name, self.args);
        let nothing = |input| Judged { code: 0, input, repo: None };
        if let Some(event) = server_event(name) {
            let server_hook::Received { code, input, repo } = server_hook::judge(event, args)?;
            return Ok(Judged { code, input, repo: Some(repo) });
        }
        match name {
            "pre-commit" => self.judge(Event::PreCommit, Subject::Staged),
            "pre-merge-commit" => self.judge(Event::PreMergeCommit, Subject::Staged),
            "commit-msg" => self.judge(Event::CommitMsg, Subject::Message(message_file(name, args)?)),
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
                self.in_place(repo)
            }
            "pre-push" => self.push(),
            name if chain::is_known(name) => Ok(nothing(None)),
            name => Err(Error::usage(
                format!("git has no hook `{name}`"),
                "githooks(5) lists them; the installed scripts call this with the right name",
            )),
        }
    }

    /// Judges the commit that is being made.
    fn judge(&self, event: Event, subject: Subject) -> Result<Judged, Error> {
        let request = Request { event, agent: None, branch: None, subject };
        let session = match Session::open_for_commit() {
            Err(error) => {
                let (session, report) = mend::judge(error, &request)?;
                let code = self.output.hook_report(&report);
                return Ok(Judged { code, input: None, repo: Some(session.last()) });
            }
            Ok(session) => session,
        };
        if self.part == Part::Renamed
            && self
                .is_judged_before(&session.repo, &hook_others::subject(&session.repo, self.name, self.args))
        {
            return Ok(Judged { code: 0, input: None, repo: Some(session.last()) });
        }
        let foreign = self.look(&session.repo);
        let (mut code, mut is_taken) = (0, false);
        if event == Event::CommitMsg && foreign.contains(&"pre-commit") {
            (code, is_taken) = self.staged(&session)?;
        }
        if event == Event::PreCommit {
            give_back(&session, event);
        }
        if let Subject::Message(path) = &request.subject
            && code == 0
            && !complete(&session, path, is_taken)?
        {
            return Ok(Judged { code: 0, input: None, repo: Some(session.last()) });
        }
        if code == 0 {
            let (report, _) = by_hand::judge(&session, &request)?;
            code = self.output.hook_report(&report);
        }
        self.note(&session.repo, code);
        Ok(Judged { code, input: None, repo: Some(session.last()) })
    }

    /// What pre-commit would have said, unless it has; and whether a claim by hand has become a lock.
    fn staged(&self, session: &Session) -> Result<(u8, bool), Error> {
        let subject = hook_others::staged_subject(&session.repo);
        if ran::is_judged(session.repo.layout(), "pre-commit", &subject) {
            return Ok((0, false));
        }
        let request =
            Request { event: Event::PreCommit, agent: None, branch: None, subject: Subject::Staged };
        give_back(session, Event::PreCommit);
        let (report, is_taken) = by_hand::judge(session, &request)?;
        Ok((self.output.hook_report(&report), is_taken))
    }

    /// What is left to do for the hook that prepares the message, and refuses nothing as long as another one can.
    fn in_place(&self, repo: Option<Opened>) -> Result<Judged, Error> {
        let Some(repo) = repo.filter(|_| self.name == "prepare-commit-msg") else {
            return Ok(Judged { code: 0, input: None, repo: None });
        };
        if self.part == Part::Renamed {
            hook_others::note_runner(&repo, self.name);
        }
        let foreign = self.look(&repo);
        let is_alone = self.part != Part::Configured && hook_others::is_alone(&repo, &foreign);
        let (code, is_taken) = if is_alone { self.staged(&Session::open_for_commit()?)? } else { (0, false) };
        if code == 0 && is_taken {
            stamp(&message_file(self.name, self.args)?, self.args)?;
        }
        Ok(Judged { code, input: None, repo: Some(repo) })
    }

    fn look(&self, repo: &Opened) -> Vec<&'static str> {
        if self.part == Part::Configured {
            hook_others::look_beside(repo, self.name);
            return Vec::new();
        }
        hook_others::look(repo, self.name)
    }

    /// Whether another hook of ours has judged the same a moment ago, for the same git.
    fn is_judged_before(&self, repo: &Opened, subject: &ran::Subject) -> bool {
        match self.part {
            Part::Renamed => hook_others::note_runner(repo, self.name),
            Part::Whole if hook_others::is_started_by_another(repo) => {}
            _ => return false,
        }
        ran::is_judged_before(repo.layout(), self.name, subject)
    }

    /// Notes for the others what was judged. git goes on with the next one whatever the hook from the configuration says.
    fn note(&self, repo: &Opened, code: u8) {
        let is_configured = self.part == Part::Configured;
        if is_configured || self.part == Part::Renamed && code == 0 {
            let subject = hook_others::subject(repo, self.name, self.args);
            ran::has_judged(repo.layout(), self.name, &subject);
            if is_configured {
                ran::judged_for_next(repo.layout(), self.name, &subject);
            }
        }
    }
}

fn message_file(name: &str, args: &[OsString]) -> Result<PathBuf, Error> {
    args.first().map(PathBuf::from).ok_or_else(|| {
        Error::usage(
            format!("{name} was given no message file"),
            format!("git calls it with one: git lane hook {name} FILE"),
        )
    })
}

fn chained(name: &str, args: &[OsString], input: Option<&[u8]>, repo: Option<Opened>) -> Outcome {
    let repo = match repo {
        Some(repo) => repo,
        None => Opened::open()?,
    };
    let Some(turn) = Turn::begin(repo.layout(), name) else {
        return Ok(0);
    };
    let hooks = chain::previous_hooks(&repo.config("core.hooksPath")?, repo.layout(), name);
    repo.abandon();
    match hooks.as_slice() {
        [] => Ok(0),
        hooks => chain::run_all(hooks, args, input, &turn),
    }
}
