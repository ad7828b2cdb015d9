//! What would be lost with a worktree.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use super::target::Target;
use super::{files, git, quoted, state, unseen};
use crate::error::Error;
use crate::facts::Oid;
use crate::gather::under_way::{UnderWay, all_under_way};
use crate::gather::{Git2Repository, Loaded, Repository, staged_tree};
use crate::locks::keeper::Keeper;
use crate::locks::machine::ThisMachine;

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
/// Something cannot be read: then nobody can say that nothing would be lost.
pub(super) fn of(
    repo: &dyn Repository,
    loaded: &Loaded,
    target: &Target,
    git_dir: &Path,
) -> Result<Vec<Loss>, Error> {
    let root = &target.root;
    let mut found = Vec::new();
    let cd = format!("cd {} && ", quoted(root));
    if let Ok(why) = fs::read_to_string(git_dir.join("locked")) {
        let why = why.trim();
        let why = if why.is_empty() { String::new() } else { format!(" ({why})") };
        let help = format!("git worktree unlock {}", quoted(root));
        found.push(Loss::new(format!("the worktree is locked{why}"), help));
    }
    let under_way = all_under_way(git_dir);
    found.extend(
        under_way.map(|it| Loss::new(format!("{} is under way", it.what), format!("{cd}{}", it.help))),
    );
    found.extend(unseen::processes(root));
    found.extend(files_of(loaded, target, &cd)?);
    found.extend(unseen::edits(repo, root, &cd)?);
    found.extend(commits_of(repo, loaded, target, &cd)?);
    found.extend(unseen::commits(repo, root, &cd)?);
    found.extend(locks_of(repo, loaded, &target.agent)?);
    Ok(found)
}

/// What would be lost with git's memory of a worktree whose folder is gone, or was moved.
///
/// # Errors
/// Something cannot be read.
pub(super) fn of_gone(repo: &dyn Repository, git_dir: &Path) -> Result<Vec<Loss>, Error> {
    let help = "if its folder was moved: git worktree repair <its new place>; if it is gone for good: git worktree prune";
    let gone = |it: UnderWay| Loss::new(format!("its folder is gone, and {} is under way", it.what), help);
    let mut found: Vec<Loss> = all_under_way(git_dir).map(gone).collect();
    let head = fs::read_to_string(git_dir.join("HEAD")).unwrap_or_default();
    let head = head.trim();
    let tip = match head.strip_prefix("ref: ") {
        Some(reference) => repo.find_ref(reference)?,
        None => Oid::from_hex(head).filter(|oid| repo.has(*oid)),
    };
    let Some(tip) = tip else {
        return Ok(found);
    };
    if !repo.commits(&[tip], &repo.tips("refs/")?)?.is_empty() {
        found.push(Loss::new(
            format!("its folder is gone, and commits up to {} are on no branch", tip.short()),
            help,
        ));
    }
    let index = git_dir.join("index");
    if index.exists() && staged_tree(repo, &index)? != Some(repo.commit(tip)?.tree) {
        found.push(Loss::new("its folder is gone, and something is staged for it", help));
    }
    Ok(found)
}

/// Files that are in no commit: changed, untracked, or local and not written by us.
fn files_of(loaded: &Loaded, target: &Target, cd: &str) -> Result<Vec<Loss>, Error> {
    let args = [
        "status",
        "--porcelain=v1",
        "-z",
        "--no-renames",
        "--untracked-files=normal", // git refuses `--ignored` where the configuration says `no`
        "--ignored=matching",
        "--ignore-submodules=none",
    ];
    let ran = git::at(&target.root, None, &args)?;
    if !ran.ok {
        let said =
            format!("git cannot tell what is changed in {}: {}", target.root.display(), ran.complaint());
        return Err(crate::facts::Unavailable::new(said, format!("{cd}git status")).into());
    }
    let common_dir = loaded_common(&target.root)?;
    let state = state::read(&common_dir, &target.agent)?;
    let steps = last_step(&common_dir, &target.agent);
    let (mut changed, mut untracked, mut local) = (Vec::new(), Vec::new(), Vec::new());
    for entry in ran.out.split('\0').filter(|entry| entry.len() > 3) {
        let (kind, path) = (&entry[..2], entry[3..].to_owned());
        match kind {
            "??" => untracked.push(path),
            "!!" if path.ends_with('/') => hidden(loaded, target, &path, (&state, steps), &mut local),
            "!!" if is_kept_by_hand(loaded, target, &path, &state) => local.push(path),
            "!!" => {}
            _ => changed.push(path),
        }
    }
    let mut found = Vec::new();
    for (paths, what, help) in [
        (changed, "not committed", format!("{cd}git commit, git stash or git restore")),
        (untracked, "not in git", format!("{cd}git add and git commit, or move them away")),
        (
            local,
            "local and somebody's own",
            "they are in no commit: move them away, or remove them".to_owned(),
        ),
    ] {
        if !paths.is_empty() {
            found.push(Loss::new(format!("{what}: {}", some(&paths)), help));
        }
    }
    Ok(found)
}

/// What lies in an ignored folder and cannot be made anew: a repository or a worktree of its own, and files that
/// the policy has stay local. What cannot be looked into counts as such.
fn hidden(
    loaded: &Loaded,
    target: &Target,
    folder: &str,
    (state, steps): (&state::State, Option<SystemTime>),
    found: &mut Vec<String>,
) {
    let mut open = vec![folder.trim_end_matches('/').to_owned()];
    while let Some(folder) = open.pop() {
        let Ok(entries) = fs::read_dir(target.root.join(&folder)) else {
            found.push(format!("{folder}/"));
            continue;
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{folder}/{name}");
            if name == ".git" {
                found.push(format!("{folder}/ (a repository or worktree of its own)"));
            } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                // Environments are made by steps, and are large.
                if name != "node_modules" && !entry.path().join("pyvenv.cfg").exists() {
                    open.push(path);
                }
            } else if !is_environment(&target.root, &path)
                && !is_of_steps(&entry, steps)
                && is_kept_by_hand(loaded, target, &path, state)
            {
                found.push(path);
            }
        }
    }
}

/// When the last of an agent's steps was done: then it was written down.
fn last_step(common_dir: &Path, agent: &str) -> Option<SystemTime> {
    let state = common_dir.join("lane/setup").join(format!("{agent}.json"));
    fs::metadata(state).and_then(|data| data.modified()).ok()
}

/// Whether a file is no newer than what the steps made: then they can make it anew.
fn is_of_steps(entry: &fs::DirEntry, steps: Option<SystemTime>) -> bool {
    let written = entry.metadata().and_then(|data| data.modified()).ok();
    written.zip(steps).is_some_and(|(written, steps)| written <= steps)
}

/// Whether a path lies in a virtual environment of Python.
fn is_environment(root: &Path, path: &str) -> bool {
    Path::new(path).ancestors().skip(1).any(|folder| root.join(folder).join("pyvenv.cfg").is_file())
}

fn loaded_common(root: &Path) -> Result<std::path::PathBuf, Error> {
    Ok(Git2Repository::open_at(root)?.layout().common_dir.clone())
}

/// Whether an ignored file was made by somebody to be kept: one of those that the policy has stay local, apart
/// from what `setup` and locks put there. Whole folders (environments, caches) can be made anew.
fn is_kept_by_hand(loaded: &Loaded, target: &Target, path: &str, state: &state::State) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    if path.ends_with('/') || path.starts_with(".locks/") || name.starts_with(files::BESIDE) {
        return false;
    }
    let is_ours = files::names(&loaded.plan.policy).iter().any(|ours| ours == path);
    if is_ours {
        return !files::is_as_written(&target.root, path, state);
    }
    let area = loaded.plan.decide(path.as_bytes(), false);
    area.area().is_some_and(|area| area.access.value == crate::policy::model::Access::Never)
}

/// Commits that are neither on a remote nor on the base.
fn commits_of(repo: &dyn Repository, loaded: &Loaded, target: &Target, cd: &str) -> Result<Vec<Loss>, Error> {
    let here = Git2Repository::open_at(&target.root)?;
    let head = here.head()?;
    let Some(tip) = head.oid else {
        return Ok(Vec::new());
    };
    let mut known = repo.tips("refs/remotes/")?;
    known.extend(loaded.base.as_ref().map(|base| base.oid));
    let base = format!("refs/heads/{}", loaded.plan.policy.base.value);
    known.extend(repo.find_ref(&base)?);
    let unpushed = repo.commits(&[tip], &known)?;
    if unpushed.is_empty() {
        return Ok(Vec::new());
    }
    let help = match head.branch {
        Some(_) => format!("{cd}git lane push"),
        None => format!("{cd}git switch -c <branch> && git lane push (HEAD is on no branch)"),
    };
    Ok(vec![Loss::new(format!("not pushed: {}", named(repo, &unpushed)?), help)])
}

/// A few commits with their subjects, and how many more there are.
pub(super) fn named(repo: &dyn Repository, oids: &[Oid]) -> Result<String, Error> {
    let mut words = Vec::new();
    for oid in oids.iter().take(MOST) {
        let message = repo.commit(*oid)?.message;
        let subject = crate::locks::record::plain(message.lines().next().unwrap_or_default());
        words.push(format!("{} {subject}", oid.short()));
    }
    if oids.len() > MOST {
        words.push(format!("and {} more", oids.len() - MOST));
    }
    Ok(words.join(", "))
}

fn locks_of(repo: &dyn Repository, loaded: &Loaded, agent: &str) -> Result<Vec<Loss>, Error> {
    let plan = &loaded.plan;
    if !plan.has_area(crate::policy::model::Access::Lock) {
        return Ok(Vec::new());
    }
    let world = ThisMachine::new();
    let mut keeper = Keeper::new(repo, plan, &world);
    keeper.refresh(0)?;
    let areas = keeper.areas()?;
    let judge = keeper.judge();
    let tips = areas.iter().filter_map(|area| area.tip.as_ref().ok()?.as_ref());
    let leases = tips.flat_map(|tip| &tip.record.leases);
    let held = leases.filter(|lease| lease.stake.agent == agent && !judge.lease(lease).is_over());
    Ok(held
        .map(|lease| {
            let scope = &lease.stake.scope;
            let word = crate::report::quote(scope.as_bytes());
            let help = format!("git lane unlock {word} --agent {agent}");
            Loss::new(format!("{agent} holds the lock `{scope}`"), help)
        })
        .collect())
}

/// A few paths, and how many more there are.
pub(super) fn some(paths: &[String]) -> String {
    let mut shown: Vec<String> =
        paths.iter().take(MOST).map(|path| crate::locks::record::plain(path)).collect();
    if paths.len() > MOST {
        shown.push(format!("and {} more", paths.len() - MOST));
    }
    shown.join(", ")
}
