//! Landings that a server receives: each event is held against the one before it, and a base may be moved by one.

use super::collector::Collector;
use super::push::PushLine;
use super::requests::authors;
use super::server_locks::value_of;
use crate::event_log::hashed;
use lane_core::facts::{Change, LockEvents, Oid, RefUpdate, Unavailable};
use lane_core::identity::of_branch;
use lane_core::landings::record::{LandingEnd, LandingRecord, LandingStep};
use lane_core::requests::record::Person;
use lane_git::Read;

/// The most bytes that a record may have.
const LARGEST: usize = 1 << 20;

impl Collector<'_> {
    /// What a push makes of the ref of a queue; `None`: it is none.
    pub(super) fn received_landing(&self, line: &PushLine, all: &[PushLine]) -> Read<Option<Change>> {
        let name = &line.remote_ref;
        if self.plan.policy.locks.landing_of(name).is_none() {
            return Ok(None);
        }
        let (mut change, tip) = self.received_events(line, |reason| {
            Unavailable::new(
                format!("the push would leave {name} without a queue of landings: {reason}"),
                "leave these refs to git lane land",
            )
        })?;
        if let Some(tip) = tip {
            let events = match self.landing_events(name, line.remote, tip)? {
                Ok(events) => self.false_landing(&events, all)?.map_or(Ok(events), Err),
                fault => fault,
            };
            change.lock_events = Some(match events {
                Ok(events) => {
                    let agents = authors(events.iter().map(|record| &record.event.by));
                    LockEvents { agents, fault: None }
                }
                Err(fault) => LockEvents { agents: Vec::new(), fault: Some(fault) },
            });
        }
        Ok(Some(change))
    }

    /// Makes the push of a base the work of the branch that lands by it, if it is a landing.
    pub(super) fn note_landing(&self, change: &mut Change, line: &PushLine, all: &[PushLine]) -> Read<()> {
        if let Some(RefUpdate::Forward) = change.update
            && let Some(landing) = self.landing(line, all)?
        {
            change.branch = Some(landing);
            change.is_landing = true;
        }
        Ok(())
    }

    /// The branch whose landing a push of a base is, by the event that comes with it: it lands on what the base is, in its turn,
    /// and the base becomes what the event says.
    fn landing(&self, line: &PushLine, all: &[PushLine]) -> Read<Option<String>> {
        let base =
            line.remote_ref.strip_prefix("refs/heads/").filter(|name| self.plan.protected(name).is_some());
        let (Some(base), Some(_)) = (base, &self.plan.policy.land) else {
            return Ok(None);
        };
        let part = hashed(self.repo, base).map_err(super::locks::unavailable)?;
        let name = format!("{}/{part}", self.plan.policy.locks.landings_prefix());
        let Some(event) = all.iter().find(|other| other.remote_ref == name) else { return Ok(None) };
        // git takes an event only on top of what the ref holds: one that was made before another's is none.
        let now = value_of(self.repo, &name)?;
        let Some(tip) = event.local.filter(|_| !self.event.is_server() || event.remote == now) else {
            return Ok(None);
        };
        let Ok(events) = self.landing_events(&name, event.remote, tip)? else { return Ok(None) };
        let Some(last) = events.last() else { return Ok(None) };
        let LandingStep::End(LandingEnd::Landed { commit, from }) = &last.event.kind else { return Ok(None) };
        let oid = |oid: Option<Oid>| oid.map(|oid| oid.to_string());
        let is_it = Some(commit) == oid(line.local).as_ref() && Some(from) == oid(line.remote).as_ref();
        if self.false_landing(&events, all)?.is_some() {
            return Ok(None);
        }
        Ok(last.results.last().filter(|_| is_it && last.base == base).map(|result| result.branch.clone()))
    }

    /// What is wrong with the landings that events tell of, by a base that does not have them, or has something else. Only a
    /// server can say: it has the base, and the branch that was asked for.
    fn false_landing(&self, events: &[LandingRecord], all: &[PushLine]) -> Read<Option<String>> {
        if !self.event.is_server() {
            return Ok(None);
        }
        for record in events {
            let LandingStep::End(LandingEnd::Landed { commit, from }) = &record.event.kind else { continue };
            let Some(result) = record.results.last() else { continue };
            let oids = [&result.head, from, commit].map(|hex| Oid::from_hex(hex));
            let [Some(head), Some(from), Some(to)] = oids else {
                return Ok(Some(format!("it names no commits for the landing of {}", result.branch)));
            };
            if let Some(fault) = self.landing_fault(&record.base, &result.branch, (head, from, to), all)? {
                return Ok(Some(fault));
            }
        }
        Ok(None)
    }

    fn landing_fault(
        &self,
        base: &str,
        branch: &str,
        (head, from, to): (Oid, Oid, Oid),
        all: &[PushLine],
    ) -> Read<Option<String>> {
        if value_of(self.repo, &format!("refs/heads/{branch}"))? != Some(head) {
            return Ok(Some(format!("{branch} is not at {}, which was asked for", head.short())));
        }
        let name = format!("refs/heads/{base}");
        let moved = all.iter().find(|line| line.remote_ref == name);
        let tip = moved.map_or_else(|| value_of(self.repo, &name), |line| Ok(line.local))?;
        let has = |tip: Oid, oid: Oid| -> Read<bool> {
            Ok(self.repo.has(oid) && self.repo.merge_base(oid, &[tip])? == Some(oid))
        };
        if !tip.map_or(Ok(false), |tip| has(tip, to))? || !has(to, from)? {
            return Ok(Some(format!("{base} would not have {}, which is said to have landed", to.short())));
        }
        if to == head {
            return Ok(None);
        }
        // Whoever lands may write the commits again, on top of what others landed, and nothing else.
        let (tree, open) = self.repo.merged(from, head)?;
        let is_it = open.is_empty() && tree == self.repo.commit(to)?.tree;
        Ok((!is_it).then(|| {
            format!(
                "{} is not {branch} on top of {base}; rebase that, push it, then land it again",
                to.short()
            )
        }))
    }

    /// The records that are new from `old` to `new`, oldest first, or what is wrong with them.
    fn landing_events(
        &self,
        name: &str,
        old: Option<Oid>,
        new: Oid,
    ) -> Read<Result<Vec<LandingRecord>, String>> {
        let mut chain = Vec::new();
        let mut at = Some(new);
        while let Some(oid) = at {
            let commit = self.repo.commit(oid)?;
            let is_old = Some(oid) == old;
            if commit.message.len() > LARGEST {
                return Ok(Err(format!("{} is too large for a record of landings", oid.short())));
            }
            if commit.parents.len() > 1 || !self.repo.tree(commit.tree)?.is_empty() {
                return Ok(Err(format!("{} contains more than an event", oid.short())));
            }
            match LandingRecord::parse(&commit.message, None) {
                Ok(record) => chain.push(record),
                // What lies there may be broken already: then anything that is sound is better.
                Err(_) if is_old => {}
                Err(reason) => return Ok(Err(format!("of {}: {reason}", oid.short()))),
            }
            at = commit.parents.first().copied().filter(|_| !is_old);
        }
        chain.reverse();
        let before = if old.is_some() && !chain.is_empty() { Some(chain.remove(0)) } else { None };
        let mut last = before.as_ref();
        for record in &chain {
            if let Err(fault) = self.check_landing(name, last, record)? {
                return Ok(Err(fault));
            }
            last = Some(record);
        }
        Ok(Ok(chain))
    }

    fn check_landing(
        &self,
        name: &str,
        before: Option<&LandingRecord>,
        record: &LandingRecord,
    ) -> Read<Result<(), String>> {
        let part = hashed(self.repo, &record.base).map_err(super::locks::unavailable)?;
        if !name.ends_with(&format!("/{part}")) {
            return Ok(Err(format!("it is about `{}`, which has another ref", record.base)));
        }
        if before.is_some_and(|before| before.base != record.base) {
            return Ok(Err("it is about another base than before".to_owned()));
        }
        if let (LandingStep::Ask { branch, .. }, Person::Agent(agent)) =
            (&record.event.kind, &record.event.by)
            && of_branch(self.plan, branch) != Some(agent.as_str())
        {
            return Ok(Err(format!("{agent} asks for `{branch}`, which is not its branch")));
        }
        if self.event.is_server() && matches!(record.event.kind, LandingStep::Ready(_)) {
            return Ok(Err("a base on a server is moved together with the record".to_owned()));
        }
        match LandingRecord::after(before, &record.base, record.event.clone(), None) {
            Ok(expected) if expected == *record => Ok(Ok(())),
            _ => Ok(Err("it does not follow from the event before it".to_owned())),
        }
    }
}
