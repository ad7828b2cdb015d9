//! The steps that make a worktree ready, in the agent's environment.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::local;
use super::outcome::{Step, StepOutcome};
use super::state::{LockedState, State, hash, unwritable};
use super::target::Target;
use crate::gather::LoadedPolicy;
use lane_core::agent_env::AgentEnv;
use lane_core::error::Error;
use lane_core::locks::record::plain;
use lane_core::policy::model::Provision;
use lane_git::command::TIES;

/// Whoever shows how it is going, from several threads at once.
pub trait Reporter: Sync {
    /// Somebody else sets this agent up at the moment.
    fn waits(&self, agent: &str);
    /// A step begins: the agent, the step's name, its place from 1, and how many there are.
    fn step_started(&self, agent: &str, step: &str, at: usize, of: usize);
    /// A step ended.
    fn step_finished(&self, agent: &str, step: &Step);
}

/// How many lines of a failed step's output are shown.
const TAIL: usize = 20;
/// How long to wait for a step that somebody was killed over, and that still runs.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where the output of a step is kept.
pub fn log_of(common_dir: &Path, agent: &str, step: &str) -> PathBuf {
    common_dir.join("lane/logs").join(agent).join(lane_core::policy::log_name(step))
}

/// What a step is about to do.
enum StepState {
    Done,
    Waits(String),
    Due,
}

fn turn(step: &Provision, state: &State, environment: &AgentEnv) -> StepState {
    if state.steps.get(&step.name.value) == Some(&hash(step.run.value.as_bytes())) {
        return StepState::Done;
    }
    let unset = |name: &str| {
        let is_missing = environment.missing.iter().any(|(missing, _)| missing == name);
        let value = environment.get(name).or_else(|| std::env::var(name).ok()).unwrap_or_default();
        is_missing || value.is_empty()
    };
    match &step.when {
        Some(name) if unset(&name.value) => StepState::Waits(name.value.clone()),
        _ => StepState::Due,
    }
}

fn as_step(step: &Provision, ended: StepOutcome, log: Option<PathBuf>) -> Step {
    Step { name: step.name.value.clone(), run: step.run.value.clone(), outcome: ended, log }
}

/// What would be run.
pub(super) fn pending_steps(steps: &[Provision], state: &State, environment: &AgentEnv) -> Vec<Step> {
    let ended = |step: &Provision| match turn(step, state, environment) {
        StepState::Done => StepOutcome::Before,
        StepState::Waits(name) => StepOutcome::Waits(name),
        StepState::Due => StepOutcome::Due,
    };
    steps.iter().map(|step| as_step(step, ended(step), None)).collect()
}

/// What all steps of an agent run with.
pub(super) struct StepContext<'a> {
    pub common_dir: &'a Path,
    pub loaded: &'a LoadedPolicy,
    pub environment: &'a AgentEnv,
    pub reporter: &'a dyn Reporter,
}

/// Runs the steps that are not done yet, in order, until one fails.
///
/// # Errors
/// A log or the notes cannot be written. That a step fails is no error, but how it ended.
pub(super) fn run(
    around: &StepContext<'_>,
    steps: &[Provision],
    target: &Target,
    held: &mut LockedState,
) -> Result<Vec<Step>, Error> {
    let StepContext { common_dir, loaded, environment, reporter } = around;
    let mut done = Vec::new();
    let mut local = None;
    for (at, step) in steps.iter().enumerate() {
        let name = &step.name.value;
        let ended = match turn(step, &held.state, environment) {
            StepState::Done => {
                done.push(as_step(step, StepOutcome::Before, None));
                continue;
            }
            StepState::Waits(variable) => as_step(step, StepOutcome::Waits(variable), None),
            StepState::Due => {
                reporter.step_started(&target.agent, name, at + 1, steps.len());
                let log = log_of(common_dir, &target.agent, name);
                let before = local.take().unwrap_or_else(|| local::hashes(loaded, &target.root));
                let ended = run_one(step, target, environment, &log)?;
                let after = local::hashes(loaded, &target.root);
                let made = after.iter().filter(|(path, hash)| before.get(*path) != Some(hash));
                let made: Vec<_> = made.map(|(path, hash)| (path.clone(), hash.clone())).collect();
                held.note(|state| state.made.extend(made))?;
                local = Some(after);
                as_step(step, ended, Some(log))
            }
        };
        match &ended.outcome {
            StepOutcome::Done(_) => held.note(|state| {
                state.steps.insert(name.clone(), hash(step.run.value.as_bytes()));
                state.failed = None;
            })?,
            StepOutcome::Failed(..) => held.note(|state| state.failed = Some(name.clone()))?,
            _ => {}
        }
        reporter.step_finished(&target.agent, &ended);
        let is_failed = matches!(ended.outcome, StepOutcome::Failed(..));
        done.push(ended);
        if is_failed {
            break;
        }
    }
    Ok(done)
}

fn run_one(
    step: &Provision,
    target: &Target,
    environment: &AgentEnv,
    log: &Path,
) -> Result<StepOutcome, Error> {
    let file = open_log(log, &target.agent)?;
    let started = Instant::now();
    let mut command = Command::new("sh");
    command.arg("-c").arg(&step.run.value).current_dir(&target.root);
    TIES.iter().copied().chain(environment.unset()).for_each(|name| {
        command.env_remove(name);
    });
    command.envs(environment.set.iter().map(|(name, value)| (name, value)));
    let clone = |file: &File| file.try_clone().map_err(|error| unwritable(log, &error));
    // Who holds the log open runs this step: a step that outlives us is not run a second time beside itself.
    command.stdin(Stdio::null()).stdout(clone(&file)?).stderr(clone(&file)?);
    let status = match command.status() {
        Ok(status) => status,
        Err(error) => {
            return Ok(StepOutcome::Failed(format!("sh could not be started: {error}"), String::new()));
        }
    };
    drop(command);
    mask(log, environment)?;
    if status.success() {
        return Ok(StepOutcome::Done(u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)));
    }
    Ok(StepOutcome::Failed(how(status), tail(log)))
}

fn open_log(log: &Path, agent: &str) -> Result<File, Error> {
    let unwritable = |error: std::io::Error| unwritable(log, &error);
    fs::create_dir_all(log.parent().unwrap_or(log)).map_err(unwritable)?;
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    // A step may print what it was given.
    let file = lane_os::private_file(&mut options).open(log).map_err(unwritable)?;
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if started.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(50));
            }
            Err(TryLockError::WouldBlock) => {
                return Err(Error::write(
                    format!("an earlier run of this step is still running and writes to {}", log.display()),
                    format!("once it has ended, {} --resume", super::rerun(agent)),
                ));
            }
            Err(TryLockError::Error(error)) => return Err(unwritable(error)),
        }
    }
    file.set_len(0).map_err(unwritable)?;
    Ok(file)
}

/// Takes out of a log what the step was given in secret and has printed.
fn mask(log: &Path, environment: &AgentEnv) -> Result<(), Error> {
    if environment.secrets.is_empty() {
        return Ok(());
    }
    let bytes = fs::read(log).map_err(|error| unwritable(log, &error))?;
    let text = String::from_utf8_lossy(&bytes);
    let masked = environment.masked(&text);
    if masked != text {
        fs::write(log, masked).map_err(|error| unwritable(log, &error))?;
    }
    Ok(())
}

fn how(status: ExitStatus) -> String {
    if let Some(signal) = lane_os::signal_of(status) {
        return format!("signal {signal}");
    }
    status.code().map_or_else(|| "no exit code".to_owned(), |code| format!("exit code {code}"))
}

/// The last lines of a log, fit for a terminal.
fn tail(log: &Path) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    let from = bytes.len().saturating_sub(64 << 10);
    let text = String::from_utf8_lossy(&bytes[from..]).into_owned();
    let lines: Vec<String> = text.lines().map(plain).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}
