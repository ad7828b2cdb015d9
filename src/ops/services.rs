//! The services that checks and logs are about: whose they are, where their commands run, and with what.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::Session;
use crate::affected::service_folder;
use crate::ports::{self, Service};
use crate::setup;
use lane_core::affected::Unquotable;
use lane_core::agent_env::{AgentEnv, variables_of};
use lane_core::error::Error;
use lane_core::health::{Unfillable, Values};
use lane_core::policy::did_you_mean_or;
use lane_core::policy::model::{Agent, Health};
use lane_core::report::quote;
use lane_git::Repository;

/// A service, and where its commands run.
pub struct Target<'s> {
    /// The agent whose lane has it.
    pub agent: Option<&'s Agent>,
    /// What stands for the placeholders; the port is looked up where it is wanted.
    pub values: Values,
    /// The worktree of the agent, or why there is none.
    pub root: Result<PathBuf, String>,
    /// The agent's variables.
    pub environment: Option<Arc<AgentEnv>>,
    /// The worktree's name in the repository.
    worktree: Option<String>,
}

/// What of the policy is about health.
///
/// # Errors
/// Nothing is.
pub fn health_of(session: &Session) -> Result<&Health, Error> {
    session.loaded.plan.policy.health.as_ref().ok_or_else(|| {
        Error::usage(
            format!("{} does not say how the health of services is checked", session.loaded.plan.source.name),
            "add for example: `health: { check: \"http://localhost:{port}/health\", logs: \"docker compose logs --tail {lines} {service}\" }`",
        )
    })
}

/// The services of these names; without any, those of the agent that works here, or else of all agents. `lines`: how many lines
/// of logs are asked for.
///
/// # Errors
/// A name that is none, claims that disagree, or worktrees that cannot be listed.
pub fn targets<'s>(session: &'s Session, names: &[String], lines: usize) -> Result<Vec<Target<'s>>, Error> {
    let policy = &session.loaded.plan.policy;
    let here = session.found_agent(None)?;
    let of = |agent: &'s Agent| agent.services.iter().map(move |name| (Some(agent), name.value.as_str()));
    let all = || policy.agents.0.iter().flat_map(of);
    let others = || {
        let own = policy.health.iter().flat_map(|health| health.services.keys().map(String::as_str));
        own.filter(|name| !all().any(|(_, known)| known == *name)).map(|name| (None, name))
    };
    let mut wanted: Vec<(Option<&Agent>, &str)> = Vec::new();
    if names.is_empty() {
        match here.as_deref().and_then(|id| policy.agent(id)) {
            Some(agent) => wanted.extend(of(agent)),
            None => wanted.extend(all().chain(others())),
        }
    }
    for name in names {
        let known = all().chain(others()).find(|(_, known)| known == name);
        let known = known.or_else(|| is_folder(session, name).then_some((None, name.as_str())));
        let Some((agent, name)) = known else {
            let list: Vec<&str> = all().chain(others()).map(|(_, name)| name).collect();
            let rest = format!("services: {}", list.join(", "));
            let help = did_you_mean_or(name, list.iter().copied(), &rest);
            return Err(Error::usage(format!("unknown service `{name}`"), help));
        };
        if !wanted.iter().any(|(_, other)| *other == name) {
            wanted.push((agent, name));
        }
    }
    let mut places: BTreeMap<Option<&str>, Place> = BTreeMap::new();
    let mut found = Vec::new();
    for (agent, name) in wanted {
        let id = agent.map(|agent| agent.id.value.as_str());
        let place = match places.get(&id) {
            Some(place) => place.clone(),
            None => {
                let place = Place::of(session, agent, here.as_deref())?;
                places.insert(id, place.clone());
                place
            }
        };
        let template = policy.services.paths.as_ref().map_or("", |paths| paths.value.as_str());
        let values = Values {
            service: name.to_owned(),
            path: service_folder(template, name),
            port: None,
            agent: id.map(str::to_owned),
            lines,
        };
        let Place { root, environment, worktree } = place;
        found.push(Target { agent, values, root, environment, worktree });
    }
    Ok(found)
}

/// Whether a service of no lane has a folder here.
fn is_folder(session: &Session, name: &str) -> bool {
    let Some(template) = &session.loaded.plan.policy.services.paths else { return false };
    let Some(root) = &session.repo.layout().worktree else { return false };
    let folder = service_folder(&template.value, name);
    let is_name = !name.is_empty() && !name.contains(['/', '\\']) && name != "." && name != "..";
    is_name && folder.ends_with(name) && root.join(folder).is_dir()
}

/// Where an agent's commands run, and with what.
#[derive(Clone)]
struct Place {
    root: Result<PathBuf, String>,
    environment: Option<Arc<AgentEnv>>,
    worktree: Option<String>,
}

impl Place {
    fn of(session: &Session, agent: Option<&Agent>, here: Option<&str>) -> Result<Self, Error> {
        let plan = &session.loaded.plan;
        let layout = session.repo.layout();
        let own = layout.worktree.clone().ok_or_else(|| "a bare repository has no working tree".to_owned());
        let resolved =
            |agent: &Agent| variables_of(&plan.policy, agent).resolve(&|name| std::env::var(name).ok());
        let Some(agent) = agent else {
            let environment =
                here.and_then(|id| plan.policy.agent(id)).map(|agent| Arc::new(resolved(agent)));
            return Ok(Self { root: own, environment, worktree: None });
        };
        let id = agent.id.value.as_str();
        let environment = Some(Arc::new(resolved(agent)));
        if here == Some(id) {
            return Ok(Self { root: own, environment, worktree: Some(setup::worktree_name(layout)) });
        }
        let root = match setup::root_of(&session.repo, plan, id)? {
            Some(root) if root.is_dir() => Ok(root),
            Some(root) => Err(format!("the worktree of {id} is not there: {}", root.display())),
            None => Err(format!("{id} has no worktree in the policy")),
        };
        let worktree = setup::worktree_name_of(&session.repo, plan, id)?;
        Ok(Self { root, environment, worktree })
    }
}

impl Target<'_> {
    /// The name of the service.
    pub fn service(&self) -> &str {
        &self.values.service
    }

    /// What stands for the placeholders of a text, with the port where the text has it.
    ///
    /// # Errors
    /// The ports cannot be read, or none was assigned.
    pub fn values_for(&self, session: &Session, text: &str) -> Result<Values, String> {
        let mut values = self.values.clone();
        if text.contains("{port}") {
            values.port = Some(self.port(session)?);
        }
        Ok(values)
    }

    fn port(&self, session: &Session) -> Result<u16, String> {
        let name = self.service();
        let Some((agent, range)) = self.agent.and_then(|agent| Some((agent, agent.ports.as_ref()?.value)))
        else {
            return Err(format!("`{name}` has no `{{port}}`: it is of no agent with `ports`"));
        };
        let Some(worktree) = &self.worktree else {
            return Err(format!("`{name}` has no `{{port}}`: {} has no worktree", agent.id.value));
        };
        let service = Service { agent: &agent.id.value, worktree, name };
        let port = ports::assigned(&session.repo.layout().common_dir, &service, range);
        port.map_err(|error| error.to_string())?.ok_or_else(|| {
            format!(
                "no port is assigned yet; in the worktree of {}: git lane port {}",
                agent.id.value,
                quote(name.as_bytes())
            )
        })
    }

    /// What a command of this service is told beside the agent's environment.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        vec![("LANE_SERVICE", self.values.service.clone()), ("LANE_SERVICE_PATH", self.values.path.clone())]
    }

    /// A text without the agent's secrets.
    pub fn masked(&self, text: &str) -> String {
        self.environment.as_ref().map_or_else(|| text.to_owned(), |environment| environment.masked(text))
    }
}

/// Why a check or a command cannot be put together, in words. `key`: where it stands in the policy.
pub fn unfillable(why: &Unfillable, key: &str) -> String {
    match why {
        Unfillable::Missing("{path}") => {
            format!("`{{path}}` in `{key}` has no value: `services.paths` does not say where it lives")
        }
        Unfillable::Missing(name) => format!("`{name}` in `{key}` has no value"),
        Unfillable::Unset(name) => format!("`${{{name}}}` in `{key}` is not set in its environment"),
        Unfillable::Unquotable(Unquotable { placeholder, value }) => format!(
            "`{value}` cannot stand for `{placeholder}` in `{key}`: it needs quotes, and the command has it in quotes or beside a comment, a back-quote or a here-document"
        ),
    }
}
