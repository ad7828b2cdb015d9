//! The root of the command line. Each command's arguments stand in the command's own file; what help, manual and
//! completions say of them comes from [`command`].

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::cli::options::Global;
use crate::commands::catalog;
use crate::commands::check;
use crate::commands::ci;
use crate::commands::complete;
use crate::commands::completions;
use crate::commands::drop;
use crate::commands::env;
use crate::commands::help;
use crate::commands::hook;
use crate::commands::init;
use crate::commands::install;
use crate::commands::join;
use crate::commands::lock;
use crate::commands::locks;
use crate::commands::mangen;
use crate::commands::policy;
use crate::commands::pr;
use crate::commands::push;
use crate::commands::request::args as request_args;
use crate::commands::rule;
use crate::commands::setup;
use crate::commands::status;
use crate::commands::sync;
use crate::commands::teardown;
use crate::commands::unlock;
use crate::commands::who;

/// Keep many coding agents, each in its own worktree, inside their lanes
#[derive(Debug, Parser)]
#[command(
    name = "git-lane",
    bin_name = "git lane",
    version,
    disable_help_subcommand = true,
    arg_required_else_help = true,
    after_help = "`git lane help COMMAND` explains a command.\n`git lane --help` opens the manual page."
)]
pub struct Args {
    /// Options of all commands.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

impl Args {
    /// What was typed.
    ///
    /// # Errors
    /// It is no command, or it is a request for help.
    pub fn parsed(
        typed: impl IntoIterator<Item = impl Into<std::ffi::OsString> + Clone>,
    ) -> clap::error::Result<Self> {
        let typed: Vec<std::ffi::OsString> = typed.into_iter().map(Into::into).collect();
        match <Self as CommandFactory>::command().try_get_matches_from(&typed) {
            Ok(matches) => Self::from_arg_matches(&matches),
            Err(version) if version.kind() == ErrorKind::DisplayVersion => Err(version),
            // What help and errors show is arranged for those that are shown one, and not at each start.
            Err(_) => {
                let mut command = command();
                let matches = command.try_get_matches_from_mut(&typed)?;
                Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
            }
        }
    }
}

/// Everything that can be typed: commands and their options, in the groups that help shows.
pub fn command() -> clap::Command {
    catalog::arranged(Args::command())
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show every agent: branch, change, verdict, locks, conflicts
    Status(status::Args),
    /// Judge this branch, before any hook does
    Check(check::Args),
    /// Show who may change a path, and which policy line says so
    Who(who::Args),
    /// Rebase this branch on the base as the remote has it
    Sync(sync::Args),
    /// Push this branch, and renew the locks of its work
    ///
    /// Where the remote has the locks, both happen in one atomic push.
    Push(push::Args),
    /// Open a pull request for this branch
    ///
    /// Pushes the branch first. The pull request gets the agent's tag, the policy's labels and the report.
    Pr(pr::Args),
    /// Take paths out of this branch's own commits
    ///
    /// The commits keep their messages, and the edits stay in the working tree.
    Drop(drop::Args),
    /// List files that agents' branches would conflict in
    Conflicts,
    /// Ask the owner of an area for a change, and answer requests
    #[command(subcommand)]
    Request(request_args::Request),
    /// Take a lock on an area, or on paths inside one
    Lock(lock::Args),
    /// Release a lock
    Unlock(unlock::Args),
    /// Show who holds which lock, until when, and who waits
    Locks(locks::Args),
    /// Create the worktrees of the policy's agents
    ///
    /// Each gets its branch, hooks, identity, environment and ports, and is provisioned as the policy says. Can be run again
    /// at any time: what is there already stays.
    Setup(setup::Args),
    /// Make this worktree an agent's: branch, hooks, environment
    ///
    /// All work in it stays.
    Join(join::Args),
    /// Print an agent's environment, for `eval`, direnv and dotenv
    Env(env::Env),
    /// Run a command in an agent's worktree and environment
    ///
    /// The command runs within the memory that the policy gives the agent.
    Run(env::Run),
    /// Print the port of a service of this worktree, the same each time
    Port(env::Port),
    /// Remove an agent's worktree, unless work would be lost
    Teardown(teardown::Args),
    /// Write a first policy.yaml for this repository
    Init(init::Args),
    /// Check, show, describe or test the policy
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Explain a rule, or list them all
    Rule(rule::Args),
    /// Install the hooks in this worktree, or in all of them
    Install(install::Install),
    /// Remove the hooks; everything is as it was before
    Uninstall(install::Uninstall),
    /// Check the installation, and show how to fix it
    Doctor,
    /// Judge a pull request in a job of GitHub or GitLab
    ///
    /// Finds out by itself which of the two runs it; elsewhere, options say what is judged.
    Ci(ci::Args),
    /// Print the completion script of a shell
    Completions(completions::Args),
    /// Show help for a command
    Help(help::Args),
    /// Write the manual pages to a folder
    #[command(hide = true)]
    Mangen(mangen::Args),
    /// What `git lane run` starts
    #[command(hide = true)]
    Limited(env::Limited),
    /// What the scripts of completion call
    #[command(hide = true)]
    Complete(complete::Args),
    /// What the installed hooks call
    #[command(hide = true)]
    Hook(hook::Args),
}

impl Command {
    /// Whether it is one that agents and people work with, who are told where hooks are not in force.
    pub fn looks_at_hooks(&self) -> bool {
        matches!(
            self,
            Self::Check(_)
                | Self::Conflicts
                | Self::Lock(_)
                | Self::Locks(_)
                | Self::Pr(_)
                | Self::Push(_)
                | Self::Request(_)
                | Self::Sync(_)
                | Self::Unlock(_)
                | Self::Who(_)
        )
    }

    /// What its reports name as their event, if it gives a verdict.
    pub fn event(&self) -> Option<&'static str> {
        match self {
            Self::Check(_) => Some("check"),
            Self::Ci(_) => Some("ci"),
            _ => None,
        }
    }
}
