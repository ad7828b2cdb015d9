//! Waiting for a lock: a place in the record's queue, first come, first served.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::manager::{LockManager, Outcome};
use lane_core::error::Error;
use lane_core::locks::protocol::{self, Claim, Refusal, TakeMode};
use lane_core::locks::record::Stake;

/// How long a free lock is kept for whoever is next in the queue and cannot be seen to be gone.
const TURN: u64 = 10_000;
/// For how long a waiter goes on while the remote does not answer, in milliseconds.
const DEAF: u64 = 60_000;
/// How long a place in the queue of a remote lives unless it is kept up, in seconds.
const TICKET: u64 = 60;
/// How often a waiter looks where looking costs next to nothing.
const LOOK: Duration = Duration::from_millis(25);

/// What somebody who waits is told.
#[derive(Debug)]
pub struct Waiting<'a> {
    /// What is in the way.
    pub refusal: &'a Refusal,
    /// How many stand in front.
    pub ahead: usize,
}

/// One wait for one lock. Times are in milliseconds of the machine's uptime.
struct Wait<'a> {
    claim: &'a Claim<'a>,
    ticket: Claim<'a>,
    kept: &'a [Claim<'a>],
    start: u64,
    /// How long to wait, in milliseconds.
    patience: u64,
    is_local: bool,
    /// The place in the queue, and when it was renewed last.
    nonce: Option<String>,
    renewed: u64,
    /// Who is first in a queue before a free lock, and since when that is so.
    turn: Option<(String, u64)>,
    /// How long the remote takes to answer.
    exchange: Duration,
    unanswered_since: Option<u64>,
}

impl<'a> Wait<'a> {
    fn new(
        claim: &'a Claim<'a>,
        ticket: &Claim<'a>,
        kept: &'a [Claim<'a>],
        start: u64,
        is_local: bool,
    ) -> Self {
        // Elsewhere nobody can see that this process lives: the place in the queue has to be renewed.
        let ttl = if is_local { ticket.ttl } else { ticket.ttl.min(TICKET) };
        Self {
            claim,
            ticket: Claim { ttl, ..ticket.clone() },
            kept,
            start,
            patience: ticket.ttl.saturating_mul(1_000),
            is_local,
            nonce: None,
            renewed: start,
            turn: None,
            exchange: Duration::ZERO,
            unanswered_since: None,
        }
    }

    fn is_over(&self, now: u64) -> bool {
        now.saturating_sub(self.start) >= self.patience
    }

    fn is_renewal_due(&self, now: u64) -> bool {
        !self.is_local && now.saturating_sub(self.renewed) > TICKET * 1_000 / 2
    }

    /// Whether the remote has not answered for too long; the time counts from the first question.
    fn is_unanswered(&mut self, now: u64) -> bool {
        *self.unanswered_since.get_or_insert(now) + DEAF < now
    }

    /// Whoever is first in the queue and does not take a free lock is passed over in time.
    fn take_mode(&self, now: u64) -> TakeMode {
        let pass = self.turn.as_ref().map_or(0, |(_, since)| now.saturating_sub(*since) / TURN);
        TakeMode::Take { pass: usize::try_from(pass).unwrap_or(usize::MAX) }
    }

    fn note_turn(&mut self, refusal: &Refusal, now: u64) {
        self.turn = match (refusal, self.turn.take()) {
            (Refusal::Queued(ahead), before) => ahead.first().map(|first| match before {
                Some((nonce, since)) if nonce == first.nonce => (nonce, since),
                _ => (first.nonce.clone(), now),
            }),
            _ => None,
        };
    }
}

impl LockManager<'_> {
    /// Takes a lock, and waits for it if it must: first come, first served. `ticket`: the same wish, for
    /// the process that waits and for as long as it waits. `kept`: what is held already and has to live on
    /// meanwhile.
    ///
    /// # Errors
    /// Something cannot be read or written.
    pub fn wait(
        &mut self,
        claim: &Claim<'_>,
        ticket: &Claim<'_>,
        kept: &[Claim<'_>],
        tell: &mut dyn FnMut(&Waiting<'_>),
    ) -> Result<Outcome, Error> {
        let mut wait =
            Wait::new(claim, ticket, kept, self.world.now().uptime, self.log.remote_name().is_none());
        loop {
            let now = self.world.now().uptime;
            match self.attempt(&mut wait, now, tell) {
                Ok(Some(outcome)) => return Ok(outcome),
                Ok(None) => {}
                // A network that comes and goes costs nobody the place in the queue.
                Err(error) if wait.is_local || wait.nonce.is_none() || wait.is_unanswered(now) => {
                    return Err(error);
                }
                Err(_) => {}
            }
            if wait.is_local {
                sleep(LOOK);
            } else {
                self.pause(&mut wait, now)?;
            }
        }
    }

    /// Tries once to take the lock; where that fails, sees to the place in the queue, and gives an outcome only where there
    /// is no use in waiting on.
    fn attempt(
        &mut self,
        wait: &mut Wait<'_>,
        now: u64,
        tell: &mut dyn FnMut(&Waiting<'_>),
    ) -> Result<Option<Outcome>, Error> {
        let refusal = match self.try_claim(wait.claim, wait.take_mode(now))? {
            Ok(tip) => return Ok(Some(Ok(tip))),
            Err(refusal) => refusal,
        };
        if wait.is_over(now) {
            self.leave(&wait.ticket, wait.nonce.as_deref())?;
            return Ok(Some(Err(refusal)));
        }
        if let Err(lost) = self.keep(wait.kept)? {
            self.leave(&wait.ticket, wait.nonce.as_deref())?;
            return Ok(Some(Err(lost)));
        }
        wait.note_turn(&refusal, now);
        let tip = self.tip(&wait.claim.scope.area)?;
        let queue = tip.as_ref().map(|tip| tip.record.queue.as_slice()).unwrap_or_default();
        match position(queue, wait.nonce.as_deref()) {
            _ if matches!(refusal, Refusal::Marked(_)) => {}
            None => (wait.nonce, wait.renewed) = (self.enqueue(&wait.ticket, None)?, now),
            Some(_) if wait.is_renewal_due(now) => {
                (wait.nonce, wait.renewed) = (self.enqueue(&wait.ticket, wait.nonce.as_deref())?, now);
            }
            Some(_) => {}
        }
        let ahead = position(queue, wait.nonce.as_deref()).unwrap_or(queue.len());
        tell(&Waiting { refusal: &refusal, ahead });
        Ok(None)
    }

    /// Waits before the remote is asked once more, and asks it.
    fn pause(&mut self, wait: &mut Wait<'_>, now: u64) -> Result<(), Error> {
        // As often as ten times the time that it takes, but every few seconds.
        let pause = (wait.exchange * 10).clamp(Duration::from_millis(100), Duration::from_secs(3));
        sleep(self.with_jitter(u64::try_from(pause.as_millis()).unwrap_or(3_000)));
        let asked = Instant::now();
        match self.refresh(u64::try_from(pause.as_millis()).unwrap_or(0) / 2) {
            Ok(()) => {
                wait.exchange = wait.exchange.max(asked.elapsed());
                wait.unanswered_since = None;
            }
            Err(error) if wait.is_unanswered(now) => return Err(error),
            Err(_) => {}
        }
        Ok(())
    }

    /// Looks first, without keeping anybody out, whether there is any use in trying.
    fn try_claim(&mut self, claim: &Claim<'_>, manner: TakeMode) -> Result<Outcome, Error> {
        let tip = self.tip(&claim.scope.area)?;
        let record = tip.as_ref().map(|tip| &tip.record);
        match protocol::claim(record, claim, manner, &self.judge()) {
            Ok(_) => self.claim(claim, manner),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    /// Stands in the queue, at the place that a ticket has already if it has one.
    fn enqueue(&mut self, ticket: &Claim<'_>, old: Option<&str>) -> Result<Option<String>, Error> {
        let area = ticket.scope.area.clone();
        let mut nonce = None;
        let done = self.change(&area, &mut |record, judge| {
            let again =
                old.zip(record).and_then(|(old, record)| protocol::go_on_waiting(record, old, ticket, judge));
            let (next, own) = again.unwrap_or_else(|| protocol::wait(record, ticket, judge));
            nonce = Some(own);
            Ok(next)
        })?;
        Ok(done.ok().and(nonce))
    }

    /// Renews what has lived for half of its life.
    fn keep(&mut self, kept: &[Claim<'_>]) -> Result<Result<(), Refusal>, Error> {
        for claim in kept {
            let tip = self.tip(&claim.scope.area)?;
            let judge = self.judge();
            let own = tip
                .iter()
                .flat_map(|tip| &tip.record.leases)
                .find(|lease| lease.stake.agent == claim.agent && lease.stake.scope == claim.scope.text);
            if own.is_some_and(|own| judge.lease(own).remaining() > own.stake.ttl.saturating_mul(500)) {
                continue;
            }
            if let Err(refusal) = self.claim(claim, TakeMode::Renew)? {
                return Ok(Err(Refusal::Lost(claim.scope.text.clone(), Box::new(refusal))));
            }
        }
        Ok(Ok(()))
    }

    fn leave(&mut self, ticket: &Claim<'_>, nonce: Option<&str>) -> Result<(), Error> {
        let Some(nonce) = nonce else {
            return Ok(());
        };
        let area = ticket.scope.area.clone();
        self.change(&area, &mut |record, judge| {
            record.and_then(|record| protocol::leave(record, nonce, ticket, judge)).ok_or(Refusal::NotHeld)
        })
        .map(|_| ())
    }
}

fn position(queue: &[Stake], nonce: Option<&str>) -> Option<usize> {
    queue.iter().position(|ticket| Some(ticket.nonce.as_str()) == nonce)
}
