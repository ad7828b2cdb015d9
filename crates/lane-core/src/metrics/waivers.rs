//! Waivers that merged commits asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::WaivedRule;
use super::history::{History, Landing};
use crate::text::plain;

/// How many reasons are told of each rule.
const REASONS: usize = 10;

/// The waivers that changes asked for, by rule, the most frequent first. `landings`: oldest first. One change asks for one
/// rule with one reason once, however many of its commits say so.
pub fn waivers(history: &History, landings: &[&Landing]) -> Vec<WaivedRule> {
    let mut rules: BTreeMap<String, WaivedRule> = BTreeMap::new();
    for landing in landings.iter().rev() {
        let asked = history.commits_of(landing).flat_map(|commit| commit.message.waiver_requests());
        let asked: BTreeSet<(String, String)> = asked.collect();
        let agent = landing.agent.as_ref().map_or("", |(agent, _)| agent);
        for (rule, reason) in asked {
            let rule = plain(&rule);
            let waived = rules.entry(rule.clone()).or_insert_with(|| WaivedRule {
                rule,
                count: 0,
                agents: BTreeMap::new(),
                reasons: Vec::new(),
            });
            waived.count += 1;
            *waived.agents.entry(agent.to_owned()).or_default() += 1;
            let reason = plain(&reason);
            if waived.reasons.len() < REASONS && !reason.is_empty() && !waived.reasons.contains(&reason) {
                waived.reasons.push(reason);
            }
        }
    }
    let mut found: Vec<WaivedRule> = rules.into_values().collect();
    found.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.rule.cmp(&b.rule)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::history::BaseName;
    use crate::metrics::testing::{commit, oid, plan};

    #[test]
    fn each_change_asks_once() {
        let trailer = |rule: &str| format!("f\n\nLane-Waiver-Request: {rule}");
        let commits = vec![
            commit(1, &[], &trailer("stale-base: away")),
            commit(2, &[1], &trailer("oversized-change: generated")),
            commit(3, &[2], &trailer("oversized-change: generated")),
            commit(4, &[1, 3], "Merge pull request #1 from o/feat/a1/x"),
            commit(5, &[4], &trailer("oversized-change: moved")),
        ];
        let history = History::new(commits, oid(5), BaseName { branch: "main", remote: "origin" });
        let landings = history.landings(&plan());
        let found = waivers(&history, &landings.iter().collect::<Vec<_>>());
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].rule.as_str(), found[0].count), ("oversized-change", 2));
        assert_eq!(found[0].reasons, ["moved", "generated"]);
        assert_eq!(found[0].agents, BTreeMap::from([("a1".into(), 1), (String::new(), 1)]));
    }
}
