//! Where things lie: our folder in the common git folder, and the hooks that were there before.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use super::os::{bytes_of, is_absent, is_at, unreadable, unwritable};
use super::scripts::is_ours as is_our_script;
use crate::conflicts;
use crate::gather::parsed_policy;
use crate::journal;
use crate::served;
use lane_core::error::Error;
use lane_core::hooks::{self, HOOKS};
use lane_core::metrics::{ci, kept};
use lane_git::{Layout, join, tree_cache};

/// Our folders.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// The common git folder, without links in its path.
    pub common: PathBuf,
    /// Everything of git-lane.
    pub lane: PathBuf,
    /// The scripts.
    pub hooks: PathBuf,
    /// The scripts that git starts where the repository lies elsewhere than at the installation.
    pub portable: PathBuf,
    /// The scripts that the configuration names. No program but git-lane writes there.
    pub configured: PathBuf,
    /// What each worktree's configuration includes.
    pub worktree_config: PathBuf,
    /// What the common configuration includes.
    pub hooks_config: PathBuf,
    /// Hooks that somebody else wrote over ours.
    pub backup: PathBuf,
    /// The second name of the program, by which the scripts are started.
    pub program: PathBuf,
    lock: PathBuf,
}

impl Places {
    /// The folders of a repository.
    pub fn of(layout: &Layout) -> Self {
        Self::below(&fs::canonicalize(&layout.common_dir).unwrap_or_else(|_| layout.common_dir.clone()))
    }

    /// The same for a common git folder as it is spelled.
    pub fn below(common: &Path) -> Self {
        let lane = common.join("lane");
        Self {
            hooks: lane.join("hooks"),
            portable: lane.join("portable"),
            configured: lane.join("configured"),
            worktree_config: lane.join("worktree.gitconfig"),
            hooks_config: lane.join("hooks.gitconfig"),
            backup: lane.join("kept"),
            program: lane.join("bin").join("git-lane"),
            lock: lane.join("install.lock"),
            lane,
            common: common.to_owned(),
        }
    }

    /// The folders of a bare repository's own hooks, beside those of its worktrees.
    pub fn of_server(layout: &Layout) -> Self {
        let places = Self::of(layout);
        Self { hooks: places.common.join(served::FOLDER), backup: places.lane.join("server-kept"), ..places }
    }

    /// The name of a worktree in this repository: `worktrees/<name>`, or `.` for the main one.
    pub fn worktree_name(&self, git_dir: &Path) -> Vec<u8> {
        let git_dir = fs::canonicalize(git_dir).unwrap_or_else(|_| git_dir.to_owned());
        match git_dir.strip_prefix(&self.common) {
            Ok(name) if !name.as_os_str().is_empty() => bytes_of(name),
            _ => b".".to_vec(),
        }
    }

    /// The git folders of all worktrees, also of those whose own folder is gone.
    pub fn git_dirs(&self) -> Result<Vec<PathBuf>, Error> {
        let mut found = vec![self.common.clone()];
        let list = self.common.join("worktrees");
        let entries = match fs::read_dir(&list) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => return Ok(found),
            Err(error) => return Err(unreadable(&list, &error)),
        };
        for entry in entries {
            let path = entry.map_err(|error| unreadable(&list, &error))?.path();
            if path.is_dir() {
                found.push(path);
            }
        }
        found[1..].sort();
        Ok(found)
    }

    /// Whether a value of `core.hooksPath` names our folder, here or in a copy of this repository.
    pub fn is_ours(&self, value: &[u8]) -> bool {
        let path = super::os::path_of(value);
        value == bytes_of(&self.hooks) || is_our_folder(&path)
    }

    /// Removes what installers that were killed had written beside its place; whoever calls has the lock, so none of them
    /// is at work. Other files of the same form belong to hooks, which may be.
    fn clear_scratch(&self) {
        let is_hook = |name: &str| hooks::of_git(name).is_some();
        let is_settings = |name: &str| ["worktree.gitconfig", "hooks.gitconfig", "server"].contains(&name);
        for folder in [&self.hooks, &self.portable, &self.configured] {
            remove_scratch(folder, is_hook);
        }
        remove_scratch(&self.lane, is_settings);
        if let Some(folder) = self.program.parent() {
            remove_scratch(folder, |name| name == "git-lane");
        }
    }

    /// Keeps other installers of this repository out until the result is dropped.
    pub fn lock(&self) -> Result<InstallLock<'_>, Error> {
        loop {
            fs::create_dir_all(&self.lane).map_err(|error| unwritable(&self.lane, &error))?;
            let options = OpenOptions::new().write(true).create(true).truncate(false).open(&self.lock);
            let file = match options {
                Ok(file) => file,
                // The last one to go took the folder away between the two calls.
                Err(error) if is_absent(&error) => continue,
                Err(error) => return Err(unwritable(&self.lock, &error)),
            };
            file.lock().map_err(|error| unwritable(&self.lock, &error))?;
            // Whoever had the lock may have removed the file: then it guards nothing.
            if is_at(&file, &self.lock) {
                self.clear_scratch();
                return Ok(InstallLock { places: self, _file: file });
            }
        }
    }
}

/// Removes files that were to get a name: `.<name>.<process id>`.
fn remove_scratch(folder: &Path, is_ours: impl Fn(&str) -> bool) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let file = entry.file_name();
        let name = file.to_str().and_then(|name| name.strip_prefix('.')?.rsplit_once('.'));
        if name.is_some_and(|(name, id)| id.bytes().all(|byte| byte.is_ascii_digit()) && is_ours(name)) {
            let _ = fs::remove_file(entry.path()); // nobody misses it
        }
    }
}

/// The lock of all installers; leaves no empty folder behind.
pub(crate) struct InstallLock<'p> {
    places: &'p Places,
    _file: File,
}

impl Drop for InstallLock<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.places.hooks);
        if !self.places.hooks.exists() {
            let _ = fs::remove_dir(&self.places.backup);
            let _ = fs::remove_dir(&self.places.portable);
            let _ = fs::remove_dir(&self.places.configured);
            // The hooks of a server lie beside those of worktrees, and only these need it.
            if !self.places.lane.join("hooks").exists() {
                super::program::remove(self.places);
                super::verdict_notes::forget(&self.places.common);
                let caches = [parsed_policy::KEPT, tree_cache::NOTE, ci::KEPT, kept::KEPT, conflicts::KEPT];
                for kept in caches.into_iter().chain(journal::FILES) {
                    let _ = fs::remove_file(self.places.common.join(kept));
                }
                // Hooks that were killed left theirs.
                remove_scratch(&self.places.lane, |_| true);
            }
            let _ = fs::remove_file(&self.places.lock);
            let _ = fs::remove_dir(&self.places.lane);
        }
    }
}

/// Whether this is a folder of our scripts, or was before the repository moved away from it. A
/// stranger's folder never ends so, which spares a look into it.
fn is_our_folder(path: &Path) -> bool {
    let is_named = ["lane/hooks", "lane/portable"].iter().any(|ours| path.ends_with(ours));
    let has_ours = || HOOKS.iter().any(|hook| hook.is_script && is_our_script(&path.join(hook.name)));
    path.ends_with(served::FOLDER) || is_named && (!path.exists() || has_ours())
}

/// The folder of hooks that was in force before ours: the last of the values of `core.hooksPath`
/// that is not ours, or else git's own.
pub(crate) fn previous_folder(hooks_paths: &[String], layout: &Layout) -> PathBuf {
    let root = layout.worktree.as_deref().unwrap_or(&layout.git_dir);
    let ours = layout.common_dir.join("lane/hooks");
    let portable = layout.common_dir.join("lane/portable");
    // As we write them, and told so without a look at any file.
    let is_spelled = |path: &Path| *path == ours || join(Path::new(""), path) == portable;
    let other = hooks_paths.iter().rev().map(|value| expand(value, root)).find(|path| {
        let same = || matches!((fs::canonicalize(path), fs::canonicalize(&ours)), (Ok(a), Ok(b)) if a == b);
        !is_spelled(path) && !is_our_folder(path) && !same()
    });
    other.unwrap_or_else(|| layout.common_dir.join("hooks"))
}

/// A value of `core.hooksPath` as git understands it.
pub(crate) fn expand(value: &str, root: &Path) -> PathBuf {
    let home = || std::env::var_os("HOME").map(PathBuf::from);
    match value.strip_prefix('~') {
        // git joins "" and "/pre-commit": a way to say that there are no hooks.
        _ if value.is_empty() => PathBuf::from("/"),
        Some("") => home().unwrap_or_else(|| root.join(value)),
        Some(rest) if rest.starts_with('/') => match home() {
            Some(home) => home.join(rest.trim_start_matches('/')),
            None => root.join(value),
        },
        _ => root.join(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_installer_wrote_goes_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let places = Places::below(folder.path());
        let of_killed =
            ["hooks/.pre-commit.123", "configured/.pre-push.4", ".hooks.gitconfig.5", "bin/.git-lane.6"];
        let others = [
            "hooks/pre-commit",
            "hooks/.pre-commit.swp",
            "hooks/.update.pass.7",
            "hooks/.mine.8",
            ".policy.kept.9",
        ];
        for name in of_killed.iter().chain(&others) {
            let path = places.lane.join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, "").expect("written");
        }
        drop(places.lock().expect("locked"));
        let is_there = |name: &&&str| places.lane.join(name).exists();
        assert_eq!(of_killed.iter().filter(is_there).count(), 0);
        assert_eq!(others.iter().filter(is_there).count(), others.len());
    }
}
