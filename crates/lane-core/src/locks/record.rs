//! What a lock's ref points to: a chain of commits, one for each event.
//!
//! The last line of a commit's message is a record: one line of JSON with the event and everything that
//! holds after it, so that the tip alone tells who holds what. One ref speaks for a whole area, because
//! scopes inside one area can overlap: two refs could both be taken, where one compare-and-swap decides.

use serde::{Deserialize, Serialize};

use super::scope::Scope;
use super::world::{Machine, Process};
use crate::event_log;
use crate::policy::is_name;
use crate::text::is_hidden;
pub use crate::text::plain;

/// The version of the format.
const FORMAT: u32 = 1;
/// The highest generation that a record may have.
const LAST: u64 = 1 << 52;

/// An area's locks after one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockRecord {
    /// The version of this format; 1. Keys are only ever added.
    #[serde(rename = "lane-lock")]
    pub format: u32,
    /// The area.
    pub area: String,
    /// The highest generation that was ever given out. It only grows: a fencing token.
    pub generation: u64,
    /// What happened.
    pub event: LockEvent,
    /// All that are held, by rising generation. Whether one of them has ended is for the reader to judge.
    pub leases: Vec<Lease>,
    /// Who waits, first come first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub queue: Vec<Stake>,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockEvent {
    /// What happened.
    pub kind: LockEventKind,
    /// Who did it.
    pub agent: String,
    /// To which scope.
    pub scope: String,
    /// The generation it is about; 0 where there is none.
    #[serde(default)]
    pub generation: u64,
    /// When, by the wall clock of whoever did it, in seconds since the epoch.
    pub at: i64,
    /// The machine's name.
    pub host: String,
    /// The worktree it was done in.
    pub worktree: String,
    /// Why, in the words of whoever did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whose locks ended with it, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<Loser>,
    /// The commit that was pushed together with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed: Option<String>,
    /// The tip of the base when a lock was released: what lands after it was not made under that lock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
}

/// What can happen to a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LockEventKind {
    /// It is taken while it was free, or after its life had ended.
    Take,
    /// Its life starts over.
    Renew,
    /// It is released.
    Release,
    /// It is taken from a holder who still had it.
    Steal,
    /// Somebody stands in the queue.
    Wait,
    /// Somebody leaves the queue.
    Leave,
    /// Work is pushed that was done under a lock which was released since.
    Push,
}

impl LockEventKind {
    /// The word in the audit trail.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Take => "takes",
            Self::Renew => "renews",
            Self::Release => "releases",
            Self::Steal => "steals",
            Self::Wait => "waits for",
            Self::Leave => "no longer waits for",
            Self::Push => "pushes work done under",
        }
    }
}

/// A lock that ended because another was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loser {
    /// Whose it was.
    pub agent: String,
    /// What it was on.
    pub scope: String,
    /// Its generation.
    pub generation: u64,
    /// Why it ended.
    pub cause: Cause,
}

/// Why a lock ended without being released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Its life was over.
    Expired,
    /// Its holder's process was gone.
    Gone,
    /// It was stolen.
    Stolen,
    /// It was released, together with others.
    Returned,
}

impl Loser {
    /// `generation 7 of a1`, or what was claimed manually.
    pub fn words(&self) -> String {
        match self.generation {
            0 => format!("the manual claim of {}", self.agent),
            generation => format!("generation {generation} of {}", self.agent),
        }
    }
}

impl Cause {
    /// In words, after "the lock of a1".
    pub fn words(self) -> &'static str {
        match self {
            Self::Expired => "had expired",
            Self::Gone => "was left by a process that no longer runs",
            Self::Stolen => "was stolen",
            Self::Returned => "was released",
        }
    }
}

/// What somebody holds or waits for, and what shows that they still do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stake {
    /// Whose.
    pub agent: String,
    /// On what.
    pub scope: String,
    /// How long it lives after it was last renewed, in seconds.
    pub ttl: u64,
    /// New each time that it is renewed: while it stays the same, it stands still.
    pub nonce: String,
    /// When it was last renewed, by the machine's own steady clock, in milliseconds.
    pub uptime: u64,
    /// The same by its wall clock, in seconds since the epoch.
    pub at: i64,
    /// The machine.
    pub machine: Machine,
    /// The process it is held for; none: it lives by its time alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<Process>,
    /// The worktree.
    pub worktree: String,
    /// What tells apart the repositories of one machine; none: it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
}

/// A lock that is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Who holds what, and until when.
    #[serde(flatten)]
    pub stake: Stake,
    /// Its generation.
    pub generation: u64,
    /// When it was taken, in seconds since the epoch.
    pub since: i64,
    /// Why, in the holder's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whose locks ended when it was taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<Loser>,
    /// The tip of the base when it was taken: whatever landed since then stands above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// The worktree in which its holder had claimed the area by hand: removing that file gives the lock back.
    #[serde(default, rename = "by-hand", skip_serializing_if = "Option::is_none")]
    pub by_hand: Option<String>,
}

impl Stake {
    fn texts(&mut self) -> [&mut String; 4] {
        [&mut self.agent, &mut self.scope, &mut self.machine.host, &mut self.worktree]
    }

    /// What it is on. The whole area where the text is no pattern, which a record is checked for.
    pub fn scope_in(&self, area: &str) -> Scope {
        Scope::from_record(area, &self.scope).unwrap_or_else(|| Scope::of_area(area))
    }
}

impl LockRecord {
    /// The record of an area that nobody ever locked, with the event that is the first one.
    pub fn first(area: &str, event: LockEvent) -> Self {
        let area = area.to_owned();
        Self { format: FORMAT, area, generation: 0, event, leases: Vec::new(), queue: Vec::new() }
    }

    /// The record of an area whose history is lost, but for the highest generation that was given out: an
    /// empty one to go on from.
    pub fn floor(area: &str, generation: u64) -> Self {
        let event = LockEvent {
            kind: LockEventKind::Release,
            agent: String::new(),
            scope: area.to_owned(),
            generation,
            at: 0,
            host: String::new(),
            worktree: String::new(),
            reason: None,
            from: Vec::new(),
            pushed: None,
            base: None,
        };
        Self { generation, ..Self::first(area, event) }
    }

    /// The commit message: a line for people, and the record as the last line.
    ///
    /// # Errors
    /// A record that cannot be written as JSON.
    pub fn message(&self) -> Result<String, serde_json::Error> {
        let LockEvent { kind, agent, scope, reason, generation, .. } = &self.event;
        let token = if *generation > 0 { format!("@{generation}") } else { String::new() };
        let why = reason.as_ref().map(|reason| format!(": {}", plain(reason))).unwrap_or_default();
        let json = serde_json::to_string(self)?;
        Ok(format!("{agent} {} {scope}{token}{why}\n\n{json}\n", kind.verb()))
    }

    /// The raw commit that holds it: its tree is empty, so that no part of a project can be in it.
    ///
    /// # Errors
    /// A record that cannot be written as JSON.
    pub fn commit(&self, tree: &str, parent: Option<&str>) -> Result<Vec<u8>, serde_json::Error> {
        let LockEvent { agent, at, .. } = &self.event;
        Ok(event_log::commit(agent, *at, &self.message()?, tree, parent))
    }

    /// Reads a record back out of a commit message.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub fn parse(message: &str, area: Option<&str>) -> Result<Self, String> {
        let mut record: Self = event_log::parse(message, "lane-lock", FORMAT)?;
        record.make_plain();
        if let Some(area) = area.filter(|area| *area != record.area) {
            return Err(format!("it is about the area `{}`, not `{area}`", record.area));
        }
        record.check().map(|()| record)
    }

    /// Whether it can be what git-lane wrote.
    fn check(&self) -> Result<(), String> {
        // Names become parts of file names, and whoever may push can write a self.
        let stakes: Vec<&Stake> = self.leases.iter().map(|lease| &lease.stake).chain(&self.queue).collect();
        let agents = stakes.iter().map(|stake| &stake.agent);
        let mut names = agents.chain([&self.area, &self.event.agent]);
        if let Some(name) = names.find(|name| !is_name(name)) {
            return Err(format!("it is damaged: `{name}` is not a valid name"));
        }
        for stake in stakes {
            if Scope::from_record(&self.area, &stake.scope).is_none() {
                return Err(format!("it is damaged: `{}` is not a valid scope", stake.scope));
            }
        }
        let is_rising = self.leases.windows(2).all(|pair| pair[0].generation < pair[1].generation);
        let is_above = self.leases.last().is_none_or(|last| last.generation <= self.generation);
        // There has to be room for those that follow, and JSON has no larger whole numbers everywhere.
        if self.generation > LAST {
            return Err(format!("it is damaged: generation {} is out of range", self.generation));
        }
        if !is_rising || !is_above {
            return Err("it is damaged: its generations do not increase".to_owned());
        }
        Ok(())
    }

    /// Takes out of all texts what could play tricks on a terminal: whoever may push can write a record.
    fn make_plain(&mut self) {
        let LockEvent { agent, scope, host, worktree, reason, from, .. } = &mut self.event;
        let mut texts = vec![&mut self.area, agent, scope, host, worktree];
        texts.extend(reason);
        texts.extend(from.iter_mut().flat_map(|loser| [&mut loser.agent, &mut loser.scope]));
        for lease in &mut self.leases {
            texts.extend(&mut lease.reason);
            texts.extend(&mut lease.by_hand);
            texts.extend(lease.from.iter_mut().flat_map(|loser| [&mut loser.agent, &mut loser.scope]));
            texts.extend(lease.stake.texts());
        }
        texts.extend(self.queue.iter_mut().flat_map(Stake::texts));
        for text in texts.into_iter().filter(|text| text.contains(is_hidden)) {
            *text = plain(text);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
