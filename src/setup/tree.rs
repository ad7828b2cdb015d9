//! The worktree itself, on its branch.

use std::fs;
use std::path::{Path, PathBuf};

use super::state::{LockedState, State, unwritable};
use super::target::{Target, gone_entry, no_base};
use super::{git, losses, quoted, repair, rerun};
use lane_core::error::Error;
use lane_core::locks::record::plain;
use lane_git::command::CommandOutput;
use lane_git::worktrees::{head_of, worktrees};
use lane_git::{GitRepo, Repository};

/// The step that makes it, as the notes of an agent name it.
const ADDING: &str = "worktree add";

/// What is to be done for a worktree to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NextStep {
    /// Nothing: it is there.
    Nothing,
    /// Somebody was killed while they made it.
    Finish,
    /// It has to be made; git remembers one there whose folder is gone where `is_stale`.
    Add { is_stale: bool },
}

impl NextStep {
    /// What would be done, for people.
    pub fn words(&self, target: &Target) -> Option<String> {
        let (root, branch) = (target.root.display(), &target.branch);
        match self {
            Self::Nothing => None,
            Self::Finish => Some(format!("complete the worktree {root}, which was left unfinished")),
            Self::Add { .. } => {
                let from = target.from.as_deref().map(|from| format!(" (new branches start at {from})"));
                Some(format!("create the worktree {root} on {branch}{}", from.unwrap_or_default()))
            }
        }
    }
}

/// Looks at what is there.
///
/// # Errors
/// Something that is no worktree stands where it should be.
pub(super) fn plan_worktree(common_dir: &Path, target: &Target, state: &State) -> Result<NextStep, Error> {
    let root = &target.root;
    if state.adding.as_deref() == Some(root) {
        return Ok(NextStep::Finish);
    }
    let is_ours = is_worktree_of(root, common_dir);
    let entry = gone_entry(common_dir, root);
    if is_ours && (entry.is_some() || root.join(".git").is_dir() || is_main(root, common_dir)) {
        return is_whole(root).map(|()| NextStep::Nothing);
    }
    if entry.is_some() && root.is_dir() && !is_empty(root) && !root.join(".git").exists() {
        return Err(Error::usage(
            format!("{} has no `.git` file, so git cannot use it", root.display()),
            format!("git -C {} worktree repair\n{}", quoted(common_dir), rerun(&target.agent)),
        ));
    }
    match fs::symlink_metadata(root) {
        Ok(data) if data.is_dir() && is_empty(root) => {}
        Ok(_) => {
            return Err(Error::usage(
                format!("{} exists, but is not a worktree of this repository", root.display()),
                format!(
                    "move it away, or give {} another path: `agents.{}.worktree` in the policy",
                    target.agent, target.agent
                ),
            ));
        }
        Err(_) => {}
    }
    if let Some(entry) = &entry
        && entry.join("locked").exists()
    {
        return Err(Error::usage(
            format!("git has a locked worktree at {}, but its folder is missing", root.display()),
            format!("restore the folder, or unlock the worktree: git worktree unlock {}", quoted(root)),
        ));
    }
    Ok(NextStep::Add { is_stale: entry.is_some() })
}

/// Whether git can use a worktree.
fn is_whole(root: &Path) -> Result<(), Error> {
    let repo = GitRepo::open_at(root)?;
    repo.head().map(|_| ()).map_err(|why| {
        let help = format!(
            "check {}: it should contain `ref: refs/heads/<branch>`",
            repo.layout().git_dir.join("HEAD").display()
        );
        Error::usage(format!("git cannot use the worktree {}: {}", root.display(), why.reason), help)
    })
}

/// What was done, for people, and what is worth knowing.
#[derive(Debug, Default)]
pub(super) struct WorktreeChanges {
    pub changes: Vec<String>,
    pub notes: Vec<String>,
}

/// Makes the worktree, or finishes it.
///
/// # Errors
/// Something is in the way, or git cannot make it; it is noted, so that somebody can go on from there.
pub(super) fn ensure(
    common_dir: &Path,
    target: &Target,
    held: &mut LockedState,
) -> Result<WorktreeChanges, Error> {
    let done = make(common_dir, target, held);
    if done.is_err() {
        held.note(|state| state.failed = Some(ADDING.to_owned()))?;
    } else if held.state.failed.as_deref().is_some_and(|step| step.ends_with(ADDING)) {
        held.note(|state| state.failed = None)?;
    }
    done
}

fn make(common_dir: &Path, target: &Target, held: &mut LockedState) -> Result<WorktreeChanges, Error> {
    let mut done = WorktreeChanges::default();
    let mut next = plan_worktree(common_dir, target, &held.state)?;
    if next == NextStep::Finish {
        unlock_branch(common_dir, target);
        let is_finished = repair::finish(common_dir, target, held)?;
        held.note(|state| state.adding = None)?;
        if is_finished {
            done.changes.push(format!("completed the worktree {}", target.root.display()));
        }
        next = plan_worktree(common_dir, target, &held.state)?;
    }
    if let NextStep::Add { is_stale } = next {
        held.note(|state| *state = State { adding: Some(target.root.clone()), ..State::default() })?;
        if is_stale {
            forget_gone(common_dir, target, held)?;
        }
        if !is_stale && let Some(error) = elsewhere(common_dir, target)? {
            held.note(|state| state.adding = None)?;
            return Err(error);
        }
        let added = add(common_dir, target, held);
        if added.is_ok() || repair::begun_entry(common_dir, &target.root).is_none() {
            held.note(|state| state.adding = None)?;
        }
        let added = added?;
        done.changes.extend(added.changes);
        done.notes.extend(added.notes);
    }
    let root = target.root.clone();
    held.note(|state| {
        state.removing = None;
        if state.root.as_ref() != Some(&root) {
            *state = State { root: Some(root), ..State::default() };
        }
    })?;
    Ok(done)
}

/// Removes the lock file of the branch that a killed git was about to make. Whoever calls holds what that git held
/// too, so it is dead; a file with another value in it is somebody else's.
fn unlock_branch(common_dir: &Path, target: &Target) {
    let lock = common_dir.join(format!("refs/heads/{}.lock", target.branch));
    let Ok(text) = fs::read_to_string(&lock) else {
        return;
    };
    let from = target.from.clone().unwrap_or_default();
    let mut ask =
        || vec!["rev-parse".to_owned(), "--verify".to_owned(), "-q".to_owned(), format!("{from}^{{commit}}")];
    let start =
        git::common(common_dir, None, &mut ask).map(|ran| ran.stdout.trim().to_owned()).unwrap_or_default();
    if text.is_empty() || text.trim_end() == start {
        let _ = fs::remove_file(lock);
    }
}

fn add(common_dir: &Path, target: &Target, held: &LockedState) -> Result<WorktreeChanges, Error> {
    let Target { root, branch, from, .. } = target;
    let reference = format!("refs/heads/{branch}");
    let mut from_words = String::new();
    let is_there = |name: &str| {
        let mut args = || ["rev-parse", "--verify", "-q", name].map(str::to_owned).to_vec();
        git::common(common_dir, None, &mut args).is_ok_and(|ran| ran.ok)
    };
    if !is_there(&reference) && from.is_none() {
        let mut remotes = || vec!["remote".to_owned()];
        let remotes = git::common(common_dir, None, &mut remotes).map(|ran| ran.stdout).unwrap_or_default();
        let mut remotes: Vec<&str> = remotes.lines().collect();
        remotes.sort_by_key(|name| *name != "origin");
        return Err(no_base(target, remotes.first().copied()));
    }
    let path = root.to_string_lossy().into_owned();
    // Two gits that make worktrees at the same time read each other's half-made ones, and fail.
    let _turn = one_at_a_time(common_dir)?;
    let ran = git::common(common_dir, held.share(), &mut || {
        let mut args = vec!["worktree".to_owned(), "add".to_owned()];
        if is_there(&reference) {
            args.extend([path.clone(), branch.clone()]);
        } else {
            let from = from.clone().unwrap_or_default();
            from_words = format!(", from {from}");
            args.extend(["--no-track".to_owned(), "-b".to_owned(), branch.clone(), path.clone(), from]);
        }
        args
    })?;
    let hook = if ran.ok { None } else { failed_hook(common_dir, target, &ran) };
    if ran.ok || hook.is_some() {
        let changes = vec![format!("created the worktree {} on {branch}{from_words}", root.display())];
        return Ok(WorktreeChanges { changes, notes: hook.into_iter().collect() });
    }
    let help = format!("fix this, then rerun: git lane setup {}", target.agent);
    Err(Error::write(
        format!("the worktree {} could not be created: {}", root.display(), ran.error_text()),
        help,
    ))
}

/// What the hook post-checkout said, where git made the whole worktree and ended with that hook's exit code.
fn failed_hook(common_dir: &Path, target: &Target, ran: &CommandOutput) -> Option<String> {
    let root = &target.root;
    let entry = gone_entry(common_dir, root)?;
    // git takes an unfinished one away again, or leaves it locked.
    let is_made =
        entry.join("index").is_file() && !entry.join("locked").exists() && root.join(".git").is_file();
    let said = ran.stderr.lines().map(str::trim).filter(|line| {
        !line.is_empty() && !line.starts_with("Preparing worktree") && !line.starts_with("HEAD is now at")
    });
    let said: Vec<String> = said.map(plain).collect();
    let said = if said.is_empty() { "no output".to_owned() } else { said.join("; ") };
    is_made.then(|| {
        format!(
            "the post-checkout hook of this repository failed in the new worktree: {said}. The worktree is complete; check whether it needs what the hook does"
        )
    })
}

/// That the branch is checked out in another worktree: the agent's own, which was moved, or somebody else's.
///
/// # Errors
/// The worktrees cannot be listed.
pub(super) fn elsewhere(common_dir: &Path, target: &Target) -> Result<Option<Error>, Error> {
    let repo = GitRepo::open_at(common_dir)?;
    let (agent, branch) = (&target.agent, &target.branch);
    let reference = format!("refs/heads/{branch}");
    for tree in worktrees(repo.layout())? {
        if head_of(&repo, &tree.git_dir)?.branch.as_ref() != Some(&reference) {
            continue;
        }
        let (there, wanted, common) = (quoted(&tree.root), quoted(&target.root), quoted(common_dir));
        if tree.git_dir == repo.layout().common_dir {
            return Ok(Some(Error::usage(
                format!("`{branch}`, the branch of {agent}, is checked out in the main worktree, {there}"),
                format!(
                    "switch that one to another branch: git -C {there} switch {}\nthen rerun: git lane setup {agent}",
                    target.base
                ),
            )));
        }
        let is_own = crate::install::installed_agent(repo.layout(), &tree.git_dir)?.as_ref() == Some(agent);
        let what = if is_own {
            format!("the worktree of {agent} is {there}, but the policy has {wanted}")
        } else {
            format!(
                "`{branch}`, the branch of {agent}, is checked out in {there}; the policy has {agent} in {wanted}"
            )
        };
        return Ok(Some(Error::usage(
            what,
            format!(
                "move it there: git -C {common} worktree move {there} {wanted}\nthen rerun: git lane setup {agent}\nor set its path in the policy: `agents.{agent}.worktree`"
            ),
        )));
    }
    Ok(None)
}

/// Waits for whoever makes a worktree at the moment.
pub(super) fn one_at_a_time(common_dir: &Path) -> Result<fs::File, Error> {
    let path = common_dir.join("lane/setup/worktrees.lock");
    lane_git::state_file::locked(&path).map_err(|error| unwritable(&path, &error))
}

/// Where the folder of a worktree is now, as far as it lies beside its old place: its `.git` names the git folder.
fn moved(entry: &Path, root: &Path) -> Option<PathBuf> {
    let entry = fs::canonicalize(entry).ok()?;
    let beside = fs::read_dir(root.parent()?).ok()?.flatten().map(|other| other.path());
    beside.into_iter().find(|other| {
        let pointer = fs::read_to_string(other.join(".git")).unwrap_or_default();
        let named = pointer.strip_prefix("gitdir:").map(|path| other.join(path.trim()));
        named.and_then(|named| fs::canonicalize(named).ok()) == Some(entry.clone())
    })
}

/// Takes an entry of git's list away whose folder is gone.
fn forget_gone(common_dir: &Path, target: &Target, held: &LockedState) -> Result<(), Error> {
    let path = target.root.to_string_lossy().into_owned();
    if let Some(entry) = gone_entry(common_dir, &target.root) {
        if let Some(there) = moved(&entry, &target.root) {
            return Err(Error::usage(
                format!("the worktree {path} was moved to {}", there.display()),
                format!(
                    "update git's path: git -C {0} worktree repair {1}\nmove it back: git -C {0} worktree move {1} {2}\n\
                     or set its path in the policy: `agents.{3}.worktree`",
                    quoted(common_dir),
                    quoted(&there),
                    quoted(&target.root),
                    target.agent
                ),
            ));
        }
        let found = losses::of_gone(&GitRepo::open_at(common_dir)?, &entry)?;
        if let Some(loss) = found.into_iter().next() {
            return Err(Error::usage(format!("the worktree {path}: {}", loss.what), loss.help));
        }
    }
    // An empty folder there would be taken for a worktree that is broken.
    let _ = fs::remove_dir(&target.root);
    let ran = git::common(common_dir, held.share(), &mut || {
        vec!["worktree".to_owned(), "remove".to_owned(), path.clone()]
    })?;
    if ran.ok {
        return Ok(());
    }
    Err(Error::write(
        format!("git still has a worktree at {path}, but its folder is missing: {}", ran.error_text()),
        "git worktree prune",
    ))
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

fn is_main(root: &Path, common_dir: &Path) -> bool {
    common_dir.parent().is_some_and(|parent| crate::install::is_same(parent, root))
}

/// Whether a folder says that it is a worktree of this repository: its `.git` leads there.
pub(super) fn is_worktree_of(root: &Path, common_dir: &Path) -> bool {
    let dot_git = root.join(".git");
    if dot_git.is_dir() {
        return crate::install::is_same(&dot_git, common_dir);
    }
    pointed_to(root).is_some_and(|git_dir| {
        let common = fs::canonicalize(common_dir).unwrap_or_else(|_| common_dir.to_owned());
        git_dir.starts_with(common)
    })
}

/// Where the `.git` file of a worktree leads.
fn pointed_to(root: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(root.join(".git")).ok()?;
    fs::canonicalize(root.join(text.strip_prefix("gitdir:")?.trim())).ok()
}
