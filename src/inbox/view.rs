//! What sources read from, read once for all of them.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::{Audience, Options};
use crate::conflicts::Forecast;
use crate::gather::LoadedPolicy;
use crate::locks::manager::LockManager;
use crate::machine::ThisMachine;
use crate::status::{self, Line};
use lane_core::error::Error;
use lane_core::facts::Oid;
use lane_core::inbox::WINDOW;
use lane_core::locks::record::{Lease, LockRecord};
use lane_core::policy::model::Access;
use lane_git::Repository;

/// The most events of one area that are looked at.
const EVENTS: usize = 500;
/// How long a remote that has the records may take.
pub(super) const BRIEFLY: Duration = Duration::from_secs(5);

/// What is worth keeping from one reading to the next.
#[derive(Debug, Default)]
pub struct Cache {
    /// The events of areas, newest first, by area, with the ref's commit.
    chains: BTreeMap<String, (Oid, Vec<LockRecord>)>,
    /// What merging two commits comes to, as far as it is known.
    pub forecasts: HashMap<(Oid, Oid), Forecast>,
    /// In how many milliseconds something of locks changes by time alone.
    pub(super) next_change: Option<u64>,
}

/// The repository at one moment.
pub struct View<'a> {
    /// The repository.
    pub repo: &'a dyn Repository,
    /// The policy in force.
    pub loaded: &'a LoadedPolicy,
    /// Whom the news are for.
    pub audience: &'a Audience,
    /// How it is read.
    pub options: Options,
    /// The locks.
    pub locks: LockManager<'a>,
    /// The areas that have events, each with them, newest first.
    pub chains: Vec<Vec<LockRecord>>,
    /// What could not be read.
    pub notes: Vec<String>,
    /// The words of the kinds of which therefore some may be missing.
    pub unknown: Vec<&'static str>,
    heads: Option<Vec<Line>>,
}

impl<'a> View<'a> {
    pub(super) fn open(
        repo: &'a dyn Repository,
        loaded: &'a LoadedPolicy,
        world: &'a ThisMachine,
        audience: &'a Audience,
        cache: &mut Cache,
        options: Options,
    ) -> Self {
        cache.next_change = None;
        let locks = LockManager::new(repo, &loaded.plan, world);
        let (notes, unknown) = (Vec::new(), Vec::new());
        let mut view =
            Self { repo, loaded, audience, options, locks, chains: Vec::new(), notes, unknown, heads: None };
        if loaded.plan.has_area(Access::Lock) {
            view.read_locks(cache);
        }
        view
    }

    fn read_locks(&mut self, cache: &mut Cache) {
        if let Some(max_age) = self.options.refresh {
            self.locks.set_patience(BRIEFLY);
            if let Err(error) = self.locks.refresh(max_age) {
                self.notes.push(format!("locks as last known: {error}"));
            }
        }
        let areas = match self.locks.areas() {
            Ok(areas) => areas,
            Err(error) => return self.notes.push(format!("locks cannot be read: {error}")),
        };
        let mut chains = BTreeMap::new();
        for area in areas {
            let tip = match area.tip {
                Ok(Some(tip)) => tip,
                Ok(None) => continue,
                Err(error) => {
                    self.notes.push(error.to_string());
                    continue;
                }
            };
            let name = tip.record.area.clone();
            if let Some(known) = cache.chains.remove(&name).filter(|(oid, _)| *oid == tip.oid) {
                chains.insert(name, known);
                continue;
            }
            let mut records = Vec::new();
            let begin = self.options.now.saturating_sub(WINDOW);
            let walked = self.locks.log().walk(&tip, |event| {
                records.push(event.record.clone());
                records.len() >= EVENTS || event.record.event.at < begin
            });
            if let Err(error) = walked {
                // What is known of it counts all the same.
                self.notes.push(error.to_string());
                if records.is_empty() {
                    records.push(tip.record.clone());
                }
            }
            chains.insert(name, (tip.oid, records));
        }
        self.chains = chains.values().map(|(_, records)| records.clone()).collect();
        cache.chains = chains;
    }

    /// The worktrees and branches with their tips.
    ///
    /// # Errors
    /// The list of worktrees cannot be read.
    pub fn heads(&mut self) -> Result<&[Line], Error> {
        if self.heads.is_none() {
            self.heads = Some(status::heads(self.repo, &self.loaded.plan)?);
        }
        Ok(self.heads.as_deref().unwrap_or_default())
    }

    /// What an agent holds now.
    pub fn leases(&self, agent: &str) -> Vec<(String, Lease)> {
        let judge = self.locks.judge();
        let tips = self.chains.iter().filter_map(|chain| chain.first());
        let held = tips.flat_map(|tip| tip.leases.iter().map(|lease| (tip.area.clone(), lease.clone())));
        held.filter(|(_, lease)| lease.stake.agent == agent && !judge.lease(lease).is_over()).collect()
    }
}
