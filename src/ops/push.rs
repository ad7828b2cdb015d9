//! Pushing a branch together with the locks of its work.

mod verdict;

pub use verdict::pushed_subject;

use std::collections::BTreeSet;
use std::process::ExitStatus;

use super::auto_release::{self, Landing};
use super::{Session, by_hand};
use crate::event_log::no_mirror;
use crate::gather::change_base;
use crate::locks::manager::LockManager;
use crate::locks::renewals::{RejectedRenewal, Renewal};
use crate::machine::ThisMachine;
use crate::stack::{self, Step};
use lane_core::error::Error;
use lane_core::facts::{Message, Oid};
use lane_core::locks::scope::area_of;
use lane_core::report::Verdict;
use lane_core::text::help_block;
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

/// How a branch is pushed.
#[derive(Debug, Clone, Copy, Default)]
pub struct PushOptions {
    /// What the remote has of a branch may be replaced, unless somebody else pushed to it.
    pub replaces: bool,
    /// The branches of a stack below it go along in the same push.
    pub with_stack: bool,
}

/// What was pushed.
pub struct PushReport {
    /// The branch, by its full name.
    pub reference: String,
    /// Its tip.
    pub tip: Oid,
    /// The branches below it that went along, by their full names, lowest first.
    pub below: Vec<String>,
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
    /// The branch at hand, where that one is below it.
    pub above: Option<String>,
}

/// Pushes the current branch to the policy's remote under its own name, and renews the agent's locks: in the same atomic
/// push where that remote has the locks, so that a lock which was stolen in between keeps the work out, whichever of the
/// two came first.
///
/// # Errors
/// No branch, no such remote, or locks that cannot be read or written.
pub fn branch(session: &Session, options: PushOptions) -> Result<Outcome, Error> {
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
    let below = below(session, &reference, tip, options)?;
    let refs = [below.as_slice(), &[(reference.clone(), tip)]].concat();
    let pushing = PushTask { session, replaces: options.replaces, refs, reference, tip };
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

/// The branches below one, by their full names, that the remote does not have as they are here, where they are to go along.
/// Where nobody asked for that, and they should, a note says so.
fn below(
    session: &Session,
    reference: &str,
    tip: Oid,
    options: PushOptions,
) -> Result<Vec<(String, Oid)>, Error> {
    let news = unpushed(session, reference, tip)?;
    if options.with_stack {
        return Ok(news.into_iter().map(|step| (format!("refs/heads/{}", step.branch), step.tip)).collect());
    }
    // One that was never pushed may be a note to oneself; one that was is what others see below this branch.
    if let Some(step) = news.iter().rfind(|step| step.pushed.is_some()) {
        session.ui.note(&format!(
            "`{}`, which this branch is based on, is not pushed as it is here\n{}",
            step.branch,
            help_block("push them together: git lane push --stack --force-with-lease", false).trim_end()
        ));
    }
    Ok(Vec::new())
}

/// The branches below one that have not landed, and that the remote does not have as they are here; lowest first.
///
/// # Errors
/// Refs or history cannot be read.
pub(super) fn unpushed(session: &Session, reference: &str, tip: Oid) -> Result<Vec<Step>, Error> {
    let (repo, loaded) = (&session.repo, &session.loaded);
    let branch = short(reference);
    let base = change_base::of_branch(repo, loaded, branch, tip)?.map(|base| base.oid);
    let is_news = |steps: Vec<Step>| -> Vec<Step> {
        steps.into_iter().filter(|step| step.is_here && !step.is_pushed()).collect()
    };
    if is_news(stack::below(repo, &loaded.plan, branch, tip, base)?).is_empty() {
        return Ok(Vec::new());
    }
    let landed = base.map_or(Ok(None), |base| stack::landed(repo, base, tip))?;
    Ok(is_news(stack::below(repo, &loaded.plan, branch, tip, landed.or(base))?))
}

/// One push.
struct PushTask<'a> {
    session: &'a Session,
    replaces: bool,
    /// What is pushed: branches by their full names, lowest first, the one at hand last.
    refs: Vec<(String, Oid)>,
    reference: String,
    tip: Oid,
}

impl PushTask<'_> {
    fn remote(&self) -> &str {
        &self.session.loaded.plan.policy.remote.value
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
            // After the events are made, and each time: they keep out whatever the verdict has not seen.
            let verdict = verdict::unless_hooked(self.session, &self.refs)?;
            if verdict != Verdict::Pass {
                return Ok(Outcome::Judged(verdict));
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
        let mut arguments = no_mirror(self.remote());
        if self.rewritten()?.is_some() {
            // git would say to pull, which makes a merge of both editions.
            arguments.splice(0..0, ["-c".to_owned(), "advice.pushUpdateRejected=false".to_owned()]);
        }
        arguments.extend(["push".to_owned(), "--atomic".to_owned()]);
        if self.replaces {
            arguments.extend(self.refs.iter().map(|(name, _)| format!("--force-with-lease={name}")));
            // What a fetch in between brought was never seen by anybody: git-push(1).
            arguments.push("--force-if-includes".to_owned());
        }
        let mut refspecs: Vec<String> = self.refs.iter().map(|(name, _)| format!("{name}:{name}")).collect();
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
        let below = self.refs[..self.refs.len() - 1].iter().map(|(name, _)| name.clone()).collect();
        PushReport { reference, tip: self.tip, below, remote, renewed, notes: manager.take_notes() }
    }

    fn refused(&self, status: ExitStatus) -> Result<PushFailure, Error> {
        let rewritten = self.rewritten()?.map(|name| short(name).to_owned());
        let is_rewritten = rewritten.is_some();
        let branch = rewritten.unwrap_or_else(|| short(&self.reference).to_owned());
        let above = Some(short(&self.reference).to_owned()).filter(|above| *above != branch);
        Ok(PushFailure { code: status.code(), branch, remote: self.remote().to_owned(), is_rewritten, above })
    }

    /// The lowest branch of which the remote has an edition that is no part of it.
    fn rewritten(&self) -> Result<Option<&str>, Error> {
        let repo = &self.session.repo;
        for (name, tip) in &self.refs {
            let tracking = format!("refs/remotes/{}/{}", self.remote(), short(name));
            if let Some(old) = repo.find_ref(&tracking)?
                && repo.merge_base(old, &[*tip])? != Some(old)
            {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }
}

/// The short name of a branch.
fn short(reference: &str) -> &str {
    reference.strip_prefix("refs/heads/").unwrap_or(reference)
}
