//! The policy as its author wrote it, with defaults filled in and every value at its place.
//!
//! The same types give `policy show` its output and `policy schema` its JSON Schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::scalar::{Memory, Ports};
use super::source::Spanned;

mod areas;
mod content;
mod custom;
mod health;
mod metadata;
mod sections;
mod services;

pub use areas::{Access, Area, MAINTAINERS, OneOrMany};
pub use content::{Builtin, ContentRule, ContentRules, Files};
pub use custom::{CustomRule, JudgedAt};
pub use health::{Check, Health, NONE, ServiceChecks};
pub use metadata::{Message, PersonRules, Presence, TagChanges, TagForms, TagRule};
pub use services::{Dependency, Depends, Services, TestCommand, TestRuns, Tests};

pub use sections::{
    Accept, Branch, Change, History, Journal, Land, Locks, Merges, Metrics, Notify, Provision, PullRequests,
    Release, Setup, Unverified, Waivers,
};

/// A whole `policy.yaml`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(title = "git-lane policy", deny_unknown_fields)]
pub struct Policy {
    /// Version of the format; 1.
    pub version: Spanned<u32>,
    /// Further files of the policy on the same base, by their paths from the root of the repository. What is shown has all that
    /// they say.
    #[serde(skip_serializing)]
    #[schemars(with = "OneOrMany")]
    pub extends: Vec<Spanned<String>>,
    /// Files of folders, such as `services/*/lane.yaml`: agents and areas whose paths begin at the folder.
    #[serde(skip_serializing)]
    #[schemars(with = "OneOrMany")]
    pub include: Vec<Spanned<String>>,
    /// Whether what the rules find is refused, or only told and noted.
    pub mode: Spanned<Mode>,
    /// The branch that changes are merged into.
    pub base: Spanned<String>,
    /// The remote whose branches count.
    pub remote: Spanned<String>,
    /// People and bots without a lane: e-mail addresses, or `github:` names.
    pub maintainers: Vec<Spanned<String>>,
    /// What somebody without an agent identity is taken for.
    pub unidentified: Unidentifieds,
    /// What a claimed identity needs.
    pub identity: Identities,
    /// Where services live.
    pub services: Services,
    /// The agents, by id. An id with a range, `w{01..40}`, stands for as many agents; `{n}` in its texts is the number of each.
    pub agents: Agents,
    /// Named sets of paths. The last area that matches a path decides.
    pub areas: Vec<Area>,
    /// What a path that no lane and no area has is.
    pub unowned: Spanned<Unowned>,
    /// How branches are named.
    pub branch: Branch,
    /// What commit messages have.
    pub message: Message,
    /// Whose name and address the authors of commits have.
    pub author: PersonRules,
    /// Whose name and address their committers have.
    pub committer: PersonRules,
    /// Who may push which tags. The last entry that a tag's name matches decides.
    pub tags: Vec<TagRule>,
    /// How large a change may be.
    pub change: Change,
    /// What files may be: their size, their paths.
    pub files: Files,
    /// What may not be written into files: `secrets`, or a list of patterns.
    pub content: ContentRules,
    /// Rules of the team's own, each a command.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub custom: Vec<CustomRule>,
    /// How history may look.
    pub history: History,
    /// What pull requests have.
    pub pull_request: PullRequests,
    /// How findings may be waived.
    pub waivers: Waivers,
    /// How locks live.
    pub locks: Locks,
    /// How `git lane land` brings a branch onto its base.
    pub land: Option<Land>,
    /// Goals of `git lane report`, and what it is made of.
    pub metrics: Metrics,
    /// The level of each rule, where it is not the rule's own.
    pub rules: Levels,
    /// What `git lane setup` writes into each worktree.
    pub setup: Setup,
    /// The harnesses of the agents, whose hooks `git lane setup` and `join` write into the worktrees: claude, codex, gemini, cursor, copilot, opencode.
    pub harness: Vec<Spanned<String>>,
    /// Steps run in each new worktree, in order.
    pub provision: Vec<Provision>,
    /// Sentences that `git lane policy test` proves, and how `git lane test` tests a service.
    pub tests: Tests,
    /// How the health of services is checked, and where their logs are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// How `git lane watch` tells what is new.
    pub notify: Notify,
}

/// What somebody without an agent identity is taken for. One word speaks of humans; an agent without a lane is refused.
#[derive(Debug, Clone)]
pub struct Unidentifieds {
    /// Somebody who is not listed under `maintainers`.
    pub human: Spanned<Unidentified>,
    /// A coding agent at work that no lane was given to.
    pub agent: Spanned<Unidentified>,
}

impl Serialize for Unidentifieds {
    /// One word, unless the policy itself has one for each of the two.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.agent.span.is_none() {
            return self.human.serialize(serializer);
        }
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("human", &self.human)?;
        map.serialize_entry("agent", &self.agent)?;
        map.end()
    }
}

impl JsonSchema for Unidentifieds {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Unidentifieds".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let word = generator.subschema_for::<Unidentified>();
        schemars::json_schema!({
            "description": "How a change without an agent identity is treated. One word applies to humans only: a coding agent without a lane is refused unless `agent` is `maintainer`.",
            "anyOf": [word, {
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "human": word,
                    "agent": word,
                },
            }],
        })
    }
    fn inline_schema() -> bool {
        true
    }
}

/// What somebody without an identity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unidentified {
    /// A maintainer.
    Maintainer,
    /// Nobody: the change is refused.
    Deny,
}

/// What a claimed identity needs.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Identities {
    /// Whether it has to be proven when it is pushed or merged.
    pub require: Spanned<Required>,
    /// Variables, besides the known ones, that say that the harness of a coding agent is at work.
    pub harness: Vec<Spanned<String>>,
}

/// How sure one has to be of an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Required {
    /// Somebody says so.
    Claimed,
    /// A signature or an account shows it.
    Proven,
}

/// What a path without an owner is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unowned {
    /// Open to all.
    Allow,
    /// Worth a warning.
    Warn,
    /// Refused.
    Deny,
}

/// The agents in the order of the file.
#[derive(Debug, Clone, Default)]
pub struct Agents(pub Vec<Agent>);

impl Serialize for Agents {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for agent in &self.0 {
            map.serialize_entry(&agent.id.value, agent)?;
        }
        map.end()
    }
}

impl JsonSchema for Agents {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Agents".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        BTreeMap::<String, Agent>::json_schema(generator)
    }
    fn inline_schema() -> bool {
        true
    }
}

/// One agent and its lane.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Agent {
    /// The key under `agents`.
    #[serde(skip)]
    #[schemars(skip)]
    pub id: Spanned<String>,
    /// The name people use.
    pub name: Option<Spanned<String>>,
    /// What the agent is there for.
    pub focus: Option<Spanned<String>>,
    /// Services of its lane.
    pub services: Vec<Spanned<String>>,
    /// Further path patterns of its lane.
    pub owns: Vec<Spanned<String>>,
    /// Its worktree, relative to the repository's main worktree.
    pub worktree: Option<Spanned<String>>,
    /// The branch its worktree starts on.
    pub branch: Option<Spanned<String>>,
    /// Its ports, inclusive, as `8080-8099`.
    pub ports: Option<Spanned<Ports>>,
    /// Its database.
    pub database: Option<Database>,
    /// The memory it may use, as `4GB`.
    pub memory: Option<Spanned<Memory>>,
    /// Its environment. Secrets by reference: `${NAME}`.
    pub env: BTreeMap<String, Spanned<String>>,
    /// Its rate limits, by name.
    pub limits: BTreeMap<String, Spanned<u64>>,
    /// What proves that it is the agent.
    pub identity: Option<Identity>,
    /// Who stands for it in CODEOWNERS: `@user`, `@org/team` or e-mail addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "OneOrMany")]
    pub owner: Vec<Spanned<String>>,
}

/// The database of an agent.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Database {
    /// The schema that is its own.
    pub schema: Spanned<String>,
}

/// Proofs of identity.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Identity {
    /// Accounts on GitHub.
    pub github: Vec<Spanned<String>>,
    /// Accounts on the git server, as its hooks are told of them.
    pub accounts: Vec<Spanned<String>>,
    /// Public SSH keys that sign its commits.
    pub signing_keys: Vec<Spanned<String>>,
}

/// Whether what the rules find is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// It is refused, each by the level of its rule.
    Enforce,
    /// It is told and noted, and nothing is refused.
    Observe,
}

/// The level of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The verdict fails.
    Error,
    /// Told as what would be refused, and passed.
    Observe,
    /// Told, and passed.
    Warn,
    /// Not looked at.
    Off,
}

impl Level {
    /// The word that the policy uses.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Observe => "observe",
            Self::Warn => "warn",
            Self::Off => "off",
        }
    }
}

/// Levels by rule id.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Levels(pub BTreeMap<String, Spanned<Level>>);

impl Policy {
    /// The agent with this id.
    pub fn agent(&self, id: &str) -> Option<&Agent> {
        self.agents.0.iter().find(|agent| agent.id.value == id)
    }

    /// All agent ids, in the order of the file.
    pub fn agent_ids(&self) -> impl Iterator<Item = &str> {
        self.agents.0.iter().map(|agent| agent.id.value.as_str())
    }

    /// `agents: a1, a2`, as far as somebody wants to read; or that there are none.
    pub fn agents_in_words(&self) -> String {
        let ids: Vec<&str> = self.agent_ids().take(12).collect();
        match self.agents.0.len().saturating_sub(ids.len()) {
            _ if ids.is_empty() => "the policy has no agents yet: add one under `agents`".to_owned(),
            0 => format!("agents: {}", ids.join(", ")),
            more => format!("agents: {} and {more} more", ids.join(", ")),
        }
    }
}

impl Agent {
    /// `a4 (Platform)`, or the id alone.
    pub fn title(&self) -> String {
        match &self.name {
            Some(name) => format!("{} ({})", self.id.value, name.value),
            None => self.id.value.clone(),
        }
    }
}
