//! The hooks of harnesses: written where each of them looks, beside whatever is there, and taken out again byte for byte.

mod files;
mod instructions;
mod merge;
mod plan;
mod record;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::install::Scope;
use crate::setup;
use files::{Content, HookFile};
use lane_core::error::Error;
use lane_core::facts::Unavailable;
use lane_core::harness::{HARNESSES, Harness, find};
use lane_git::worktrees::worktrees;
use lane_git::{Repository, state_file};
use plan::{OnTracked, Planned, plan};
use record::Record;

/// What was done to one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The harness.
    pub harness: &'static str,
    /// The file.
    pub path: PathBuf,
    /// What became of it.
    pub state: FileOutcome,
    /// What has to be done before the harness asks, if anything has.
    pub note: Option<&'static str>,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileOutcome {
    /// It is new.
    Created,
    /// Our hooks were added to what is in it, or renewed.
    Updated,
    /// It says what it should.
    AlreadyThere,
    /// It is as it was before.
    Restored,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.state {
            FileOutcome::Created => "created",
            FileOutcome::Updated => "updated",
            FileOutcome::AlreadyThere => "already there",
            FileOutcome::Restored => "restored",
        };
        let name = find(self.harness).map_or(self.harness, |harness| harness.name);
        write!(f, "{name}: {what} {}", self.path.display())?;
        self.note.iter().try_for_each(|note| write!(f, "\n  note: {note}"))
    }
}

/// The harnesses of some words; `auto`: those whose folder is in the home or in a repository's worktree.
///
/// # Errors
/// One of them is not known.
pub fn select(words: &[String], root: Option<&Path>) -> Result<Vec<&'static Harness>, Error> {
    let mut found: Vec<&'static Harness> = Vec::new();
    for word in words {
        if word == "auto" {
            found.extend(HARNESSES.iter().copied().filter(|harness| files::is_used(harness.id, root)));
            continue;
        }
        let known = || HARNESSES.map(|harness| harness.id).join(", ");
        found.push(find(word).ok_or_else(|| {
            Error::usage(format!("unknown harness `{word}`"), format!("it is one of: auto, {}", known()))
        })?);
    }
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|harness| seen.insert(harness.id));
    Ok(found)
}

/// Writes the hooks of harnesses. `binary`: the absolute path of the program that they start.
///
/// # Errors
/// A file holds something else than it should, or is tracked by git: then nothing is written. Or it cannot be written.
pub fn install(
    repo: &dyn Repository,
    harnesses: &[&'static Harness],
    scope: Scope,
    binary: &Path,
) -> Result<Vec<Change>, Error> {
    write_all(repo, harnesses, scope, binary, &|place, harness| Err(tracked(&place.path, harness)))
}

/// Writes them into each worktree, but for files that git tracks.
///
/// # Errors
/// As [`install`].
pub fn renew(
    repo: &dyn Repository,
    harnesses: &[&'static Harness],
    binary: &Path,
) -> Result<Vec<Change>, Error> {
    write_all(repo, harnesses, Scope::Local, binary, &|_, _| Ok(()))
}

/// Refuses what [`install`] would, and writes nothing.
///
/// # Errors
/// As [`install`].
pub fn check_install(
    repo: &dyn Repository,
    harnesses: &[&'static Harness],
    scope: Scope,
    binary: &Path,
) -> Result<(), Error> {
    plan(repo, harnesses, scope, binary, &|place, harness| Err(tracked(&place.path, harness))).map(drop)
}

fn write_all(
    repo: &dyn Repository,
    harnesses: &[&'static Harness],
    scope: Scope,
    binary: &Path,
    on_tracked: OnTracked<'_>,
) -> Result<Vec<Change>, Error> {
    let layout = repo.layout();
    let mut record = Record::read(&layout.common_dir)?;
    let planned = plan(repo, harnesses, scope, binary, on_tracked)?;
    let mut changes = Vec::new();
    if scope == Scope::Local {
        let patterns: Vec<String> = harnesses.iter().map(|harness| files::pattern(harness.id)).collect();
        setup::keep_local(&layout.common_dir, &patterns)?;
    }
    for Planned { harness, place, before, after } in planned {
        let state = match &before {
            None => FileOutcome::Created,
            Some(before) if *before == after => FileOutcome::AlreadyThere,
            Some(_) => FileOutcome::Updated,
        };
        if state != FileOutcome::AlreadyThere {
            record.note(&place.path, harness, before, &after);
            record.write()?;
            write(&place.path, &after)?;
        }
        for folder in &place.folders {
            fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
        }
        changes.push(Change { harness, path: place.path, state, note: place.note });
    }
    Ok(changes)
}

/// A file that an agent would commit by accident.
fn tracked(path: &Path, harness: &str) -> Error {
    Error::usage(
        format!(
            "{} is tracked: the next `git add -A` of an agent would commit our change of it",
            path.display()
        ),
        format!(
            "write it for this user, in all repositories: git lane install --harness {harness} --user\n\
             or for a maintainer to commit: git lane install --harness {harness} --shared"
        ),
    )
}

/// Takes the hooks of all harnesses out of the files that [`install`] wrote in this repository.
///
/// # Errors
/// A file cannot be read or written.
pub fn uninstall(repo: &dyn Repository) -> Result<Vec<Change>, Error> {
    let mut record = Record::read(&repo.layout().common_dir)?;
    let mut changes = Vec::new();
    let trees = worktrees(repo.layout())?;
    for entry in record.drain() {
        let Some(harness) = find(&entry.harness) else { continue };
        // The folders that the hooks were found by go where nothing else is in them.
        for folder in trees.iter().filter_map(|tree| files::companion(harness.id, &tree.root)) {
            let _ = fs::remove_dir(folder);
        }
        let Some(now) = read(&entry.path)? else { continue };
        // Whoever has edited it since keeps what they wrote.
        let before = if now == entry.after { entry.before.clone() } else { without(&now, harness.id) };
        match &before {
            Some(text) if *text == now => continue,
            Some(text) => write(&entry.path, text)?,
            None => remove(&entry.path)?,
        }
        changes.push(Change {
            harness: harness.id,
            path: entry.path,
            state: FileOutcome::Restored,
            note: None,
        });
    }
    record.write()?;
    Ok(changes)
}

/// The files that are to hold hooks of ours and do not, of those that [`install`] wrote; for `doctor`.
///
/// # Errors
/// The list of them cannot be read.
pub fn missing_hooks(repo: &dyn Repository) -> Result<Vec<(&'static str, PathBuf)>, Error> {
    let record = Record::read(&repo.layout().common_dir)?;
    let is_lost =
        |path: &Path, id: &str| !fs::read_to_string(path).is_ok_and(|text| merge::has_hooks(&text, id));
    let hooks = record.entries().filter(|entry| !instructions::is_in(&entry.after));
    let entries = hooks.filter_map(|entry| Some((find(&entry.harness)?.id, entry.path.clone())));
    Ok(entries.filter(|(id, path)| is_lost(path, id)).collect())
}

/// The harnesses that [`install`] wrote hooks for.
///
/// # Errors
/// The list of them cannot be read.
pub fn installed(repo: &dyn Repository) -> Result<Vec<&'static Harness>, Error> {
    let record = Record::read(&repo.layout().common_dir)?;
    let hooks = record.entries().filter(|entry| !instructions::is_in(&entry.after));
    let mut found: Vec<&'static Harness> = hooks.filter_map(|entry| find(&entry.harness)).collect();
    found.dedup_by_key(|harness| harness.id);
    Ok(found)
}

/// Writes the block about lanes into the files of this worktree that the harnesses read in every session, for a maintainer to
/// commit.
///
/// # Errors
/// A file cannot be read or written.
pub fn install_instructions(
    repo: &dyn Repository,
    harnesses: &[&'static Harness],
) -> Result<Vec<Change>, Error> {
    let layout = repo.layout();
    let mut record = Record::read(&layout.common_dir)?;
    let mut changes: Vec<Change> = Vec::new();
    for harness in harnesses {
        let Some(path) = layout.worktree.as_ref().map(|root| root.join(instructions::file(harness.id)))
        else {
            continue;
        };
        if changes.iter().any(|change| change.path == path) {
            continue;
        }
        let before = read(&path)?;
        let after = instructions::with(before.as_deref().unwrap_or_default());
        let state = match &before {
            None => FileOutcome::Created,
            Some(before) if *before == after => FileOutcome::AlreadyThere,
            Some(_) => FileOutcome::Updated,
        };
        if state != FileOutcome::AlreadyThere {
            record.note(&path, harness.id, before, &after);
            record.write()?;
            write(&path, &after)?;
        }
        changes.push(Change { harness: harness.id, path, state, note: None });
    }
    Ok(changes)
}

/// The files of a harness that hold hooks of ours.
///
/// # Errors
/// The list of them cannot be read.
pub fn files_of(repo: &dyn Repository, harness: &str) -> Result<Vec<PathBuf>, Error> {
    let record = Record::read(&repo.layout().common_dir)?;
    let entries =
        record.entries().filter(|entry| entry.harness == harness && !instructions::is_in(&entry.after));
    Ok(entries.map(|entry| entry.path.clone()).collect())
}

/// The file in which Codex keeps what the user has configured and trusted.
pub fn codex_config() -> Option<PathBuf> {
    let home = std::env::var_os("CODEX_HOME").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".codex")));
    home.map(|home| home.join("config.toml"))
}

/// A text without what is ours; `None` where nothing else is in it.
fn without(text: &str, harness: &str) -> Option<String> {
    if instructions::is_in(text) { instructions::without(text) } else { merge::without(text, harness) }
}

/// The harnesses whose hooks are in the worktrees of this repository.
///
/// # Errors
/// The list of them cannot be read.
pub fn local(repo: &dyn Repository) -> Result<Vec<&'static Harness>, Error> {
    let record = Record::read(&repo.layout().common_dir)?;
    let roots = worktrees(repo.layout())?;
    let is_local = |harness: &Harness, path: &Path| {
        roots.iter().any(|tree| files::local(harness.id, &tree.root) == *path)
    };
    let mut found: Vec<&'static Harness> = Vec::new();
    for entry in record.entries() {
        let harness = find(&entry.harness).filter(|harness| is_local(harness, &entry.path));
        found.extend(harness.filter(|harness| found.iter().all(|known| known.id != harness.id)));
    }
    Ok(found)
}

fn with_hooks(place: &HookFile, before: Option<&str>) -> Result<String, Error> {
    match &place.content {
        Content::Whole(text) => match before {
            Some(before) if !before.contains(merge::MARKER) => Err(Error::usage(
                format!("{} is there, and is not ours", place.path.display()),
                format!("move it away: mv {0} {0}.before\nthen rerun this command", place.path.display()),
            )),
            _ => Ok(text.clone()),
        },
        Content::Merged(hooks) => merge::with(before.unwrap_or_default(), hooks).ok_or_else(|| {
            Unavailable::new(
                format!("{} is not JSON as its harness reads it", place.path.display()),
                "fix it, then rerun this command",
            )
            .into()
        }),
    }
}

/// Whether git has the file in the index of its worktree.
fn is_tracked(place: &HookFile) -> Result<bool, Error> {
    let Some(root) = &place.root else {
        return Ok(false);
    };
    let mut git = lane_git::command::in_worktree(root);
    git.args(["ls-files", "--error-unmatch", "--"]).arg(&place.path);
    Ok(lane_git::command::run(git, None, std::time::Duration::from_secs(30))?.ok)
}

fn read(path: &Path) -> Result<Option<String>, Error> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let reason = format!("{} cannot be read: {error}", path.display());
            Err(Unavailable::new(reason, "check what it is, and its permissions").into())
        }
    }
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    // A link of the user's stays one.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().unwrap_or(Path::new("."));
    let written = fs::create_dir_all(folder).and_then(|()| state_file::write_beside(&path, text.as_bytes()));
    let named = written.and_then(|beside| {
        fs::rename(&beside, &path).inspect_err(|_| {
            let _ = fs::remove_file(&beside);
        })
    });
    named.map_err(|error| unwritable(&path, &error))
}

/// Removes a file of ours, and the folders that are empty then.
fn remove(path: &Path) -> Result<(), Error> {
    fs::remove_file(path).map_err(|error| unwritable(path, &error))?;
    let _ = fs::remove_file(state_file::beside(path));
    let folders = path.ancestors().skip(1).take_while(|folder| {
        folder.file_name().is_some_and(|name| {
            name.as_encoded_bytes().starts_with(b".") || name == "hooks" || name == "plugins"
        })
    });
    for folder in folders {
        let _ = fs::remove_dir(folder); // only an empty one goes
    }
    Ok(())
}

fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    Error::write(
        format!("{} cannot be written: {error}", path.display()),
        "check its permissions, then rerun this",
    )
}
