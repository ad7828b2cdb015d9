//! `git lane policy try`

use super::named;
use crate::cli::Outcome;
use crate::cli::output::Output;
use crate::gather::policy_source;
use crate::ops::trial::{self, Options};
use lane_core::trial::text;
use lane_git::GitRepo;

/// What to try.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The policy: a file, or REV:PATH [default: policy.yaml of this worktree]
    pub policy: Option<String>,
    /// How many merged changes to judge, the newest
    #[arg(long, value_name = "COUNT", default_value = "200", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub last: u32,
    /// Compare with another policy: a file, or REV:PATH; without one, the policy in force
    #[arg(long, value_name = "POLICY", num_args = 0..=1, default_missing_value = "")]
    pub old: Option<String>,
    /// Take changes that name no agent for those of maintainers
    #[arg(long)]
    pub as_written: bool,
}

/// Judges what was merged last.
///
/// # Errors
/// The policy cannot be read, or the history of the base cannot.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let repo = GitRepo::open()?;
    let loaded = named(&repo, args.policy.as_deref())?;
    let old = match args.old.as_deref() {
        Some("") => Some(policy_source::find(&repo)?),
        Some(name) => Some(named(&repo, Some(name))?),
        None => None,
    };
    let last = usize::try_from(args.last).unwrap_or(usize::MAX);
    let trial = trial::run(&repo, loaded, old, Options { last, as_written: args.as_written })?;
    if output.is_json() {
        output.print_json(&trial)?;
    } else {
        output.page(&text::render(&trial, output.is_verbose()))?;
    }
    // What could not be judged is never a pass.
    Ok(if trial.undecided > 0 { 2 } else { 0 })
}
