//! `uninstall`: the reverse way. First the hooks are no longer in force, then what they needed goes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::block::{Block, split};
use super::lockfile::LockedFile;
use super::outcome::{Outcome, State, WorktreeOutcome};
use super::places::Places;
use super::scripts::present;
use super::settings::{OWN_CONFIG, common_without};
use super::targets::is_same;
use super::{ini, os};
use lane_core::error::Error;
use lane_git::Repository;
use lane_git::worktrees::worktrees;

/// Takes the hooks out of this worktree, or out of all of them. With the last worktree everything
/// goes that git-lane put into the repository. `extensions.worktreeConfig` stays on where worktrees
/// have settings of their own by now: without it git would stop reading those.
///
/// # Errors
/// Something could not be read or written; then all is as it was.
pub fn uninstall(repo: &dyn Repository, all: bool) -> Result<Outcome, Error> {
    let layout = repo.layout();
    if layout.worktree.is_none() && !all {
        return Err(Error::usage(
            "a bare repository has no worktree to remove hooks from",
            "run it in one of its worktrees, or remove them from all: git lane uninstall --all",
        ));
    }
    let places = Places::of(layout);
    let _guard = places.lock()?;
    let roots = worktrees(layout)?;
    let root_of = |git_dir: &Path| {
        let tree = roots.iter().find(|tree| is_same(&tree.git_dir, git_dir));
        tree.map_or_else(|| git_dir.to_owned(), |tree| tree.root.clone())
    };

    let mut outcome = Outcome::default();
    let mut files = Vec::new();
    let mut staying = Vec::new();
    let mut has_settings = false;
    for git_dir in places.git_dirs()? {
        let is_current = is_same(&git_dir, &layout.git_dir);
        let path = git_dir.join(OWN_CONFIG);
        let text = os::read(&path)?;
        let found = split(text.as_deref(), Block::Hooks).is_present;
        if found && !all && !is_current {
            staying.push(root_of(&git_dir));
            continue;
        }
        let without = without_hooks(&places, text.as_deref());
        has_settings |= !ini::items(&split(without.as_deref(), Block::Moved).outside()).is_empty();
        // `git worktree add` copies the main worktree's file, and with it the block of what moved.
        let is_copy = git_dir != places.common && split(text.as_deref(), Block::Moved).is_present;
        if found || is_copy {
            files.push(path);
        }
        if found || is_current && layout.worktree.is_some() {
            let state = if found { State::Removed } else { State::NotInstalled };
            outcome.worktrees.push(WorktreeOutcome {
                root: root_of(&git_dir),
                agent: None,
                state,
                branch: None,
                chained: None,
            });
        }
    }
    let is_last = staying.is_empty();
    commit(&places, files, is_last, has_settings)?;
    if is_last {
        remove_scripts(&places, &mut outcome.notes)?;
        crate::locks::forget(&places.common);
        crate::requests::forget(&places.common);
        crate::landings::forget(&places.common);
    } else {
        let staying: Vec<String> = staying.iter().map(|root| root.display().to_string()).collect();
        outcome.notes.push(format!("hooks stay in {}", staying.join(", ")));
    }
    Ok(outcome)
}

fn without_hooks(places: &Places, text: Option<&[u8]>) -> Option<Vec<u8>> {
    let mut text = text.map(<[u8]>::to_vec);
    // Copies of a configuration may have brought more than one.
    loop {
        let cut = split(text.as_deref(), Block::Hooks);
        if !cut.is_present {
            return text;
        }
        text = cut.without(Block::Hooks, &|value| places.is_ours(value));
    }
}

/// Writes all files beside their places, then puts them in force.
fn commit(places: &Places, files: Vec<PathBuf>, is_last: bool, has_settings: bool) -> Result<(), Error> {
    let main = places.common.join(OWN_CONFIG);
    let mut texts: BTreeMap<PathBuf, LockedFile> = BTreeMap::new();
    for path in files {
        let locked = LockedFile::open(&path)?;
        texts.insert(path, locked);
    }
    let mut is_moved = false;
    if is_last {
        is_moved = split(os::read(&main)?.as_deref(), Block::Moved).is_present;
        if is_moved && !texts.contains_key(&main) {
            texts.insert(main.clone(), LockedFile::open(&main)?);
        }
    }
    for (path, locked) in &mut texts {
        let mut text = without_hooks(places, locked.text.as_deref());
        let moved = split(text.as_deref(), Block::Moved);
        // A copy of the main worktree's configuration has this block too, and nothing in it.
        if moved.is_present && (is_last || *path != main) {
            let stays = has_settings && *path == main;
            text = if stays { Some(moved.without_markers()) } else { moved.without(Block::Moved, &|_| true) };
        }
        locked.stage(text)?;
    }
    let mut common = None;
    if is_last {
        let mut locked = LockedFile::open(&places.common.join("config"))?;
        let text = locked.text.clone().unwrap_or_default();
        locked.stage(Some(common_without(&text, has_settings)))?;
        common = Some(locked);
    }
    // What had moved to the main worktree's configuration leaves it only when it is back.
    let last = if is_moved { texts.remove(&main) } else { None };
    texts.into_values().chain(common).chain(last).try_for_each(LockedFile::commit)
}

fn remove_scripts(places: &Places, notes: &mut Vec<String>) -> Result<(), Error> {
    for folder in [&places.hooks, &places.portable, &places.configured] {
        for (name, _) in present(folder)? {
            remove(&folder.join(name))?;
        }
    }
    for file in [&places.worktree_config, &places.hooks_config] {
        if file.exists() {
            remove(file)?;
        }
    }
    for folder in [&places.hooks, &places.portable, &places.backup] {
        let left = fs::read_dir(folder).map(|entries| entries.count()).unwrap_or(0);
        if left > 0 {
            notes.push(format!("{} has hooks that git-lane did not write: they are kept", folder.display()));
        }
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), Error> {
    fs::remove_file(path).map_err(|error| os::unwritable(path, &error))
}
