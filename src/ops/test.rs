//! Runs the tests of services, side by side.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::Session;
use super::affected::Survey;
use crate::affected::Project;
use crate::run::{Bounds, Context, End, Ended, Limit, Task, run_all};
use lane_core::affected::{Unquotable, fill};
use lane_core::agent_env::AgentEnv;
use lane_core::error::Error;
use lane_core::policy::log_name;
use lane_core::policy::model::{Agent, TestRuns};
use lane_git::Repository;

/// The tests of one service, and how they ended.
#[derive(Debug)]
pub struct TestRun {
    /// The service.
    pub service: String,
    /// Its folder.
    pub path: String,
    /// The command; `None` where the policy has none for it.
    pub command: Option<String>,
    /// How it ended; `None` where nothing was run.
    pub ended: Option<Ended>,
    /// What it wrote, without secrets.
    pub output: String,
    /// The file that has it.
    pub log: Option<PathBuf>,
}

impl TestRun {
    /// Whether nothing failed.
    pub fn is_good(&self) -> bool {
        self.ended.as_ref().is_none_or(|ended| ended.end == End::Passed)
    }
}

/// Who tests, and with what.
pub struct Bench<'b> {
    /// How the policy says that services are tested.
    pub runs: &'b TestRuns,
    /// The agent that works here, with its environment.
    pub agent: Option<(&'b Agent, AgentEnv)>,
    /// How many services are tested at a time.
    pub jobs: usize,
}

/// Prepares the tests of services: nothing is run yet.
///
/// # Errors
/// A name that cannot stand in the command, or a folder of logs that cannot be made.
pub fn prepare(
    session: &Session,
    survey: &Survey<'_>,
    services: &[usize],
    runs: &TestRuns,
) -> Result<Vec<(TestRun, Option<Task>)>, Error> {
    let layout = session.repo.layout();
    let Some(root) = &layout.worktree else {
        return Err(Error::usage("a bare repository has no working tree to test", "run it in a worktree"));
    };
    let logs = layout.git_dir.join("lane/logs/tests");
    fs::create_dir_all(&logs).map_err(|error| {
        Error::write(format!("{} cannot be created: {error}", logs.display()), "check its permissions")
    })?;
    let mut names = BTreeSet::new();
    let mut all = Vec::new();
    for at in services {
        let Project { name, path, .. } = survey.project(*at);
        let mut run = TestRun {
            service: name.clone(),
            path: path.clone(),
            command: None,
            ended: None,
            output: String::new(),
            log: None,
        };
        let Some(command) = runs.run.of(name) else {
            all.push((run, None));
            continue;
        };
        let filled = fill(&command.value, name, path).map_err(|error| unquotable(&error))?;
        let folder = runs.cwd.as_ref().map_or("", |cwd| cwd.value.as_str());
        // No shell reads this one.
        let folder = root.join(folder.replace("{service}", name).replace("{path}", path));
        let mut file = log_name(name);
        while !names.insert(file.clone()) {
            file.push('_');
        }
        // Two runs in one worktree do not write into one file.
        let log = logs.join(format!("{file}.{}", std::process::id()));
        let variables = vec![("LANE_SERVICE", name.clone()), ("LANE_SERVICE_PATH", path.clone())];
        run.command = Some(filled.clone());
        run.log = Some(logs.join(file));
        all.push((
            run,
            Some(Task {
                command: filled,
                folder,
                variables,
                log,
                bounds: Bounds::default(),
                isolation: None,
            }),
        ));
    }
    Ok(all)
}

fn unquotable(error: &Unquotable) -> Error {
    let Unquotable { placeholder, value } = error;
    Error::usage(
        format!(
            "`{value}` cannot stand for `{placeholder}` in `tests.run`: it needs quotes, and the command has it in quotes or beside a comment, a back-quote or a here-document"
        ),
        format!("write {placeholder} without quotes around it: git-lane quotes it"),
    )
}

/// Runs prepared tests. `finished`: is told of each that ends. Returns them all, and the signal that ended them, if one did.
///
/// # Errors
/// Nothing can be started.
pub fn run(
    prepared: Vec<(TestRun, Option<Task>)>,
    bench: &Bench<'_>,
    finished: &mut dyn FnMut(&TestRun),
) -> Result<(Vec<TestRun>, Option<u8>), Error> {
    let mut runs = Vec::new();
    let (mut tasks, mut places) = (Vec::new(), Vec::new());
    for (at, (run, task)) in prepared.into_iter().enumerate() {
        runs.push(run);
        if let Some(task) = task {
            tasks.push(task);
            places.push(at);
        }
    }
    let memory =
        bench.agent.as_ref().and_then(|(agent, _)| Some((agent, agent.memory.as_ref()?.value.bytes)));
    let context = Context {
        environment: bench.agent.as_ref().map(|(_, environment)| environment),
        limit: memory.map(|(agent, bytes)| Limit::prepare(&agent.id.value, bytes)),
        jobs: bench.jobs,
        timeout: Duration::from_secs(bench.runs.timeout.value.seconds),
    };
    let logs: Vec<PathBuf> = tasks.iter().map(|task| task.log.clone()).collect();
    let (_, signal) = run_all(&tasks, &context, &mut |task, ended| {
        let run = &mut runs[places[task]];
        run.ended = Some(ended.clone());
        let text = fs::read(&logs[task]).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        run.output =
            context.environment.map_or_else(|| text.clone(), |environment| environment.masked(&text));
        if let Some(log) = &run.log {
            let _ = fs::write(log, &run.output).and_then(|()| fs::remove_file(&logs[task]));
        }
        finished(run);
    })
    .map_err(|error| {
        Error::write(format!("tests could not be started: {error}"), "run git-lane by its full path")
    })?;
    let interrupted = Ended { end: End::Interrupted, time: Duration::ZERO };
    for at in places {
        runs[at].ended.get_or_insert_with(|| interrupted.clone());
    }
    Ok((runs, signal))
}
