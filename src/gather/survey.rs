//! What git tracks in a repository, for somebody who has never seen it.

use std::path::Path;

use super::inventory::remotes;
use super::policy_source::default_base;
use crate::init::{self, Kind, Survey, Text, TrackedPath};
use lane_core::facts::{Oid, RepoPath};
use lane_core::policy::relative;
use lane_git::raw_tree::RawTree;
use lane_git::staged_tree;
use lane_git::worktrees::{head_of, worktrees};
use lane_git::{FOLDER, Read, Repository, find_in_tree};

/// More files than this say no more.
pub(super) const MOST_FILES: usize = 1_000_000;
/// Folders are not looked for deeper than this.
const DEEPEST: usize = 200;
/// A manifest that is larger was made by a machine.
const LARGEST: usize = 8 << 20;

/// Looks at the files that git tracks and at the worktrees.
///
/// # Errors
/// HEAD's tree or the list of worktrees cannot be read.
pub fn survey(repo: &dyn Repository) -> Read<Survey> {
    let layout = repo.layout();
    let trees = worktrees(layout)?;
    // A bare repository's own folder stands for a main worktree.
    let main = trees.first().filter(|tree| tree.git_dir == layout.common_dir);
    let main = main.map_or(&layout.common_dir, |tree| &tree.root);
    let remote = default_remote(repo)?;
    let base = default_base(repo, &remote)?;
    let mut survey = Survey { name: repository_name(main), base, remote, ..Survey::default() };
    if let Some(tree) = tracked_tree(repo)? {
        walk(repo, &repo.raw_tree(tree)?, &mut String::new(), 0, &mut survey.files)?;
        if survey.files.len() >= MOST_FILES {
            survey.notes.push(format!("only the first {MOST_FILES} files were read"));
        }
        for path in init::input_files() {
            if let Some(content) = text(repo, tree, path)? {
                survey.texts.push(Text { path: path.to_owned(), content });
            }
        }
    }
    // The worktree that this runs in is its maintainer's, unless it is on an agent's branch.
    let is_own = |root: &Path| layout.worktree.as_deref() == Some(root);
    for tree in trees.iter().filter(|tree| tree.root != *main) {
        let head = head_of(repo, &tree.git_dir).ok().and_then(|head| head.branch);
        let branch = head.and_then(|name| Some(name.strip_prefix("refs/heads/")?.to_owned()));
        if is_own(&tree.root) && branch.as_deref().is_none_or(|name| !name.starts_with("feat/")) {
            continue;
        }
        survey.worktrees.push((relative(main, &tree.root), branch));
    }
    Ok(survey)
}

/// `origin`, unless there is another remote and that one is not there.
fn default_remote(repo: &dyn Repository) -> Read<String> {
    let origin = "origin".to_owned();
    let remotes = remotes(repo.layout());
    if remotes.is_empty() || remotes.contains(&origin) {
        return Ok(origin);
    }
    let current = repo.head()?.branch;
    let current = current.as_deref().and_then(|name| name.strip_prefix("refs/heads/"));
    let tracked = match current {
        Some(name) => repo.config(&format!("branch.{name}.remote"))?.pop(),
        None => None,
    };
    Ok(tracked.filter(|name| remotes.contains(name)).or(remotes.into_iter().next()).unwrap_or(origin))
}

/// The tracked files below a folder, an empty path being the root; a file of that name, or nothing there, has none.
///
/// # Errors
/// The index or HEAD's tree cannot be read.
pub fn tracked_below(repo: &dyn Repository, folder: &RepoPath) -> Read<Vec<RepoPath>> {
    let Some(tree) = tracked_tree(repo)? else { return Ok(Vec::new()) };
    if folder.0.is_empty() {
        let mut files = Vec::new();
        walk(repo, &repo.raw_tree(tree)?, &mut String::new(), 0, &mut files)?;
        return Ok(files.into_iter().map(|file| RepoPath(file.path.into_bytes())).collect());
    }
    let found = find_in_tree(repo, tree, &folder.0)?.filter(|entry| entry.mode == FOLDER);
    let (Some(entry), Some(name)) = (found, folder.as_text()) else { return Ok(Vec::new()) };
    let mut files = Vec::new();
    walk(repo, &repo.raw_tree(entry.oid)?, &mut format!("{name}/"), 0, &mut files)?;
    Ok(files.into_iter().map(|file| RepoPath(file.path.into_bytes())).collect())
}

/// The files of a tree.
///
/// # Errors
/// A tree cannot be read.
pub fn files_of_tree(repo: &dyn Repository, tree: Oid) -> Read<Vec<TrackedPath>> {
    let mut files = Vec::new();
    walk(repo, &repo.raw_tree(tree)?, &mut String::new(), 0, &mut files)?;
    Ok(files)
}

/// The text of a file of a tree, or why it has none; `None` where there is no file.
///
/// # Errors
/// A tree cannot be read.
pub fn file_text(repo: &dyn Repository, tree: Oid, path: &str) -> Read<Option<Result<String, String>>> {
    text(repo, tree, path)
}

/// The repository's name: of its folder, or of what a folder such as `.git` or `.bare` lies in.
pub fn repository_name(root: &Path) -> String {
    let names = root.iter().rev().map(|name| name.to_string_lossy());
    let mut names = names.map(|name| name.strip_suffix(".git").unwrap_or(&name).to_owned());
    names.find(|name| !name.is_empty() && !name.starts_with('.')).unwrap_or_else(|| "wt".to_owned())
}

/// What is staged; in a conflict, or where nothing is, what is committed.
fn tracked_tree(repo: &dyn Repository) -> Read<Option<Oid>> {
    let index = repo.layout().git_dir.join("index");
    let staged = staged_tree(repo, &index).ok().flatten();
    if let Some(tree) = staged
        && !repo.raw_tree(tree)?.to_vec().is_empty()
    {
        return Ok(Some(tree));
    }
    repo.head()?.oid.map(|oid| Ok(repo.commit(oid)?.tree)).transpose()
}

/// Names that are no UTF-8 cannot stand in a policy, and are passed over.
fn walk(
    repo: &dyn Repository,
    tree: &RawTree,
    path: &mut String,
    depth: usize,
    files: &mut Vec<TrackedPath>,
) -> Read<()> {
    for entry in tree.entries() {
        let Ok(name) = str::from_utf8(entry.name) else { continue };
        if files.len() >= MOST_FILES {
            return Ok(());
        }
        let length = path.len();
        path.push_str(name);
        let kind = match entry.version.mode {
            0o120_000 => Kind::Link,
            _ if entry.version.is_submodule() => Kind::Submodule,
            _ => Kind::File,
        };
        if entry.version.mode != FOLDER {
            files.push(TrackedPath { path: path.clone(), kind });
        } else if depth < DEEPEST {
            path.push('/');
            walk(repo, &repo.raw_tree(entry.version.oid)?, path, depth + 1, files)?;
        }
        path.truncate(length);
    }
    Ok(())
}

fn text(repo: &dyn Repository, tree: Oid, path: &str) -> Read<Option<Result<String, String>>> {
    let Some(entry) = find_in_tree(repo, tree, path.as_bytes())? else { return Ok(None) };
    Ok(match entry.mode {
        0o120_000 => Some(Err("it is a symbolic link".to_owned())),
        FOLDER => None,
        _ if entry.is_submodule() => None,
        _ => Some(match repo.blob(entry.oid) {
            Ok(bytes) if bytes.len() > LARGEST => Err(format!("it is larger than {} MB", LARGEST >> 20)),
            Ok(bytes) => String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned()),
            Err(why) => Err(init::sanitize_name(&why.reason)),
        }),
    })
}
