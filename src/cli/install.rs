//! `git lane install` and `git lane uninstall`

use super::args::{Install, ServerHook, Uninstall};
use super::output::Output;
use super::session::Session;
use crate::error::Error;
use crate::gather::{Opened, Repository};
use crate::install::{self, InstallOptions, Outcome, ServerOptions};
use crate::setup;

/// Puts the hooks into this worktree, or into all of them.
///
/// # Errors
/// What keeps it from doing so; then all is as it was.
pub fn install(args: &Install, output: &Output) -> super::Outcome {
    let binary = std::env::current_exe().map_err(|error| {
        Error::usage(format!("git-lane cannot tell where it lies: {error}"), "start it by its full path")
    })?;
    if args.server {
        let hook = match args.hook {
            ServerHook::PreReceive => "pre-receive",
            ServerHook::Update => "update",
        };
        let done = install::install_server(&Opened::open()?, &ServerOptions { hook, binary })?;
        return report(&done, output);
    }
    let session = Session::open(None)?;
    let options = InstallOptions { agent: args.agent.clone(), all: args.all, binary };
    let done = install::install(&session.repo, &session.loaded.plan, &options)?;
    report(&done, output)
}

/// Takes the hooks away again.
///
/// # Errors
/// What keeps it from doing so; then all is as it was.
pub fn uninstall(args: &Uninstall, output: &Output) -> super::Outcome {
    let repo = Opened::open()?;
    if args.server {
        return report(&install::uninstall_server(&repo)?, output);
    }
    let lines = if args.all { setup::forget(repo.layout())? } else { Vec::new() };
    let mut done = install::uninstall(&repo, args.all)?;
    if !lines.is_empty() {
        done.notes.push(format!(
            "info/exclude does not keep these out of git any more: {}; look before you add all files",
            lines.join(", ")
        ));
    }
    report(&done, output)
}

fn report(done: &Outcome, output: &Output) -> super::Outcome {
    if output.is_json() {
        output.print_json(done)?;
    } else if !output.is_quiet() {
        output.print(&format!("{}\n", done.to_string().trim_end()))?;
    }
    Ok(0)
}
