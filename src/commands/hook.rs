//! `git lane hook NAME …`: what the installed scripts call.

use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use crate::cli::Outcome;
use crate::cli::diagnostics;
use crate::cli::output::{Output, print_error, warn};
use crate::install::chain::{self, Turn};
use crate::install::program::{self, RunningProgram};
use crate::install::server;
use crate::install::unchained::is_unchained;
use crate::install::{in_force, verdict_notes};
use crate::journal;
use crate::locks::manager::LockManager;
use crate::machine::ThisMachine;
use crate::ops::Session;
use crate::ops::auto_release::{Landing, release_landed};
use crate::ops::by_hand;
use crate::ops::push::PUSHING;
use lane_core::error::{Error, Kind};
use lane_core::facts::{Event, Unavailable};
use lane_core::hooks;
use lane_core::policy::model::{Access, Release};
use lane_core::report::Report;
use lane_core::text::help_block;
use lane_git::{GitRepo, Repository};

mod agent;
mod commit;
pub mod missing_hooks;
mod moved;
mod policy_repair;
mod push;
mod receive;
mod subjects;

/// How long a hook waits for the remote that has the locks, where it could do without.
const BRIEFLY: Duration = Duration::from_secs(5);

/// What the installed hooks call
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
    pub fn part(&self) -> HookMode {
        match (self.alone, self.pass) {
            (true, _) => HookMode::Alone,
            (_, true) => HookMode::Pass,
            _ => HookMode::Whole,
        }
    }
}

/// Which part of its work a hook has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookMode {
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

impl HookMode {
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
#[derive(Default)]
struct HookVerdict {
    code: u8,
    /// What git gave on standard input, if it was read.
    input: Option<Vec<u8>>,
    /// The repository, if it was opened.
    repo: Option<GitRepo>,
}

/// Runs a hook that is called by its name.
///
/// # Errors
/// None: a hook says itself what is wrong.
pub fn run(args: &Args, _: &Output) -> Outcome {
    if is_of_harness(OsStr::new(&args.name)) {
        return agent::run(&args.args);
    }
    Ok(run_named(&args.name, &args.args, args.part(), None))
}

/// Whether a harness starts it, and git does not. It is not in the program that holds the hooks of git alone.
pub fn is_of_harness(name: &OsStr) -> bool {
    name.to_str().and_then(hooks::find).is_some_and(|row| row.subject == hooks::Subject::Occasion)
}

/// Judges what a hook stands for; then the hook that was there before has its turn. `script`: what git has started, where that
/// is known.
pub fn run_named(name: &str, args: &[OsString], part: HookMode, script: Option<&Path>) -> u8 {
    let row = hooks::find(name);
    let is_server = row.and_then(|row| row.event).is_some_and(Event::is_server);
    let output = if is_server { Output::of_server_hook() } else { Output::of_hook() };
    // A script that git starts next does the same.
    if part == HookMode::Configured
        && row.is_some_and(|row| row.is_script)
        && in_force::is_started_by_folder(name)
    {
        return 0;
    }
    let judged = match (part, row) {
        (HookMode::Pass, _) => Ok(HookVerdict::default()),
        (_, Some(row)) => {
            let hook = Hook { row, args, mode: part, output: &output, observes: Cell::new(false) };
            hook.verdict()
                .or_else(|error| if hook.observes.get() { Ok(observed(&error)) } else { Err(error) })
        }
        (_, None) => Err(Error::usage(
            format!("git has no hook `{name}`"),
            "see githooks(5); the installed scripts use the right name",
        )),
    };
    match judged {
        Ok(HookVerdict { code: 0, repo: None, .. })
            if part == HookMode::Whole && script.is_some_and(|script| is_unchained(script, name)) =>
        {
            0
        }
        Ok(HookVerdict { code: 0, input, repo }) if part.chains() => {
            run_chained(name, args, input.as_deref(), repo).unwrap_or_else(|error| output.error(&error))
        }
        Ok(judged) => judged.code,
        Err(error) => {
            output.error(&error);
            if is_server && error.kind() == Kind::Policy {
                let help = "a server administrator can let the fixed policy in: run `git lane uninstall --server`, \
                            push it, then run `git lane install --server`";
                print_error(&help_block(help, false));
            }
            if let Some(what) = row.and_then(|row| row.prevents) {
                print_error(&format!("git-lane: could not decide ({name}); {what}\n"));
            }
            error.kind().exit_code()
        }
    }
}

/// What keeps a hook from a verdict by a policy that only observes keeps nobody from anything.
fn observed(error: &Error) -> HookVerdict {
    warn(
        &format!("observed, would be refused: could not decide: {error}"),
        &error.help().unwrap_or_else(|| "see the next steps: git lane check".to_owned()),
    );
    HookVerdict::default()
}

/// Does what an installed script asks for whose first line has started this program: see
/// [`program`]. `script`: its path.
pub fn run_script(script: &OsStr, args: &[OsString]) -> u8 {
    let resolved = program::resolve(script).and_then(|found| {
        let is_renamed = Path::new(script).file_name().is_some_and(|file| file != found.name);
        let part = match (found.is_configured, is_renamed) {
            (true, _) => HookMode::Configured,
            (_, true) => HookMode::Renamed,
            _ => HookMode::Whole,
        };
        // One of them says it.
        let is_first = hooks::find(found.name).is_some_and(hooks::Hook::is_first);
        if let Some(gone) = found.gone.as_ref().filter(|_| is_first) {
            let text =
                format!("{} is missing or not executable; its copy beside the hooks is used", gone.display());
            let again = program::way_back(gone).map_or_else(
                || "install git-lane again, then: git lane install".to_owned(),
                |command| format!("install git-lane again and renew the hooks: {command}"),
            );
            warn(&text, &again);
        }
        match found.starts {
            RunningProgram::This => Ok(run_named(found.name, args, part, Some(Path::new(script)))),
            RunningProgram::Other(binary) => {
                let words = ["hook"].into_iter().chain(part.flag()).chain([found.name]);
                let args = words.map(OsString::from).chain(args.iter().cloned());
                chain::run_previous(&binary, &args.collect::<Vec<_>>(), None, None)
            }
        }
    });
    resolved.unwrap_or_else(|error| {
        let name = Path::new(script).file_name().unwrap_or(script).to_string_lossy().into_owned();
        print_error(&diagnostics::render(
            "error",
            &format!("{name} is blocked: {error}"),
            error.hints(),
            false,
        ));
        2
    })
}

/// Releases the locks whose work has landed, where the policy says so.
fn give_back(session: &Session, event: Event) {
    let plan = &session.loaded.plan;
    if event == Event::PrePush && plan.has_area(Access::Lock) && std::env::var_os(PUSHING).is_none() {
        let world = ThisMachine::new();
        let mut manager = LockManager::new(&session.repo, plan, &world);
        manager.set_patience(BRIEFLY);
        by_hand::give_back(session, &mut manager, None);
    }
    let is_manual = plan.policy.locks.release.value == Release::Manual || !plan.has_area(Access::Lock);
    if is_manual || std::env::var_os(PUSHING).is_some() {
        return;
    }
    let world = ThisMachine::new();
    let mut manager = LockManager::new(&session.repo, plan, &world);
    manager.set_patience(BRIEFLY);
    release_landed(session, &mut manager, &Landing::default());
}

/// Notes in the journal what was judged, or that it could not be.
fn noted(session: &Session, event: Event, judged: Result<Report, Error>) -> Result<Report, Error> {
    let (layout, policy) = (session.repo.layout(), &session.loaded.plan.policy);
    match &judged {
        Ok(report) => journal::note(layout, policy, report),
        Err(_) => journal::note_failure(layout, policy, event, None),
    }
    judged
}

/// A hook that is running.
struct Hook<'a> {
    row: &'static hooks::Hook,
    args: &'a [OsString],
    mode: HookMode,
    output: &'a Output,
    /// Whether the policy in force only observes, once that is known.
    observes: Cell<bool>,
}

impl Hook<'_> {
    /// What git gives on standard input. `what`: for whom that cannot be read.
    fn input(&self, what: &str) -> Result<Option<Vec<u8>>, Error> {
        if !self.row.reads_input {
            return Ok(None);
        }
        let mut input = Vec::new();
        std::io::stdin()
            .read_to_end(&mut input)
            .map_err(|error| Unavailable::new(format!("{what} cannot be read: {error}"), "push again"))?;
        Ok(Some(input))
    }

    fn missing_hooks(&self, repo: &GitRepo) -> Vec<&'static str> {
        if self.mode == HookMode::Configured {
            missing_hooks::warn_missing_hooks(repo, self.row);
            return Vec::new();
        }
        missing_hooks::missing_hooks(repo, self.row)
    }

    /// Whether another hook of ours has judged the same a moment ago, for the same git.
    fn is_judged_before(&self, repo: &GitRepo, subject: &verdict_notes::Subject) -> bool {
        match self.mode {
            HookMode::Renamed => missing_hooks::note_runner(repo, self.row.name),
            HookMode::Whole if missing_hooks::is_started_by_another(repo) => {}
            _ => return false,
        }
        verdict_notes::is_judged_before(repo.layout(), self.row.name, subject)
    }

    /// Notes for the others what was judged. git goes on with the next one whatever the hook from the configuration says.
    fn note(&self, repo: &GitRepo, code: u8) {
        let is_configured = self.mode == HookMode::Configured;
        if is_configured || self.mode == HookMode::Renamed && code == 0 {
            let subject = missing_hooks::subject(repo, self.row, self.args);
            verdict_notes::has_judged(repo.layout(), self.row.name, &subject);
            if is_configured {
                verdict_notes::note_for_next_hook(repo.layout(), self.row.name, &subject);
            }
        }
    }
}

fn run_chained(name: &str, args: &[OsString], input: Option<&[u8]>, repo: Option<GitRepo>) -> Outcome {
    let repo = match repo {
        Some(repo) => repo,
        None => GitRepo::open()?,
    };
    let Some(turn) = Turn::begin(repo.layout(), name) else {
        return Ok(0);
    };
    let hooks_paths = repo.config("core.hooksPath")?;
    if name == Event::PreReceive.name() {
        server::pass_on_update(repo.layout(), &hooks_paths)?;
    }
    let hooks = chain::previous_hooks(&hooks_paths, repo.layout(), name);
    repo.abandon();
    match hooks.as_slice() {
        [] => Ok(0),
        hooks => chain::run_all(hooks, args, input, &turn),
    }
}
