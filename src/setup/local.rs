//! What a worktree has that is in no commit.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::state::hash;
use super::{files, git, quoted};
use crate::gather::LoadedPolicy;
use lane_core::error::Error;
use lane_core::facts::Unavailable;
use lane_core::policy::model::Access;

/// By path from the root, as git-status(1) has it.
#[derive(Debug, Default)]
pub(super) struct Local {
    /// Files of the last commit that differ from it.
    pub changed: Vec<String>,
    /// Files that git does not know.
    pub untracked: Vec<String>,
    /// Files that the policy has stay local, ignored folders among their places; those of git-lane's own locks are
    /// not among them.
    pub files: Vec<String>,
    /// Repositories and worktrees in ignored folders, and folders that cannot be looked into.
    pub closed: Vec<String>,
}

/// Looks at a worktree.
///
/// # Errors
/// git cannot tell.
pub(super) fn read_changes(loaded: &LoadedPolicy, root: &Path) -> Result<Local, Error> {
    let args = [
        "status",
        "--porcelain=v1",
        "-z",
        "--no-renames",
        "--untracked-files=normal", // git refuses `--ignored` where the configuration says `no`
        "--ignored=matching",
        "--ignore-submodules=none",
    ];
    let ran = git::run_in(root, None, &args)?;
    if !ran.ok {
        let said = format!("git status failed in {}: {}", root.display(), ran.error_text());
        return Err(
            Unavailable::new(said, format!("see what it says: git -C {} status", quoted(root))).into()
        );
    }
    let mut found = Local::default();
    for entry in ran.stdout.split('\0').filter(|entry| entry.len() > 3) {
        let (kind, path) = (&entry[..2], entry[3..].to_owned());
        match kind {
            "??" => found.untracked.push(path),
            "!!" => match path.strip_suffix('/') {
                Some(folder) => into(loaded, root, folder, &mut found),
                None if is_kept(loaded, &path) => found.files.push(path),
                None => {}
            },
            _ => found.changed.push(path),
        }
    }
    Ok(found)
}

/// Looks into an ignored folder. Whole environments can be recreated, but not the repositories in them.
fn into(loaded: &LoadedPolicy, root: &Path, folder: &str, found: &mut Local) {
    let mut open = vec![(folder.to_owned(), false)];
    while let Some((folder, is_environment)) = open.pop() {
        let is_environment = is_environment
            || folder.rsplit('/').next() == Some("node_modules")
            || root.join(&folder).join("pyvenv.cfg").is_file();
        let Ok(entries) = fs::read_dir(root.join(&folder)) else {
            found.closed.push(format!("{folder}/"));
            continue;
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{folder}/{name}");
            if name == ".git" {
                found.closed.push(format!("{folder}/ (a separate repository or worktree)"));
            } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push((path, is_environment));
            } else if !is_environment && is_kept(loaded, &path) {
                found.files.push(path);
            }
        }
    }
}

/// Whether the policy has a file stay local, and locks did not put it there.
fn is_kept(loaded: &LoadedPolicy, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    if path.starts_with(".locks/") || name.starts_with(files::BESIDE) {
        return false;
    }
    let is_never = || {
        let decision = loaded.plan.decide(path.as_bytes(), false);
        decision.area().is_some_and(|area| area.access.value == Access::Never)
    };
    files::names(&loaded.plan.policy).iter().any(|ours| ours == path) || is_never()
}

/// The hashes of the files that stay local, by path: what a step made is told from what was there before. What
/// cannot be read is left out, and so counts as the user's own.
pub(super) fn hashes(loaded: &LoadedPolicy, root: &Path) -> BTreeMap<String, String> {
    let kept = read_changes(loaded, root).map(|local| local.files).unwrap_or_default();
    kept.into_iter().filter_map(|path| Some((path.clone(), hash(&fs::read(root.join(path)).ok()?)))).collect()
}
