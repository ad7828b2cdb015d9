//! Commands that check services, and those that print their logs: run as tests are, in the agents' environments, but with
//! no limit on memory, which is the agent's own work's.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Command, Finding, OUTPUT, Probe, Question};
use crate::run::{Bounds, Context, End, Ended, Task, run_all};
use lane_core::agent_env::AgentEnv;
use lane_core::error::Error;
use lane_core::health::{Ending, Run, Verdict, of_run, without_colors};
use lane_git::pool;

/// Commands of one environment that run at a time.
const AT_A_TIME: usize = 8;
/// The most that a command for logs may print.
const LOGS: u64 = 16 * 1024 * 1024;

/// What a command has printed.
#[derive(Debug, Clone)]
pub struct Printed {
    /// How it ended, and after which time.
    pub ended: Ended,
    /// The end of its output, at most so much as was asked for; without the agent's secrets.
    pub out: String,
    /// What it wrote to standard error, where that was wanted by itself.
    pub err: String,
    /// Whether something before that was left out.
    pub is_cut: bool,
}

/// What was found out, each by the place of its question, and the signal that ended it, if one did.
type Found = (Vec<(usize, Finding)>, Option<u8>);

/// Runs the commands among the questions.
pub(super) fn ask(probes: &[Probe<'_>], logs: &Path, is_over: &AtomicBool) -> Result<Found, Error> {
    let (mut places, mut commands) = (Vec::new(), Vec::new());
    for (at, probe) in probes.iter().enumerate() {
        if let Question::Command(command) = &probe.question {
            places.push(at);
            commands.push(command.clone());
        }
    }
    let (printed, signal) = run(&commands, logs, Kind::Check, is_over)?;
    let finding = |(at, printed): (usize, Printed)| {
        let Question::Command(command) = &probes[at].question else { return None };
        Some((at, judged(&probes[at], command, printed)))
    };
    Ok((places.into_iter().zip(printed).filter_map(finding).collect(), signal))
}

fn judged(probe: &Probe<'_>, command: &Command, printed: Printed) -> Finding {
    let Printed { ended, out, err, .. } = printed;
    let (ending, exit_code) = match &ended.end {
        End::Passed => (Ending::Exit(0), Some(0)),
        End::Failed(code) => (Ending::Exit(*code), Some(*code)),
        End::TimedOut => (Ending::TimedOut, None),
        End::TooMuchOutput => (Ending::TooMuchOutput, None),
        End::Interrupted => (Ending::Interrupted, None),
        End::NotStarted(why) => {
            let verdict = Verdict::unknown(format!("the command could not be started: {why}"));
            return Finding { time: ended.time, ..Finding::of(verdict) };
        }
    };
    let run = Run { command: &command.command, ending, timeout: command.timeout, out: &out, err: &err };
    let verdict = of_run(&probe.check, &run);
    let gap = if out.is_empty() || out.ends_with('\n') || err.is_empty() { "" } else { "\n" };
    Finding { verdict, output: format!("{out}{gap}{err}"), exit_code, status: None, time: ended.time }
}

/// Runs commands that print logs, and returns what they printed, in their order; of each at most the last `most` bytes.
///
/// # Errors
/// The folder for what is printed cannot be made, or nothing can be started.
pub fn print_logs(commands: &[Command], logs: &Path) -> Result<(Vec<Printed>, Option<u8>), Error> {
    run(commands, logs, Kind::Logs, &AtomicBool::new(false))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Check,
    Logs,
}

/// What one environment runs: the commands by their places, each with its task.
type Group<'c> = (Option<&'c AgentEnv>, Vec<(usize, Task)>);

fn run(
    commands: &[Command],
    logs: &Path,
    kind: Kind,
    is_over: &AtomicBool,
) -> Result<(Vec<Printed>, Option<u8>), Error> {
    if commands.is_empty() {
        return Ok((Vec::new(), None));
    }
    fs::create_dir_all(logs).map_err(|error| {
        Error::write(format!("{} cannot be created: {error}", logs.display()), "check its permissions")
    })?;
    let mut groups: BTreeMap<Option<usize>, Group<'_>> = BTreeMap::new();
    for (at, command) in commands.iter().enumerate() {
        let environment = command.environment.as_deref();
        let key = environment.map(|environment| std::ptr::from_ref(environment) as usize);
        let group = groups.entry(key).or_insert((environment, Vec::new()));
        group.1.push((at, task(command, logs, at, kind)));
    }
    let groups: Vec<Group<'_>> = groups.into_values().collect();
    let done = pool::map(&groups, |group| run_group(group, is_over));
    let mut all: BTreeMap<usize, Ended> = BTreeMap::new();
    let mut signal = None;
    for ((_, tasks), done) in groups.iter().zip(done) {
        let (ended, caught) = done.map_err(|error| {
            Error::write(format!("commands could not be started: {error}"), "run git-lane by its full path")
        })?;
        signal = signal.or(caught);
        all.extend(tasks.iter().map(|(at, _)| *at).zip(ended));
    }
    let tasks =
        groups.iter().flat_map(|(environment, tasks)| tasks.iter().map(move |task| (*environment, task)));
    let mut printed: Vec<(usize, Printed)> = tasks
        .map(|(environment, (at, task))| {
            let interrupted = Ended { end: End::Interrupted, time: Duration::ZERO };
            (*at, collect(task, environment, all.remove(at).unwrap_or(interrupted), kind))
        })
        .collect();
    printed.sort_by_key(|(at, _)| *at);
    Ok((printed.into_iter().map(|(_, printed)| printed).collect(), signal))
}

fn run_group(group: &Group<'_>, is_over: &AtomicBool) -> std::io::Result<(Vec<Ended>, Option<u8>)> {
    if is_over.load(Ordering::Relaxed) {
        return Ok((Vec::new(), None));
    }
    let (environment, tasks) = group;
    let context = Context { environment: *environment, limit: None, jobs: AT_A_TIME, timeout: Duration::MAX };
    let tasks: Vec<Task> = tasks.iter().map(|(_, task)| task.clone()).collect();
    let done = run_all(&tasks, &context, &mut |_, _| {})?;
    if done.1.is_some() {
        is_over.store(true, Ordering::Relaxed);
    }
    Ok(done)
}

fn task(command: &Command, logs: &Path, at: usize, kind: Kind) -> Task {
    let log = logs.join(format!("{}-{at}", std::process::id()));
    Task {
        command: command.command.clone(),
        folder: command.folder.clone(),
        variables: command.variables.clone(),
        bounds: Bounds {
            errors: (kind == Kind::Check).then(|| log.with_extension("err")),
            timeout: Some(command.timeout),
            bytes: Some(if kind == Kind::Check { OUTPUT } else { LOGS }),
            ends_with_it: false,
        },
        log,
        isolation: None,
    }
}

/// Reads what a command has written, and removes the files.
fn collect(task: &Task, environment: Option<&AgentEnv>, ended: Ended, kind: Kind) -> Printed {
    let most = if kind == Kind::Check { OUTPUT } else { LOGS };
    let read = |path: &PathBuf| {
        let text = tail(path, most);
        let _ = fs::remove_file(path);
        text.map_or_else(
            |_| (String::new(), false),
            |(bytes, is_cut)| {
                let text = without_colors(&String::from_utf8_lossy(&bytes));
                (environment.map_or_else(|| text.clone(), |environment| environment.masked(&text)), is_cut)
            },
        )
    };
    let (out, is_cut) = read(&task.log);
    let err = task.bounds.errors.as_ref().map(|path| read(path).0).unwrap_or_default();
    Printed { ended, out, err, is_cut }
}

/// The last bytes of a file, and whether it has more.
fn tail(path: &Path, most: u64) -> std::io::Result<(Vec<u8>, bool)> {
    let mut file = fs::File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok((bytes, length > most))
}
