//! Worktrees for agents: made whole with one command, and away again without losing anything.
//!
//! What is missing is found first ([`target`]), then made: worktrees side by side ([`tree`]), hooks and
//! identity all at once (the code of `install`), local files ([`files`], [`exclude`]), then the policy's steps
//! ([`provision`]). What was done is noted per agent ([`state`]) under a lock that the system releases when
//! its holder dies, so that whoever comes after one that was killed goes on where that one stopped.

mod exclude;
pub mod extra;
mod files;
mod focus;
mod git;
mod hidden_changes;
pub mod join;
mod local;
mod losses;
mod outcome;
mod provision;
mod refresh;
mod removal;
mod repair;
mod state;
mod target;
pub mod teardown;
mod tree;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

pub use losses::Loss;
pub use outcome::{Outcome, Step, StepOutcome};
pub use provision::{Reporter, log_of};
pub use target::{root_of, worktree_name, worktree_name_of};

use crate::gather::LoadedPolicy;
use crate::install;
use crate::ports;
use lane_core::agent_env;
use lane_core::error::Error;
use lane_git::pool;
use lane_git::{Layout, Repository};
use state::LockedState;
use target::Target;

/// What `git lane setup` was asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// The agents; none: all that the policy gives a worktree.
    pub agents: Vec<String>,
    /// Only say what would be done.
    pub dry_run: bool,
    /// Only go on with steps that failed or were not reached.
    pub resume: bool,
    /// Number of agents to set up at the same time; at least 1.
    pub jobs: usize,
    /// The absolute path of the program that the hooks start.
    pub binary: PathBuf,
}

/// What `setup` and its steps keep in the common git folder.
const KEPT: [&str; 5] = ["setup", "logs", "ports", "fetch.lock", WORKTREE_NAMES];

/// Which worktrees harnesses have asked for, by the name that they gave them.
pub const WORKTREE_NAMES: &str = "worktrees.json";

/// Keeps files of these patterns out of git's sight, in all worktrees.
///
/// # Errors
/// `info/exclude` cannot be read or written.
pub fn keep_local(common_dir: &Path, patterns: &[String]) -> Result<(), Error> {
    exclude::ensure(common_dir, patterns).map(drop)
}

/// Takes away what `setup` put into the common git folder, for the last installation that goes. The patterns that no
/// longer keep files out of git.
///
/// # Errors
/// Something cannot be read or written.
pub fn forget(layout: &Layout) -> Result<Vec<String>, Error> {
    let lane = layout.common_dir.join("lane");
    let lines = exclude::remove(&layout.common_dir)?;
    for name in KEPT {
        let path = lane.join(name);
        let done = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        match done {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(state::unwritable(&path, &error));
            }
            _ => {}
        }
    }
    Ok(lines)
}

/// Sets worktrees up, or says what that would do.
///
/// # Errors
/// An agent that is none, or something that concerns all of them. What goes wrong with one agent stands in its
/// outcome, and the others go on.
pub fn run(
    repo: &dyn Repository,
    loaded: &LoadedPolicy,
    options: &Options,
    reporter: &dyn Reporter,
) -> Result<Vec<Outcome>, Error> {
    let mut targets = target::select(repo, loaded, &options.agents)?;
    let common_dir = repo.layout().common_dir.as_path();
    if options.resume {
        targets.retain(|target| state::is_unfinished(common_dir, target));
    }
    if options.dry_run {
        return plan_all(repo, loaded, targets);
    }
    let mut work = Vec::new();
    for target in targets {
        let held = LockedState::open(common_dir, &target.agent, reporter)?;
        work.push(SetupTask { outcome: Outcome::of(&target), target, held, is_new: false });
    }

    pool::each(work.iter_mut(), options.jobs, |work| {
        let made = tree::ensure(common_dir, &work.target, &mut work.held);
        work.is_new = made.as_ref().is_ok_and(|made| !made.changes.is_empty());
        work.record_result(made, |outcome, made| {
            outcome.changes.extend(made.changes);
            outcome.notes.extend(made.notes);
        });
    });

    let there: Vec<(String, PathBuf)> = work
        .iter()
        .filter(|work| work.outcome.error.is_none())
        .map(|work| (work.target.agent.clone(), work.target.root.clone()))
        .collect();
    if there.is_empty() {
        return Ok(work.into_iter().map(|work| work.outcome).collect());
    }
    install_all(repo, loaded, options, &there, &mut work)?;
    for work in work.iter_mut().filter(|work| work.outcome.error.is_none()) {
        work.write_files(loaded);
    }
    pool::each(
        work.iter_mut().filter(|work| work.outcome.error.is_none()).collect::<Vec<_>>().into_iter(),
        options.jobs,
        |work| {
            work.run_steps(common_dir, loaded, reporter);
        },
    );
    let new = work.iter().filter(|work| work.is_new).map(|work| work.target.root.clone());
    refresh::refresh(&new.collect::<Vec<_>>());
    Ok(work.into_iter().map(|work| work.outcome).collect())
}

/// Installs the hooks in these worktrees, and keeps what setup writes there out of git. The install code wants a program
/// that the hooks can start; it takes its own lock and writes once for all.
fn install_all(
    repo: &dyn Repository,
    loaded: &LoadedPolicy,
    options: &Options,
    there: &[(String, PathBuf)],
    work: &mut [SetupTask],
) -> Result<(), Error> {
    let installed = install::install_into(repo, &loaded.plan, &options.binary, there)?;
    for (id, what) in install::news(&installed) {
        let of_agent = work.iter_mut().filter(|work| work.target.agent == id);
        of_agent.for_each(|work| work.outcome.changes.push(what.clone()));
    }
    let layout = repo.layout();
    let excluded = exclude::ensure(&layout.common_dir, &exclude::lines(loaded, layout, there))?;
    // It is one file for all of them: reported once.
    if let Some(first) = work.iter_mut().find(|work| work.outcome.error.is_none()) {
        first.outcome.changes.extend(excluded);
    }
    Ok(())
}

/// One agent while it is set up.
struct SetupTask {
    target: Target,
    held: LockedState,
    outcome: Outcome,
    /// Whether the worktree was made just now.
    is_new: bool,
}

impl SetupTask {
    fn record_result<T>(&mut self, done: Result<T, Error>, take: impl FnOnce(&mut Outcome, T)) {
        match done {
            Ok(done) => take(&mut self.outcome, done),
            Err(error) => self.outcome.error = Some(error),
        }
    }

    fn write_files(&mut self, loaded: &LoadedPolicy) {
        let written = files::ensure(loaded, &self.target, &mut self.held);
        self.record_result(written, |outcome, (changes, notes)| {
            outcome.changes.extend(changes);
            outcome.notes.extend(notes);
        });
        self.outcome.notes.extend(taken_ports(loaded, &self.target));
    }

    fn run_steps(&mut self, common_dir: &Path, loaded: &LoadedPolicy, reporter: &dyn Reporter) {
        let policy = &loaded.plan.policy;
        let Some(agent) = policy.agent(&self.target.agent) else {
            return;
        };
        let variables = agent_env::variables_of(policy, agent).resolve(&|name| std::env::var(name).ok());
        let context = provision::StepContext { common_dir, loaded, environment: &variables, reporter };
        let run = provision::run(&context, &policy.provision, &self.target, &mut self.held);
        self.record_result(run, |outcome, steps| outcome.steps = steps);
        self.outcome.notes.extend(variables.complaints());
    }
}

/// What would be done for all of these agents.
fn plan_all(
    repo: &dyn Repository,
    loaded: &LoadedPolicy,
    targets: Vec<Target>,
) -> Result<Vec<Outcome>, Error> {
    let layout = repo.layout();
    let mut outcomes: Vec<Outcome> =
        targets.iter().map(|target| would(repo, loaded, target)).collect::<Result<_, _>>()?;
    let all: Vec<_> = targets.into_iter().map(|target| (target.agent, target.root)).collect();
    if let Some(first) = outcomes.first_mut() {
        first.changes.extend(exclude::missing(&layout.common_dir, &exclude::lines(loaded, layout, &all))?);
    }
    Ok(outcomes)
}

/// What would be done for an agent.
fn would(repo: &dyn Repository, loaded: &LoadedPolicy, target: &Target) -> Result<Outcome, Error> {
    let common_dir = &repo.layout().common_dir;
    let mut outcome = Outcome::of(target);
    let state = state::read(common_dir, &target.agent)?;
    match tree::plan_worktree(common_dir, target, &state) {
        Ok(next) => {
            outcome.changes.extend(next.words(target));
            if next == (tree::NextStep::Add { is_stale: false }) {
                outcome.error = tree::elsewhere(common_dir, target)?;
            }
        }
        Err(error) => outcome.error = Some(error),
    }
    if target.installed.as_deref() != Some(target.agent.as_str()) {
        outcome.changes.push(format!("install the hooks, as {}", target.agent));
    }
    let (changes, notes) = files::plan_files(loaded, target, &state)?;
    outcome.changes.extend(changes);
    outcome.notes.extend(notes);
    outcome.notes.extend(taken_ports(loaded, target));
    if let Some(agent) = loaded.plan.policy.agent(&target.agent) {
        let policy = &loaded.plan.policy;
        let variables = agent_env::variables_of(policy, agent).resolve(&|name| std::env::var(name).ok());
        outcome.steps = provision::pending_steps(&loaded.plan.policy.provision, &state, &variables);
        outcome.notes.extend(variables.complaints());
    }
    Ok(outcome)
}

/// Ports of the agent that somebody else has: a service of its own worktree, at its own place, is none.
fn taken_ports(loaded: &LoadedPolicy, target: &Target) -> Vec<String> {
    let agent = loaded.plan.policy.agent(&target.agent);
    let Some(range) = agent.and_then(|agent| agent.ports.as_ref()) else {
        return Vec::new();
    };
    let taken = ports::probe(range.value).into_iter().filter(|taken| !taken.is_of(&target.root));
    taken
        .map(|taken| format!("port {}, in the range {} of {}", taken.words(), range.value, target.agent))
        .collect()
}

/// The line of a help that ends with the command once more.
fn rerun(agent: &str) -> String {
    format!("rerun: git lane setup {agent}")
}

/// Paths as people read them in messages about commands.
fn quoted(path: &Path) -> String {
    lane_core::report::quote(path.as_os_str().as_encoded_bytes())
}
