//! Doing what was decided: the policy first, then what needs it.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::Serialize;

use super::Choices;
use super::draft::Draft;
use crate::harness::{self, Change};
use crate::init::{JobFile, Survey, sanitize_name};
use crate::install::{self, InstallOptions, Outcome, Scope};
use lane_core::error::Error;
use lane_core::policy::{FILE, Plan};
use lane_git::{GitRepo, state_file};

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
/// A file already exists, or something stands where a folder has to be made.
pub(super) fn refuse_impossible(
    repo: &GitRepo,
    root: &Path,
    survey: &Survey,
    choices: &Choices,
) -> Result<(), Error> {
    let _ = fs::remove_file(state_file::beside(&root.join(FILE))); // of one that was killed
    if fs::symlink_metadata(root.join(FILE)).is_ok() {
        return Err(exists(&root.join(FILE)));
    }
    if let Some(host) = choices.job {
        let path = root.join(host.path());
        if fs::symlink_metadata(&path).is_ok() {
            return Err(Error::usage(
                format!("{} already exists", path.display()),
                format!("compare it with docs/ci.md; its base is {}", sanitize_name(&survey.base)),
            ));
        }
        let folders = path.ancestors().skip(1).take_while(|folder| *folder != root);
        for folder in folders {
            if fs::symlink_metadata(folder).is_ok_and(|data| !data.is_dir()) {
                return Err(Error::usage(
                    format!("{} is no folder, so that no job can be written there", folder.display()),
                    "write the policy alone, without --ci and --yes: git lane init",
                ));
            }
        }
    }
    if choices.harnesses.is_empty() {
        return Ok(());
    }
    harness::check_install(repo, &choices.harnesses, Scope::Local, &install::program::own_path()?)
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
    match rest(repo, root, draft, plan, choices, job, &mut done) {
        Ok(()) => Ok(done),
        Err(error) => Err(left_over(&done, choices, draft).into_iter().fold(error, Error::hint)),
    }
}

/// What is still to be done where something kept it from going on: the policy is written, and stays.
fn left_over(done: &Done, choices: &Choices, draft: &Draft) -> Vec<String> {
    let mut left = Vec::new();
    if choices.hooks && done.hooks.is_none() {
        let go_on = match draft.is_of_worktrees {
            true => "policy.yaml is written; go on with: git lane install --all",
            false => "policy.yaml is written; go on with: git lane install",
        };
        left.push(go_on.to_owned());
    }
    if !choices.harnesses.is_empty() && done.harnesses.is_empty() {
        let names: Vec<&str> = choices.harnesses.iter().map(|harness| harness.id).collect();
        left.push(format!("then the harnesses: git lane install --harness {}", names.join(",")));
    }
    left
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
        "edit it, or print a new one: git lane init --stdout\nto install the hooks for it: git lane install",
    )
}

fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    Error::write(
        format!("{} cannot be written: {error}", path.display()),
        "check free disk space and the permissions of the folder",
    )
}

fn write_new(path: &Path, text: &str) -> Result<(), Error> {
    // Half of it helps nobody, not even where this is killed: it gets its name once it is whole, if nothing has that.
    let linked = state_file::write_beside(path, text.as_bytes()).and_then(|beside| {
        let linked = match lane_os::link_twice(&beside, path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => named(&beside, path),
            done => done,
        };
        let _ = fs::remove_file(&beside);
        linked
    });
    linked.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => exists(path),
        _ => unwritable(path, &error),
    })
}

/// Gives a file its name where the file system knows no second names.
fn named(beside: &Path, path: &Path) -> std::io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(_) => Err(ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(beside, path),
    }
}
