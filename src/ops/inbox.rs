//! What is new for whoever works here.

use super::Session;
use crate::gather::identity;
use crate::inbox::store::{Reader, SeenFile};
use crate::inbox::{Audience, Cache, Options, Reading, read};
use lane_core::error::Error;
use lane_core::facts::Unavailable;
use lane_core::identity::Actor;
use lane_core::inbox::Notice;
use lane_core::requests::record::Person;
use lane_core::rules::how_to_join;
use lane_git::Repository;

/// Who reads what: the agent that works here what concerns it, a maintainer what concerns all agents, or the one that is named.
///
/// # Errors
/// Nobody works here that anything could be told of, or claims disagree.
pub fn reader(session: &Session, option: Option<&str>) -> Result<(Reader, Audience), Error> {
    let plan = &session.loaded.plan;
    match session.actor(option)? {
        Actor::Agent(agent) => {
            let people = vec![Person::Agent(agent.clone())];
            let audience = Audience { agents: vec![agent.clone()], people, is_all: false };
            // A maintainer who looks at what an agent is told has not read it in its place.
            let is_looking = option.is_some() && matches!(session.actor(None), Ok(Actor::Maintainer));
            let reader = match is_looking {
                true => Reader::Maintainer(address(session)?, Some(agent)),
                false => Reader::Agent(agent),
            };
            Ok((reader, audience))
        }
        Actor::Maintainer => {
            let address = address(session)?;
            let agents: Vec<String> = plan.policy.agent_ids().map(str::to_owned).collect();
            let mut people: Vec<Person> = agents.iter().cloned().map(Person::Agent).collect();
            people.push(Person::Maintainer(address.clone()));
            Ok((Reader::Maintainer(address, None), Audience { agents, people, is_all: true }))
        }
        Actor::Unclear { reason, help } => Err(Unavailable::new(reason, help).into()),
        Actor::Unassigned { .. } => Err(Error::usage("no agent works here", how_to_join(plan))),
        Actor::Stranger => Err(Error::usage(
            "no agent works here",
            format!(
                "name one: --agent {} ({})",
                plan.policy.agent_ids().next().unwrap_or("a1"),
                plan.policy.agents_in_words()
            ),
        )),
    }
}

/// The address by which requests know a maintainer.
fn address(session: &Session) -> Result<String, Error> {
    let address = identity::email(&session.repo, &session.environment)?;
    Ok(address.unwrap_or_else(|| "maintainer".to_owned()))
}

/// What is new, and what is not.
pub struct Inbox {
    /// Everything that is to be told.
    pub reading: Reading,
    /// What of it was not read before.
    pub unread: Vec<Notice>,
    file: SeenFile,
    now: i64,
}

impl Inbox {
    /// Reads it. `refresh`: whether a remote with the records is asked. `cache`: what is known already.
    pub fn read(session: &Session, who: &(Reader, Audience), refresh: bool, cache: &mut Cache) -> Self {
        let now = session.environment.now;
        let options = Options { now, refresh: refresh.then_some(1_000) };
        let reading = read(&session.repo, &session.loaded, &who.1, cache, options);
        let file = SeenFile::inbox(&session.repo.layout().common_dir, &who.0);
        let unread = file.read().unread(&reading.notices);
        Self { reading, unread, file, now }
    }

    /// Notes that these were shown, after they were, and forgets what is over.
    ///
    /// # Errors
    /// It cannot be written: they will be shown again.
    pub fn mark(&self, shown: &[Notice]) -> Result<(), Error> {
        let marked = self.file.update(|seen| {
            let is_tidied = seen.tidy(&self.reading.notices, &self.reading.unknown, self.now);
            seen.add(shown, self.now);
            is_tidied || !shown.is_empty()
        });
        marked.map_err(|error| {
            Error::write(
                format!("what was shown cannot be noted: {error}"),
                "it will be shown again; check disk space and permissions of the common git folder",
            )
        })
    }
}
