//! The environment of an agent: what the policy says of it, as variables.
//!
//! Secrets stand in the policy as references, `${NAME}`, and are resolved when a command asks, from the
//! environment of whoever asks; no file of ours ever holds one.

mod database;
mod forms;
mod order;
mod reference;

pub use database::without_password;
pub use forms::{as_dotenv, as_file, as_json, as_sh};
pub use order::cycle;
pub use reference::{Part, is_variable, parts, references};

use crate::policy::model::{Agent, Policy};

/// Variables that every agent has or may have; those of one agent never hold for another.
pub const OWN: [&str; 8] = [
    "AGENT_ID",
    "AGENT_NAME",
    "AGENT_SERVICES",
    "PORT_OFFSET",
    "PORT_RANGE",
    "DB_SCHEMA",
    "AGENT_MEMORY",
    "AGENT_MEMORY_BYTES",
];

/// The variable with the address of the database.
pub const DATABASE_URL: &str = "DATABASE_URL";

/// A variable before its references are resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value, with `${NAME}` where another variable's is meant.
    pub value: String,
    /// Whether a reference in it is one; what stands in a name or a service is meant as it is written.
    pub is_template: bool,
}

/// Everything that an agent's environment consists of, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variables {
    /// The variables.
    pub list: Vec<Variable>,
    /// The schema that `DATABASE_URL` is to look into, where the agent has one.
    pub schema: Option<String>,
    /// Variables of other agents that this one has not: they are not to reach it.
    pub foreign: Vec<String>,
}

/// An environment with nothing left open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentEnv {
    /// Names and values, in order.
    pub set: Vec<(String, String)>,
    /// Variables that cannot be had, and the unset ones that they refer to.
    pub missing: Vec<(String, Vec<String>)>,
    /// What came by reference and is not to be shown, the longest first.
    pub secrets: Vec<String>,
    /// Variables of other agents, which are to be taken away.
    pub foreign: Vec<String>,
    /// Whether `DATABASE_URL` is none that a search path can be put into.
    pub is_odd_address: bool,
}

/// Variables that everybody has, and that hold no secret.
const PUBLIC: [&str; 9] = ["HOME", "USER", "LOGNAME", "PATH", "PWD", "SHELL", "TERM", "TMPDIR", "LANG"];
/// Shorter values stand in many words, and keep no secret anyway.
const SHORTEST: usize = 4;

/// The variables of an agent, and those of all others that are not to reach it. What it refers to itself, what
/// everybody has, and the address of its database stay.
pub fn variables_of(policy: &Policy, agent: &Agent) -> Variables {
    let mut variables = of(agent);
    let others = policy.agents.0.iter().filter(|other| other.id.value != agent.id.value);
    let names = others.flat_map(|other| {
        other.env.keys().cloned().chain(other.limits.keys().map(|limit| limit_name(limit)))
    });
    let mut foreign: Vec<String> = names
        .filter(|name| {
            let is_needed = variables
                .list
                .iter()
                .any(|variable| variable.name == *name || variable.parts().contains(&Part::Reference(name)));
            let is_address = name == DATABASE_URL && variables.schema.is_some();
            !is_needed && !is_address && !PUBLIC.contains(&name.as_str())
        })
        .collect();
    foreign.sort();
    foreign.dedup();
    variables.foreign = foreign;
    variables
}

/// The variables of an agent, each after those that it refers to.
pub fn of(agent: &Agent) -> Variables {
    let mut list = Vec::new();
    let mut add = |name: &str, value: String| {
        list.push(Variable { name: name.to_owned(), value, is_template: false });
    };
    let id = &agent.id.value;
    add("AGENT_ID", id.clone());
    add("AGENT_NAME", agent.name.as_ref().map_or_else(|| id.clone(), |name| name.value.clone()));
    let services: Vec<&str> = agent.services.iter().map(|service| service.value.as_str()).collect();
    add("AGENT_SERVICES", services.join(","));
    if let Some(ports) = &agent.ports {
        add("PORT_OFFSET", ports.value.first.to_string());
        add("PORT_RANGE", ports.value.to_string());
    }
    let schema = agent.database.as_ref().map(|database| database.schema.value.clone());
    if let Some(schema) = &schema {
        add("DB_SCHEMA", schema.clone());
    }
    if let Some(memory) = &agent.memory {
        add("AGENT_MEMORY", memory.value.text.clone());
        add("AGENT_MEMORY_BYTES", memory.value.bytes.to_string());
    }
    for (name, limit) in &agent.limits {
        add(&limit_name(name), limit.value.to_string());
    }
    for name in order::ordered(&agent.env) {
        let value = agent.env[name].value.clone();
        list.push(Variable { name: name.to_owned(), value, is_template: true });
    }
    Variables { list, schema, foreign: Vec::new() }
}

/// `openai_tpm` is `LIMIT_OPENAI_TPM`.
pub fn limit_name(limit: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("LIMIT_{}", limit.chars().map(letter).collect::<String>())
}

impl Variables {
    /// Whether a name in a variable means another of the agent's own, which somebody else's never stands in for.
    fn is_own(&self, name: &str, of: &Variable) -> bool {
        OWN.contains(&name) || name != of.name && self.list.iter().any(|variable| variable.name == name)
    }

    /// What a variable needs and may not get: the names that are not set by the policy alone.
    fn needs<'v>(&self, variable: &'v Variable) -> Vec<&'v str> {
        let is_sure = |name: &str| self.list.iter().any(|known| known.name == name && !known.is_template);
        let mut names = Vec::new();
        for part in variable.parts() {
            if let Part::Reference(name) = part
                && !is_sure(name)
                && !names.contains(&name)
            {
                names.push(name);
            }
        }
        names
    }

    /// Resolves references, in the variables before and then by `outside`, the environment of whoever asks.
    pub fn resolve(&self, outside: &dyn Fn(&str) -> Option<String>) -> AgentEnv {
        let mut resolved = AgentEnv { foreign: self.foreign.clone(), ..AgentEnv::default() };
        for variable in &self.list {
            let mut value = String::new();
            let mut unset = Vec::new();
            for part in variable.parts() {
                match part {
                    Part::Text(text) => value.push_str(text),
                    Part::Reference(name) if self.is_own(name, variable) => match resolved.get(name) {
                        Some(own) => value.push_str(&own),
                        None => unset.push(name.to_owned()),
                    },
                    Part::Reference(name) => match outside(name) {
                        Some(found) => {
                            value.push_str(&found);
                            if !PUBLIC.contains(&name) {
                                resolved.secrets.push(found);
                            }
                        }
                        None => unset.push(name.to_owned()),
                    },
                }
            }
            if unset.is_empty() {
                resolved.set.push((variable.name.clone(), value));
            } else {
                resolved.missing.push((variable.name.clone(), unset));
            }
        }
        if let Some(schema) = &self.schema
            && !resolved.missing.iter().any(|(name, _)| name == DATABASE_URL)
            && let Some(url) = resolved.get(DATABASE_URL).or_else(|| outside(DATABASE_URL))
            && !url.is_empty()
        {
            let with = database::with_search_path(&url, schema);
            resolved.is_odd_address = with.is_none();
            let url = with.unwrap_or(url);
            resolved.set.retain(|(name, _)| name != DATABASE_URL);
            resolved.set.push((DATABASE_URL.to_owned(), url));
        }
        let address = resolved.get(DATABASE_URL).or_else(|| outside(DATABASE_URL));
        let passwords = address.map(|address| database::passwords(&address)).unwrap_or_default();
        resolved.secrets.extend(passwords);
        resolved.secrets.retain(|secret| secret.len() >= SHORTEST);
        resolved.secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        resolved
    }
}

impl Variable {
    fn parts(&self) -> Vec<Part<'_>> {
        if self.is_template { parts(&self.value) } else { vec![Part::Text(&self.value)] }
    }
}

impl AgentEnv {
    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<String> {
        self.set.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    /// A text with every secret in it taken out.
    pub fn masked(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }

    /// What cannot be had, for people; one line each.
    pub fn complaints(&self) -> Vec<String> {
        let line = |(name, unset): &(String, Vec<String>)| {
            let is = if unset.len() == 1 { "is" } else { "are" };
            format!("{name} is left out: {} {is} not set here", unset.join(" and "))
        };
        let odd = self.is_odd_address.then(|| {
            format!(
                "{DATABASE_URL} says nothing of the agent's schema: write it as `postgresql://…` or as `host=… dbname=…`"
            )
        });
        self.missing.iter().map(line).chain(odd).collect()
    }

    /// The variables that have to be taken away from what a process inherits.
    pub fn unset(&self) -> Vec<&str> {
        let missing = self.missing.iter().map(|(name, _)| name.as_str());
        let own = OWN.into_iter().filter(|name| !self.set.iter().any(|(known, _)| known == name));
        own.chain(missing).chain(self.foreign.iter().map(String::as_str)).collect()
    }
}

#[cfg(test)]
mod tests;
