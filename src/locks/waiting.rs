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
        let area = claim.scope.area.clone();
        let start = self.world.now().uptime;
        let patience = ticket.ttl.saturating_mul(1_000);
        // Elsewhere nobody can see that this process lives: the place in the queue has to be kept up.
        let is_local = self.log.remote_name().is_none();
        let ticket =
            &Claim { ttl: if is_local { ticket.ttl } else { ticket.ttl.min(TICKET) }, ..ticket.clone() };
        let mut kept_up = start;
        let mut nonce: Option<String> = None;
        // Who is first in a queue before a free lock, and since when that is so.
        let mut turn: Option<(String, u64)> = None;
        let mut exchange = Duration::ZERO;
        // Since when the remote does not answer.
        let mut deaf: Option<u64> = None;
        loop {
            let now = self.world.now().uptime;
            let pass = turn.as_ref().map_or(0, |(_, since)| now.saturating_sub(*since) / TURN);
            let manner = TakeMode::Take { pass: usize::try_from(pass).unwrap_or(usize::MAX) };
            let mut round = || -> Result<Option<Outcome>, Error> {
                let refusal = match self.try_claim(claim, manner)? {
                    Ok(tip) => return Ok(Some(Ok(tip))),
                    Err(refusal) => refusal,
                };
                if now.saturating_sub(start) >= patience {
                    self.leave(ticket, nonce.as_deref())?;
                    return Ok(Some(Err(refusal)));
                }
                if let Err(lost) = self.keep(kept)? {
                    self.leave(ticket, nonce.as_deref())?;
                    return Ok(Some(Err(lost)));
                }
                turn = match (&refusal, turn.take()) {
                    (Refusal::Queued(ahead), before) => ahead.first().map(|first| match before {
                        Some((nonce, since)) if nonce == first.nonce => (nonce, since),
                        _ => (first.nonce.clone(), now),
                    }),
                    _ => None,
                };
                let tip = self.tip(&area)?;
                let queue = tip.as_ref().map(|tip| tip.record.queue.as_slice()).unwrap_or_default();
                match position(queue, nonce.as_deref()) {
                    _ if matches!(refusal, Refusal::Marked(_)) => {}
                    None => (nonce, kept_up) = (self.enqueue(ticket, None)?, now),
                    Some(_) if !is_local && now.saturating_sub(kept_up) > TICKET * 1_000 / 2 => {
                        (nonce, kept_up) = (self.enqueue(ticket, nonce.as_deref())?, now);
                    }
                    Some(_) => {}
                }
                let ahead = position(queue, nonce.as_deref()).unwrap_or(queue.len());
                tell(&Waiting { refusal: &refusal, ahead });
                Ok(None)
            };
            match round() {
                Ok(Some(outcome)) => return Ok(outcome),
                Ok(None) => {}
                // A network that comes and goes costs nobody the place in the queue.
                Err(error) if is_local || nonce.is_none() || *deaf.get_or_insert(now) + DEAF < now => {
                    return Err(error);
                }
                Err(_) => {}
            }
            if is_local {
                sleep(LOOK);
                continue;
            }
            // As often as ten times the time that it takes, but every few seconds.
            let pause = (exchange * 10).clamp(Duration::from_millis(100), Duration::from_secs(3));
            sleep(self.with_jitter(u64::try_from(pause.as_millis()).unwrap_or(3_000)));
            let asked = Instant::now();
            match self.refresh(u64::try_from(pause.as_millis()).unwrap_or(0) / 2) {
                Ok(()) => (exchange, deaf) = (exchange.max(asked.elapsed()), None),
                Err(error) if *deaf.get_or_insert(now) + DEAF < now => return Err(error),
                Err(_) => {}
            }
        }
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
