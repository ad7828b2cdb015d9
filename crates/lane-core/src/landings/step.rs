//! Which event may follow which. A server holds what is pushed against the same function that makes an event.

use super::record::{
    FORMAT, Lander, Landing, LandingEnd, LandingEvent, LandingRecord, LandingResult, LandingStep, RESULTS,
};
use crate::requests::record::Person;

/// After how many tries that could not be decided a landing ends.
pub const TRIES: u32 = 3;

/// Why an event cannot follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misstep {
    /// The same branch with the same tip waits already, under this number.
    Asked(u64),
    /// No landing of that number waits, or somebody is at work on it.
    NotWaiting,
    /// Nothing waits.
    Empty,
    /// Whoever does it is not the lander any more.
    NotLander,
    /// It is asked for, or taken back, by an agent whose branch it is not.
    NotYours,
}

impl LandingRecord {
    /// The record after one more event. `old`: the one before it; `nonce`: of the lander who does it, where it is one.
    ///
    /// # Errors
    /// It may not follow.
    pub fn after(
        old: Option<&Self>,
        base: &str,
        event: LandingEvent,
        nonce: Option<&str>,
    ) -> Result<Self, Misstep> {
        let first = Self {
            format: FORMAT,
            base: base.to_owned(),
            generation: 0,
            last: 0,
            event: event.clone(),
            queue: Vec::new(),
            lander: None,
            results: Vec::new(),
        };
        let mut new = Self { event: event.clone(), ..old.cloned().unwrap_or(first) };
        let at = event.at;
        match event.kind {
            LandingStep::Ask { branch, head } => new.ask(branch, head, event.by, at)?,
            LandingStep::Withdraw(id) => new.withdraw(id, &event.by, at)?,
            LandingStep::Begin(stake) => {
                let id = new.queue.first().ok_or(Misstep::Empty)?.id;
                let commit = new.lander.take().and_then(|before| before.commit);
                new.generation += 1;
                new.lander = Some(Lander { id, stake, commit });
            }
            LandingStep::Renew(stake) => new.lander_of(nonce)?.stake = stake,
            LandingStep::Ready(commit) => new.lander_of(nonce)?.commit = Some(commit),
            LandingStep::End(end) => {
                let id = new.lander_of(nonce)?.id;
                new.end(id, end, at)?;
            }
            LandingStep::Stop(why) => {
                let id = new.lander_of(nonce)?.id;
                new.lander = None;
                let first = new.queue.first_mut().ok_or(Misstep::Empty)?;
                first.failures += 1;
                if first.failures >= TRIES {
                    new.end(id, LandingEnd::Failed(why), at)?;
                }
            }
        }
        Ok(new)
    }

    fn ask(&mut self, branch: String, head: String, by: Person, at: i64) -> Result<(), Misstep> {
        let at_work = self.lander.as_ref().map(|lander| lander.id);
        if let Some(same) = self.queue.iter().find(|one| one.branch == branch && one.head == head) {
            return Err(Misstep::Asked(same.id));
        }
        // The tip it has by now takes the place of the one that it had, unless somebody is at work on that.
        if let Some(same) = self.queue.iter_mut().find(|one| one.branch == branch && Some(one.id) != at_work)
        {
            *same = Landing { id: same.id, branch, head, by, asked: at, failures: 0 };
            return Ok(());
        }
        self.last += 1;
        self.queue.push(Landing { id: self.last, branch, head, by, asked: at, failures: 0 });
        Ok(())
    }

    fn withdraw(&mut self, id: u64, by: &Person, at: i64) -> Result<(), Misstep> {
        let landing = self.queue.iter().find(|landing| landing.id == id).ok_or(Misstep::NotWaiting)?;
        if by.agent().is_some() && *by != landing.by {
            return Err(Misstep::NotYours);
        }
        if self.lander.as_ref().is_some_and(|lander| lander.id == id && lander.commit.is_some()) {
            return Err(Misstep::NotWaiting);
        }
        self.end(id, LandingEnd::Withdrawn, at)
    }

    fn lander_of(&mut self, nonce: Option<&str>) -> Result<&mut Lander, Misstep> {
        let lander = self.lander.as_mut().ok_or(Misstep::NotLander)?;
        match nonce {
            Some(nonce) if lander.stake.nonce != nonce => Err(Misstep::NotLander),
            _ => Ok(lander),
        }
    }

    fn end(&mut self, id: u64, end: LandingEnd, at: i64) -> Result<(), Misstep> {
        let place = self.ahead(id).ok_or(Misstep::NotWaiting)?;
        let Landing { id, branch, head, by, .. } = self.queue.remove(place);
        if self.lander.as_ref().is_some_and(|lander| lander.id == id) {
            self.lander = None;
        }
        self.results.push(LandingResult { id, branch, head, by, at, end });
        let surplus = self.results.len().saturating_sub(RESULTS);
        self.results.drain(..surplus);
        Ok(())
    }
}
