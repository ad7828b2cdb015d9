//! `git lane setup`

use serde_json::{Value, json};

use crate::cli::candidates;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::session;
use crate::ops::harness;
use crate::setup::{self, Options, Outcome, Reporter, Step, StepOutcome};

/// Create the worktrees of the policy's agents
///
/// Each gets its branch, hooks, identity, environment and ports, and is provisioned as in the policy. Can be rerun
/// at any time: what exists is kept.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The agents [default: all with a worktree in the policy]
    #[arg(value_name = "ID", add = candidates::agents())]
    pub agents: Vec<String>,
    /// Show what would be done, without doing it
    #[arg(long)]
    pub dry_run: bool,
    /// Resume with steps that failed or were not reached, and do nothing else
    #[arg(long)]
    pub resume: bool,
    /// Number of agents to set up at the same time
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
}

/// How many agents are set up at the same time, at least.
const JOBS: usize = 4;

/// Sets worktrees up. Exit code 1 where a step failed or one of them could not be made.
///
/// # Errors
/// An agent that is none, or something that concerns all of them.
pub fn run(args: &Args, output: &Output) -> crate::cli::Outcome {
    let session = session::open(output, None)?;
    let binary = crate::install::program::own_path()?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let options = Options {
        agents: args.agents.clone(),
        dry_run: args.dry_run,
        resume: args.resume,
        jobs: args.jobs.map_or(cores.max(JOBS), usize::from),
        binary,
    };
    let progress = progress(output);
    let mut outcomes = setup::run(&session.repo, &session.loaded, &options, &progress)?;
    progress.end();
    // They are of all worktrees: told once.
    if let Some(first) = outcomes.iter_mut().find(|outcome| outcome.error.is_none()) {
        let (changes, notes) = harness::renewed(&session.repo, &session.loaded.plan, args.dry_run)?;
        first.changes.extend(changes);
        first.notes.extend(notes);
    }
    let code = u8::from(!outcomes.iter().all(Outcome::is_well));
    if output.is_json() {
        output
            .print_json(&outcomes.iter().map(|outcome| as_json(outcome, args.dry_run)).collect::<Vec<_>>())?;
        return Ok(code);
    }
    let mut text = String::new();
    for outcome in &outcomes {
        if !output.is_quiet() {
            text.push_str(&as_text(outcome, args.dry_run));
        }
    }
    if outcomes.is_empty() && !output.is_quiet() {
        text.push_str("nothing to resume: no step failed, and none is left\n");
    }
    output.print(&text)?;
    for outcome in outcomes.iter().filter(|outcome| !outcome.is_well()) {
        print_failures(outcome, output);
    }
    Ok(code)
}

fn as_text(outcome: &Outcome, is_dry: bool) -> String {
    let Outcome { agent, root, changes, notes, steps, .. } = outcome;
    let is_new = |step: &&Step| matches!(step.outcome, StepOutcome::Done(_) | StepOutcome::Due);
    let steps: Vec<&Step> = steps.iter().collect();
    let is_unchanged = changes.is_empty() && !steps.iter().any(is_new) && outcome.is_well();
    let said = if is_unchanged { ": nothing to do" } else { "" };
    let mut text = format!("{agent}  {}{said}\n", root.display());
    let would = if is_dry { "would " } else { "" };
    for change in changes {
        text.push_str(&format!("    {would}{change}\n"));
    }
    for step in steps {
        let Step { name, run, outcome: ended, .. } = step;
        match ended {
            StepOutcome::Before | StepOutcome::Failed(..) => {}
            StepOutcome::Done(millis) => text.push_str(&format!("    ran {name} ({})\n", seconds(*millis))),
            StepOutcome::Due => text.push_str(&format!("    would run {name}: {run}\n")),
            StepOutcome::Waits(variable) => {
                text.push_str(&format!(
                    "    skipped {name}: {variable} is not set; set it, then rerun: git lane setup {agent}\n"
                ));
            }
        }
    }
    for note in notes {
        text.push_str(&format!("    note: {note}\n"));
    }
    text
}

fn seconds(millis: u64) -> String {
    format!("{}.{} s", millis / 1_000, millis / 100 % 10)
}

fn print_failures(outcome: &Outcome, output: &Output) {
    let agent = &outcome.agent;
    if let Some(error) = &outcome.error {
        return output.refuse(&format!("{agent}: {error}"), &error.help().unwrap_or_default());
    }
    let Some(Step { name, run, outcome: StepOutcome::Failed(how, tail), log }) = outcome.failed() else {
        return;
    };
    let mut text = format!("{agent}: the step {name} failed ({how}): {run}");
    for line in tail.lines() {
        text.push_str(&format!("\n  | {line}"));
    }
    let log =
        log.as_ref().map(|log| format!("see its whole output in {}\n", log.display())).unwrap_or_default();
    output.refuse(&text, &format!("{log}fix the step, then rerun: git lane setup {agent} --resume"));
}

fn as_json(outcome: &Outcome, is_dry: bool) -> Value {
    let step = |step: &Step| {
        let (state, detail) = match &step.outcome {
            StepOutcome::Before => ("done-before", Value::Null),
            StepOutcome::Done(millis) => ("done", json!({ "milliseconds": millis })),
            StepOutcome::Due => ("due", Value::Null),
            StepOutcome::Waits(variable) => ("waits", json!({ "unset": variable })),
            StepOutcome::Failed(how, tail) => ("failed", json!({ "how": how, "output": tail })),
        };
        let Step { name, run, log, .. } = step;
        json!({ "name": name, "run": run, "state": state, "detail": detail, "log": log })
    };
    let error = outcome.error.as_ref();
    json!({
        "agent": outcome.agent,
        "worktree": outcome.root,
        "branch": outcome.branch,
        "dry_run": is_dry,
        "changes": outcome.changes,
        "notes": outcome.notes,
        "steps": outcome.steps.iter().map(step).collect::<Vec<_>>(),
        "error": error.map(|error| json!({ "reason": error.to_string(), "help": error.help() })),
    })
}

/// Where setting up, joining and tearing down say how far they are; programs that read JSON are not told.
pub(in crate::commands) fn progress(output: &Output) -> Progress {
    Progress::new(output.is_quiet() || output.is_json())
}

impl Reporter for Progress {
    fn waits(&self, agent: &str) {
        self.line(&format!("{agent}: waiting for another setup to finish"));
    }

    fn step_started(&self, agent: &str, step: &str, at: usize, of: usize) {
        self.step(agent, step, at, of);
    }

    fn step_finished(&self, agent: &str, step: &Step) {
        let name = &step.name;
        match &step.outcome {
            StepOutcome::Done(millis) => {
                self.step_ended(agent, &format!("{agent}: {name} done ({})", seconds(*millis)), None);
            }
            StepOutcome::Failed(how, _) => {
                let text = format!("{agent}: {name} failed ({how})");
                self.step_ended(agent, &text, Some(&format!("{name} failed")));
            }
            _ => {}
        }
    }
}
