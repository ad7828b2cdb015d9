//! Many commands side by side: each in a process group of its own, within a time, its output in a file of its own.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::Limit;
use lane_core::agent_env::AgentEnv;
use lane_os::Interrupts;

/// How often the commands are looked at.
const TICK: Duration = Duration::from_millis(15);
/// How long a command that is to end may take for that.
const GRACE: Duration = Duration::from_secs(3);

/// One command.
#[derive(Debug, Clone)]
pub struct Task {
    /// A command for sh.
    pub command: String,
    /// The folder that it runs in.
    pub folder: PathBuf,
    /// Variables beside those of the environment.
    pub variables: Vec<(&'static str, String)>,
    /// Where its output goes.
    pub log: PathBuf,
    /// What it is held to beside the others.
    pub bounds: Bounds,
    /// What it sees of this process, if not all of it.
    pub isolation: Option<Isolation>,
}

/// A command that knows only what it is told: nothing of git's and git-lane's own variables.
#[derive(Debug, Clone)]
pub struct Isolation {
    /// The file on its standard input.
    pub input: PathBuf,
    /// Its variables.
    pub variables: Vec<(OsString, OsString)>,
}

/// What one command is held to, where it differs from the others.
#[derive(Debug, Clone, Default)]
pub struct Bounds {
    /// Where its standard error goes, if not to its output.
    pub errors: Option<PathBuf>,
    /// How long it may take.
    pub timeout: Option<Duration>,
    /// How many bytes it may write, about: it is looked at every few milliseconds.
    pub bytes: Option<u64>,
    /// Whether what it started and did not wait for ends with it.
    pub ends_with_it: bool,
}

/// What all commands run with.
pub struct Context<'c> {
    /// The agent's variables, where an agent works here.
    pub environment: Option<&'c AgentEnv>,
    /// The memory that all of them may use together.
    pub limit: Option<Limit>,
    /// How many run at a time; at least one.
    pub jobs: usize,
    /// How long each may take.
    pub timeout: Duration,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// With exit code 0.
    Passed,
    /// With another exit code, or 128 and a signal.
    Failed(u8),
    /// It took too long, and was ended.
    TimedOut,
    /// It wrote too much, and was ended.
    TooMuchOutput,
    /// It was ended, or not begun, because all were to end.
    Interrupted,
    /// It could not be started.
    NotStarted(String),
}

/// A command that has ended.
#[derive(Debug, Clone)]
pub struct Ended {
    /// How.
    pub end: End,
    /// After which time.
    pub time: Duration,
}

pub(super) struct Running {
    task: usize,
    child: Child,
    started: Instant,
    /// Why it is to end, and since when it is.
    ending: Option<(End, Instant)>,
}

/// Runs commands, at most so many at a time, in their order. `finished`: is told of each that ends. Returns how each ended,
/// and the signal that ended all of them, if one did.
///
/// # Errors
/// This process cannot be started once more, or signals cannot be caught.
pub fn run_all(
    tasks: &[Task],
    context: &Context<'_>,
    finished: &mut dyn FnMut(usize, &Ended),
) -> std::io::Result<(Vec<Ended>, Option<u8>)> {
    run_all_with(tasks, context, finished, &mut || true)
}

/// The same. `go_on`: is asked again and again meanwhile; all are ended once it says no.
///
/// # Errors
/// As [`run_all`].
pub fn run_all_with(
    tasks: &[Task],
    context: &Context<'_>,
    finished: &mut dyn FnMut(usize, &Ended),
    go_on: &mut dyn FnMut() -> bool,
) -> std::io::Result<(Vec<Ended>, Option<u8>)> {
    let binary = std::env::current_exe()?;
    let mut interrupts = Interrupts::catch()?;
    let unrun = Ended { end: End::Interrupted, time: Duration::ZERO };
    let mut all = vec![unrun; tasks.len()];
    let mut running: Vec<Running> = Vec::new();
    let (mut next, mut signal) = (0, None);
    let mut end = |at: usize, ended: Ended, all: &mut Vec<Ended>| {
        finished(at, &ended);
        all[at] = ended;
    };
    while !running.is_empty() || next < tasks.len() && signal.is_none() {
        while next < tasks.len() && signal.is_none() && running.len() < context.jobs.max(1) {
            match start(&binary, &tasks[next], context) {
                Ok(child) => running.push(Running::new(next, child)),
                Err(error) => {
                    let end_of = End::NotStarted(error.to_string());
                    end(next, Ended { end: end_of, time: Duration::ZERO }, &mut all);
                }
            }
            next += 1;
        }
        if let Some(caught) = interrupts.pending() {
            signal = signal.or(Some(caught));
            running.iter_mut().for_each(|one| one.stop(End::Interrupted));
        }
        if !go_on() {
            next = tasks.len();
            running.iter_mut().for_each(|one| one.stop(End::Interrupted));
        }
        let mut at = 0;
        while at < running.len() {
            let task = &tasks[running[at].task];
            let timeout = task.bounds.timeout.unwrap_or(context.timeout);
            match running[at].look(timeout, || task.wrote_too_much()) {
                Some(ended) => {
                    if task.bounds.ends_with_it {
                        running[at].signal(true);
                    }
                    let task = running.swap_remove(at).task;
                    end(task, ended, &mut all);
                }
                None => at += 1,
            }
        }
        std::thread::sleep(TICK);
    }
    Ok((all, signal))
}

fn start(binary: &Path, task: &Task, context: &Context<'_>) -> std::io::Result<Child> {
    let log = File::create(&task.log)?;
    let errors = match &task.bounds.errors {
        Some(path) => File::create(path)?,
        None => log.try_clone()?,
    };
    let limit = context.limit.as_ref();
    let mut command = match &task.isolation {
        Some(isolation) => isolated(task, isolation)?,
        None => in_group(binary, &task.command, &task.folder, &task.variables, context.environment, limit),
    };
    command.stdout(log).stderr(errors).spawn()
}

/// A command for sh in a process group of its own, in an agent's environment, with nothing on its standard input.
pub(super) fn in_group(
    binary: &Path,
    text: &str,
    folder: &Path,
    variables: &[(&'static str, String)],
    environment: Option<&AgentEnv>,
    limit: Option<&Limit>,
) -> Command {
    let mut command = Command::new(binary);
    command.arg("limited").args(limit.into_iter().flat_map(Limit::args));
    command.args(["--", "sh", "-c"]).arg(text).current_dir(folder);
    lane_git::command::TIES.iter().copied().for_each(|name| {
        command.env_remove(name);
    });
    if let Some(environment) = environment {
        environment.unset().into_iter().for_each(|name| {
            command.env_remove(name);
        });
        command.envs(environment.set.iter().map(|(name, value)| (name, value)));
    }
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null());
    lane_os::own_group(&mut command);
    command
}

/// A command for sh in a process group of its own, started by itself: the program that holds the hooks alone cannot stand in
/// between.
fn isolated(task: &Task, isolation: &Isolation) -> std::io::Result<Command> {
    let mut command = Command::new("sh");
    command.arg("-c").arg(&task.command).current_dir(&task.folder);
    for (name, _) in std::env::vars_os() {
        let bytes = name.as_encoded_bytes();
        if bytes.starts_with(b"GIT_") || bytes.starts_with(b"LANE_") {
            command.env_remove(name);
        }
    }
    command.envs(isolation.variables.iter().map(|(name, value)| (name, value)));
    command.stdin(File::open(&isolation.input)?);
    lane_os::own_group(&mut command);
    Ok(command)
}

impl Running {
    pub(super) fn new(task: usize, child: Child) -> Self {
        Self { task, child, started: Instant::now(), ending: None }
    }

    /// How it ended, if it did; ends it where its time is over.
    pub(super) fn look(&mut self, timeout: Duration, wrote_too_much: impl Fn() -> bool) -> Option<Ended> {
        let time = self.started.elapsed();
        if let Ok(Some(status)) = self.child.try_wait() {
            let end = match self.ending.take() {
                Some((end, _)) => {
                    // Whatever it started and did not wait for.
                    self.signal(true);
                    end
                }
                None => of_status(status),
            };
            return Some(Ended { end, time });
        }
        match &self.ending {
            None if time >= timeout => self.stop(End::TimedOut),
            None if wrote_too_much() => self.stop(End::TooMuchOutput),
            Some((_, since)) if since.elapsed() >= GRACE => self.signal(true),
            _ => {}
        }
        None
    }

    pub(super) fn stop(&mut self, end: End) {
        if self.ending.is_none() {
            self.ending = Some((end, Instant::now()));
            self.signal(false);
        }
    }

    /// Signals all of its process group.
    fn signal(&mut self, is_kill: bool) {
        lane_os::signal_group(&mut self.child, is_kill);
    }
}

impl Task {
    fn wrote_too_much(&self) -> bool {
        let Some(most) = self.bounds.bytes else { return false };
        let files = std::iter::once(&self.log).chain(&self.bounds.errors);
        files.filter_map(|file| file.metadata().ok()).any(|file| file.len() > most)
    }
}

fn of_status(status: ExitStatus) -> End {
    match lane_os::code_of(status) {
        0 => End::Passed,
        code => End::Failed(code),
    }
}
