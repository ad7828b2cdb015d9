//! Pushing a branch together with the locks of its work.

mod verdict;

pub use verdict::pushed_subject;

use std::collections::BTreeSet;
use std::process::ExitStatus;

use super::auto_release::{self, Landing};
use super::{Session, by_hand};
use crate::event_log::no_mirror;
use crate::locks::manager::LockManager;
use crate::locks::renewals::{RejectedRenewal, Renewal};
use crate::machine::ThisMachine;
use lane_core::error::Error;
use lane_core::facts::{Message, Oid};
use lane_core::locks::scope::area_of;
use lane_core::report::Verdict;
use lane_git::in_progress::in_progress;
use lane_git::{Read, Repository};

/// Tells the hooks of the push below that locks are looked after already.
pub const PUSHING: &str = "LANE_PUSHING";
/// How often a push is tried that others come before at the locks, while none of them takes one.
pub const TRIES: usize = 8;

/// What a push came to.
pub enum Outcome {
    /// It is there.
    Done(PushReport),
    /// It was not made: this is its verdict, which was shown.
    Judged(Verdict),
    /// It was not made: another agent has this lock by now.
    LockLost(String),
    /// It was not made: others were at the locks each time.
    Contended,
    /// git did not make it.
    Refused(PushFailure),
}

/// What was pushed.
pub struct PushReport {
    /// The branch, by its full name.
    pub reference: String,
    /// Its tip.
    pub tip: Oid,
    /// Where to.
    pub remote: String,
    /// The locks that were renewed.
    pub renewed: Vec<String>,
    /// What did not work out and stops nothing.
    pub notes: Vec<String>,
}

/// Why git did not push.
pub struct PushFailure {
    /// git's own exit code.
    pub code: Option<i32>,
    /// The branch.
    pub branch: String,
    /// Where to.
    pub remote: String,
    /// Whether the remote has another edition of the branch.
    pub is_rewritten: bool,
}

/// Pushes the current branch to the policy's remote under its own name, and renews the agent's locks: in the same atomic
/// push where that remote has the locks, so that a lock which was stolen in between keeps the work out, whichever of the
/// two came first. `replaces`: what the remote has of the branch may be replaced, unless somebody else pushed to it.
///
/// # Errors
/// No branch, no such remote, or locks that cannot be read or written.
pub fn branch(session: &Session, replaces: bool) -> Result<Outcome, Error> {
    let plan = &session.loaded.plan;
    let Some(reference) = session.repo.head()?.branch else {
        return Err(Error::usage(
            "HEAD is detached: there is no branch to push",
            match in_progress(&session.repo.layout().git_dir) {
                Some(it) => format!("{} is in progress; {}", it.what, it.help),
                None => "create a branch: git switch -c BRANCH".to_owned(),
            },
        ));
    };
    has_remote(session, "push")?;
    let tip = session.repo.resolve("HEAD")?;
    let agent = session.agent(None).ok();
    let world = ThisMachine::new();
    let mut manager = LockManager::new(&session.repo, plan, &world);
    manager.refresh(0)?;
    by_hand::give_back(session, &mut manager, None);
    auto_release::release_landed(session, &mut manager, &Landing::default());
    let verdict = verdict::unless_hooked(session, &reference, tip)?;
    if verdict != Verdict::Pass {
        return Ok(Outcome::Judged(verdict));
    }
    let pushing = PushTask { session, replaces, reference, tip };
    pushing.with_locks(&mut manager, agent.as_deref())
}

/// Refuses where the policy's remote is none of this repository.
///
/// # Errors
/// There is no such remote, or the configuration cannot be read.
pub fn has_remote(session: &Session, command: &str) -> Result<(), Error> {
    let remote = &session.loaded.plan.policy.remote.value;
    let is_set =
        |key: &str| session.repo.config(&format!("remote.{remote}.{key}")).map(|all| !all.is_empty());
    if is_set("url")? || is_set("pushurl")? {
        return Ok(());
    }
    let word = lane_core::report::quote(remote.as_bytes());
    Err(Error::usage(
        format!("no remote `{remote}` to push to"),
        format!(
            "add it: git remote add {word} URL\nthen rerun this: git lane {command}\n\
             or name another one under `remote:` in the policy; list them: git remote -v"
        ),
    ))
}

/// One push.
struct PushTask<'a> {
    session: &'a Session,
    replaces: bool,
    reference: String,
    tip: Oid,
}

impl PushTask<'_> {
    fn remote(&self) -> &str {
        &self.session.loaded.plan.policy.remote.value
    }

    fn branch(&self) -> &str {
        self.reference.strip_prefix("refs/heads/").unwrap_or(&self.reference)
    }

    /// Renews the locks first where they lie elsewhere, else with the push: again while others were at them, and took none.
    fn with_locks(&self, manager: &mut LockManager<'_>, agent: Option<&str>) -> Result<Outcome, Error> {
        let worktree = self.session.location();
        let is_same = manager.log().remote_name() == Some(self.remote());
        let mut renewed = Vec::new();
        if let (Some(agent), false) = (agent, is_same) {
            // The locks lie elsewhere: they come first, so that nobody takes them while the push is in progress.
            match manager.renew_all(agent, &worktree)? {
                Ok(scopes) => renewed = scopes,
                Err(scope) => return Ok(Outcome::LockLost(scope)),
            }
        }
        for left in (0..TRIES).rev() {
            let mut together = Vec::new();
            if let (Some(agent), true) = (agent, is_same) {
                together = manager.renewals(agent, &worktree, &self.tip.to_string(), &self.areas()?)?;
            }
            let pushed = self.push(manager, &together)?;
            let refreshed = manager.refresh(0);
            if pushed.success() {
                // It is there, whatever can be said of the locks.
                if let Err(error) = refreshed {
                    self.session.ui.note(&format!("pushed, but: {error}"));
                }
                renewed.extend(together.into_iter().flat_map(|renewal| renewal.scopes));
                return Ok(Outcome::Done(self.finish(manager, renewed)));
            }
            refreshed?;
            let mut is_moved = false;
            for renewal in &together {
                match manager.fate(renewal)? {
                    RejectedRenewal::Stands => {}
                    RejectedRenewal::Moved => is_moved = true,
                    RejectedRenewal::Lost(scope) => return Ok(Outcome::LockLost(scope)),
                }
            }
            if !is_moved {
                return Ok(Outcome::Refused(self.refused(pushed)?));
            }
            if left > 0 {
                self.session
                    .ui
                    .message("somebody else was at the locks in that moment, and took none: pushing again");
                std::thread::sleep(manager.a_moment());
            }
        }
        Ok(Outcome::Contended)
    }

    /// The areas under whose locks the commits were made that the remote does not have.
    fn areas(&self) -> Read<Vec<String>> {
        let repo: &dyn Repository = &self.session.repo;
        let has = repo.tips(&format!("refs/remotes/{}/", self.remote()))?;
        let mut scopes = BTreeSet::new();
        for oid in repo.commits(&[self.tip], &has)? {
            let message = Message { text: repo.commit(oid)?.message };
            scopes.extend(message.lock_tokens().into_iter().map(|token| token.scope));
        }
        let plan = &self.session.loaded.plan;
        let areas: BTreeSet<&str> = scopes.iter().filter_map(|scope| area_of(plan, scope)).collect();
        Ok(areas.into_iter().map(str::to_owned).collect())
    }

    fn push(&self, manager: &LockManager<'_>, together: &[Renewal]) -> Result<ExitStatus, Error> {
        let Self { reference, .. } = self;
        let mut arguments = no_mirror(self.remote());
        if self.is_rewritten()? {
            // git would say to pull, which makes a merge of both editions.
            arguments.splice(0..0, ["-c".to_owned(), "advice.pushUpdateRejected=false".to_owned()]);
        }
        arguments.extend(["push".to_owned(), "--atomic".to_owned()]);
        if self.replaces {
            arguments.push(format!("--force-with-lease={reference}"));
            // What a fetch in between brought was never seen by anybody: git-push(1).
            arguments.push("--force-if-includes".to_owned());
        }
        let mut refspecs = vec![format!("{reference}:{reference}")];
        for renewal in together {
            let (lease, refspec) = manager.log().swap_arguments(&renewal.tip, renewal.old)?;
            arguments.push(lease);
            refspecs.push(refspec);
        }
        if let Some(how) = self.session.ui.progress() {
            arguments.push(how.to_owned());
        }
        arguments.extend(["--".to_owned(), self.remote().to_owned()]);
        arguments.extend(refspecs);
        let mut command = lane_git::command::git();
        self.session
            .ui
            .run_git(command.args(&arguments).env(PUSHING, "1"))
            .map_err(|error| lane_git::command::cannot_start(&error).into())
    }

    fn finish(&self, manager: &mut LockManager<'_>, renewed: Vec<String>) -> PushReport {
        manager.show();
        renewed.iter().for_each(|scope| self.session.ui.detail(&format!("renewed `{scope}`")));
        let landing = Landing { pushed_tip: Some(self.tip), ..Landing::default() };
        auto_release::release_landed(self.session, manager, &landing);
        let (reference, remote) = (self.reference.clone(), self.remote().to_owned());
        PushReport { reference, tip: self.tip, remote, renewed, notes: manager.take_notes() }
    }

    fn refused(&self, status: ExitStatus) -> Result<PushFailure, Error> {
        let (branch, remote) = (self.branch().to_owned(), self.remote().to_owned());
        Ok(PushFailure { code: status.code(), branch, remote, is_rewritten: self.is_rewritten()? })
    }

    /// Whether the remote's edition of the branch is no part of it.
    fn is_rewritten(&self) -> Result<bool, Error> {
        let repo = &self.session.repo;
        Ok(match repo.find_ref(&format!("refs/remotes/{}/{}", self.remote(), self.branch()))? {
            Some(old) => repo.merge_base(old, &[self.tip])? != Some(old),
            None => false,
        })
    }
}
