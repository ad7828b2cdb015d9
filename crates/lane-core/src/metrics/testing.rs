//! Histories for the tests of what is told of them.

use super::ChangeCount;
use super::history::{HistoryCommit, Landing};
use crate::facts::{Message, Oid, RepoPath};
use crate::policy::{Plan, Source, load};

const POLICY: &str = "
version: 1
services: { paths: 'services/{service}/**' }
agents:
  a1: { name: One, services: [one, shared_one], identity: { github: [a1-bot] } }
  a2: { name: Two, services: [two], env: { GIT_AUTHOR_EMAIL: a2@agents.example.com } }
  a3: { services: [three] }
areas:
  - { name: common, paths: ['common/**'], access: lock }
branch: { pattern: 'feat/{agent}/{feature}', protected: [main] }
message: { tag: ['[{AGENT}]', 'Agent: {agent}'] }
change: { max_lines: 300 }
";

/// A policy of three agents.
pub(super) fn plan() -> Plan {
    let source = Source::new("policy.yaml", POLICY);
    load(source, false).unwrap_or_else(|error| panic!("{error:?}"))
}

/// The id of a number.
pub(super) fn oid(number: u16) -> Oid {
    let mut bytes = [0; 20];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    Oid::from_bytes(&bytes).expect("an id")
}

/// A commit made at a minute of its number.
pub(super) fn commit(number: u16, parents: &[u16], text: &str) -> HistoryCommit {
    let time = i64::from(number) * 60;
    HistoryCommit {
        oid: oid(number),
        tree: oid(number + 10_000),
        parents: parents.iter().map(|parent| oid(*parent)).collect(),
        authored: time,
        committed: time,
        author: "human@example.com".into(),
        message: Message { text: text.into() },
    }
}

/// A change of an agent, or of none with the empty word.
pub(super) fn landing_of(agent: &str) -> Landing {
    Landing {
        run: vec![0],
        brought: Vec::new(),
        before: None,
        agent: Some((agent.to_owned(), "branch")).filter(|_| !agent.is_empty()),
        pull_request: None,
        opened_at: None,
        is_merge: false,
    }
}

/// What was counted of a change of these paths.
pub(super) fn count_of(paths: &[&str]) -> ChangeCount {
    let paths: Vec<RepoPath> = paths.iter().map(|path| RepoPath(path.as_bytes().to_vec())).collect();
    ChangeCount { lines: Some((1, 1)), files: paths.len(), paths, ..ChangeCount::default() }
}
