//! The agents, each in numbers.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::history::{History, Landing};
use super::landed::{is_oversized, lead_times};
use super::{AgentMetrics, LandedChange, LostMerge, Period};
use crate::policy::Plan;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Days as dates of UTC.
#[derive(Debug, Default)]
pub struct Days(FxHashMap<i64, String>);

impl Days {
    /// The date of a moment: `2026-11-28`; the empty word where there is none.
    pub fn of(&mut self, time: i64) -> String {
        let day = time.div_euclid(DAY);
        let date = self.0.entry(day).or_insert_with(|| {
            let time = jiff::Timestamp::from_second(day.saturating_mul(DAY));
            time.map(|time| time.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
        });
        date.clone()
    }
}

/// The agents in the order of the policy, and at the end everybody else, where anything is theirs. `only`: of this one.
pub fn agents(
    plan: &Plan,
    history: &History,
    merged: &[(&Landing, LandedChange)],
    conflicts: &[LostMerge],
    period: Period,
    only: Option<&str>,
) -> Vec<AgentMetrics> {
    let limit = plan.policy.change.max_lines.as_ref().map(|limit| limit.value);
    let mut days = Days::default();
    let named = plan.policy.agents.0.iter().map(|agent| {
        let name = agent.name.as_ref().map(|name| name.value.clone());
        AgentMetrics { agent: Some(agent.id.value.clone()), name, ..AgentMetrics::default() }
    });
    let all = named.chain([AgentMetrics::default()]);
    let wanted = all.filter(|row| only.is_none() || row.agent.as_deref() == only);
    let filled = wanted.map(|mut row| {
        let own: Vec<&(&Landing, LandedChange)> =
            merged.iter().filter(|(_, change)| change.agent == row.agent).collect();
        let changes = || own.iter().map(|(_, change)| change);
        row.merged = own.len();
        let mut active: BTreeSet<String> = BTreeSet::new();
        for (landing, change) in &own {
            let day = days.of(change.merged_at);
            active.insert(day.clone());
            *row.merged_by_day.entry(day).or_default() += 1;
            let made = history.commits_of(landing).map(|commit| commit.authored);
            active.extend(
                made.filter(|time| period.from <= *time && *time < period.to).map(|time| days.of(time)),
            );
        }
        row.per_active_day = (!own.is_empty()).then(|| own.len() as f64 / active.len() as f64);
        row.lines = changes().filter_map(|change| change.lines).fold(0, u64::saturating_add);
        row.oversized = changes().filter(|change| is_oversized(change, limit)).count();
        row.lead_time = lead_times(changes());
        row.conflicts = match &row.agent {
            Some(agent) => conflicts.iter().filter(|conflict| conflict.agents.contains(agent)).count(),
            None => conflicts.iter().filter(|conflict| conflict.agents.is_empty()).count(),
        };
        row
    });
    filled.filter(|row| row.agent.is_some() || row.merged + row.conflicts > 0).collect()
}

/// How many changes were merged on each day.
pub fn by_day<'c>(changes: impl IntoIterator<Item = &'c LandedChange>) -> BTreeMap<String, usize> {
    let mut days = Days::default();
    let mut found = BTreeMap::new();
    for change in changes {
        *found.entry(days.of(change.merged_at)).or_default() += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::history::BaseName;
    use crate::metrics::landed::{ChangeCount, landed_change};
    use crate::metrics::testing::{commit, oid, plan};

    #[test]
    fn days_on_which_something_was_done() {
        let day = 24 * 60;
        let commits = vec![
            commit(1, &[], "first"),
            commit(day, &[1], "[A1] f"),
            commit(2 * day, &[day], "[A1] g"),
            commit(2 * day + 1, &[1, 2 * day], "Merge pull request #1 from o/feat/a1/x"),
            commit(2 * day + 2, &[2 * day + 1], "[A1] h (#2)"),
        ];
        let history = History::new(commits, oid(2 * day + 2), BaseName { branch: "main", remote: "origin" });
        let landings = history.landings(&plan());
        let count = ChangeCount { lines: Some((301, 301)), ..ChangeCount::default() };
        let merged: Vec<_> =
            landings.iter().map(|landing| (landing, landed_change(&history, landing, &count))).collect();
        let period = Period { from: 0, to: i64::MAX };
        let rows = agents(&plan(), &history, &merged, &[], period, None);
        assert_eq!(rows.iter().map(|row| row.merged).collect::<Vec<_>>(), [2, 0, 0, 1]);
        assert_eq!(rows[0].merged_by_day, BTreeMap::from([("1970-01-03".to_owned(), 2)]));
        assert_eq!((rows[0].per_active_day, rows[0].lines, rows[0].oversized), (Some(1.0), 602, 2));
        assert_eq!((rows[1].per_active_day, rows[3].agent.as_deref()), (None, None));
        assert_eq!(agents(&plan(), &history, &merged, &[], period, Some("a2")).len(), 1);
    }
}
