//! `git lane install`

use std::path::Path;

use clap::ValueEnum;

use crate::cli::candidates;
use crate::cli::output::Output;
use crate::cli::session;
use crate::harness;
use crate::install::{self, InstallOptions, Outcome, Scope, ServerOptions};
use lane_core::error::Error;
use lane_core::facts::Event;
use lane_git::{GitRepo, Repository};

/// Install the hooks in this worktree, or in all of them
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The agent that works in this worktree
    #[arg(long, value_name = "ID", conflicts_with = "all", add = candidates::agents())]
    pub agent: Option<String>,
    /// Install in all worktrees of the policy, each for its agent
    #[arg(long)]
    pub all: bool,
    /// Into the hooks of these harnesses: claude, codex, gemini, cursor, copilot, opencode, or auto for those that are found
    #[arg(long, value_name = "HARNESS", value_delimiter = ',', conflicts_with_all = ["agent", "all", "server"])]
    pub harness: Vec<String>,
    /// For all repositories of this user
    #[arg(long, requires = "harness")]
    pub user: bool,
    /// Into files that a maintainer commits
    #[arg(long, requires = "harness", conflicts_with = "user")]
    pub shared: bool,
    /// Also a block about lanes in AGENTS.md, CLAUDE.md or GEMINI.md, which agents read in every session
    #[arg(long, requires = "shared")]
    pub instructions: bool,
    /// Install into a bare repository, to judge what is pushed to it
    #[arg(long, conflicts_with_all = ["agent", "all"])]
    pub server: bool,
    /// The server hook to install
    #[arg(long, value_name = "HOOK", value_enum, default_value_t = ServerHook::PreReceive, requires = "server")]
    pub hook: ServerHook,
}

/// A hook of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ServerHook {
    /// All refs of a push together: all of them or none
    PreReceive,
    /// Each ref separately
    Update,
}

/// Puts the hooks into this worktree, or into all of them.
///
/// # Errors
/// What keeps it from doing so; then all is as it was.
pub fn run(args: &Args, output: &Output) -> crate::cli::Outcome {
    let binary = install::program::own_path()?;
    if args.server {
        let hook = match args.hook {
            ServerHook::PreReceive => Event::PreReceive.name(),
            ServerHook::Update => Event::Update.name(),
        };
        let done = install::install_server(&GitRepo::open()?, &ServerOptions { hook, binary })?;
        return report(&done, output);
    }
    if !args.harness.is_empty() {
        return into_harnesses(args, &binary, output);
    }
    let session = session::open(output, None)?;
    let options = InstallOptions { agent: args.agent.clone(), all: args.all, binary };
    let done = install::install(&session.repo, &session.loaded.plan, &options)?;
    report(&done, output)
}

/// Writes the hooks of harnesses, and keeps the files out of git's sight.
fn into_harnesses(args: &Args, binary: &Path, output: &Output) -> crate::cli::Outcome {
    let repo = GitRepo::open()?;
    let scope = match (args.user, args.shared) {
        (true, _) => Scope::User,
        (_, true) => Scope::Shared,
        _ => Scope::Local,
    };
    let harnesses = harness::select(&args.harness, repo.layout().worktree.as_deref())?;
    if harnesses.is_empty() {
        return Err(Error::usage("no harness was found here", "name it: git lane install --harness claude"));
    }
    let mut changes = harness::install(&repo, &harnesses, scope, binary)?;
    if changes.is_empty() {
        let whose = match scope {
            Scope::Shared => "no worktree is checked out here",
            _ => "this repository has no worktree to write hooks into",
        };
        let words = args.harness.join(",");
        return Err(Error::usage(
            whose,
            format!(
                "run it in a worktree, or write them for this user: git lane install --harness {words} --user"
            ),
        ));
    }
    if args.instructions {
        changes.extend(harness::install_instructions(&repo, &harnesses)?);
    }
    if output.is_json() {
        output.print_json(&changes)?;
    } else if !output.is_quiet() {
        let lines: Vec<String> = changes.iter().map(ToString::to_string).collect();
        output.print(&format!("{}\n", lines.join("\n")))?;
    }
    Ok(0)
}

/// Says what was done.
///
/// # Errors
/// Standard output cannot be written.
pub(in crate::commands) fn report(done: &Outcome, output: &Output) -> crate::cli::Outcome {
    if output.is_json() {
        output.print_json(done)?;
    } else if !output.is_quiet() {
        output.print(&format!("{}\n", done.to_string().trim_end()))?;
    }
    Ok(0)
}
