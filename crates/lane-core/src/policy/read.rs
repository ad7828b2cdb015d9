//! From the YAML tree to a [`Policy`], with every mistake at its place.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::model::{Identities, Mode, Policy, Required, Unidentified, Unidentifieds, Unowned};
use super::node::{Node, Value};
use super::reader::{Fields, Reader};
use super::source::Spanned;
use crate::harness::HARNESSES;

mod agents;
mod areas;
mod content;
mod custom;
mod health;
mod land;
mod metadata;
mod metrics;
mod notify;
mod sections;
mod services;

use agents::agents;
use areas::areas;
use content::{content, files};
use custom::custom;
use health::health;
use land::land;
use metadata::{message, person, tags};
use metrics::metrics;
use notify::notify;
use sections::{branch, change, history, levels, locks, provision, pull_request, setup, waivers};
use services::{services, tests};

/// The keys of each section, as the reader knows them. A test holds them against the JSON Schema.
pub mod keys {
    /// The top level.
    pub const POLICY: &[&str] = &[
        "version",
        "extends",
        "include",
        "mode",
        "base",
        "remote",
        "maintainers",
        "unidentified",
        "identity",
        "services",
        "agents",
        "areas",
        "unowned",
        "branch",
        "message",
        "author",
        "committer",
        "tags",
        "change",
        "files",
        "content",
        "custom",
        "history",
        "pull_request",
        "waivers",
        "locks",
        "land",
        "metrics",
        "rules",
        "setup",
        "harness",
        "provision",
        "tests",
        "health",
        "notify",
    ];
    /// An entry of `agents`.
    pub const AGENT: &[&str] = &[
        "name", "focus", "services", "owns", "worktree", "branch", "ports", "database", "memory", "env",
        "limits", "identity", "owner",
    ];
    /// An entry of `areas`.
    pub const AREA: &[&str] =
        &["name", "paths", "access", "owner", "steward", "approve", "max_lines", "max_files"];
    /// `services`.
    pub const SERVICES: &[&str] = &["paths", "depends"];
    /// `agents.<id>.database`.
    pub const DATABASE: &[&str] = &["schema"];
    /// `identity`.
    pub const IDENTITIES: &[&str] = &["require", "harness"];
    /// `unidentified`, where it is not one word.
    pub const UNIDENTIFIED: &[&str] = &["human", "agent"];
    /// `agents.<id>.identity`.
    pub const IDENTITY: &[&str] = &["github", "accounts", "signing_keys"];
    /// `branch`.
    pub const BRANCH: &[&str] = &["pattern", "regex", "example", "protected"];
    /// `message`.
    pub const MESSAGE: &[&str] =
        &["tag", "types", "pattern", "example", "forbid", "subject_max", "body", "sign_off"];
    /// `author` and `committer`.
    pub const PERSON: &[&str] = &["email", "name"];
    /// An entry of `tags`.
    pub const TAG: &[&str] = &["pattern", "regex", "by", "form", "change"];
    /// `change`.
    pub const CHANGE: &[&str] = &["max_lines", "warn_at", "exclude"];
    /// `files`.
    pub const FILES: &[&str] = &["max_size", "max_path", "forbid", "extensions", "except"];
    /// An entry of `content`.
    pub const CONTENT: &[&str] = &["name", "pattern", "builtin", "in", "except", "message", "marker"];
    /// An entry of `custom`.
    pub const CUSTOM: &[&str] =
        &["id", "at", "when", "except", "run", "needs", "timeout", "message", "level"];
    /// `pull_request`.
    pub const PULL_REQUEST: &[&str] = &["labels"];
    /// `waivers`.
    pub const WAIVERS: &[&str] = &["accept", "max_age"];
    /// `history`.
    pub const HISTORY: &[&str] = &["merges", "max_age", "unverified", "signatures"];
    /// `locks`.
    pub const LOCKS: &[&str] = &["ttl", "min_ttl", "max_ttl", "grace", "remote", "prefix", "release"];
    /// `land`.
    pub const LAND: &[&str] = &["run", "squash", "timeout"];
    /// `metrics`.
    pub const METRICS: &[&str] = &["velocity", "conflicts", "build", "coverage", "integration", "journal"];
    /// `notify`.
    pub const NOTIFY: &[&str] = &["webhook", "exec", "desktop"];
    /// `setup`.
    pub const SETUP: &[&str] = &["instructions"];
    /// An entry of `provision`.
    pub const PROVISION: &[&str] = &["name", "run", "when"];
    /// `tests`, where it is not a list of sentences.
    pub const TESTS: &[&str] = &["run", "cwd", "timeout", "sentences"];
    /// `health`.
    pub const HEALTH: &[&str] = &["check", "expect", "reject", "logs", "follow", "timeout", "services"];
    /// An entry of `health.services`.
    pub const SERVICE_CHECKS: &[&str] = &["check", "expect", "reject", "logs", "follow", "timeout"];
}

/// Where the refs of locks lie unless the policy says otherwise.
pub const LOCK_PREFIX: &str = "refs/lane/locks";

/// Reads a whole policy. What could not be read is left at its default and reported.
pub fn policy(reader: &mut Reader, root: &Node) -> Option<Policy> {
    let fields = reader.fields(root, root.span, "the policy", keys::POLICY)?;
    version(reader, &fields);
    let base = text(reader, &fields, "base", "base").unwrap_or(Spanned::default_of("main".into()));
    let maintainers = texts(reader, &fields, "maintainers", "maintainers", false);
    let unidentified = unidentified(reader, &fields, maintainers.is_empty());
    let unowned = fields.get("unowned").and_then(|node| {
        let choices = [("allow", Unowned::Allow), ("warn", Unowned::Warn), ("deny", Unowned::Deny)];
        reader.choice(node, "choice for `unowned`", &choices)
    });
    let harness = harnesses(reader, &fields);
    Some(Policy {
        version: Spanned::default_of(1),
        extends: texts(reader, &fields, "extends", "extends", true),
        include: texts(reader, &fields, "include", "include", true),
        mode: mode(reader, &fields),
        remote: text(reader, &fields, "remote", "remote").unwrap_or(Spanned::default_of("origin".into())),
        maintainers,
        unidentified,
        identity: identities(reader, &fields),
        services: services(reader, &fields),
        agents: agents(reader, &fields),
        areas: areas(reader, &fields),
        unowned: unowned.unwrap_or(Spanned::default_of(Unowned::Allow)),
        branch: branch(reader, &fields, &base),
        message: message(reader, &fields),
        author: person(reader, &fields, "author"),
        committer: person(reader, &fields, "committer"),
        tags: tags(reader, &fields),
        change: change(reader, &fields),
        files: files(reader, &fields),
        content: content(reader, &fields),
        custom: custom(reader, &fields),
        history: history(reader, &fields),
        pull_request: pull_request(reader, &fields),
        waivers: waivers(reader, &fields),
        locks: locks(reader, &fields),
        land: land(reader, &fields),
        metrics: metrics(reader, &fields),
        rules: levels(reader, &fields),
        setup: setup(reader, &fields, &harness),
        harness,
        provision: provision(reader, &fields),
        tests: tests(reader, &fields),
        health: health(reader, &fields),
        notify: notify(reader, &fields),
        base,
    })
}

/// The harnesses by their words.
fn harnesses(reader: &mut Reader, fields: &Fields<'_>) -> Vec<Spanned<String>> {
    let choices = HARNESSES.map(|harness| (harness.id, harness.id));
    let nodes = match fields.get("harness").map(|node| (node, &node.value)) {
        Some((_, Value::List(items))) => items.iter().collect(),
        Some((node, _)) => vec![node],
        None => Vec::new(),
    };
    let words = nodes.into_iter().filter_map(|node| reader.choice(node, "harness", &choices));
    words.map(|word| Spanned { value: word.value.to_owned(), span: word.span }).collect()
}

fn unidentified(reader: &mut Reader, fields: &Fields<'_>, is_open: bool) -> Unidentifieds {
    const WORDS: &[(&str, Unidentified)] =
        &[("maintainer", Unidentified::Maintainer), ("deny", Unidentified::Deny)];
    let (mut human, mut agent) = (None, None);
    if let Some(node) = fields.get("unidentified") {
        if let Value::Map(_) = &node.value {
            let section = reader.fields(node, node.span, "`unidentified`", keys::UNIDENTIFIED);
            let mut word = |key: &str| {
                let node = section.as_ref()?.get(key)?;
                reader.choice(node, format_args!("choice for `unidentified.{key}`"), WORDS)
            };
            (human, agent) = (word("human"), word("agent"));
        } else {
            human = reader.choice(node, "choice for `unidentified`", WORDS);
        }
    }
    let usual = if is_open { Unidentified::Maintainer } else { Unidentified::Deny };
    Unidentifieds {
        human: human.unwrap_or(Spanned::default_of(usual)),
        agent: agent.unwrap_or(Spanned::default_of(Unidentified::Deny)),
    }
}

fn mode(reader: &mut Reader, fields: &Fields<'_>) -> Spanned<Mode> {
    let choices = [("enforce", Mode::Enforce), ("observe", Mode::Observe)];
    let mode = fields.get("mode").and_then(|node| reader.choice(node, "choice for `mode`", &choices));
    mode.unwrap_or(Spanned::default_of(Mode::Enforce))
}

fn version(reader: &mut Reader, fields: &Fields<'_>) {
    let Some(node) = fields.get("version") else {
        return reader.missing(fields.span, "version", "the policy");
    };
    if let Some(version) = reader.number(node, "version")
        && version.value != 1
    {
        reader.report(
            super::Diagnostic::error(node.span, format!("unknown version {}", version.value), "expected 1")
                .help("write `version: 1`, or use a newer git-lane"),
        );
    }
}

fn text(reader: &mut Reader, fields: &Fields<'_>, key: &str, what: impl Display) -> Option<Spanned<String>> {
    reader.text(fields.get(key)?, format_args!("`{what}`"))
}

fn texts(
    reader: &mut Reader,
    fields: &Fields<'_>,
    key: &str,
    what: impl Display,
    or_one: bool,
) -> Vec<Spanned<String>> {
    match fields.get(key) {
        Some(node) => reader.texts(node, format_args!("`{what}`"), or_one),
        None => Vec::new(),
    }
}

fn required(
    reader: &mut Reader,
    fields: &Fields<'_>,
    key: &str,
    what: impl Display,
) -> Option<Spanned<String>> {
    if fields.get(key).is_none() {
        reader.missing(fields.span, key, what);
    }
    text(reader, fields, key, key)
}

fn section<'a>(reader: &mut Reader, fields: &Fields<'a>, key: &str, known: &[&str]) -> Option<Fields<'a>> {
    let node = fields.get(key)?;
    reader.fields(node, node.span, format_args!("`{key}`"), known)
}

fn identities(reader: &mut Reader, fields: &Fields<'_>) -> Identities {
    let section = section(reader, fields, "identity", keys::IDENTITIES);
    let require = section.as_ref().and_then(|fields| fields.get("require")).and_then(|node| {
        let choices = [("claimed", Required::Claimed), ("proven", Required::Proven)];
        reader.choice(node, "choice for `identity.require`", &choices)
    });
    let harness = section.map(|fields| texts(reader, &fields, "harness", "identity.harness", true));
    Identities {
        require: require.unwrap_or(Spanned::default_of(Required::Claimed)),
        harness: harness.unwrap_or_default(),
    }
}

fn map<T>(
    reader: &mut Reader,
    fields: &Fields<'_>,
    key: &str,
    read: impl Fn(&mut Reader, &Node, &str) -> Option<T>,
) -> BTreeMap<String, T> {
    let Some(node) = fields.get(key) else {
        return BTreeMap::new();
    };
    let entries = reader.entries(node, format_args!("`{key}`"));
    entries
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(key, node)| Some((key.name.clone(), read(reader, node, &key.name)?)))
        .collect()
}
