//! What the policy says of services: where they live, what they depend on, how they are tested.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::super::scalar::Duration;
use super::super::source::Spanned;
use super::OneOrMany;

/// Where services live, and what they depend on.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Services {
    /// A pattern with `{service}` in it.
    pub paths: Option<Spanned<String>>,
    /// What a service or an area depends on: services and areas. Circles are allowed.
    #[serde(skip_serializing_if = "Depends::is_empty")]
    #[schemars(with = "BTreeMap<String, OneOrMany>")]
    pub depends: Depends,
}

/// What depends on what, in the order of the file.
#[derive(Debug, Clone, Default)]
pub struct Depends(pub Vec<Dependency>);

/// What one service or area depends on.
#[derive(Debug, Clone)]
pub struct Dependency {
    /// The service or area.
    pub of: Spanned<String>,
    /// What it depends on.
    pub on: Vec<Spanned<String>>,
}

impl Depends {
    /// Whether nothing is declared.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Depends {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for one in &self.0 {
            map.serialize_entry(&one.of.value, &one.on)?;
        }
        map.end()
    }
}

/// Tests: the sentences of `git lane policy test`, and how `git lane test` tests a service.
#[derive(Debug, Clone, Default)]
pub struct Tests {
    /// Sentences that `git lane policy test` proves: `a2 may not change services/x/y.py`.
    pub sentences: Vec<Spanned<String>>,
    /// How services are tested, where the policy says so.
    pub runs: Option<TestRuns>,
}

/// How services are tested.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TestRuns {
    /// The shell command that tests a service, or one for each: `{service}` is its name, `{path}` its folder.
    pub run: TestCommand,
    /// The folder that it runs in, from the worktree's root, with the same placeholders. The root, unless it is set.
    pub cwd: Option<Spanned<String>>,
    /// How long the tests of one service may take.
    pub timeout: Spanned<Duration>,
    /// Sentences that `git lane policy test` proves: `a2 may not change services/x/y.py`.
    pub sentences: Vec<Spanned<String>>,
}

/// The command that tests services.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum TestCommand {
    /// One for all of them.
    All(Spanned<String>),
    /// One for each that is named; the others have no tests.
    Each(BTreeMap<String, Spanned<String>>),
}

impl TestCommand {
    /// The command that tests a service.
    pub fn of(&self, service: &str) -> Option<&Spanned<String>> {
        match self {
            Self::All(command) => Some(command),
            Self::Each(commands) => commands.get(service),
        }
    }
}

impl Serialize for Tests {
    /// The sentences alone, unless the policy says how services are tested.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.runs {
            Some(runs) => runs.serialize(serializer),
            None => self.sentences.serialize(serializer),
        }
    }
}

impl JsonSchema for Tests {
    fn schema_name() -> Cow<'static, str> {
        "Tests".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let runs = generator.subschema_for::<TestRuns>();
        json_schema!({
            "description": "A list of sentences that `git lane policy test` proves; or a mapping that also says how `git lane test` tests a service.",
            "anyOf": [{ "type": "array", "items": { "type": "string" } }, runs],
        })
    }
    fn inline_schema() -> bool {
        true
    }
}
