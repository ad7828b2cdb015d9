//! What tools have changed in a worktree so far, and what the model was told of it: `lane/edits.json` of its git folder.
//!
//! Nothing is judged by it. It spares a look at the whole working tree at each edit, and the same warning at each of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use lane_core::facts::{Oid, RepoPath};
use lane_core::report::Finding;
use lane_git::{GitRepo, Repository, find_in_tree, state_file};
use lane_os::path_of;

/// The file's name below the git folder of a worktree.
const NAME: &str = "lane/edits.json";
/// How many paths are remembered.
const MOST: usize = 100;
/// How long nothing is said twice, in seconds.
const QUIET: i64 = 1_800;

#[derive(Debug, Default, PartialEq, Eq, Clone, Serialize, Deserialize)]
#[serde(default)]
struct Entries {
    /// The commit that was checked out.
    head: Option<String>,
    /// The paths, the last one last.
    paths: Vec<String>,
    /// What was said, and when.
    told: BTreeMap<String, i64>,
}

/// The notes of one worktree.
pub(super) struct EditLog {
    file: PathBuf,
    before: Entries,
    now: Entries,
}

/// Removes the notes of a worktree.
pub fn forget(git_dir: &Path) {
    let file = git_dir.join(NAME);
    let _ = fs::remove_file(&file);
}

impl EditLog {
    /// Notes that cannot be read are none.
    pub fn read(repo: &GitRepo) -> Self {
        let file = repo.layout().git_dir.join(NAME);
        let read = fs::read(&file).ok().and_then(|bytes| serde_json::from_slice::<Entries>(&bytes).ok());
        let before = read.unwrap_or_default();
        Self { file, now: before.clone(), before }
    }

    pub fn paths(&self) -> Vec<RepoPath> {
        self.now.paths.iter().map(|path| RepoPath(path.clone().into_bytes())).collect()
    }

    /// Adds files that are about to be changed. Once something was committed, those that are as the commit has them go.
    pub fn add(&mut self, repo: &GitRepo, files: Vec<(RepoPath, bool)>) {
        let oid = repo.head().ok().and_then(|head| head.oid);
        let head = oid.map(|oid| oid.to_string());
        if self.now.head != head {
            let tree = oid.and_then(|oid| repo.commit(oid).ok()).map(|commit| commit.tree);
            self.now.paths.retain(|path| !is_committed(repo, tree, path));
            self.now.head = head;
        }
        for (path, _) in files {
            let Ok(path) = String::from_utf8(path.0) else { continue };
            if !self.now.paths.contains(&path) {
                self.now.paths.push(path);
            }
        }
        let excess = self.now.paths.len().saturating_sub(MOST);
        self.now.paths.drain(..excess);
    }

    /// Whether a finding was not said a short time ago.
    pub fn is_news(&mut self, finding: &Finding, now: i64) -> bool {
        let path = finding.path.as_ref().map(ToString::to_string).unwrap_or_default();
        // A number that grows is no news.
        let what: String = finding.headline.chars().filter(|c| !c.is_ascii_digit()).collect();
        let key = format!("{} {what} {path}", finding.rule);
        self.now.told.retain(|_, at| now.saturating_sub(*at) < QUIET);
        if self.now.told.contains_key(&key) {
            return false;
        }
        self.now.told.insert(key, now);
        true
    }

    /// In a sandbox that refuses it, all is said again.
    pub fn write(&self) {
        if self.now != self.before {
            let folder = self.file.parent().unwrap_or(Path::new("."));
            let _ = fs::create_dir_all(folder).and_then(|()| state_file::write_json(&self.file, &self.now));
        }
    }
}

fn is_committed(repo: &GitRepo, tree: Option<Oid>, path: &str) -> bool {
    let root = repo.layout().worktree.clone().unwrap_or_default();
    let there = fs::read(root.join(path_of(path.as_bytes()))).ok();
    let version = tree.and_then(|tree| find_in_tree(repo, tree, path.as_bytes()).ok().flatten());
    match (there, version) {
        (Some(there), Some(version)) => repo.blob(version.oid).is_ok_and(|blob| blob == there),
        (there, version) => there.is_none() && version.is_none(),
    }
}
