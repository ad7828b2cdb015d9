//! Landing the first of a queue: judged as it will be on the base, and nothing else is moved there.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::base::{BasePlace, Move, Tips};
use super::commands::{self, CommandsEnd};
use super::tree::Workspace;
use super::{host, rebase, verdict};
use crate::event_log::{random, spread};
use crate::gather::{Base, policy_source};
use crate::landings::log::LandingHead;
use crate::landings::queue::Queues;
use crate::ops::Session;
use lane_core::error::Error;
use lane_core::facts::{Oid, typed_ref};
use lane_core::landings::record::{Landing, LandingEnd, LandingRecord, LandingStep, Reason};
use lane_git::Repository;

/// How long whoever lands may be silent before it says that it is still there.
const RENEWAL: Duration = Duration::from_secs(30);
/// How often a landing is begun again because others moved the base.
const TRIES: u32 = 20;
/// How often it is tried to move the base while others write the record.
const MEETINGS: u32 = 100;

/// Whoever lands the first of a queue.
pub struct Lander<'l> {
    session: &'l Session,
    queues: &'l Queues<'l>,
    place: &'l BasePlace<'l>,
    /// The record as it was left last.
    head: LandingHead,
    renewed: Instant,
}

/// What a try came to.
enum Attempt {
    /// It ended, and the record is to say so.
    End(LandingEnd),
    /// The base may be moved.
    Ready { from: Oid, to: Oid, workspace: Workspace },
    /// Somebody else goes on for this process.
    Lost,
    /// Whoever waits ended it.
    Interrupted(u8),
}

/// What came of being the lander.
#[derive(Debug, PartialEq, Eq)]
pub enum Turn {
    /// The first of the queue is done.
    Done,
    /// Somebody else goes on.
    Lost,
    /// A signal ended it.
    Interrupted(u8),
}

impl<'l> Lander<'l> {
    /// `head`: the record by which this process became the lander.
    pub fn new(
        session: &'l Session,
        queues: &'l Queues<'l>,
        place: &'l BasePlace<'l>,
        head: LandingHead,
    ) -> Self {
        Self { session, queues, place, head, renewed: Instant::now() }
    }

    /// Lands the first of the queue, or says why not. What cannot be decided is noted: after some tries it waits no longer.
    ///
    /// # Errors
    /// Something could not be decided, read or written.
    pub fn turn(mut self) -> Result<Turn, Error> {
        let Some(landing) = self.head.record.queue.first().cloned() else { return Ok(Turn::Lost) };
        let worked = self.land(&landing);
        let Err(error) = worked else { return worked };
        let why = Reason::new(error.to_string(), error.help().unwrap_or_default());
        // Where even that cannot be said, the next one sees that nobody is at work.
        let _ = self.add(LandingStep::Stop(why));
        Err(error)
    }

    fn land(&mut self, landing: &Landing) -> Result<Turn, Error> {
        if let Some(end) = self.was_moved()? {
            return self.end(end);
        }
        for _ in 0..TRIES {
            match self.attempt(landing)? {
                Attempt::End(end) => return self.end(end),
                Attempt::Lost => return Ok(Turn::Lost),
                Attempt::Interrupted(signal) => return Ok(Turn::Interrupted(signal)),
                Attempt::Ready { from, to, workspace } => {
                    if let Some(turn) = self.advance(landing, from, to, &workspace)? {
                        return Ok(turn);
                    }
                }
            }
        }
        let base = &self.place.name;
        let reference = self.place.reference(base);
        self.end(LandingEnd::Failed(Reason::new(
            format!("others moved `{base}` each time before this could land"),
            format!("see who pushes to it: git log -5 {}", typed_ref(&reference)),
        )))
    }

    /// Whether one who is gone had moved the base already.
    fn was_moved(&self) -> Result<Option<LandingEnd>, Error> {
        // On a remote both are moved by one push: whatever the record says there, nobody was between the two.
        if self.place.remote.is_some() {
            return Ok(None);
        }
        let lander = self.head.record.lander.as_ref();
        let Some(commit) = lander.and_then(|lander| lander.commit.clone()) else { return Ok(None) };
        let (Some(to), Some(first)) = (Oid::from_hex(&commit), self.head.record.queue.first()) else {
            return Ok(None);
        };
        let Tips { base, .. } = self.place.tips(&first.branch)?;
        let repo = &self.session.repo;
        if !repo.has(to) || repo.merge_base(to, &[base])? != Some(to) {
            return Ok(None);
        }
        let from = repo.commit(to)?.parents.first().map(Oid::to_string).unwrap_or_default();
        Ok(Some(LandingEnd::Landed { commit, from }))
    }

    /// Everything up to the moment at which the base is moved.
    fn attempt(&mut self, landing: &Landing) -> Result<Attempt, Error> {
        let repo = &self.session.repo;
        // Where the base cannot be moved, nobody waits for commands.
        self.place.checkout()?;
        let tips = self.place.tips(&landing.branch)?;
        let Some(head) = Oid::from_hex(&landing.head).filter(|head| repo.has(*head)) else {
            return Ok(refused(format!("{} is not available here", landing.head), "land it again"));
        };
        let again = format!("git lane land {}", lane_core::report::quote(landing.branch.as_bytes()));
        match tips.branch {
            _ if repo.merge_base(head, &[tips.base])? == Some(head) => {
                return Ok(Attempt::End(LandingEnd::Present));
            }
            None => {
                let reason = format!("the branch `{}` is gone", landing.branch);
                return Ok(refused(reason, format!("push it, then land it again: {again}")));
            }
            Some(tip) if tip != head => {
                let reason = format!(
                    "`{}` was at {} when it was to land, and is at {} now",
                    landing.branch,
                    head.short(),
                    tip.short()
                );
                return Ok(refused(reason, format!("land what it has now: {again}")));
            }
            Some(_) => {}
        }
        let base = Base { reference: self.place.reference(&self.place.name), oid: tips.base };
        let main = self.main(&base)?;
        let loaded = policy_source::on_base(repo, main, &self.place.name, base)?;
        let Some(land) = super::allowed(&loaded.plan, &landing.by) else {
            return Ok(refused(super::NOT_ALLOWED, "open a pull request: git lane pr --yes"));
        };
        let workspace = Workspace::new(repo.layout())?;
        let to = match rebase::onto(self.session, &workspace, tips.base, head, land.squash.value)? {
            Ok(to) => to,
            Err(end) => return Ok(Attempt::End(end)),
        };
        if to == tips.base {
            return Ok(Attempt::End(LandingEnd::Present));
        }
        if !self.keep()? {
            return Ok(Attempt::Lost);
        }
        if let Some(end) = verdict::of(self.session, &loaded, landing, tips.base, to)? {
            return Ok(Attempt::End(end));
        }
        if !land.run.is_empty() {
            workspace.check_out(to)?;
        }
        let work = commands::Work { land: &land, landing, base: &self.place.name, to };
        match commands::run(&workspace, &work, &mut || self.keep())? {
            CommandsEnd::Passed => Ok(Attempt::Ready { from: tips.base, to, workspace }),
            CommandsEnd::Refused(why) => Ok(Attempt::End(LandingEnd::Refused(why))),
            CommandsEnd::Lost => Ok(Attempt::Lost),
            CommandsEnd::Interrupted(signal) => Ok(Attempt::Interrupted(signal)),
        }
    }

    /// The policy's own base, whose policy says what is protected.
    fn main(&self, base: &Base) -> Result<Base, Error> {
        let policy = &self.session.loaded.plan.policy;
        let reference = self.place.reference(&policy.base.value);
        if reference == base.reference {
            return Ok(base.clone());
        }
        let Tips { branch: Some(oid), .. } = self.place.tips(&policy.base.value)? else {
            return Ok(base.clone());
        };
        Ok(Base { reference, oid })
    }

    /// Moves the base; `None` where others moved it first, and there is another try to make.
    fn advance(
        &mut self,
        landing: &Landing,
        from: Oid,
        to: Oid,
        workspace: &Workspace,
    ) -> Result<Option<Turn>, Error> {
        let checkout = self.place.checkout()?;
        // The base and the files there are moved by git in two steps: the record says so beforehand.
        if checkout.is_some() && !self.add(LandingStep::Ready(to.to_string()))? {
            return Ok(Some(Turn::Lost));
        }
        let end = LandingEnd::Landed { commit: to.to_string(), from: from.to_string() };
        let remote = self.place.remote.as_ref();
        let branch = remote.and_then(|_| host::branch_to_move(self.session, landing, &self.place.name));
        for _ in 0..MEETINGS {
            let Some(now) = self.current()? else { return Ok(Some(Turn::Lost)) };
            self.head = now;
            let moved = match &checkout {
                Some(root) => self.place.fast_forward(root, to)?,
                None => self.swap((landing, branch), from, to, &end, workspace)?,
            };
            match moved {
                Move::Done if checkout.is_some() => return self.end(end).map(Some),
                Move::Done => {
                    self.place.note(to);
                    return Ok(Some(Turn::Done));
                }
                // The answer to a push that was made may have been lost, too.
                _ if self.current()?.is_none() => return Ok(Some(Turn::Lost)),
                Move::Stale if !self.is_as_judged(landing, from)? => return Ok(None),
                // Somebody asked for another landing in that moment.
                Move::Stale => sleep(spread(20, random())),
                Move::Refused(words) => return self.not_moved(&words).map(Some),
            }
        }
        Ok(None)
    }

    /// Whether the base and the branch still are what was judged.
    fn is_as_judged(&self, landing: &Landing, from: Oid) -> Result<bool, Error> {
        let tips = self.place.tips(&landing.branch)?;
        Ok(tips.base == from && tips.branch.is_some_and(|tip| tip.to_string() == landing.head))
    }

    /// Moves the base and the record together.
    fn swap(
        &self,
        (landing, branch): (&Landing, Option<Oid>),
        from: Oid,
        to: Oid,
        end: &LandingEnd,
        workspace: &Workspace,
    ) -> Result<Move, Error> {
        let (name, log) = (&self.place.name, self.queues.log());
        let event = self.queues.event(LandingStep::End(end.clone()));
        let Ok(next) = LandingRecord::after(Some(&self.head.record), name, event, self.nonce()) else {
            return Ok(Move::Stale);
        };
        let next = log.write(Some(&self.head), &next, ())?;
        let branch = branch.map(|head| (landing.branch.as_str(), head, to));
        self.place.advance(log, (from, to), (&self.head, &next), branch, workspace.folder())
    }

    fn not_moved(&mut self, words: &str) -> Result<Turn, Error> {
        let (reason, output) = words.split_once('\n').unwrap_or((words, ""));
        let reason = format!("`{}` could not be moved: {reason}", self.place.name);
        self.end(LandingEnd::Failed(Reason::new(reason, "fix that, then land it again").output(output)))
    }

    fn nonce(&self) -> Option<&str> {
        self.head.record.lander.as_ref().map(|lander| lander.stake.nonce.as_str())
    }

    /// The record as it is now, where this process still is the lander of the same landing.
    fn current(&self) -> Result<Option<LandingHead>, Error> {
        let now = self.queues.read(&self.place.name)?;
        Ok(now.filter(|now| {
            let lander = now.record.lander.as_ref();
            lander.map(|lander| lander.stake.nonce.as_str()) == self.nonce()
                && now.record.queue.first() == self.head.record.queue.first()
        }))
    }

    /// Says that this process is still there, where it is time to; false: somebody else goes on.
    fn keep(&mut self) -> Result<bool, Error> {
        if self.renewed.elapsed() < RENEWAL {
            return Ok(true);
        }
        self.renewed = Instant::now();
        let stake = self.queues.stake(&self.place.name);
        self.add(LandingStep::Renew(stake))
    }

    /// Adds an event of the lander; false where this process is it no longer. Others may have asked meanwhile.
    fn add(&mut self, step: LandingStep) -> Result<bool, Error> {
        let nonce = self.nonce().map(str::to_owned);
        match self.queues.add(&self.place.name, &step, nonce.as_deref())? {
            Ok(head) => {
                self.head = head;
                Ok(true)
            }
            Err(_) => Ok(false),
        }
    }

    fn end(&mut self, end: LandingEnd) -> Result<Turn, Error> {
        Ok(if self.add(LandingStep::End(end))? { Turn::Done } else { Turn::Lost })
    }
}

fn refused(reason: impl Into<String>, help: impl Into<String>) -> Attempt {
    Attempt::End(LandingEnd::Refused(Reason::new(reason, help)))
}
