//! The local files of a worktree: `.agent.env` and the instructions. What somebody changed stays as it is.

use std::fs;
use std::io::Write;
use std::path::Path;

use super::focus;
use super::state::{LockedState, State, hash, unwritable};
use super::target::Target;
use crate::gather::LoadedPolicy;
use lane_core::agent_env;
use lane_core::error::Error;
use lane_core::policy::Policy;

/// The file of variables.
pub(super) const ENV: &str = ".agent.env";
/// What the name of a file that is being written begins with.
pub(super) const BESIDE: &str = ".lane-new-";

/// The files that are written into each worktree.
pub(super) fn names(policy: &Policy) -> Vec<String> {
    let instructions = policy.setup.instructions.iter().map(|name| name.value.clone());
    std::iter::once(ENV.to_owned()).chain(instructions).collect()
}

/// What became of a file, or would.
enum FileAction {
    Unchanged,
    Write,
    Update,
    Kept,
}

fn fate(path: &Path, text: &str, noted: Option<&String>) -> FileAction {
    let Ok(data) = fs::symlink_metadata(path) else {
        return FileAction::Write;
    };
    let there = if data.is_file() { fs::read(path).ok() } else { None };
    match there {
        Some(there) if there == text.as_bytes() => FileAction::Unchanged,
        Some(there) if noted == Some(&hash(&there)) => FileAction::Update,
        _ => FileAction::Kept,
    }
}

/// Names and texts.
fn texts(loaded: &LoadedPolicy, target: &Target) -> Vec<(String, String)> {
    let plan = &loaded.plan;
    let Some(agent) = plan.policy.agent(&target.agent) else {
        return Vec::new();
    };
    let text = |name: &str| match name {
        ENV => agent_env::as_file(&agent_env::variables_of(&plan.policy, agent)),
        _ => focus::text(plan, agent, &target.branch),
    };
    names(&plan.policy).into_iter().map(|name| (name.clone(), text(&name))).collect()
}

fn kept_note(name: &str) -> String {
    format!(
        "{name} was not written by `git lane setup`, or changed since: it was kept (remove it to get a new one)"
    )
}

/// What would be written, and what would be kept, for people.
///
/// # Errors
/// None so far; reading a file that cannot be read counts as one that is kept.
pub(super) fn plan_files(
    loaded: &LoadedPolicy,
    target: &Target,
    state: &State,
) -> Result<(Vec<String>, Vec<String>), Error> {
    let (mut changes, mut notes) = (Vec::new(), Vec::new());
    for (name, text) in texts(loaded, target) {
        match fate(&target.root.join(&name), &text, state.files.get(&name)) {
            FileAction::Unchanged => {}
            FileAction::Write => changes.push(format!("write {name}")),
            FileAction::Update => changes.push(format!("update {name}")),
            FileAction::Kept => notes.push(kept_note(&name)),
        }
    }
    Ok((changes, notes))
}

/// Writes what is missing or out of date. What was done and what was kept, for people.
///
/// # Errors
/// A file cannot be written.
pub(super) fn ensure(
    loaded: &LoadedPolicy,
    target: &Target,
    held: &mut LockedState,
) -> Result<(Vec<String>, Vec<String>), Error> {
    let (mut changes, mut notes) = (Vec::new(), Vec::new());
    for (name, text) in texts(loaded, target) {
        let path = target.root.join(&name);
        match fate(&path, &text, held.state.files.get(&name)) {
            FileAction::Unchanged => {}
            FileAction::Write => {
                write(&target.root, &name, &text)?;
                changes.push(format!("wrote {name}"));
            }
            FileAction::Update => {
                write(&target.root, &name, &text)?;
                changes.push(format!("updated {name}"));
            }
            FileAction::Kept => {
                notes.push(kept_note(&name));
                continue;
            }
        }
        held.note(|state| drop(state.files.insert(name, hash(text.as_bytes()))))?;
    }
    Ok((changes, notes))
}

/// In one piece: whoever is killed leaves the old file or the new one.
fn write(root: &Path, name: &str, text: &str) -> Result<(), Error> {
    let path = root.join(name);
    let beside = root.join(format!("{BESIDE}{}", name.replace('/', "-")));
    let folder = path.parent().unwrap_or(root);
    // A link of the branch's may lead anywhere.
    let mut below = root.to_owned();
    for part in Path::new(name).parent().into_iter().flat_map(Path::components) {
        below.push(part);
        if fs::symlink_metadata(&below).is_ok_and(|data| !data.is_dir()) {
            let error = std::io::Error::other(format!("{} is not a real folder", below.display()));
            return Err(unwritable(&path, &error));
        }
    }
    let _ = fs::remove_file(&beside);
    let written = fs::create_dir_all(folder)
        .and_then(|()| fs::File::create_new(&beside))
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&beside, &path));
    written.map_err(|error| unwritable(&path, &error))
}

/// Whether a file of a worktree is as `setup` wrote it.
pub(super) fn is_as_written(root: &Path, name: &str, state: &State) -> bool {
    let there = fs::read(root.join(name)).ok();
    there.is_some_and(|there| state.files.get(name) == Some(&hash(&there)))
}
