//! `git lane limited`: what `git lane run` starts.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::cli::Outcome;
use crate::cli::output::{Output, print_error};
use crate::run;

/// What `git lane run` starts
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The memory, in bytes
    #[arg(long)]
    pub memory: Option<u64>,
    /// The control group that limits it
    #[arg(long)]
    pub group: Option<PathBuf>,
    /// The command
    #[arg(last = true, required = true)]
    pub command: Vec<OsString>,
}

/// Limits this process, then becomes the command.
///
/// # Errors
/// None: where it cannot be run, that is said as a shell says it.
pub fn run(args: &Args, _: &Output) -> Outcome {
    let error = run::become_limited(args.memory, args.group.as_deref(), &args.command);
    let name = args.command.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    print_error(&format!("error: {name} could not be run: {error}\n"));
    Ok(run::code_of(&error))
}
