//! `agents`.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use super::super::diagnostic::Diagnostic;
use super::super::model::{Agent, Agents, Database, Identity};
use super::super::node::{Key, Node};
use super::super::reader::{Fields, Reader};
use super::super::series::{Series, is_series};
use super::super::source::{Span, Spanned};
use super::{keys, map, required, text, texts};

/// What an agent's mapping says under a name, for messages.
struct Member<'a> {
    id: &'a str,
    name: &'a str,
}

impl Display for Member<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "agents.{}.{}", self.id, self.name)
    }
}

pub(super) fn agents(reader: &mut Reader, fields: &Fields<'_>) -> Agents {
    let Some(node) = fields.get("agents") else {
        return Agents::default();
    };
    let mut list = Listed::default();
    for (key, node) in reader.entries(node, "`agents`").unwrap_or_default() {
        if !is_series(&key.name) {
            let found = agent(reader, key.name.clone(), key.span, node);
            list.add(reader, found, key.span);
            continue;
        }
        match Series::parse(&key.name) {
            Ok(series) => read_series(reader, &mut list, &series, key, node),
            Err(why) => reader.report(
                Diagnostic::error(key.span, format!("series `{}`: {why}", key.name), "this series").help(
                    "write the first and the last number: `w{1..40}`, or `w{01..40}` for two digits each",
                ),
            ),
        }
    }
    Agents(list.agents)
}

/// The agents of a series. What is wrong with one of them is said once, not of each.
fn read_series(reader: &mut Reader, list: &mut Listed, series: &Series<'_>, key: &Key, node: &Node) {
    let before = reader.diagnostics.len();
    for number in series.numbers() {
        let so_far = reader.diagnostics.len();
        let found = agent(reader, series.name(&number), key.span, &series.member(node, &number));
        list.add(reader, found, key.span);
        if so_far > before {
            reader.diagnostics.truncate(so_far);
        }
    }
}

/// The agents that were read, each id once.
#[derive(Default)]
struct Listed {
    agents: Vec<Agent>,
    /// Where each id was listed first.
    places: BTreeMap<String, Span>,
}

impl Listed {
    fn add(&mut self, reader: &mut Reader, agent: Option<Agent>, span: Span) {
        let Some(agent) = agent else { return };
        let id = &agent.id.value;
        match self.places.get(id) {
            Some(first) => reader.report(
                Diagnostic::error(span, format!("agent `{id}` is listed twice"), "the second time")
                    .related(*first, "the first time")
                    .help("keep one of them, or leave its number out of the series"),
            ),
            None => {
                self.places.insert(id.clone(), span);
                self.agents.push(agent);
            }
        }
    }
}

fn agent(reader: &mut Reader, id: String, span: Span, node: &Node) -> Option<Agent> {
    let fields = reader.fields(node, span, format_args!("agent `{id}`"), keys::AGENT)?;
    let at = |name| Member { id: &id, name };
    Some(Agent {
        name: text(reader, &fields, "name", at("name")),
        focus: text(reader, &fields, "focus", at("focus")),
        services: texts(reader, &fields, "services", at("services"), false),
        owns: texts(reader, &fields, "owns", at("owns"), false),
        worktree: text(reader, &fields, "worktree", at("worktree")),
        branch: text(reader, &fields, "branch", at("branch")),
        ports: fields.get("ports").and_then(|node| reader.parsed(node, "port range")),
        database: fields.get("database").and_then(|node| {
            let what = format_args!("the database of agent `{id}`");
            let fields = reader.fields(node, node.span, what, keys::DATABASE)?;
            let schema = required(reader, &fields, "schema", what)?;
            Some(Database { schema })
        }),
        memory: fields.get("memory").and_then(|node| reader.parsed(node, "amount of memory")),
        env: map(reader, &fields, "env", |reader, node, what| reader.text(node, what)),
        limits: map(reader, &fields, "limits", |reader, node, what| reader.number(node, what)),
        owner: texts(reader, &fields, "owner", at("owner"), true),
        identity: fields.get("identity").and_then(|node| {
            let what = format_args!("the identity of agent `{id}`");
            let fields = reader.fields(node, node.span, what, keys::IDENTITY)?;
            Some(Identity {
                github: texts(reader, &fields, "github", "github", false),
                accounts: texts(reader, &fields, "accounts", "accounts", false),
                signing_keys: texts(reader, &fields, "signing_keys", "signing_keys", false),
            })
        }),
        id: Spanned::at(id, span),
    })
}
