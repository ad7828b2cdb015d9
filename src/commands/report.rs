//! `git lane report`

use std::path::PathBuf;
use std::str::FromStr;

use crate::cli::Outcome;
use crate::cli::candidates;
use crate::cli::options::Format;
use crate::cli::output::{Output, note, print_error};
use crate::cli::session;
use crate::cli::step_summary;
use crate::ops::Session;
use crate::ops::report::{Options, report};
use lane_core::error::Error;
use lane_core::facts::Unavailable;
use lane_core::metrics::moment::Moment;
use lane_core::metrics::{Goal, GoalState, Metrics, markdown, text};
use lane_core::text::help_block;
use lane_git::Repository;
use lane_github::{Comment, GitHub, Settings};

/// Show what a period brought, and how the goals were met
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Since when: 12h, 14d, 2w, 2026-11-01, 2026-11-01T12:00Z
    #[arg(long, value_name = "WHEN", default_value = "2w")]
    pub since: Moment,
    /// Up to when, not included [default: now]
    #[arg(long, value_name = "WHEN")]
    pub until: Option<Moment>,
    /// Only this agent
    #[arg(long, value_name = "ID", add = candidates::agents())]
    pub agent: Option<String>,
    /// Use this policy, to try it out on any repository
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// A report of coverage in lcov or Cobertura form; without it those in the usual places. May be repeated
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub coverage: Vec<PathBuf>,
    /// Also put it on GitHub: into the `summary` of this step, or as the one comment of ours on the issue or pull request NUMBER
    #[arg(long, value_name = "WHERE", num_args = 0..=1, default_missing_value = "summary")]
    pub post: Option<Destination>,
    /// Exit with 1 if a goal was missed, with 2 if one could not be measured
    #[arg(long)]
    pub check: bool,
}

/// What the comment begins with, hidden.
const MARK: &str = "git-lane report";

/// Where on GitHub the report is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// The summary of the step that runs.
    Summary,
    /// A comment on an issue or a pull request.
    Issue(u64),
}

impl FromStr for Destination {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.trim_start_matches('#').parse()) {
            ("summary", _) => Ok(Self::Summary),
            (_, Ok(number)) if number > 0 => Ok(Self::Issue(number)),
            _ => Err("expected `summary`, or the number of an issue or a pull request".to_owned()),
        }
    }
}

/// Reads what git, the records, CI and GitHub know of a period, and shows it.
///
/// # Errors
/// No repository, no policy, an unknown agent, or a period that ends before it begins.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let session = session::open_to_work(output, args.policy.as_deref())?;
    let options = Options {
        since: args.since,
        until: args.until,
        agent: args.agent.clone(),
        coverage: args.coverage.clone(),
    };
    let metrics = report(&session, &options)?;
    match output.format() {
        Format::Metrics(format) => output.print_data(&(format.render)(&metrics))?,
        _ if output.is_json() => output.print_json(&metrics)?,
        _ => output.page(&text::render(&metrics, output.style()))?,
    }
    if let Some(destination) = args.post {
        post(&session, destination, &metrics, output)?;
    }
    if args.check { checked(&metrics) } else { Ok(0) }
}

/// The exit code of the goals.
fn checked(metrics: &Metrics) -> Outcome {
    if metrics.goals.is_empty() {
        return Err(Error::usage(
            "the policy has no goals to check",
            "set them in policy.yaml: metrics: { velocity: 1..2, conflicts: 2/week }",
        ));
    }
    let of = |state: GoalState| metrics.goals.iter().filter(move |goal| goal.state == state);
    let words = |goal: &Goal| format!("{} is {}, not {}", goal.name, goal.shown, goal.goal);
    let missed: Vec<String> = of(GoalState::Missed).map(words).collect();
    if !missed.is_empty() {
        print_error(&format!("error: missed goals: {}\n", missed.join("; ")));
        return Ok(1);
    }
    let unknown: Vec<&str> = of(GoalState::Unknown).map(|goal| goal.name).collect();
    if !unknown.is_empty() {
        let help = help_block(
            "for what helps, see `Not known` above, or take the goal out of `metrics` in policy.yaml",
            false,
        );
        print_error(&format!("error: could not decide: not measured: {}\n{help}", unknown.join(", ")));
        return Ok(2);
    }
    Ok(0)
}

/// Puts the report where people read it.
fn post(session: &Session, destination: Destination, metrics: &Metrics, output: &Output) -> Outcome {
    let text = markdown::render(metrics);
    let done = match destination {
        Destination::Summary => step_summary::append_text(&text)?,
        Destination::Issue(number) => {
            let remote = &session.loaded.plan.policy.remote.value;
            let address = session.repo.config(&format!("remote.{remote}.url"))?.pop();
            let github =
                Settings::of_process(address.as_deref()).and_then(|settings| GitHub::connect(&settings));
            let comment = github.and_then(|github| github.publish_comment(number, MARK, Some(&text)));
            let comment = comment.map_err(|error| Error::from(Unavailable::from(error)))?;
            let what = if comment == Comment::Created { "added" } else { "updated" };
            format!("{what} the comment on #{number}")
        }
    };
    if output.is_text() && !output.is_quiet() {
        note(&done);
    }
    Ok(0)
}
