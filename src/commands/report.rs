//! `git lane report`

use std::path::PathBuf;

use crate::cli::Outcome;
use crate::cli::candidates;
use crate::cli::options::Format;
use crate::cli::output::Output;
use crate::cli::session;
use crate::ops::report::{Options, report};
use lane_core::metrics::text;
use lane_core::policy::scalar::Duration;

/// Show what was merged, held, refused and asked for in a period, against the policy's goals
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How far back: 12h, 14d, 2w
    #[arg(long, value_name = "DURATION", default_value = "2w")]
    pub since: Duration,
    /// Only this agent
    #[arg(long, value_name = "ID", add = candidates::agents())]
    pub agent: Option<String>,
    /// Use this policy, to try it out on any repository
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
}

/// Reads what git, the records, CI and GitHub know of a period, and shows it.
///
/// # Errors
/// No repository, no policy, or an unknown agent.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let session = session::open_to_work(output, args.policy.as_deref())?;
    let options = Options { since: args.since.seconds, agent: args.agent.clone() };
    let metrics = report(&session, &options)?;
    match output.format() {
        Format::Metrics(format) => output.print_data(&(format.render)(&metrics))?,
        _ if output.is_json() => output.print_json(&metrics)?,
        _ => output.page(&text::render(&metrics))?,
    }
    Ok(0)
}
