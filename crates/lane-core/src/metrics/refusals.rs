//! What was refused, and what became of it, from the records of the journal.

use std::collections::BTreeMap;

use super::journal::{Entry, Kind};
use super::{Distribution, Observed, Outcome, Period, Refusal, Refusals, RuleRefusals};
use crate::facts::Event;

/// What became of one rule of one refusal.
struct Fate {
    outcome: Outcome,
    /// When a verdict did not have it any more.
    ended: Option<i64>,
    /// Whether the verdict before had it as well.
    is_repeat: bool,
}

/// The section. `entries`: all that there are, oldest first; those after the period tell what became of those in it.
pub fn summarize(entries: &[Entry], period: Period, agent: Option<&str>) -> Refusals {
    let mut found = Refusals { since: entries.first().map(|entry| entry.at), ..Refusals::default() };
    let mut threads: BTreeMap<(Option<&str>, Option<&str>), Vec<&Entry>> = BTreeMap::new();
    let verdicts = entries.iter().filter(|entry| entry.verdict != Kind::Conflict);
    for entry in verdicts.filter(|entry| agent.is_none_or(|agent| entry.agent.as_deref() == Some(agent))) {
        let key = (entry.agent.as_deref(), entry.tree.as_deref());
        threads.entry(key).or_default().push(entry);
    }
    let mut times: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    let mut rules: BTreeMap<&str, RuleRefusals> = BTreeMap::new();
    let mut verdicts = 0;
    for thread in threads.values() {
        for (at, entry) in thread.iter().enumerate() {
            if !(period.from..period.to).contains(&entry.at) {
                continue;
            }
            verdicts += 1;
            for rule in entry.warned.keys() {
                *found.warnings.entry(rule.clone()).or_default() += 1;
            }
            observe(&mut found.observed, entry, &thread[..at]);
            let fates: Vec<(&str, Fate)> =
                entry.refused.keys().map(|rule| (rule.as_str(), fate(thread, at, rule))).collect();
            for (rule, fate) in &fates {
                let one = rules.entry(rule).or_insert_with(|| nothing(rule));
                one.count += 1;
                *one.agents.entry(entry.agent.clone().unwrap_or_default()).or_default() += 1;
                *one.outcomes.entry(fate.outcome).or_default() += 1;
                if let Some(ended) = fate.ended.filter(|_| !fate.is_repeat) {
                    times.entry(rule).or_default().push(u64::try_from(ended - entry.at).unwrap_or(0));
                }
            }
            // What is the farthest from an end speaks for the whole.
            if let Some(outcome) = fates.iter().map(|(_, fate)| fate.outcome).max() {
                found.all.push(Refusal {
                    at: entry.at,
                    agent: entry.agent.clone(),
                    event: entry.event.clone(),
                    rules: entry.refused.keys().cloned().collect(),
                    outcome,
                });
            }
        }
    }
    found.verdicts = Some(verdicts);
    found.all.sort_by(|a, b| (a.at, &a.agent).cmp(&(b.at, &b.agent)));
    found.rules = rules
        .into_values()
        .map(|one| RuleRefusals {
            time_to_fix: Distribution::of(times.remove(one.rule.as_str()).into_iter().flatten()),
            ..one
        })
        .collect();
    found.rules.sort_by(|a, b| (b.count, &a.rule).cmp(&(a.count, &b.rule)));
    found
}

fn nothing(rule: &str) -> RuleRefusals {
    let (agents, outcomes) = (BTreeMap::new(), BTreeMap::new());
    RuleRefusals { rule: rule.to_owned(), count: 0, agents, outcomes, time_to_fix: None }
}

/// Whether a verdict tells what became of a refusal at this event. An edit that nothing is said of is not noted, and what it
/// was refused for shows in the commit.
fn follows(event: &str, later: &Entry) -> bool {
    let is_commit_of_edit = event == Event::Edit.name() && later.event == Event::PreCommit.name();
    later.event == event || is_commit_of_edit
}

/// Counts what a verdict has only observed. `before`: the verdicts before it.
fn observe(found: &mut BTreeMap<String, Observed>, entry: &Entry, before: &[&Entry]) {
    for rule in entry.observed.keys() {
        let one = found.entry(rule.clone()).or_default();
        one.verdicts += 1;
        if !is_still_there(before, rule) {
            one.count += 1;
            *one.agents.entry(entry.agent.clone().unwrap_or_default()).or_default() += 1;
        }
    }
}

/// Whether the last verdict of any kind has observed the same: nobody was kept from going on with it.
fn is_still_there(before: &[&Entry], rule: &str) -> bool {
    let mut seen = std::collections::BTreeSet::new();
    let mut last = before.iter().rev().filter(|entry| seen.insert(entry.event.as_str()));
    last.any(|entry| entry.observed.contains_key(rule))
}

fn fate(thread: &[&Entry], at: usize, rule: &str) -> Fate {
    let entry = thread[at];
    let before = thread[..at].iter().rev().find(|earlier| follows(&earlier.event, entry));
    let is_repeat = before.is_some_and(|earlier| earlier.refused.contains_key(rule));
    let mut outcome = Outcome::Open;
    for later in thread[at + 1..].iter().filter(|later| follows(&entry.event, later)) {
        if later.refused.contains_key(rule) {
            outcome = Outcome::Repeated;
            if is_repeat {
                break; // the first of them tells when it ended
            }
            continue;
        }
        let is_waived = later.waived.contains_key(rule);
        if outcome == Outcome::Open {
            outcome = if is_waived { Outcome::Waived } else { Outcome::Fixed };
        }
        return Fate { outcome, ended: Some(later.at), is_repeat };
    }
    Fate { outcome, ended: None, is_repeat }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(at: i64, agent: &str, event: &str, refused: &[&str], waived: &[&str]) -> Entry {
        let rules = |rules: &[&str]| rules.iter().map(|rule| ((*rule).to_owned(), 1)).collect();
        Entry {
            at,
            event: event.into(),
            verdict: if refused.is_empty() { Kind::Pass } else { Kind::Fail },
            agent: Some(agent.into()),
            tree: None,
            refused: rules(refused),
            warned: BTreeMap::new(),
            observed: BTreeMap::new(),
            waived: rules(waived),
            files: Vec::new(),
        }
    }

    #[test]
    fn what_is_observed_again_and_again_is_one_thing() {
        let observed = |at: i64, event: &str, rules: &[&str]| Entry {
            observed: rules.iter().map(|rule| ((*rule).to_owned(), 1)).collect(),
            ..verdict(at, "a1", event, &[], &[])
        };
        let entries = [
            observed(1, "pre-commit", &["foreign-path"]),
            observed(2, "commit-msg", &[]),
            observed(3, "pre-commit", &["foreign-path", "oversized-change"]),
            observed(4, "pre-push", &["foreign-path"]),
            observed(5, "pre-commit", &[]),
            observed(6, "pre-push", &[]),
            observed(7, "pre-commit", &["foreign-path"]),
        ];
        let found = summarize(&entries, Period { from: 0, to: 1_000 }, None).observed;
        let counts = |rule: &str| (found[rule].count, found[rule].verdicts);
        assert_eq!((counts("foreign-path"), counts("oversized-change")), ((2, 4), (1, 1)));
    }

    fn outcomes(entries: &[Entry]) -> Vec<(i64, Outcome)> {
        let found = summarize(entries, Period { from: 0, to: 1_000 }, None);
        found.all.iter().map(|one| (one.at, one.outcome)).collect()
    }

    #[test]
    fn what_became_of_a_refusal() {
        let all = [
            verdict(10, "a1", "pre-commit", &["foreign-path"], &[]),
            verdict(20, "a1", "pre-commit", &["foreign-path", "unlocked-path"], &[]),
            verdict(25, "a2", "pre-commit", &[], &[]),
            verdict(30, "a1", "commit-msg", &[], &[]),
            verdict(50, "a1", "pre-commit", &["unlocked-path"], &[]),
            verdict(70, "a1", "pre-commit", &[], &["unlocked-path"]),
            verdict(80, "a2", "pre-push", &["stale-base"], &[]),
        ];
        let expected =
            [(10, Outcome::Repeated), (20, Outcome::Repeated), (50, Outcome::Waived), (80, Outcome::Open)];
        assert_eq!(outcomes(&all), expected);
        let found = summarize(&all, Period { from: 0, to: 1_000 }, None);
        let rule = &found.rules[0];
        assert_eq!((rule.rule.as_str(), rule.count, rule.agents["a1"]), ("foreign-path", 2, 2));
        assert_eq!((rule.outcomes[&Outcome::Fixed], rule.outcomes[&Outcome::Repeated]), (1, 1));
        // Counted once, from the first of the two.
        let times = rule.time_to_fix.map(|times| (times.count, times.max));
        assert_eq!((times, found.verdicts, found.since), (Some((1, 40)), Some(7), Some(10)));
        let own = summarize(&all, Period { from: 15, to: 1_000 }, Some("a1"));
        assert_eq!((own.verdicts, own.all.len()), (Some(4), 2));
    }

    #[test]
    fn an_edit_is_fixed_by_the_commit_that_passes() {
        let edit = verdict(10, "a1", "edit", &["foreign-path"], &[]);
        let commit = verdict(90, "a1", "pre-commit", &[], &[]);
        assert_eq!(outcomes(&[edit.clone(), commit.clone()]), [(10, Outcome::Fixed)]);
        assert_eq!(outcomes(&[edit, verdict(90, "a1", "commit-msg", &[], &[])]), [(10, Outcome::Open)]);
    }
}
