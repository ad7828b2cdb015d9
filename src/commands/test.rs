//! `git lane test`

use std::num::NonZeroUsize;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::cli::Outcome;
use crate::cli::candidates;
use crate::cli::output::{Output, print_error};
use crate::cli::session;
use crate::commands::affected::ChangeArgs;
use crate::commands::env::environment;
use crate::commands::who::note_policy;
use crate::gather::Subject;
use crate::ops::Session;
use crate::ops::affected::survey;
use crate::ops::test::{Bench, TestRun, prepare, run as run_tests};
use crate::run::End;
use lane_core::error::Error;
use lane_core::policy::model::TestRuns;

/// Run the tests of the services that a change touches
///
/// The change is the branch with everything in the working tree, unless an option says otherwise. The command is that of
/// `tests.run` in the policy; it runs in the agent's environment, and within its memory.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// These services, touched or not
    #[arg(value_name = "SERVICE", add = candidates::services(), conflicts_with_all = ["all", "subject"])]
    pub services: Vec<String>,
    /// All services
    #[arg(long, conflicts_with = "subject")]
    pub all: bool,
    #[command(flatten)]
    pub change: ChangeArgs,
    /// How many services are tested at a time [default: one for each processor]
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Use this policy, to try it out
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
}

/// Runs the tests of services; exit code 1 where one fails.
///
/// # Errors
/// No tests in the policy, a change that cannot be read, or an unknown service.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let session = session::open(output, args.policy.as_deref())?;
    note_policy(&session, output);
    let runs = runs_of(&session)?;
    let subject = args.change.subject(&session, Subject::Worktree)?;
    let survey = survey(&session, &subject)?;
    let services = match (args.all, args.services.as_slice()) {
        (true, _) => survey.all(),
        (_, []) => survey.services(),
        (_, names) => survey.named(names)?,
    };
    let prepared = prepare(&session, &survey, &services, runs)?;
    let agent = session.found_agent(None)?.and_then(|id| session.loaded.plan.policy.agent(&id));
    let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let bench = Bench {
        runs,
        agent: agent.map(|agent| (agent, environment(&session, agent))),
        jobs: args.jobs.map_or(processors, NonZeroUsize::get),
    };
    let shows_all = output.is_verbose() || services.len() == 1;
    let mut failure = None;
    let (ended, signal) = run_tests(prepared, &bench, &mut |run| {
        if !output.is_json() {
            failure = failure.take().or(show(run, output, shows_all).err());
        }
    })?;
    if let Some(error) = failure {
        return Err(error);
    }
    if output.is_json() {
        output.print_json(&as_json(&ended))?;
    } else {
        output.print(&summary(&ended, survey.all().len()))?;
    }
    Ok(match signal {
        Some(signal) => 128 + signal,
        None => u8::from(!ended.iter().all(TestRun::is_good)),
    })
}

fn runs_of(session: &Session) -> Result<&TestRuns, Error> {
    session.loaded.plan.policy.tests.runs.as_ref().ok_or_else(|| {
        Error::usage(
            format!("{} does not say how services are tested", session.loaded.plan.source.name),
            "add for example: `tests: { run: \"pytest {path}/tests\" }`; sentences go to `tests.sentences`",
        )
    })
}

/// Shows a service whose tests have ended: what they wrote where they failed, or all was asked for.
fn show(run: &TestRun, output: &Output, shows_all: bool) -> Result<(), Error> {
    let is_good = run.is_good();
    if is_good && !shows_all {
        if !output.is_quiet() {
            print_error(&format!("{}: {}\n", run.service, result(run)));
        }
        return Ok(());
    }
    let mut text = format!("--- {}: {}\n", run.service, result(run));
    text.push_str(&run.output);
    if !run.output.is_empty() && !run.output.ends_with('\n') {
        text.push('\n');
    }
    output.print(&text)
}

fn result(run: &TestRun) -> String {
    let Some(ended) = &run.ended else { return "no tests in the policy".to_owned() };
    let time = format!("{:.1} s", ended.time.as_secs_f64());
    match &ended.end {
        End::Passed => format!("passed in {time}"),
        End::Failed(code) => format!("failed in {time} (exit code {code})"),
        End::TimedOut => format!("timed out after {time}"),
        End::TooMuchOutput => format!("wrote too much, ended after {time}"),
        End::Interrupted => "interrupted".to_owned(),
        End::NotStarted(why) => format!("could not be started: {why}"),
    }
}

fn summary(runs: &[TestRun], all: usize) -> String {
    if runs.is_empty() {
        return format!("no service affected, of {all}: nothing to test\n");
    }
    let width = runs.iter().map(|run| run.service.chars().count()).max().unwrap_or(0);
    let mut out = String::from("\n");
    for run in runs {
        out.push_str(&format!("{:width$}  {}\n", run.service, result(run)));
        if let (false, Some(log)) = (run.is_good(), &run.log) {
            out.push_str(&format!("{:width$}  {}\n", "", log.display()));
        }
    }
    let failed = runs.iter().filter(|run| !run.is_good()).count();
    let tested = runs.iter().filter(|run| run.ended.is_some()).count();
    out.push_str(&format!("{} passed, {failed} failed, of {all} services\n", tested - failed));
    out
}

fn as_json(runs: &[TestRun]) -> Value {
    let one = |run: &TestRun| {
        let (result, code) = match run.ended.as_ref().map(|ended| &ended.end) {
            None => ("none", None),
            Some(End::Passed) => ("passed", Some(0_u8)),
            Some(End::Failed(code)) => ("failed", Some(*code)),
            Some(End::TimedOut) => ("timeout", None),
            Some(End::TooMuchOutput) => ("output", None),
            Some(End::Interrupted) => ("interrupted", None),
            Some(End::NotStarted(_)) => ("not-started", None),
        };
        json!({
            "service": run.service, "path": run.path, "command": run.command, "result": result, "exit_code": code,
            "milliseconds": run.ended.as_ref().map(|ended| u64::try_from(ended.time.as_millis()).unwrap_or(u64::MAX)),
            "log": run.log.as_ref().map(|log| log.display().to_string()),
        })
    };
    json!({
        "schema": 1,
        "verdict": if runs.iter().all(TestRun::is_good) { "pass" } else { "fail" },
        "services": runs.iter().map(one).collect::<Vec<_>>(),
    })
}
