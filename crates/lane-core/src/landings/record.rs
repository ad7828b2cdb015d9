//! What the ref of a base's queue points to: a chain of commits, one for each event. The last line of a commit's message is
//! one line of JSON with the event and everything that holds after it.

use serde::{Deserialize, Serialize};

use crate::event_log;
use crate::locks::record::Stake;
use crate::policy::is_name;
use crate::requests::record::Person;
use crate::text::plain;

/// The version of the format.
pub const FORMAT: u32 = 1;
/// How many results a record has; older ones are further down the chain.
pub const RESULTS: usize = 50;
/// The highest generation that a record may have.
const LAST: u64 = 1 << 52;

/// The queue of one base after one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LandingRecord {
    /// The version of the format; 1. Keys are only ever added.
    #[serde(rename = "lane-landing")]
    pub format: u32,
    /// The base branch, by its short name.
    pub base: String,
    /// How often landing was begun, by anybody: whoever has an older number may not go on.
    pub generation: u64,
    /// The number of the last landing that was asked for.
    pub last: u64,
    /// What happened.
    pub event: LandingEvent,
    /// What waits, first come first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub queue: Vec<Landing>,
    /// Who is at work on the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lander: Option<Lander>,
    /// What became of the last ones, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<LandingResult>,
}

/// A branch that is to land.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Landing {
    /// Its number; rises.
    pub id: u64,
    /// The branch, by its short name.
    pub branch: String,
    /// Its tip when it was asked for: nothing else lands.
    pub head: String,
    /// Who asked.
    pub by: Person,
    /// When, in seconds since the epoch.
    pub asked: i64,
    /// How often it could not be decided.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failures: u32,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Who is at work on the first of the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lander {
    /// Which landing.
    pub id: u64,
    /// Who, where, and what shows that they still are.
    pub stake: Stake,
    /// What the base is about to be moved to, where that and the record are moved one after the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

/// What became of a landing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LandingResult {
    /// Its number.
    pub id: u64,
    /// The branch.
    pub branch: String,
    /// Its tip.
    pub head: String,
    /// Who asked.
    pub by: Person,
    /// When it ended, in seconds since the epoch.
    pub at: i64,
    /// How.
    pub end: LandingEnd,
}

/// How a landing ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LandingEnd {
    /// It is on the base.
    Landed {
        /// The base's new tip.
        commit: String,
        /// The base's tip before.
        from: String,
    },
    /// The base had all of it already.
    Present,
    /// It may not land as it is.
    Refused(Reason),
    /// Whether it may could not be decided.
    Failed(Reason),
    /// Whoever asked took it back.
    Withdrawn,
}

/// Why something did not land.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// One sentence.
    pub reason: String,
    /// What to do next, a line for each step.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub help: String,
    /// The end of what a command wrote, or the findings.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output: String,
}

impl Reason {
    /// A sentence, and what to do next.
    pub fn new(reason: impl Into<String>, help: impl Into<String>) -> Self {
        Self { reason: reason.into(), help: help.into(), output: String::new() }
    }

    /// The same with what a command wrote, or the findings.
    #[must_use]
    pub fn output(self, output: impl Into<String>) -> Self {
        Self { output: output.into(), ..self }
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LandingEvent {
    /// What happened.
    pub kind: LandingStep,
    /// Who did it.
    pub by: Person,
    /// When, by the wall clock of whoever did it, in seconds since the epoch.
    pub at: i64,
    /// The machine's name.
    pub host: String,
    /// The worktree it was done in.
    pub worktree: String,
    /// What nobody else has: two who do the same at the same moment write two commits, and one of them counts.
    pub nonce: String,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LandingStep {
    /// A branch is to land: at the end of the queue, or in its place there with another tip.
    Ask {
        /// The branch.
        branch: String,
        /// Its tip.
        head: String,
    },
    /// A landing is taken back.
    Withdraw(u64),
    /// Somebody begins with the first one, or goes on for one who is gone.
    Begin(Stake),
    /// They still are at it.
    Renew(Stake),
    /// The base is about to be moved to this commit.
    Ready(String),
    /// The first one ended so.
    End(LandingEnd),
    /// The lander stops; the first one waits on.
    Stop(Reason),
}

impl LandingStep {
    /// The word for it in the log.
    fn verb(&self) -> &'static str {
        match self {
            Self::Ask { .. } => "asks to land",
            Self::Withdraw(_) => "withdraws",
            Self::Begin(_) => "begins to land",
            Self::Renew(_) => "still lands",
            Self::Ready(_) => "is about to land",
            Self::End(LandingEnd::Landed { .. }) => "lands",
            Self::End(LandingEnd::Present) => "finds on the base",
            Self::End(_) => "does not land",
            Self::Stop(_) => "stops landing",
        }
    }
}

impl LandingRecord {
    /// The branch that the last event is about.
    pub fn subject(&self) -> &str {
        let result = || self.results.last().map(|result| result.branch.as_str());
        match &self.event.kind {
            LandingStep::Ask { branch, .. } => branch,
            LandingStep::Withdraw(_) | LandingStep::End(_) => result().unwrap_or_default(),
            _ => self.queue.first().map(|first| first.branch.as_str()).unwrap_or_default(),
        }
    }

    /// What became of a landing, if it has ended and the record still has it.
    pub fn result(&self, id: u64) -> Option<&LandingResult> {
        self.results.iter().rev().find(|result| result.id == id)
    }

    /// How many come before a landing that waits.
    pub fn ahead(&self, id: u64) -> Option<usize> {
        self.queue.iter().position(|landing| landing.id == id)
    }

    /// The commit message: a line for people, and the record as the last line.
    ///
    /// # Errors
    /// A record that cannot be written as JSON.
    pub fn message(&self) -> Result<String, serde_json::Error> {
        let LandingEvent { kind, by, .. } = &self.event;
        let json = serde_json::to_string(self)?;
        let (who, subject, base) = (plain(by.name()), plain(self.subject()), plain(&self.base));
        Ok(format!("{who} {} {subject} on {base}\n\n{json}\n", kind.verb()))
    }

    /// The raw commit that holds it.
    ///
    /// # Errors
    /// A record that cannot be written as JSON.
    pub fn commit(&self, tree: &str, parent: Option<&str>) -> Result<Vec<u8>, serde_json::Error> {
        let who = self.event.by.agent().unwrap_or("maintainer");
        Ok(event_log::commit(who, self.event.at, &self.message()?, tree, parent))
    }

    /// Reads a record back out of a commit message. `base`: the branch it has to be about, where that is known.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub fn parse(message: &str, base: Option<&str>) -> Result<Self, String> {
        let mut record: Self = event_log::parse(message, "lane-landing", FORMAT)?;
        if let Some(base) = base.filter(|base| *base != record.base) {
            return Err(format!("it is about `{}`, not `{}`", plain(&record.base), plain(base)));
        }
        record.make_plain();
        let people = record.queue.iter().map(|landing| &landing.by);
        let people = people.chain(record.results.iter().map(|result| &result.by)).chain([&record.event.by]);
        if let Some(name) = people.filter_map(Person::agent).find(|name| !is_name(name)) {
            return Err(format!("it is damaged: `{name}` is not a valid name"));
        }
        if record.generation > LAST || record.last > LAST {
            return Err("it is damaged: its numbers are too high".to_owned());
        }
        let first = record.queue.first().map(|landing| landing.id);
        if record.lander.as_ref().is_some_and(|lander| Some(lander.id) != first) {
            return Err("it is damaged: its lander is not at the first of the queue".to_owned());
        }
        Ok(record)
    }

    /// Takes out of all texts what could play tricks on a terminal: whoever may push can write a record.
    fn make_plain(&mut self) {
        let person = |by: &mut Person| match by {
            Person::Agent(name) | Person::Maintainer(name) => *name = plain(name),
        };
        let LandingEvent { by, host, worktree, nonce, .. } = &mut self.event;
        person(by);
        for text in [host, worktree, nonce, &mut self.base] {
            *text = plain(text);
        }
        for landing in &mut self.queue {
            person(&mut landing.by);
            landing.branch = plain(&landing.branch);
            landing.head = plain(&landing.head);
        }
        for result in &mut self.results {
            person(&mut result.by);
            result.branch = plain(&result.branch);
            if let LandingEnd::Refused(why) | LandingEnd::Failed(why) = &mut result.end {
                why.reason = plain(&why.reason);
            }
        }
        if let Some(lander) = &mut self.lander {
            let Stake { agent, worktree, machine, .. } = &mut lander.stake;
            for text in [agent, worktree, &mut machine.host] {
                *text = plain(text);
            }
        }
    }
}
