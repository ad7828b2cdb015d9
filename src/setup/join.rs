//! A worktree that already exists becomes an agent's: branch, hooks, identity and environment, and nothing is lost.
//!
//! Harnesses make worktrees of their own, without a lane. All is looked at before anything is changed; whoever is
//! stopped half-way runs it again.

use std::path::PathBuf;

use self::branch::{Move, apply_move, plan_branch, pushed_as, words};
use super::provision::Reporter;
use super::state::{self, LockedState};
use super::target::{Target, root_of, worktree_name};
use super::{exclude, files, git, quoted};
use crate::gather::{Environment, LoadedPolicy, claims};
use crate::install;
use lane_core::error::Error;
use lane_core::facts::{IdentityClaim, IdentitySource};
use lane_core::policy::Plan;
use lane_git::Repository;

mod branch;

/// What `git lane join` was asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// The agent that the worktree is to be.
    pub agent: String,
    /// What the branch is to be called after.
    pub feature: Option<String>,
    /// Only say what would be done.
    pub dry_run: bool,
    /// The absolute path of the program that the hooks start.
    pub binary: PathBuf,
}

/// A worktree that is an agent's.
#[derive(Debug, Clone)]
pub struct JoinOutcome {
    /// The agent's id.
    pub agent: String,
    /// The root of the worktree.
    pub root: PathBuf,
    /// The branch that it is on.
    pub branch: String,
    /// What changed, or would.
    pub changes: Vec<String>,
    /// What is worth knowing.
    pub notes: Vec<String>,
}

/// Makes this worktree an agent's, or says what that would do.
///
/// # Errors
/// It cannot be the agent's, or something cannot be read or written.
pub fn run(
    repo: &dyn Repository,
    environment: &Environment,
    loaded: &LoadedPolicy,
    options: &Options,
    reporter: &dyn Reporter,
) -> Result<JoinOutcome, Error> {
    let (plan, layout) = (&loaded.plan, repo.layout());
    let agent = &options.agent;
    plan.agent(agent)?;
    let Some(root) = &layout.worktree else {
        return Err(Error::usage(
            "a bare repository has no worktree to join",
            format!("create one: git lane setup {agent}"),
        ));
    };
    refuse_others(repo, environment, plan, agent)?;
    let next = plan_branch(repo, plan, options, loaded.base.is_some())?;
    let (Move::Stay(branch) | Move::Rename { to: branch, .. } | Move::Begin { to: branch, .. }) = &next;
    let mut joined = JoinOutcome {
        agent: agent.clone(),
        root: root.clone(),
        branch: branch.clone(),
        changes: Vec::new(),
        notes: Vec::new(),
    };
    let installed = install::installed_agent(layout, &layout.git_dir)?;
    let target = Target {
        agent: agent.clone(),
        root: root.clone(),
        branch: branch.clone(),
        from: None,
        base: plan.policy.base.value.clone(),
        installed,
        steps: Vec::new(),
    };
    let is_its_own = root_of(repo, plan, agent)?.is_some_and(|of_policy| install::is_same(&of_policy, root));
    let state = if is_its_own { agent.clone() } else { state_name(agent, &worktree_name(layout)) };
    let join = Join { repo, loaded, options, next: &next, target: &target, state: &state };
    if options.dry_run {
        join.preview(&mut joined)?
    } else {
        join.apply(reporter, &mut joined)?
    }
    joined.notes.extend(remarks(repo, plan, &next, agent, is_its_own)?);
    Ok(joined)
}

/// What joining comes to, once it is known that it can be.
struct Join<'a> {
    repo: &'a dyn Repository,
    loaded: &'a LoadedPolicy,
    options: &'a Options,
    next: &'a Move,
    target: &'a Target,
    /// The name of the worktree's state.
    state: &'a str,
}

impl Join<'_> {
    fn exclude_lines(&self) -> Vec<String> {
        let here = [(self.target.agent.clone(), self.target.root.clone())];
        exclude::lines(self.loaded, self.repo.layout(), &here)
    }

    /// Says what would change.
    fn preview(&self, joined: &mut JoinOutcome) -> Result<(), Error> {
        let (agent, common_dir) = (&self.target.agent, &self.repo.layout().common_dir);
        joined.changes.extend(words(self.next));
        if self.target.installed.as_ref() != Some(agent) {
            joined.changes.push(format!("install the hooks, as {agent}"));
        }
        joined.changes.extend(exclude::missing(common_dir, &self.exclude_lines())?);
        let state = state::read(common_dir, self.state)?;
        let (changes, notes) = files::plan_files(self.loaded, self.target, &state)?;
        joined.changes.extend(changes);
        joined.notes.extend(notes);
        Ok(())
    }

    fn apply(&self, reporter: &dyn Reporter, joined: &mut JoinOutcome) -> Result<(), Error> {
        let (plan, common_dir) = (&self.loaded.plan, &self.repo.layout().common_dir);
        let mut held = LockedState::open(common_dir, self.state, reporter)?;
        let lines = self.exclude_lines();
        switch_branch(self.repo, plan, self.next, joined)?;
        let here = [(self.target.agent.clone(), self.target.root.clone())];
        let news = install::install_into(self.repo, plan, &self.options.binary, &here)?;
        joined.changes.extend(install::news(&news).into_iter().map(|(_, what)| what));
        joined.notes.extend(news.notes);
        joined.changes.extend(exclude::ensure(common_dir, &lines)?);
        let (changes, notes) = files::ensure(self.loaded, self.target, &mut held)?;
        joined.changes.extend(changes);
        joined.notes.extend(notes);
        Ok(())
    }
}

/// Puts the worktree on the agent's branch, and its upstream where the branch was pushed under another name.
fn switch_branch(
    repo: &dyn Repository,
    plan: &Plan,
    next: &Move,
    joined: &mut JoinOutcome,
) -> Result<(), Error> {
    let upstream = pushed_as(repo, plan, next)?;
    joined.changes.extend(apply_move(&joined.root, next)?);
    if let Some((key, to)) = upstream {
        // A plain `git push` gives up where the branch on the remote has another name.
        let ran = git::run_in(&joined.root, None, &["config", &key, &to])?;
        if !ran.ok {
            joined.notes.push(format!("the upstream is unchanged: {}", ran.error_text()));
        }
    }
    Ok(())
}

/// Under which name it is noted what was written into a worktree that the policy does not name.
pub(super) fn state_name(agent: &str, worktree: &str) -> String {
    let name = worktree.rsplit('/').next().unwrap_or(worktree);
    if name == "." { format!("{agent}@main") } else { format!("{agent}@{name}") }
}

/// Refuses a worktree that is another agent's.
fn refuse_others(
    repo: &dyn Repository,
    environment: &Environment,
    plan: &Plan,
    agent: &str,
) -> Result<(), Error> {
    let layout = repo.layout();
    let elsewhere = |what: String, step: Option<String>| {
        let own = match root_of(repo, plan, agent) {
            Ok(Some(_)) => format!("git lane setup {agent}"),
            _ => "git worktree list".to_owned(),
        };
        let step = step.unwrap_or_else(|| format!("work in a worktree of {agent}: {own}"));
        Err(Error::usage(what, step))
    };
    // What was copied from another worktree says nothing of this one.
    let is_said =
        |claim: &&IdentityClaim| claim.source != IdentitySource::CopiedConfig && claim.agent != agent;
    let claims = claims(repo, environment, None)?;
    if let Some(claim) = claims.iter().find(is_said) {
        let other = &claim.agent;
        let what = format!("{} says that this worktree is `{other}`'s", claim.source.name());
        let step = match claim.source {
            IdentitySource::Environment => {
                Some("clear the variable, then rerun this: unset AGENT_ID".to_owned())
            }
            _ => None,
        };
        return elsewhere(what, step);
    }
    for (id, named) in install::worktrees_of(plan, layout)? {
        if id != agent && layout.worktree.as_ref().is_some_and(|root| install::is_same(root, &named)) {
            return elsewhere(format!("{} says that this worktree is {id}'s", plan.source.name), None);
        }
    }
    Ok(())
}

/// What whoever works here should know besides.
fn remarks(
    repo: &dyn Repository,
    plan: &Plan,
    next: &Move,
    agent: &str,
    is_its_own: bool,
) -> Result<Vec<String>, Error> {
    let layout = repo.layout();
    let mut notes = Vec::new();
    if let Move::Begin { from: Some(from), .. } = next {
        notes.push(format!("{from} is unchanged"));
    }
    if let Move::Rename { from, to } = next {
        let remote = &plan.policy.remote.value;
        if repo.find_ref(&format!("refs/remotes/{remote}/{from}"))?.is_some() {
            notes.push(format!("{remote} still has it as {from}; the next push creates {to}"));
        }
    }
    if layout.git_dir == layout.common_dir {
        notes.push(format!(
            "this is the main worktree: everyone who works here is now {agent}, including humans; to undo it, remove .agent.env and run `git config --worktree --unset lane.agent`"
        ));
    }
    let own = root_of(repo, plan, agent)?.filter(|root| !is_its_own && root.exists());
    if let Some(own) = own {
        notes.push(format!("{agent} also has its own worktree: {}", quoted(&own)));
    }
    if !plan.policy.provision.is_empty() && !is_its_own {
        notes.push("`provision` steps are not run here (see `git lane policy show`)".to_owned());
    }
    Ok(notes)
}
