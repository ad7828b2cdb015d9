//! What is new for whoever works here: read from locks, requests, the base and the branches of others.
//!
//! What counts as news is decided in [`lane_core::inbox`]; here is where it comes from. A source is a file and a row of
//! [`SOURCES`]: it says what is to be told now, again each time, and [`store`] keeps what was seen of it.

mod base;
mod conflicts;
mod landings;
mod locks;
mod requests;
pub mod store;
mod view;

use lane_core::error::Error;
use lane_core::inbox::{Kind, Notice, merge};
use lane_core::requests::record::Person;

use crate::machine::ThisMachine;
pub use view::{Cache, View};

use crate::gather::LoadedPolicy;
use lane_git::Repository;

/// Where news come from: a row of the table.
pub struct Source {
    /// The kinds of notices that it gives.
    pub kinds: &'static [&'static Kind],
    /// Everything that is to be told now.
    pub read: fn(&mut View<'_>, &mut Cache) -> Result<Vec<Notice>, Error>,
}

/// The sources.
pub const SOURCES: &[Source] =
    &[locks::SOURCE, requests::SOURCE, landings::SOURCE, base::SOURCE, conflicts::SOURCE];

/// Whom the news are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience {
    /// The agents that they concern.
    pub agents: Vec<String>,
    /// Those agents, and a maintainer who reads.
    pub people: Vec<Person>,
    /// Whether it is a maintainer, who reads what concerns all agents.
    pub is_all: bool,
}

/// How it is read.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Seconds since the epoch.
    pub now: i64,
    /// A remote with the records is asked, unless that was done in the last so many milliseconds. `None`: it is not asked.
    pub refresh: Option<u64>,
}

/// Everything that is to be told, seen before or not.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The notices, oldest first.
    pub notices: Vec<Notice>,
    /// What could not be read.
    pub notes: Vec<String>,
    /// The words of the kinds of which therefore some may be missing.
    pub unknown: Vec<&'static str>,
    /// In how many milliseconds something changes by time alone.
    pub next_change: Option<u64>,
}

/// Reads everything. What cannot be read is noted.
pub fn read(
    repo: &dyn Repository,
    loaded: &LoadedPolicy,
    audience: &Audience,
    cache: &mut Cache,
    options: Options,
) -> Reading {
    let world = ThisMachine::new();
    let mut view = View::open(repo, loaded, &world, audience, cache, options);
    let mut notices = Vec::new();
    for source in SOURCES {
        match (source.read)(&mut view, cache) {
            Ok(found) => notices.extend(found),
            Err(error) => {
                view.notes.push(error.to_string());
                view.unknown.extend(source.kinds.iter().map(|kind| kind.word));
            }
        }
    }
    let View { mut notes, unknown, .. } = view;
    let mut told = std::collections::BTreeSet::new();
    notes.retain(|note| told.insert(note.clone()));
    Reading { notices: merge(notices), notes, unknown, next_change: cache.next_change }
}

#[cfg(test)]
mod tests {
    use super::SOURCES;
    use lane_core::inbox::KINDS;

    #[test]
    fn each_kind_has_one_source() {
        let mut words: Vec<&str> =
            SOURCES.iter().flat_map(|source| source.kinds).map(|kind| kind.word).collect();
        let mut all: Vec<&str> = KINDS.iter().map(|kind| kind.word).collect();
        words.sort_unstable();
        all.sort_unstable();
        assert_eq!(words, all);
    }
}
