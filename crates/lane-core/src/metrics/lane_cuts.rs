//! Lanes that are cut wrong: paths of one lane that mostly change together with another lane.
//!
//! One change is one observation. A change of very many files, or of many lanes, says nothing of which files belong
//! together (a formatter ran, a licence was added), and is left out. What is left tells of a folder or file only with some
//! changes behind it, where most of them touch the other lane, few touch the rest of its own, and where that is more
//! than the other lane's share in all changes, so that a lane which takes part in everything attracts nothing.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::{ChangeCount, LaneCut};
use crate::facts::RepoPath;
use crate::policy::{Entry, EntryOwner, Plan, PolicyLine};

/// A change of more paths says nothing.
const BULK_PATHS: usize = 50;
/// Nor does one of more lanes.
const BULK_LANES: usize = 3;
/// How many changes have to show it.
const SUPPORT: usize = 5;
/// The share of a path's changes that touch the other lane, at the least.
const TOGETHER: f64 = 0.66;
/// By how much that is more than the other lane's share in the changes that do not touch the path, at the least.
const LIFT: f64 = 0.3;
/// How many proposals are made.
const MOST: usize = 20;

/// A folder (with `/` at its end) or file, and what changed with it.
#[derive(Debug, Default)]
struct Node {
    changes: usize,
    own: usize,
    together: FxHashMap<usize, usize>,
}

#[derive(Debug, Default)]
struct Observations<'a> {
    changes: usize,
    /// By lane: changes that touch it.
    lanes: FxHashMap<usize, usize>,
    nodes: FxHashMap<(usize, &'a [u8]), Node>,
    /// Who else has paths in a folder.
    owners: FxHashMap<&'a [u8], BTreeSet<Option<usize>>>,
}

/// The paths that another lane would have with more right, those with the most changes behind them first.
pub fn lane_cuts(plan: &Plan, landed: &[&ChangeCount]) -> Vec<LaneCut> {
    let mut seen = Observations::default();
    let mut lanes: FxHashMap<&RepoPath, Option<usize>> = FxHashMap::default();
    for count in landed.iter().filter(|count| count.paths.len() <= BULK_PATHS) {
        let mut parts: FxHashMap<usize, Vec<&[u8]>> = FxHashMap::default();
        for path in &count.paths {
            let lane = *lanes.entry(path).or_insert_with(|| lane_of(plan, &path.0));
            for folder in nodes(&path.0) {
                seen.owners.entry(folder).or_default().insert(lane);
            }
            if let Some(lane) = lane {
                parts.entry(lane).or_default().push(&path.0);
            }
        }
        if !parts.is_empty() && parts.len() <= BULK_LANES {
            seen.add(&parts);
        }
    }
    let mut found = seen.cuts();
    // Of two with the same changes behind them, the narrower one says it better.
    found.sort_by_key(|cut| (Reverse(cut.together), cut.own, Reverse(cut.path.len()), cut.path));
    let mut told: Vec<Cut<'_>> = Vec::new();
    for cut in found {
        let is_nested =
            |other: &Cut<'_>| other.path.starts_with(cut.path) || cut.path.starts_with(other.path);
        let is_told = |other: &Cut<'_>| match other.lane == cut.lane {
            true => is_nested(other),
            // The same changes, seen from the other side: one of the two moves, and not both.
            false => other.lane == cut.with && other.with == cut.lane,
        };
        if !told.iter().any(is_told) {
            told.push(cut);
        }
    }
    told.truncate(MOST);
    told.iter().map(|cut| cut.told(plan)).collect()
}

/// The lane that has a path; areas are none.
/// A line of the policy in words.
fn in_words(line: &PolicyLine) -> String {
    let of = line.file.as_ref().map(|file| format!(" of {file}")).unwrap_or_default();
    format!("line {}{of}", line.line)
}

fn lane_of(plan: &Plan, path: &[u8]) -> Option<usize> {
    let agent = match plan.decide(path, false).owner {
        Some(crate::policy::Owner::Lane(agent)) => agent,
        _ => return None,
    };
    plan.policy.agents.0.iter().position(|other| other.id.value == agent.id.value)
}

/// The folders that a path lies in, and itself.
fn nodes(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    slashes.map(|(at, _)| &path[..=at]).chain([path])
}

impl<'a> Observations<'a> {
    fn add(&mut self, parts: &FxHashMap<usize, Vec<&'a [u8]>>) {
        self.changes += 1;
        for (lane, paths) in parts {
            *self.lanes.entry(*lane).or_default() += 1;
            let mut below: FxHashMap<&[u8], usize> = FxHashMap::default();
            for node in paths.iter().flat_map(|path| nodes(path)) {
                *below.entry(node).or_default() += 1;
            }
            for (path, count) in below {
                let node = self.nodes.entry((*lane, path)).or_default();
                node.changes += 1;
                node.own += usize::from(count < paths.len());
                for other in parts.keys().filter(|other| *other != lane) {
                    *node.together.entry(*other).or_default() += 1;
                }
            }
        }
    }

    fn cuts(&self) -> Vec<Cut<'a>> {
        let whole = |lane: &usize, path: &[u8]| {
            self.owners.get(path).is_some_and(|owners| owners.iter().all(|owner| *owner == Some(*lane)))
        };
        let nodes =
            self.nodes.iter().filter(|((lane, path), node)| node.changes >= SUPPORT && whole(lane, path));
        let cuts = nodes.filter_map(|((lane, path), node)| {
            let (with, together) =
                node.together.iter().max_by_key(|(lane, count)| (**count, Reverse(**lane)))?;
            let share = *together as f64 / node.changes as f64;
            let elsewhere = self.lanes.get(with).copied().unwrap_or_default() - together;
            let rest = self.changes - node.changes;
            let usual = if rest == 0 { 0.0 } else { elsewhere as f64 / rest as f64 };
            let is_cut = *together >= SUPPORT && share >= TOGETHER && share - usual >= LIFT;
            let is_cut = is_cut && node.own * 2 < *together;
            is_cut.then_some(Cut {
                path,
                lane: *lane,
                with: *with,
                changes: node.changes,
                together: *together,
                own: node.own,
            })
        });
        cuts.collect()
    }
}

#[derive(Debug)]
struct Cut<'a> {
    path: &'a [u8],
    lane: usize,
    with: usize,
    changes: usize,
    together: usize,
    own: usize,
}

impl Cut<'_> {
    fn told(&self, plan: &Plan) -> LaneCut {
        let id = |lane: usize| plan.policy.agents.0[lane].id.value.clone();
        LaneCut {
            path: RepoPath(self.path.to_vec()).to_string(),
            lane: id(self.lane),
            with: id(self.with),
            changes: self.changes,
            together: self.together,
            own: self.own,
            proposal: self.proposal(plan, &id(self.lane), &id(self.with)),
        }
    }

    /// What to change in the policy. A pattern that is nothing but this path moves as it stands; of a wider one, an area
    /// takes the path out, since areas stand above lanes.
    fn proposal(&self, plan: &Plan, lane: &str, with: &str) -> String {
        let path = RepoPath(self.path.to_vec()).to_string();
        let probe = if self.path.ends_with(b"/") { [self.path, b"x"].concat() } else { self.path.to_vec() };
        let span = plan.decide(&probe, false).span;
        let entry = plan
            .entries()
            .iter()
            .find(|entry| Some(entry.span) == span && entry.owner == EntryOwner::Lane(self.lane));
        let place = plan.line(span).map_or_else(|| "the policy".to_owned(), |line| in_words(&line));
        let line = plan.line(plan.policy.agents.0[self.with].id.span);
        let theirs = line.map_or_else(String::new, |line| format!(" ({})", in_words(&line)));
        if let Some(word) = entry.and_then(|entry| self.whole_entry(entry)) {
            let list = if entry.is_some_and(|entry| entry.is_service) { "services" } else { "owns" };
            return format!("move `{word}` from {lane} ({place}) to `{list}` of {with}{theirs}");
        }
        let name = self.path.split(|byte| *byte == b'/').rfind(|part| !part.is_empty()).unwrap_or(self.path);
        let name = String::from_utf8_lossy(name).replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        format!(
            "take {path} out of the lane of {lane} ({place}) and give it to {with}{theirs}, under `areas`: \
             {{ name: {}, paths: [\"/{path}\"], access: owner, owner: {with} }}",
            name.trim_matches('-')
        )
    }

    /// The word of the policy that stands for this path and for nothing else.
    fn whole_entry(&self, entry: &Entry) -> Option<String> {
        let text = entry.text.trim_start_matches('/');
        let folder = text.strip_suffix("**").or_else(|| text.ends_with('/').then_some(text)).unwrap_or(text);
        if folder.as_bytes() != self.path {
            return None;
        }
        let service = || folder.trim_end_matches('/').rsplit('/').next().map(str::to_owned);
        if entry.is_service { service() } else { Some(entry.text.clone()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::testing::{count_of, plan};

    fn cuts(changes: &[(&[&str], usize)]) -> Vec<LaneCut> {
        let counts: Vec<ChangeCount> =
            changes.iter().flat_map(|(paths, times)| std::iter::repeat_n(count_of(paths), *times)).collect();
        lane_cuts(&plan(), &counts.iter().collect::<Vec<_>>())
    }

    #[test]
    fn what_mostly_changes_with_another_lane() {
        let found = cuts(&[
            (&["services/one/schema/a", "services/two/b"], 6),
            (&["services/one/schema/a", "services/one/main"], 1),
            (&["services/one/main"], 10),
            (&["services/two/c"], 3),
        ]);
        assert_eq!(found.len(), 1, "{found:?}");
        let cut = &found[0];
        assert_eq!(
            (cut.path.as_str(), cut.lane.as_str(), cut.with.as_str()),
            ("services/one/schema/a", "a1", "a2")
        );
        assert_eq!((cut.changes, cut.together, cut.own), (7, 6, 1));
        assert_eq!(
            cut.proposal,
            "take services/one/schema/a out of the lane of a1 (line 5) and give it to a2 (line 6), under `areas`: \
             { name: a, paths: [\"/services/one/schema/a\"], access: owner, owner: a2 }"
        );
    }

    #[test]
    fn a_whole_service_moves_as_it_stands() {
        let found = cuts(&[
            (&["services/shared_one/a", "services/two/b"], 4),
            (&["services/shared_one/c", "services/two/b"], 4),
            (&["services/one/main"], 10),
            (&["services/three/main"], 10),
        ]);
        let told: Vec<_> = found.iter().map(|cut| (cut.path.as_str(), cut.proposal.as_str())).collect();
        let proposal = "move `shared_one` from a1 (line 5) to `services` of a2 (line 6)";
        assert_eq!(told, [("services/shared_one/", proposal)]);
    }

    #[test]
    fn too_few_too_many_and_the_usual_say_nothing() {
        assert!(
            cuts(&[(&["services/one/a", "services/two/b"], 4), (&["services/one/c"], 9)]).is_empty(),
            "too few"
        );
        let names: Vec<String> = (0..60).map(|number| format!("services/one/f{number}")).collect();
        let mut bulk: Vec<&str> = names.iter().map(String::as_str).collect();
        bulk.push("services/two/b");
        assert!(cuts(&[(&bulk, 9), (&["services/one/c"], 9)]).is_empty(), "a formatter ran");
        // a2 takes part in everything: that a path changes with it says nothing of the path.
        let usual =
            cuts(&[(&["services/one/a", "services/two/b"], 9), (&["services/three/c", "services/two/b"], 9)]);
        assert!(usual.is_empty(), "{usual:?}");
        let areas = cuts(&[(&["services/one/a", "common/b"], 9), (&["services/one/c"], 9)]);
        assert!(areas.is_empty(), "an area is not a lane");
    }
}
