//! What would be lost with a worktree.

use std::fs;
use std::path::Path;

use super::target::Target;
use super::{files, hidden_changes, local, quoted, state};
use crate::gather::LoadedPolicy;
use crate::locks::manager::LockManager;
use crate::machine::ThisMachine;
use lane_core::error::Error;
use lane_core::facts::Oid;
use lane_git::in_progress::{InProgress, all_under_way};
use lane_git::worktrees::head_of;
use lane_git::{GitRepo, Repository, staged_tree};

/// Something that speaks against taking a worktree away, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// What it is.
    pub what: String,
    /// The next step.
    pub help: String,
}

impl Loss {
    pub(super) fn new(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { what: what.into(), help: help.into() }
    }
}

/// How many paths or commits are named.
const MOST: usize = 5;

/// All that would be lost with the worktree of an agent, at its root, with its git folder.
///
/// # Errors
/// Something cannot be read: then it is unknown whether something would be lost.
pub(super) fn of(
    repo: &dyn Repository,
    loaded: &LoadedPolicy,
    target: &Target,
    git_dir: &Path,
) -> Result<Vec<Loss>, Error> {
    let mut found = Vec::new();
    found.extend(hidden_changes::processes(&target.root));
    found.extend(in_worktree(repo, loaded, target, git_dir)?);
    found.extend(locks_of(repo, loaded, &target.agent)?);
    Ok(found)
}

/// All that would be lost with a worktree itself.
///
/// # Errors
/// As [`of`].
pub(super) fn in_worktree(
    repo: &dyn Repository,
    loaded: &LoadedPolicy,
    target: &Target,
    git_dir: &Path,
) -> Result<Vec<Loss>, Error> {
    let root = &target.root;
    let mut found = Vec::new();
    let there = |help: &str| with_folder(root, help);
    if let Ok(why) = fs::read_to_string(git_dir.join("locked")) {
        let why = why.trim();
        let why = if why.is_empty() { String::new() } else { format!(" ({why})") };
        let help = format!("git worktree unlock {}", quoted(root));
        found.push(Loss::new(format!("the worktree is locked{why}"), help));
    }
    let under_way = all_under_way(git_dir);
    found.extend(under_way.map(|it| Loss::new(format!("{} is in progress", it.what), there(it.help))));
    if !root.join(".git").exists() {
        let help = format!(
            "git -C {} worktree repair\nrerun: git lane teardown {}",
            quoted(&repo.layout().common_dir),
            target.agent
        );
        found.push(Loss::new("its `.git` file is missing, so its changes cannot be listed", help));
        return Ok(found);
    }
    found.extend(files_of(repo, loaded, target)?);
    found.extend(hidden_changes::edits(repo, root)?);
    found.extend(commits_of(repo, loaded, target)?);
    found.extend(hidden_changes::commits(repo, root)?);
    Ok(found)
}

/// A help whose commands are git's, to be typed from anywhere.
pub(super) fn with_folder(root: &Path, help: &str) -> String {
    help.replace(": git ", &format!(": git -C {} ", quoted(root)))
}

/// What would be lost with git's memory of a worktree whose folder is gone, or was moved.
///
/// # Errors
/// Something cannot be read.
pub(super) fn of_gone(repo: &dyn Repository, git_dir: &Path) -> Result<Vec<Loss>, Error> {
    let help = "if its folder was moved: git worktree repair NEW_PLACE\n\
                if it was deleted: git worktree prune";
    let gone =
        |it: InProgress| Loss::new(format!("its folder is missing, and {} is in progress", it.what), help);
    let mut found: Vec<Loss> = all_under_way(git_dir).map(gone).collect();
    let tip = head_of(repo, git_dir)?.oid;
    let Some(tip) = tip else {
        return Ok(found);
    };
    if !repo.commits(&[tip], &repo.tips("refs/")?)?.is_empty() {
        found.push(Loss::new(
            format!("its folder is missing, and commits up to {} are on no branch", tip.short()),
            help,
        ));
    }
    let index = git_dir.join("index");
    if index.exists() && staged_tree(repo, &index)? != Some(repo.commit(tip)?.tree) {
        found.push(Loss::new("its folder is missing, and it has staged changes", help));
    }
    Ok(found)
}

/// Files that are in no commit: changed, untracked, or local and made neither by us nor by a step.
fn files_of(repo: &dyn Repository, loaded: &LoadedPolicy, target: &Target) -> Result<Vec<Loss>, Error> {
    let there = |help: &str| with_folder(&target.root, help);
    let local = local::read_changes(loaded, &target.root)?;
    let state = state::read(&repo.layout().common_dir, &target.agent)?;
    let ours = files::names(&loaded.plan.policy);
    let is_made = |path: &String| match ours.contains(path) {
        true => files::is_as_written(&target.root, path, &state),
        false => {
            let there = fs::read(target.root.join(path)).ok();
            there.is_some_and(|there| state.made.get(path) == Some(&state::hash(&there)))
        }
    };
    let mut kept: Vec<String> = local.files.into_iter().filter(|path| !is_made(path)).collect();
    kept.extend(local.closed);
    kept.sort();
    let mut found = Vec::new();
    for (paths, what, help) in [
        (
            local.changed,
            "not committed",
            there("commit it there, or stash it, where all worktrees can use it: git stash push"),
        ),
        (
            local.untracked,
            "not in git",
            there("commit, move or stash them: git stash push --include-untracked"),
        ),
        (kept, "local files", "they are not committed: move or remove them".to_owned()),
    ] {
        if !paths.is_empty() {
            found.push(Loss::new(format!("{what}: {}", list_paths(&paths)), help));
        }
    }
    Ok(found)
}

/// Commits that are neither on a remote nor on the base.
fn commits_of(repo: &dyn Repository, loaded: &LoadedPolicy, target: &Target) -> Result<Vec<Loss>, Error> {
    let there = |help: &str| with_folder(&target.root, help);
    let here = GitRepo::open_at(&target.root)?;
    let head = here.head()?;
    let Some(tip) = head.oid else {
        return Ok(Vec::new());
    };
    let mut known = repo.tips("refs/remotes/")?;
    known.extend(loaded.base.as_ref().map(|base| base.oid));
    let base = format!("refs/heads/{}", loaded.plan.policy.base.value);
    known.extend(repo.find_ref(&base)?);
    let unpushed = repo.commits(&[tip], &known)?;
    if unpushed.is_empty() || head.branch.is_some() && is_landed(repo, loaded, tip)? {
        return Ok(Vec::new());
    }
    let help = match head.branch {
        Some(_) => there("push them: git lane push"),
        None => there("HEAD is detached; create a branch: git switch -c BRANCH\nthen push it: git lane push"),
    };
    Ok(vec![Loss::new(format!("not pushed: {}", describe_commits(repo, &unpushed)?), help)])
}

/// Whether the base has all that a commit would bring: it was squashed there.
fn is_landed(repo: &dyn Repository, loaded: &LoadedPolicy, tip: Oid) -> Result<bool, Error> {
    let Some(base) = &loaded.base else {
        return Ok(false);
    };
    let (tree, open) = repo.merged(base.oid, tip)?;
    Ok(open.is_empty() && tree == repo.commit(base.oid)?.tree)
}

/// A few commits with their subjects, and how many more there are.
pub(super) fn describe_commits(repo: &dyn Repository, oids: &[Oid]) -> Result<String, Error> {
    let mut words = Vec::new();
    for oid in oids.iter().take(MOST) {
        let message = repo.commit(*oid)?.message;
        let subject = lane_core::locks::record::plain(message.lines().next().unwrap_or_default());
        words.push(format!("{} {subject}", oid.short()));
    }
    if oids.len() > MOST {
        words.push(format!("and {} more", oids.len() - MOST));
    }
    Ok(words.join(", "))
}

fn locks_of(repo: &dyn Repository, loaded: &LoadedPolicy, agent: &str) -> Result<Vec<Loss>, Error> {
    let plan = &loaded.plan;
    if !plan.has_area(lane_core::policy::model::Access::Lock) {
        return Ok(Vec::new());
    }
    let world = ThisMachine::new();
    let mut manager = LockManager::new(repo, plan, &world);
    manager.refresh(0)?;
    let areas = manager.areas()?;
    let judge = manager.judge();
    let tips = areas.iter().filter_map(|area| area.tip.as_ref().ok()?.as_ref());
    let leases = tips.flat_map(|tip| &tip.record.leases);
    let held = leases.filter(|lease| lease.stake.agent == agent && !judge.lease(lease).is_over());
    Ok(held
        .map(|lease| {
            let scope = &lease.stake.scope;
            let word = lane_core::report::quote(scope.as_bytes());
            let help = format!("git lane unlock {word} --agent {agent}");
            Loss::new(format!("{agent} holds the lock `{scope}`"), help)
        })
        .collect())
}

/// A few paths, and how many more there are.
pub(super) fn list_paths(paths: &[String]) -> String {
    let mut shown: Vec<String> =
        paths.iter().take(MOST).map(|path| lane_core::locks::record::plain(path)).collect();
    if paths.len() > MOST {
        shown.push(format!("and {} more", paths.len() - MOST));
    }
    shown.join(", ")
}
