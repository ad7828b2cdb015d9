//! `git lane doctor`: what is wrong with an installation, and the command that fixes it.

mod configured;
mod gits;
mod harness;
mod history;
mod hooks;
mod journal;
mod lane;
mod locks;
mod ports;
mod server;
mod worktrees;
mod write;

use std::ffi::{OsStr, OsString};

use crate::gather::{Environment, LoadedPolicy};
use lane_core::error::Error;
use lane_git::Repository;

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// As it should be.
    Ok,
    /// It works, but probably not as meant.
    Warning,
    /// git-lane does not work here, or not wholly.
    Problem,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How it stands.
    pub state: Health,
    /// What was found.
    pub detail: String,
    /// The command that fixes it.
    pub help: Option<String>,
}

impl Check {
    fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, state: Health::Ok, detail: detail.into(), help: None }
    }

    fn warning(name: &'static str, detail: impl Into<String>, help: impl Into<String>) -> Self {
        Self { name, state: Health::Warning, detail: detail.into(), help: Some(help.into()) }
    }

    fn problem(name: &'static str, detail: impl Into<String>, help: impl Into<String>) -> Self {
        Self { name, state: Health::Problem, detail: detail.into(), help: Some(help.into()) }
    }

    fn error(name: &'static str, error: &Error) -> Self {
        let help = error.help();
        Self { name, state: Health::Problem, detail: error.to_string(), help }
    }
}

/// Looks at everything that git-lane needs. What cannot be read is a problem, not an error.
///
/// `loaded`: the policy as the hooks find it; `path_var`: where programs are looked for.
pub fn examine(
    repo: Option<&dyn Repository>,
    loaded: Result<&LoadedPolicy, &Error>,
    environment: &Environment,
    path_var: Option<&OsStr>,
) -> Vec<Check> {
    let mut checks = Vec::new();
    let Some(repo) = repo else {
        checks.push(Check::problem(
            "repository",
            "not a git repository, or it could not be opened",
            "change to a repository, or create one: git init",
        ));
        checks.push(gits::versions(path_var));
        return checks;
    };
    let layout = repo.layout();
    let place = layout.worktree.as_ref().unwrap_or(&layout.git_dir);
    checks.push(Check::ok("repository", place.display().to_string()));
    checks.extend(write::examine(layout));
    let variables: Vec<(OsString, OsString)> = std::env::vars_os().collect();
    match hooks::examine(repo, &variables) {
        Ok(found) => checks.extend(found),
        Err(error) => checks.push(Check::error("hooks", &error)),
    }
    checks.extend(configured::examine(repo));
    checks.extend(harness::examine(repo));
    if let Ok(loaded) = loaded {
        checks.extend(server::custom_rules(repo, &loaded.plan));
    }
    match server::examine(repo) {
        Ok(found) => checks.extend(found),
        Err(error) => checks.push(Check::error("server hooks", &error)),
    }
    checks.push(lane::identity(repo, loaded.ok().map(|loaded| &loaded.plan), environment));
    checks.extend(lane::policy(repo, loaded));
    if let Ok(loaded) = loaded {
        checks.extend(hooks::guard(layout, &loaded.plan));
        checks.extend(locks::examine(repo, &loaded.plan));
        checks.extend(journal::examine(layout, &loaded.plan));
        checks.extend(ports::examine(repo, &loaded.plan));
        checks.extend(worktrees::examine(repo, &loaded.plan));
        checks.extend(history::examine(repo, loaded.base.as_ref()));
    }
    checks.push(gits::versions(path_var));
    checks
}
