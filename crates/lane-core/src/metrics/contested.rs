//! Files that several agents changed in turn.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::history::Landing;
use super::{ChangeCount, ContestedFile, LostMerge};
use crate::facts::RepoPath;
use crate::policy::{Owner, Plan};

/// How many are told.
const MOST: usize = 100;

#[derive(Default)]
struct Turns<'a> {
    agents: BTreeMap<&'a str, usize>,
    last: &'a str,
    alternations: usize,
}

/// The files that more than one agent's changes touched, those first in which agents took turns most often, then those
/// with conflicts. `landed`: oldest first.
pub fn contested(
    plan: &Plan,
    landed: &[(&Landing, &ChangeCount)],
    conflicts: &[LostMerge],
) -> Vec<ContestedFile> {
    let mut files: FxHashMap<&RepoPath, Turns<'_>> = FxHashMap::default();
    for (landing, count) in landed {
        let Some((agent, _)) = &landing.agent else { continue };
        for path in &count.paths {
            let turns = files.entry(path).or_default();
            *turns.agents.entry(agent).or_default() += 1;
            if !turns.last.is_empty() && turns.last != agent {
                turns.alternations += 1;
            }
            turns.last = agent;
        }
    }
    let mut in_conflict: FxHashMap<&str, usize> = FxHashMap::default();
    for path in conflicts.iter().flat_map(|conflict| &conflict.files) {
        *in_conflict.entry(path).or_default() += 1;
    }
    let several = files.into_iter().filter(|(_, turns)| turns.agents.len() > 1);
    let mut found: Vec<ContestedFile> = several
        .map(|(path, turns)| {
            let text = path.to_string();
            ContestedFile {
                conflicts: in_conflict.get(text.as_str()).copied().unwrap_or_default(),
                agents: turns.agents.into_iter().map(|(agent, count)| (agent.to_owned(), count)).collect(),
                alternations: turns.alternations,
                owner: owner(plan, &path.0),
                path: text,
            }
        })
        .collect();
    found.sort_by(|a, b| {
        let by = |file: &ContestedFile| (file.alternations, file.conflicts);
        by(b).cmp(&by(a)).then_with(|| a.path.cmp(&b.path))
    });
    found.truncate(MOST);
    found
}

/// Who has a path, in words.
fn owner(plan: &Plan, path: &[u8]) -> Option<String> {
    plan.decide(path, false).owner.map(|owner| match owner {
        Owner::Lane(agent) => format!("lane of {}", agent.id.value),
        Owner::Area(area) => format!("area {}", area.name.value),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::ConflictKind;
    use crate::metrics::testing::{count_of, landing_of, plan};

    #[test]
    fn turns_count_and_who_alone_works_there_does_not() {
        let of = |agent: &str, paths: &[&str]| (landing_of(agent), count_of(paths));
        let landed = [
            of("a1", &["common/x", "services/one/a", "services/two/b"]),
            of("a1", &["common/x", "services/one/a"]),
            of("a2", &["common/x", "services/two/b"]),
            of("", &["common/x", "services/one/a"]),
            of("a1", &["common/x"]),
        ];
        let landed: Vec<_> = landed.iter().map(|(landing, count)| (landing, count)).collect();
        let conflict = LostMerge {
            kind: ConflictKind::Merge,
            commit: None,
            at: None,
            agents: Vec::new(),
            files: vec!["services/two/b".into()],
        };
        let found = contested(&plan(), &landed, &[conflict]);
        let told: Vec<_> = found
            .iter()
            .map(|file| (file.path.as_str(), file.alternations, file.conflicts, file.owner.as_deref()))
            .collect();
        assert_eq!(
            told,
            [("common/x", 2, 0, Some("area common")), ("services/two/b", 1, 1, Some("lane of a2"))]
        );
        assert_eq!(found[0].agents, BTreeMap::from([("a1".into(), 3), ("a2".into(), 1)]));
    }
}
