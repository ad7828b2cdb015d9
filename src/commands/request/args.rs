//! What can be typed after `git lane request`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Subcommand;

use crate::cli::candidates;
use lane_core::requests::record::{LAST, PRIORITY};

/// Ask the owner of an area for a change, and answer requests
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What about it.
    #[command(subcommand)]
    pub command: Request,
}

/// The commands below it.
#[derive(Debug, Subcommand)]
pub enum Request {
    /// Ask the owner of an area or of paths for a change
    Submit(Submit),
    /// List requests, those to you first
    List(List),
    /// Show a request with its file and history
    Show {
        /// Its id, such as r7
        #[arg(add = candidates::requests())]
        id: String,
    },
    /// Accept a request
    Accept(Answer),
    /// Reject a request, with a --reason
    Reject(Answer),
    /// Mark a request as done, by a commit
    Done(DoneArgs),
    /// Withdraw your own request
    Withdraw(Answer),
}

/// `git lane request submit`
#[derive(Debug, clap::Args)]
pub struct Submit {
    /// The paths to change, relative to this folder; all of one owner
    #[arg(required_unless_present = "area", conflicts_with = "area", value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    pub paths: Vec<OsString>,
    /// The area to change
    #[arg(long, value_name = "NAME", add = candidates::areas())]
    pub area: Option<String>,
    /// Ask this agent, where there is no owner: the holder of the lock, for example
    #[arg(long, value_name = "ID", add = candidates::agents())]
    pub to: Option<String>,
    /// The change itself, such as a patch or a migration; its content is kept. `-`: from standard input
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// The priority; 1 is the most urgent
    #[arg(long, value_name = "N", default_value_t = PRIORITY, value_parser = clap::value_parser!(u8).range(1..=i64::from(LAST)))]
    pub priority: u8,
    /// What it is for: up to 300 characters; a longer text is kept as the file, if --file names no other
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Ask as this agent
    #[arg(long, value_name = "ID", add = candidates::agents())]
    pub agent: Option<String>,
}

/// `git lane request list`
#[derive(Debug, clap::Args)]
pub struct List {
    /// Only what you asked for
    #[arg(long)]
    pub mine: bool,
    /// Also what is done, rejected or withdrawn
    #[arg(long)]
    pub all: bool,
    /// Look as this agent
    #[arg(long, value_name = "ID", add = candidates::agents())]
    pub agent: Option<String>,
}

/// An answer to a request.
#[derive(Debug, clap::Args)]
pub struct Answer {
    /// Its id, such as r7
    #[arg(add = candidates::requests())]
    pub id: String,
    /// Why; everybody who looks at it is told
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Answer as this agent
    #[arg(long, value_name = "ID", add = candidates::agents())]
    pub agent: Option<String>,
}

/// `git lane request done`
#[derive(Debug, clap::Args)]
pub struct DoneArgs {
    /// What is done.
    #[command(flatten)]
    pub answer: Answer,
    /// The commit that does it
    #[arg(long, value_name = "COMMIT")]
    pub commit: String,
}
