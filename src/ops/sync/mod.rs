//! Bringing branches onto their bases as the remote has them.

mod along;
mod fetch;
mod losses;
mod outcome;
mod tree;

use std::time::Duration;

pub use outcome::{Conflict, MovedBranch, RebaseOutcome, StashOutcome, WorktreeSync};

use super::Session;
use crate::gather::LoadedPolicy;
use crate::journal;
use crate::locks::manager::LockManager;
use crate::machine::ThisMachine;
use crate::status::{Lane, lanes};
use lane_core::error::Error;
use lane_core::facts::Oid;
use lane_core::policy::Plan;
use lane_git::Repository;
use tree::Tree;

/// Whatever only looks.
const SHORT: Duration = Duration::from_secs(60);

/// What branches are rebased on.
pub struct RebaseTarget<'a> {
    /// The base, by its full name.
    pub reference: String,
    /// Its tip.
    pub oid: Oid,
    loaded: &'a LoadedPolicy,
}

impl<'a> RebaseTarget<'a> {
    /// The base of the policy.
    ///
    /// # Errors
    /// There is none.
    pub fn base(session: &'a Session) -> Result<Self, Error> {
        let Some(base) = session.loaded.base.clone() else {
            let name = &session.loaded.plan.policy.base.value;
            return Err(Error::usage(
                format!("no branch `{name}` to rebase on"),
                "check `base` in the policy, and that the branch is on the remote",
            ));
        };
        Ok(Self { reference: base.reference, oid: base.oid, loaded: &session.loaded })
    }

    fn plan(&self) -> &Plan {
        &self.loaded.plan
    }
}

/// Brings the remote's branches here. It may bring another policy as well, and another base.
///
/// # Errors
/// The remote cannot be reached, or the policy that came cannot be used.
pub fn fetch(session: Session) -> Result<Session, Error> {
    fetch::fetch(&session)?;
    session.reloaded()
}

/// Rebases the branch of this worktree, and renews the locks of whoever works here.
///
/// # Errors
/// There is no worktree, or something cannot be read.
pub fn here(session: &Session, onto: &RebaseTarget<'_>, autostash: bool) -> Result<WorktreeSync, Error> {
    let layout = session.repo.layout();
    let Some(root) = layout.worktree.clone() else {
        return Err(Error::usage(
            "a bare repository has no branch to rebase",
            "run it in a worktree, or sync all idle ones: git lane sync --all",
        ));
    };
    let tree = Tree { root, git_dir: layout.git_dir.clone() };
    let done = tree.sync(onto, autostash, false)?;
    journal_conflict(session, &tree, &done, session.agent(None).ok());
    renew(session, &done);
    Ok(done)
}

/// Rebases the branches of all worktrees that are idle, and pushes them if that is wanted. `tell`: what became of each, before
/// it is pushed.
///
/// # Errors
/// The worktrees cannot be listed, or what was done cannot be told.
pub fn all(
    session: &Session,
    onto: &RebaseTarget<'_>,
    pushes: bool,
    tell: &mut dyn FnMut(&WorktreeSync) -> Result<(), Error>,
) -> Result<Vec<WorktreeSync>, Error> {
    let mut found = Vec::new();
    for lane in lanes(&session.repo, onto.plan())? {
        let Lane { agent, root, git_dir: Some(git_dir) } = lane else { continue };
        let tree = Tree { root, git_dir };
        let mut done = tree.sync(onto, false, true).unwrap_or_else(|error| {
            WorktreeSync::new(
                &tree.root,
                RebaseOutcome::Failed { reason: error.to_string(), help: error.help() },
            )
        });
        done.agent = agent.or(done.agent);
        journal_conflict(session, &tree, &done, done.agent.clone());
        tell(&done)?;
        if pushes && done.is_good() && tree.has_news(onto)? {
            done.pushed = Some(tree.push(session.ui.is_quiet(), done.is_of_stack())?);
        }
        found.push(done);
    }
    Ok(found)
}

/// Notes for the report that a rebase stopped.
fn journal_conflict(session: &Session, tree: &Tree, done: &WorktreeSync, agent: Option<String>) {
    if let RebaseOutcome::Stopped { conflicts, .. } = &done.rebase {
        let (common_dir, policy) = (&session.repo.layout().common_dir, &session.loaded.plan.policy);
        let files = conflicts.iter().map(|conflict| conflict.path.to_string()).collect();
        journal::note_conflict(common_dir, &tree.git_dir, policy, agent, files);
    }
}

/// Lets the locks of whoever works here live on: the work under them does.
fn renew(session: &Session, done: &WorktreeSync) {
    let agent = session.agent(None);
    let (Ok(agent), true) = (agent, done.is_good()) else { return };
    let world = ThisMachine::new();
    let mut manager = LockManager::new(&session.repo, &session.loaded.plan, &world);
    match manager.renew_old(&agent, &session.location()) {
        Ok(Ok(scopes)) => scopes.iter().for_each(|scope| session.ui.message(&format!("renewed `{scope}`"))),
        Ok(Err(scope)) => session
            .ui
            .note(&format!("the lock `{scope}` changed hands meanwhile; see `git lane locks --log`")),
        Err(error) => session.ui.note(&format!("locks were not renewed: {error}")),
    }
}

/// `1 file`, `3 files`.
pub fn count(files: usize) -> String {
    if files == 1 { "1 file".to_owned() } else { format!("{files} files") }
}
