//! Locks as commands and hooks use them: read, judge, change, try again.

use std::collections::BTreeSet;
use std::time::Duration;

use super::log::{LockHead, LockLog};
use super::markers;
use crate::event_log::{Guard, retry, spread};
use lane_core::error::Error;
use lane_core::facts::{LockClaim, Unavailable};
use lane_core::locks::liveness::{Judge, Observations};
use lane_core::locks::protocol::{self, Claim, Refusal, TakeMode};
use lane_core::locks::record::{LockEventKind, LockRecord};
use lane_core::locks::scope::lockable;
use lane_core::locks::world::World;
use lane_core::policy::Plan;
use lane_git::{Layout, Repository};

/// What became of a wish: the area's new record, or why not.
pub type Outcome = Result<LockHead, Refusal>;

/// What makes the next record of one, or says why not.
pub type Step<'s> = &'s mut dyn FnMut(Option<&LockRecord>, &Judge<'_>) -> Result<LockRecord, Refusal>;

/// The locks of one repository.
pub struct LockManager<'a> {
    layout: &'a Layout,
    pub(super) plan: &'a Plan,
    pub(super) world: &'a dyn World,
    pub(super) log: LockLog<'a>,
    observations: Observations,
    /// What did not work out and stops nothing.
    pub(super) notes: Vec<String>,
}

/// One area, or a ref where one should be.
#[derive(Debug, Clone)]
pub struct AreaLocks {
    /// The area's name; `None` where a ref does not tell.
    pub area: Option<String>,
    /// The ref that speaks for it.
    pub reference: String,
    /// Its record; `None` where it was never locked.
    pub tip: Result<Option<LockHead>, Error>,
}

impl<'a> LockManager<'a> {
    /// The locks of a repository.
    pub fn new(repo: &'a dyn Repository, plan: &'a Plan, world: &'a dyn World) -> Self {
        let log = LockLog::new(repo, plan);
        let seen = log.files().seen(world);
        Self { layout: repo.layout(), plan, world, log, observations: seen, notes: Vec::new() }
    }

    /// Where records lie.
    pub fn log(&self) -> &LockLog<'a> {
        &self.log
    }

    /// Waits so long for a remote, and no longer.
    pub fn set_patience(&mut self, limit: Duration) {
        self.log.set_patience(limit);
    }

    /// Judges what lives, at this moment.
    pub fn judge(&self) -> Judge<'_> {
        Judge::new(self.plan, self.world, &self.observations)
    }

    /// Reads the remote's locks again, unless that was done in the last so many milliseconds.
    ///
    /// # Errors
    /// The remote cannot be reached.
    pub fn refresh(&mut self, max_age: u64) -> Result<(), Error> {
        if self.age().is_some_and(|age| age < max_age) {
            return Ok(());
        }
        self.reread()
    }

    /// Reads the remote's locks, and shows what is new.
    fn reread(&mut self) -> Result<(), Error> {
        let is_new = self.log.refresh()?;
        let mut parts = Vec::new();
        for area in lockable(self.plan) {
            parts.push(self.log.ref_part(area)?);
        }
        // Whoever asks next asks the remote again, until it is put right.
        if !parts.iter().any(|part| self.log.has_diverged(part)) {
            self.keep_synced();
        }
        if is_new {
            self.show();
        }
        Ok(())
    }

    /// Milliseconds since the remote's locks were read; `None` if never. Zero where the locks lie here.
    fn age(&self) -> Option<u64> {
        self.log.remote_name().map_or(Some(0), |name| self.log.files().age(name, self.world))
    }

    /// Keeps when the remote's locks were read.
    fn keep_synced(&self) {
        if let Some(remote) = self.log.remote_name() {
            self.log.files().keep_synced(remote, self.world);
        }
    }

    /// The record of one area as it is known here.
    ///
    /// # Errors
    /// There is a ref, and it holds no record.
    pub fn tip(&mut self, area: &str) -> Result<Option<LockHead>, Error> {
        let tip = self.log.read(area)?;
        self.observe(tip.as_ref().map(|tip| &tip.record));
        Ok(tip)
    }

    fn observe(&mut self, record: Option<&LockRecord>) {
        if self.observations.observe(record.into_iter(), self.world) {
            self.log.files().keep_seen(&self.observations, self.world);
        }
    }

    /// All areas that have locks, and whatever else lies among their refs.
    ///
    /// # Errors
    /// The refs cannot be listed.
    pub fn areas(&mut self) -> Result<Vec<AreaLocks>, Error> {
        let mut others: BTreeSet<String> = self.log.ref_parts()?.into_iter().collect();
        let mut found = Vec::new();
        for area in lockable(self.plan) {
            let part = self.log.ref_part(area)?;
            others.remove(&part);
            let reference = self.log.full_name(&part);
            found.push(AreaLocks { area: Some(area.to_owned()), reference, tip: self.log.read(area) });
        }
        for part in others {
            let reference = self.log.local_reference(&part)?;
            let tip = self.log.read_ref(&reference, None);
            let area = tip.as_ref().ok().and_then(|tip| Some(tip.as_ref()?.record.area.clone()));
            // A record under another name than its own speaks for nobody.
            let is_misplaced =
                area.as_ref().is_some_and(|area| self.log.ref_part(area).is_ok_and(|own| part != own));
            let tip = if is_misplaced { Err(misplaced(&reference)) } else { tip };
            found.push(AreaLocks { area, reference, tip });
        }
        let records: Vec<LockRecord> =
            found.iter().filter_map(|area| Some(area.tip.as_ref().ok()?.as_ref()?.record.clone())).collect();
        if self.observations.observe(records.iter(), self.world) | self.observations.forget(&records) {
            self.log.files().keep_seen(&self.observations, self.world);
        }
        Ok(found)
    }

    /// Makes `ls .locks/` tell the truth in all worktrees.
    pub fn show(&mut self) {
        if self.log.is_served() {
            return;
        }
        // One at a time: an older truth must not be written over a newer one.
        let shown = (|| -> Result<(), Error> {
            let _guard = self.log.files().guard()?;
            let areas = self.areas()?;
            let judge = self.judge();
            let known = areas.iter().filter_map(|area| area.tip.as_ref().ok()?.as_ref());
            let leases =
                known.flat_map(|tip| tip.record.leases.iter().map(|l| (tip.record.area.as_str(), l)));
            let leases = leases.filter(|(_, lease)| !judge.lease(lease).is_over());
            let (now, ttl) = (judge.now().wall, self.plan.policy.locks.ttl.value.seconds);
            let mut claims = markers::by_hand(self.layout, &self.plan.policy)?;
            claims.retain(|claim| now < claim.since.saturating_add_unsigned(ttl));
            let repository = self.repository();
            let wanted = markers::expected_markers(leases, &claims, repository.as_deref());
            markers::show(self.layout, &wanted)
                .map_err(|reason| Error::write(reason, "list them: git lane locks"))
        })();
        if let Err(error) = shown {
            self.notes.push(error.to_string());
        }
    }

    /// Changes an area's record by one step, again and again until the step is refused, or was made from
    /// what the record was at that instant.
    ///
    /// # Errors
    /// Something cannot be read or written.
    pub fn change(&mut self, area: &str, step: Step<'_>) -> Result<Outcome, Error> {
        self.log.check_writable()?;
        let is_local = self.log.is_here();
        let (world, mut is_first, mut is_fresh) = (self.world, true, is_local);
        let done = retry(
            || random(world),
            || {
                if !std::mem::take(&mut is_first) {
                    self.reread()?;
                    is_fresh = true;
                }
                loop {
                    let guard = self.log.guard()?;
                    let old = self.tip(area)?;
                    let lost = if old.is_none() { self.log.lost_generation(area)? } else { 0 };
                    let begun = (lost > 0).then(|| LockRecord::floor(area, lost));
                    match step(old.as_ref().map(|tip| &tip.record).or(begun.as_ref()), &self.judge()) {
                        Err(refusal) if is_fresh => return Ok(Some(Err(refusal))),
                        Err(_) => {}
                        Ok(next) => return Ok(self.append(old.as_ref(), &next, guard)?.map(Ok)),
                    }
                    drop(guard);
                    self.reread()?;
                    is_fresh = true;
                }
            },
        )?;
        done.ok_or_else(|| too_slow(area))
    }

    /// Makes a record an area's, if `old` still is, and shows it.
    fn append(
        &mut self,
        old: Option<&LockHead>,
        next: &LockRecord,
        guard: Option<Guard>,
    ) -> Result<Option<LockHead>, Error> {
        let done = self.log.append(old, next, (), guard.as_ref())?;
        drop(guard);
        // Of this area nothing newer can be known. Others matter to nobody who holds only this.
        if done.is_some() && self.log.is_current() {
            self.keep_synced();
        }
        if done.is_some()
            && !matches!(next.event.kind, LockEventKind::Wait | LockEventKind::Leave | LockEventKind::Push)
        {
            self.show();
        }
        Ok(done)
    }

    /// A pause after which somebody else will be done.
    pub fn a_moment(&self) -> Duration {
        self.with_jitter(600)
    }

    /// A pause of about so many milliseconds.
    pub(super) fn with_jitter(&self, millis: u64) -> Duration {
        spread(millis, random(self.world))
    }

    /// Takes, renews or steals a lock.
    ///
    /// # Errors
    /// Something cannot be read or written.
    pub fn claim(&mut self, claim: &Claim<'_>, manner: TakeMode) -> Result<Outcome, Error> {
        let marker = self.marker_against(claim)?;
        if manner != TakeMode::Steal
            && let Some(marker) = marker
        {
            return Ok(Err(Refusal::Marked(marker)));
        }
        let area = claim.scope.area.clone();
        self.change(&area, &mut |record, judge| {
            let mut next = protocol::claim(record, claim, manner, judge)?;
            if let Some(marker) = &marker {
                protocol::steal_from_claim(&mut next, marker);
            }
            Ok(next)
        })
    }

    /// Releases what an agent holds; `only`: the lock of this generation.
    ///
    /// # Errors
    /// Something cannot be read or written.
    pub fn release(&mut self, claim: &Claim<'_>, only: Option<u64>) -> Result<Outcome, Error> {
        let area = claim.scope.area.clone();
        self.change(&area, &mut |record, judge| protocol::release(record, claim, only, judge))
    }

    /// The manual claim that holds the area, if it is another agent's.
    fn marker_against(&self, claim: &Claim<'_>) -> Result<Option<LockClaim>, Error> {
        let claims = markers::by_hand(self.layout, &self.plan.policy)?;
        let (now, ttl) = (self.world.now().wall, self.plan.policy.locks.ttl.value.seconds);
        let holding = LockClaim::holding(&claims, &claim.scope.area, now, ttl);
        Ok(holding.filter(|marker| marker.agent != claim.agent).cloned())
    }

    /// What did not work out and stops nothing; told once.
    pub fn take_notes(&mut self) -> Vec<String> {
        let mut notes = std::mem::take(&mut self.notes);
        notes.extend(self.log.take_notes());
        notes.dedup();
        notes
    }
}

/// A number that nobody else has.
fn random(world: &dyn World) -> u64 {
    u64::from_str_radix(&world.nonce(), 16).unwrap_or(0)
}

fn misplaced(reference: &str) -> Error {
    Unavailable::new(
        format!("the lock ref {reference} has no valid lock: its record belongs to another name"),
        "git-lane did not write it; it is ignored",
    )
    .into()
}

fn too_slow(area: &str) -> Error {
    Unavailable::new(
        format!("the lock `{area}` was changed by others during each attempt"),
        format!("try again, or join the queue: git lane lock {area} --wait 10m"),
    )
    .into()
}
