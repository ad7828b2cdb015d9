//! Requests that a server receives: each event is held against the one before it, and against the policy.

use super::collector::Collector;
use super::push::PushLine;
use lane_core::facts::{Change, LockEvents, Oid, Unavailable};
use lane_core::requests::record::{CONTENT, Person, RequestRecord};
use lane_core::requests::step;
use lane_git::Read;

/// In whose name an event is that no agent made.
const MAINTAINER: &str = "a maintainer";

impl Collector<'_> {
    /// What a push makes of a ref of a request; `None`: it is none.
    pub(super) fn received_request(&self, line: &PushLine) -> Read<Option<Change>> {
        let name = &line.remote_ref;
        let Some(id) = self.plan.policy.locks.request_of(name) else {
            return Ok(None);
        };
        let (mut change, tip) = self.received_events(line, |reason| {
            Unavailable::new(
                format!("the push would leave {name} without a request: {reason}"),
                "leave request refs to git lane request",
            )
        })?;
        if let Some(tip) = tip {
            let id = id.rsplit('/').next().unwrap_or(id);
            change.lock_events = Some(self.request_events(id, line.remote, tip)?);
        }
        Ok(Some(change))
    }

    /// The events from `old` to `new`: whose they are, and what is wrong with them.
    fn request_events(&self, id: &str, old: Option<Oid>, new: Oid) -> Read<LockEvents> {
        let fault = |reason: String| Ok(LockEvents { agents: Vec::new(), fault: Some(reason) });
        let mut chain = Vec::new();
        let mut at = Some(new);
        while let Some(oid) = at {
            let commit = self.repo.commit(oid)?;
            let is_old = Some(oid) == old;
            match RequestRecord::parse(&commit.message, id) {
                _ if commit.parents.len() > 1 => return fault(format!("{} is a merge", oid.short())),
                Ok(record) => chain.push((record, commit.tree)),
                // What lies there may be broken already: then anything that is sound is better.
                Err(_) if is_old => {}
                Err(reason) => return fault(format!("of {}: {reason}", oid.short())),
            }
            at = commit.parents.first().copied().filter(|_| !is_old);
        }
        let mut people = Vec::new();
        let mut chain = chain.into_iter().rev();
        let mut before = if old.is_some() { chain.next() } else { None };
        for (record, tree) in chain {
            let entries = self.repo.tree(tree)?;
            let names: Vec<&[u8]> = entries.iter().map(|entry| entry.name.as_slice()).collect();
            let is_kept = before.as_ref().is_none_or(|(_, last)| *last == tree);
            let has_file =
                if record.file.is_some() { names == [CONTENT.as_bytes()] } else { names.is_empty() };
            if !is_kept || !has_file {
                return fault("its files do not match it".to_owned());
            }
            if let Err(reason) = step::check(self.plan, before.as_ref().map(|(record, _)| record), &record) {
                return fault(reason);
            }
            people.push(record.event.by.clone());
            before = Some((record, tree));
        }
        Ok(LockEvents { agents: authors(&people), fault: None })
    }
}

/// In whose names events are, each once.
pub(super) fn authors<'p>(people: impl IntoIterator<Item = &'p Person>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for person in people {
        let name = person.agent().unwrap_or(MAINTAINER);
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}
