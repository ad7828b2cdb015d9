//! Worktrees that a harness asks for: made as `git lane setup` and `join` make them, and removed with nothing lost.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::Session;
use super::edit::{root_of, session_worktree};
use crate::gather::Environment;
use crate::install;
use crate::setup::{self, Reporter, Step, extra, join};
use lane_core::error::Error;
use lane_core::identity::of_branch;
use lane_git::worktrees::{Worktree, head_of, main_of, worktrees};
use lane_git::{GitRepo, Layout, Repository, state_file};

/// Nobody hears how it goes: what is printed is the harness's.
struct SilentReporter;

impl Reporter for SilentReporter {
    fn waits(&self, _: &str) {}
    fn step_started(&self, _: &str, _: &str, _: usize, _: usize) {}
    fn step_finished(&self, _: &str, _: &Step) {}
}

/// Makes the worktree that a session asks for, or finds the one of that name; its root. `folder`: where the session is,
/// `project`: where it was started.
///
/// # Errors
/// No lane is free, it is another agent's, or it cannot be made.
pub fn create(
    folder: &Path,
    project: Option<&Path>,
    name: &str,
    environment: &Environment,
) -> Result<PathBuf, Error> {
    let Some(root) = root_of(folder) else {
        return Err(Error::usage(
            format!("{} is not in a git repository", folder.display()),
            "start the session in one",
        ));
    };
    let name = valid(name)?;
    let Some(session) = Session::open_at(&root, environment)? else {
        return plain(&GitRepo::open_at(&root)?, &name);
    };
    let own =
        project.and_then(|project| session_worktree(project, environment)).filter(|own| own.agent.is_some());
    let own = own.or_else(|| self::session_worktree(folder, environment));
    let layout = session.repo.layout();
    let _turn = extra::one_at_a_time(&layout.common_dir)?;
    let made = match own.and_then(|own| Some((own.agent?, own.root))) {
        Some((agent, root)) => of_agent(&session, &agent, &root, &name)?,
        None => of_anybody(&session, &name)?,
    };
    super::harness::renew(&session.repo, &session.loaded.plan)?;
    Ok(made)
}

/// A session of an agent stays with it, and so do its subagents.
fn of_agent(session: &Session, agent: &str, root: &Path, name: &str) -> Result<PathBuf, Error> {
    let plan = &session.loaded.plan;
    if name != agent && plan.policy.agent(name).is_some() {
        return Err(Error::usage(
            format!("this session is {agent}'s, and `{name}` is another agent"),
            "ask its owner for the change: git lane request submit PATH --reason '…'",
        ));
    }
    let own = setup::root_of(&session.repo, plan, agent)?;
    let is_there = own.as_ref().is_some_and(|root| root.join(".git").exists());
    // In the main checkout it has no worktree yet.
    let is_linked = root.join(".git").is_file();
    match own {
        Some(_) if !is_there && !is_linked => set_up(session, agent),
        Some(own) if name == agent && is_there => Ok(own),
        _ if name == agent && is_linked => Ok(root.to_owned()),
        _ => beside(session, agent, name),
    }
}

/// A session of no agent gets the lane that it names, the one that it had under that name, or one that is free.
fn of_anybody(session: &Session, name: &str) -> Result<PathBuf, Error> {
    let plan = &session.loaded.plan;
    let layout = session.repo.layout();
    if plan.policy.agent(name).is_some() {
        return lane_of(session, name, name);
    }
    let mut requested = WorktreeNames::read(&layout.common_dir);
    if let Some(root) = requested.of(name).filter(|root| root.join(".git").exists()) {
        return Ok(root);
    }
    let Some(agent) = free(session)?.into_iter().next() else {
        let all: Vec<&str> = plan.policy.agent_ids().collect();
        let first = all.first().copied().unwrap_or("a1");
        return Err(Error::usage(
            format!("no lane is free: {} have a worktree each", all.join(", ")),
            format!(
                "start it in a lane, by the name of its agent: claude -w {first}\n\
                 or remove a worktree that is done: git lane teardown {first}"
            ),
        ));
    };
    let root = lane_of(session, &agent, name)?;
    requested.note(name, &root)?;
    Ok(root)
}

/// The worktree of a lane, made where it is not there.
fn lane_of(session: &Session, agent: &str, name: &str) -> Result<PathBuf, Error> {
    let plan = &session.loaded.plan;
    let (repo, layout) = (&session.repo, session.repo.layout());
    if setup::root_of(repo, plan, agent)?.is_some() {
        return set_up(session, agent);
    }
    match holders(session)?
        .into_iter()
        .find(|(holder, tree)| holder == agent && tree.git_dir != layout.common_dir)
    {
        Some((_, tree)) => Ok(tree.root),
        None => beside(session, agent, name),
    }
}

/// The agents that no worktree is for yet.
fn free(session: &Session) -> Result<Vec<String>, Error> {
    let plan = &session.loaded.plan;
    let taken = holders(session)?;
    let mut found = Vec::new();
    for agent in plan.policy.agent_ids() {
        let own = setup::root_of(&session.repo, plan, agent)?;
        let is_there = own.is_some_and(|root| root.join(".git").exists());
        if !is_there && !taken.iter().any(|(holder, _)| holder == agent) {
            found.push(agent.to_owned());
        }
    }
    Ok(found)
}

/// The worktrees that are somebody's.
fn holders(session: &Session) -> Result<Vec<(String, Worktree)>, Error> {
    let (repo, layout) = (&session.repo, session.repo.layout());
    let mut found = Vec::new();
    for tree in worktrees(layout)? {
        let branch = head_of(repo, &tree.git_dir)?.branch;
        let of_branch = branch.as_deref().and_then(|name| name.strip_prefix("refs/heads/"));
        let of_branch = of_branch.and_then(|branch| of_branch_of(session, branch));
        if let Some(agent) = install::installed_agent(layout, &tree.git_dir)?.or(of_branch) {
            found.push((agent, tree));
        }
    }
    Ok(found)
}

fn of_branch_of(session: &Session, branch: &str) -> Option<String> {
    of_branch(&session.loaded.plan, branch).map(str::to_owned)
}

/// The worktree that the policy has for an agent: `git lane setup`.
fn set_up(session: &Session, agent: &str) -> Result<PathBuf, Error> {
    let options = setup::Options {
        agents: vec![agent.to_owned()],
        dry_run: false,
        resume: false,
        jobs: 1,
        binary: install::program::own_path()?,
    };
    let outcomes = setup::run(&session.repo, &session.loaded, &options, &SilentReporter)?;
    let Some(outcome) = outcomes.into_iter().next() else {
        return Err(Error::usage(format!("{agent} was not set up"), format!("git lane setup {agent}")));
    };
    if let Some(step) = outcome.failed() {
        return Err(Error::usage(
            format!("{agent}: the step {} failed: {}", step.name, step.run),
            format!("see what it says, and resume: git lane setup {agent} --resume"),
        ));
    }
    match outcome.error {
        Some(error) => Err(error),
        None => Ok(outcome.root),
    }
}

/// One more worktree of an agent, where Claude Code would make it: `git lane join`.
fn beside(session: &Session, agent: &str, name: &str) -> Result<PathBuf, Error> {
    let plan = &session.loaded.plan;
    let layout = session.repo.layout();
    let (root, is_there) = place(layout, name)?;
    if is_there {
        let holder = holders(session)?.into_iter().find(|(_, tree)| install::is_same(&tree.root, &root));
        return match holder {
            Some((holder, _)) if holder == agent => Ok(root),
            holder => {
                let whose =
                    holder.map_or_else(|| "has no lane".to_owned(), |(holder, _)| format!("is {holder}'s"));
                Err(Error::usage(format!("{} exists, and {whose}", root.display()), "choose another name"))
            }
        };
    }
    let Some(base) = &session.loaded.base else {
        let base = &plan.policy.base.value;
        return Err(Error::usage(
            format!("the base `{base}` is not here, so no worktree can start at it"),
            format!("fetch it: git fetch {0} {base}:refs/remotes/{0}/{base}", plan.policy.remote.value),
        ));
    };
    let branch = format!("worktree-{}", name.replace('+', "-"));
    extra::add(layout, &root, &branch, &base.reference)?;
    let joined = GitRepo::open_at(&root).map_err(Error::from).and_then(|repo| {
        let options = join::Options {
            agent: agent.to_owned(),
            feature: None,
            dry_run: false,
            binary: install::program::own_path()?,
        };
        join::run(&repo, &session.environment, &session.loaded, &options, &SilentReporter)
    });
    match joined {
        Ok(joined) => Ok(joined.root),
        Err(error) => {
            // Nobody has worked in it.
            let _ = extra::remove_plain(layout, &root, Some(&branch));
            Err(error)
        }
    }
}

/// Where there is no policy: what Claude Code makes without a hook.
fn plain(repo: &GitRepo, name: &str) -> Result<PathBuf, Error> {
    let layout = repo.layout();
    let (root, is_there) = place(layout, name)?;
    if !is_there {
        let remote = "refs/remotes/origin/HEAD";
        let from = if repo.find_ref(remote)?.is_some() { remote } else { "HEAD" };
        extra::add(layout, &root, &format!("worktree-{name}"), from)?;
    }
    Ok(root)
}

/// The root of a worktree below the main checkout's `.claude`, and whether it is there.
fn place(layout: &Layout, name: &str) -> Result<(PathBuf, bool), Error> {
    let main = main_of(layout).map(|main| main.root).or_else(|| layout.worktree.clone());
    let main = main.unwrap_or_else(|| layout.common_dir.clone());
    let main = fs::canonicalize(&main).unwrap_or(main);
    let root = main.join(".claude/worktrees").join(name);
    let is_there = worktrees(layout)?.iter().any(|tree| install::is_same(&tree.root, &root));
    if !is_there && root.exists() && fs::read_dir(&root).is_ok_and(|mut all| all.next().is_some()) {
        return Err(Error::usage(
            format!("{} exists, but is not a worktree of this repository", root.display()),
            "move it away, or name another worktree",
        ));
    }
    Ok((root, is_there))
}

/// A name as that of one folder, as Claude Code makes it of one.
fn valid(name: &str) -> Result<String, Error> {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || "-_.+/".contains(c);
    let parts = || name.split('/');
    let is_path =
        parts().any(|part| part.is_empty() || part.starts_with(['.', '-']) || part.ends_with(".lock"));
    if name.is_empty() || name.len() > 100 || !name.chars().all(is_fine) || is_path || name.contains("..") {
        return Err(Error::usage(
            format!("`{name}` is not a valid name of a worktree"),
            "use letters, digits and dashes: claude -w my-feature",
        ));
    }
    Ok(name.replace('/', "+"))
}

/// Removes a worktree that a session is done with.
///
/// # Errors
/// It is an agent's own, or something in it would be lost: then it is kept.
pub fn remove(root: &Path, environment: &Environment) -> Result<(), Error> {
    let repo = GitRepo::open_at(root)?;
    let layout = repo.layout().clone();
    let root = layout.worktree.clone().unwrap_or_else(|| root.to_owned());
    if layout.git_dir == layout.common_dir {
        return Err(Error::usage(format!("{} is the main checkout", root.display()), "it is kept"));
    }
    let tree = Worktree { root: root.clone(), git_dir: layout.git_dir.clone() };
    let session = Session::open_at(&root, environment)?;
    // From here on it is looked at from outside.
    let main = main_of(&layout).map_or_else(|| layout.common_dir.clone(), |main| main.root);
    let repo = GitRepo::open_at(&main)?;
    let agent = install::installed_agent(&layout, &layout.git_dir)?;
    let (Some(session), Some(agent)) = (session, agent) else {
        let branch = head_of(&repo, &tree.git_dir)?.branch;
        let branch = branch.as_deref().and_then(|name| name.strip_prefix("refs/heads/"));
        return extra::remove_plain(&layout, &root, branch.filter(|name| name.starts_with("worktree-")));
    };
    let own = setup::root_of(&repo, &session.loaded.plan, &agent)?;
    if own.is_some_and(|own| install::is_same(&own, &root)) {
        return Err(Error::usage(
            format!("{} is the worktree of {agent}: it is kept", root.display()),
            format!("remove it when its work is done: git lane teardown {agent}"),
        ));
    }
    let found = extra::remove(&repo, &session.loaded, &tree, &agent, &SilentReporter)?;
    let Some(first) = found.first() else { return Ok(()) };
    let all: Vec<&str> = found.iter().map(|loss| loss.what.as_str()).collect();
    Err(Error::usage(
        format!("{} is kept, as this would be lost: {}", root.display(), all.join("; ")),
        first.help.clone(),
    ))
}

/// Which worktree was made for which name.
struct WorktreeNames {
    file: PathBuf,
    roots: BTreeMap<String, PathBuf>,
}

impl WorktreeNames {
    /// A list that cannot be read starts over: it only spares a second lane for one name.
    fn read(common_dir: &Path) -> Self {
        let file = common_dir.join("lane").join(setup::WORKTREE_NAMES);
        let read = fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self { file, roots: read.unwrap_or_default() }
    }

    fn of(&self, name: &str) -> Option<PathBuf> {
        self.roots.get(name).cloned()
    }

    fn note(&mut self, name: &str, root: &Path) -> Result<(), Error> {
        self.roots.retain(|_, root| root.exists());
        self.roots.insert(name.to_owned(), root.to_owned());
        state_file::write_json(&self.file, &self.roots).map_err(|error| {
            Error::write(
                format!("{} cannot be written: {error}", self.file.display()),
                "check its permissions, then start again",
            )
        })
    }
}
