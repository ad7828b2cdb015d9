//! Doing what was decided: the policy first, then what needs it.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use serde::Serialize;

use super::Choices;
use super::draft::Draft;
use crate::harness::{self, Change};
use crate::init::JobFile;
use crate::install::{self, InstallOptions, Outcome, Scope};
use lane_core::error::Error;
use lane_core::policy::{FILE, Plan};
use lane_git::GitRepo;

/// What was done.
#[derive(Debug, Default, Serialize)]
pub(super) struct Done {
    /// The hooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hooks: Option<Outcome>,
    /// The files of harnesses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub harnesses: Vec<Change>,
    /// The file of the policy job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<&'static str>,
    /// What is left to do before that job runs.
    #[serde(skip)]
    pub left: Vec<String>,
}

/// Refuses what cannot be written, before anything is.
///
/// # Errors
/// A file already exists.
pub(super) fn refuse_existing(root: &Path, job: Option<&JobFile>) -> Result<(), Error> {
    if fs::symlink_metadata(root.join(FILE)).is_ok() {
        return Err(exists(&root.join(FILE)));
    }
    match job.map(|job| root.join(job.path)) {
        Some(path) if fs::symlink_metadata(&path).is_ok() => Err(Error::usage(
            format!("{} already exists", path.display()),
            "leave --ci out, and compare it with the one in docs/ci.md",
        )),
        _ => Ok(()),
    }
}

/// Writes and installs.
///
/// # Errors
/// What kept it from going on, with what was done before.
pub(super) fn carry_out(
    repo: &GitRepo,
    root: &Path,
    draft: &Draft,
    plan: &Plan,
    choices: &Choices,
    job: Option<JobFile>,
) -> Result<Done, Error> {
    write_new(&root.join(FILE), &draft.text)?;
    let mut done = Done::default();
    rest(repo, root, draft, plan, choices, job, &mut done)
        .map_err(|error| error.hint("the policy.yaml of this worktree is written, and stays"))?;
    Ok(done)
}

fn rest(
    repo: &GitRepo,
    root: &Path,
    draft: &Draft,
    plan: &Plan,
    choices: &Choices,
    job: Option<JobFile>,
    done: &mut Done,
) -> Result<(), Error> {
    if let Some(job) = job {
        let path = root.join(job.path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
        }
        write_new(&path, &job.text)?;
        (done.job, done.left) = (Some(job.path), job.left);
    }
    if !choices.hooks && choices.harnesses.is_empty() {
        return Ok(());
    }
    let binary = install::program::own_path()?;
    if choices.hooks {
        let options = InstallOptions { agent: None, all: draft.is_of_worktrees, binary: binary.clone() };
        done.hooks = Some(install::install(repo, plan, &options)?);
    }
    if !choices.harnesses.is_empty() {
        done.harnesses = harness::install(repo, &choices.harnesses, Scope::Local, &binary)?;
    }
    Ok(())
}

fn exists(path: &Path) -> Error {
    Error::usage(
        format!("{} already exists", path.display()),
        "edit it, or print a new one: git lane init --stdout",
    )
}

fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    Error::write(
        format!("{} cannot be written: {error}", path.display()),
        "check the permissions of the folder",
    )
}

fn write_new(path: &Path, text: &str) -> Result<(), Error> {
    let mut file = File::create_new(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => exists(path),
        _ => unwritable(path, &error),
    })?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| {
        // The file is ours, made a moment ago; half of it helps nobody.
        let _ = fs::remove_file(path);
        Error::write(format!("{} cannot be written: {error}", path.display()), "free some disk space")
    })
}
