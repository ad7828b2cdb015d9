//! The queues of bases as commands use them: read, change, try again.

use std::cell::RefCell;

use super::log::{LandingHead, LandingLog};
use crate::event_log::{random, retry};
use lane_core::error::Error;
use lane_core::landings::record::{LandingEvent, LandingRecord, LandingResult, LandingStep};
use lane_core::landings::step::Misstep;
use lane_core::locks::liveness::{Judge, Observation, Observations};
use lane_core::locks::record::Stake;
use lane_core::locks::world::World;
use lane_core::policy::Plan;
use lane_core::requests::record::Person;
use lane_git::Repository;

/// How long whoever lands may be silent before another goes on for them, in seconds.
pub const TTL: u64 = 180;

/// Who does something, and where.
#[derive(Debug, Clone)]
pub struct Author {
    /// Who.
    pub person: Person,
    /// The worktree.
    pub worktree: String,
}

/// The queues of one repository's bases.
pub struct Queues<'a> {
    plan: &'a Plan,
    world: &'a dyn World,
    log: LandingLog<'a>,
    author: Author,
    seen: RefCell<Observations>,
}

impl<'a> Queues<'a> {
    /// Nothing is read yet.
    pub fn new(repo: &'a dyn Repository, plan: &'a Plan, world: &'a dyn World, author: Author) -> Self {
        Self { plan, world, log: LandingLog::new(repo, plan), author, seen: RefCell::default() }
    }

    /// Where the records lie.
    pub fn log(&self) -> &LandingLog<'a> {
        &self.log
    }

    /// The queue of a base as it is now; `None` where nothing ever landed there.
    ///
    /// # Errors
    /// The remote cannot be reached, or a ref holds no record.
    pub fn read(&self, base: &str) -> Result<Option<LandingHead>, Error> {
        self.log.refresh()?;
        self.log.read(base)
    }

    /// All queues as they are now.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn all(&self) -> Result<Vec<LandingHead>, Error> {
        self.log.refresh()?;
        let mut found = Vec::new();
        for part in self.log.ref_parts()? {
            found.extend(self.log.read_ref(&self.log.local_reference(&part)?, None)?);
        }
        found.sort_by(|a, b| a.record.base.cmp(&b.record.base));
        Ok(found)
    }

    /// Whether somebody is at work on the first of a queue.
    pub fn is_busy(&self, record: &LandingRecord) -> bool {
        let Some(lander) = &record.lander else { return false };
        let mut seen = self.seen.borrow_mut();
        let now = self.world.now().uptime;
        let first = Observation { first: now, gone: None };
        seen.0.retain(|nonce, _| *nonce == lander.stake.nonce);
        seen.0.entry(lander.stake.nonce.clone()).or_insert(first);
        Judge::new(self.plan, self.world, &seen).waits(&lander.stake)
    }

    /// What shows that this process is at work.
    pub fn stake(&self, base: &str) -> Stake {
        let process = std::process::id();
        let now = self.world.now();
        Stake {
            agent: self.author.person.name().to_owned(),
            scope: base.to_owned(),
            ttl: TTL,
            nonce: self.world.nonce(),
            uptime: now.uptime,
            at: now.wall,
            machine: self.world.machine().clone(),
            process: crate::machine::ThisMachine::new().process(process),
            worktree: self.author.worktree.clone(),
            repository: None,
        }
    }

    /// An event of this process.
    pub fn event(&self, kind: LandingStep) -> LandingEvent {
        let Author { person, worktree } = self.author.clone();
        LandingEvent {
            kind,
            by: person,
            at: self.world.now().wall,
            host: self.world.machine().host.clone(),
            worktree,
            nonce: self.world.nonce(),
        }
    }

    /// Adds an event to a queue, whatever it is by then.
    ///
    /// # Errors
    /// It cannot be written, or it is unknown whether it was.
    pub fn add(
        &self,
        base: &str,
        step: &LandingStep,
        nonce: Option<&str>,
    ) -> Result<Result<LandingHead, Misstep>, Error> {
        self.log.check_writable()?;
        let added = retry(random, || {
            let guard = self.log.guard()?;
            let old = self.read(base)?;
            let next = LandingRecord::after(
                old.as_ref().map(|old| &old.record),
                base,
                self.event(step.clone()),
                nonce,
            );
            match next {
                Ok(next) => Ok(self.log.append(old.as_ref(), &next, (), guard.as_ref())?.map(Ok)),
                Err(misstep) => Ok(Some(Err(misstep))),
            }
        })?;
        added.ok_or_else(|| {
            Error::write("others keep writing landings", "nothing was changed; try again in a moment")
        })
    }

    /// Adds an event to a queue if it still is what was read; `None` where it is not.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn add_to(&self, old: &LandingHead, step: LandingStep) -> Result<Option<LandingHead>, Error> {
        self.log.check_writable()?;
        let guard = self.log.guard()?;
        match LandingRecord::after(Some(&old.record), &old.record.base, self.event(step), None) {
            Ok(next) => self.log.append(Some(old), &next, (), guard.as_ref()),
            Err(_) => Ok(None),
        }
    }

    /// What became of a landing, also where the last record has forgotten it.
    ///
    /// # Errors
    /// A commit of the chain is missing, or no record.
    pub fn result(&self, head: &LandingHead, id: u64) -> Result<Option<LandingResult>, Error> {
        if head.record.ahead(id).is_some() || head.record.last < id {
            return Ok(None);
        }
        let mut found = head.record.result(id).cloned();
        if found.is_none() {
            self.log.walk(head, |event| {
                found = event.record.result(id).cloned();
                found.is_some()
            })?;
        }
        Ok(found)
    }
}
