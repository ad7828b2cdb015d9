//! What a policy says of changes that were merged before it was there.
//!
//! A change that names its agent, by its branch, the tags and trailers of its messages, or its author, is judged as a policy job
//! judges it. One that names none is judged as if the agent had proposed it whose lane has most of its files: of that, only what
//! its files and its size say counts, as nobody could have written the messages as the policy wants them.

pub mod text;

use std::collections::{BTreeMap, HashMap};

use schemars::JsonSchema;
use serde::Serialize;

use crate::facts::{Change, LOCK_TRAILER};
use crate::policy::Plan;
use crate::report::{Report, Verdict};
use crate::rules::{self, Need};

/// How whose a change is was found out, where it does not say so itself.
pub const BY_FILES: &str = "files";

/// How many headlines and paths of one rule are kept of a change.
const KEPT: usize = 3;
/// Rules about what is not known of the past: who was logged in, and what the branch lacked on that day.
const UNKNOWABLE: [&str; 2] = ["identity", "stale-base"];

/// What a policy, and maybe another one, says of merged changes.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(title = "git-lane policy try")]
pub struct Trial {
    /// Version of this format; 1. Keys are only ever added.
    pub schema: u32,
    /// The policy that is tried.
    pub policy: String,
    /// The one that it is compared with.
    pub old: Option<String>,
    /// The branch whose merged changes were judged.
    pub base: String,
    /// When the first and the last of them were merged, in seconds since the epoch.
    pub period: Option<(i64, i64)>,
    /// How many were judged.
    pub judged: usize,
    /// How many would be refused.
    pub refused: usize,
    /// How many would pass with warnings.
    pub warned: usize,
    /// How many could not be judged.
    pub undecided: usize,
    /// How many the other policy would have refused; null without one.
    pub old_refused: Option<usize>,
    /// Rules that refuse, the most frequent first.
    pub rules: Vec<RuleTrial>,
    /// The agents in the order of the policy, then whoever is none.
    pub agents: Vec<AgentTrial>,
    /// Every change, the newest first.
    pub changes: Vec<TriedChange>,
    /// Why there are fewer of them than were asked for.
    pub notes: Vec<String>,
}

/// What one rule would refuse.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RuleTrial {
    /// The rule's id.
    pub rule: String,
    /// How many changes it would refuse.
    pub changes: usize,
    /// How many findings they have.
    pub findings: usize,
    /// The most frequent reasons, each with its number of changes.
    pub reasons: Vec<(String, usize)>,
}

/// What one agent would be refused.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AgentTrial {
    /// The agent; null for whoever is none, or for any.
    pub agent: Option<String>,
    /// How many changes are taken for its own.
    pub changes: usize,
    /// How many would be refused.
    pub refused: usize,
    /// By rule.
    pub rules: BTreeMap<String, usize>,
}

/// One merged change.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TriedChange {
    /// The commit on the base.
    pub commit: String,
    /// Its subject.
    pub subject: String,
    /// Its pull request.
    pub pull_request: Option<u64>,
    /// When it was merged, in seconds since the epoch.
    pub merged_at: i64,
    /// The agent it is judged as; null for whoever is none, or where it is the same for any.
    pub agent: Option<String>,
    /// How that is known: branch, tag, trailer, account, e-mail; or `files`.
    pub agent_by: Option<&'static str>,
    /// Its files.
    pub files: usize,
    /// Its lines that count.
    pub lines: Option<u64>,
    /// What the policy says.
    pub verdict: Verdict,
    /// What the other one says.
    pub old_verdict: Option<Verdict>,
    /// What it finds, by rule.
    pub findings: Vec<RuleFindings>,
    /// What could not be decided.
    pub undecided: Vec<String>,
}

/// What one rule finds in one change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RuleFindings {
    /// The rule's id.
    pub rule: String,
    /// Whether it would refuse the change.
    pub refuses: bool,
    /// How many findings it has.
    pub count: usize,
    /// What they say, some of them.
    pub reasons: Vec<String>,
    /// Where, some of them.
    pub paths: Vec<String>,
}

/// The agent whose lane has most files of a change, the first of those that have as many; `None` where no lane has any.
pub fn owner_of_most(plan: &Plan, change: &Change) -> Option<String> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for file in change.files.known().into_iter().flatten() {
        for id in plan.decide(&file.path.0, file.is_folder()).owner_ids() {
            *counts.entry(id.to_owned()).or_default() += 1;
        }
    }
    let ids: Vec<&str> = plan.policy.agent_ids().collect();
    // The last of those that are alike is taken, and the first one is meant.
    let most = ids.iter().rev().max_by_key(|id| counts.get(**id).copied().unwrap_or(0));
    most.filter(|id| counts.contains_key(**id)).map(|id| (*id).to_owned())
}

/// Takes out of a report what cannot be known of the past. `is_assumed`: nothing says whose the change was.
pub fn keep_what_is_known(report: &mut Report, change: &Change, is_assumed: bool) {
    let is_of_size = |rule: &str| rules::find(rule).is_some_and(|rule| rule.needs.contains(&Need::Lines));
    // Which locks were held on that day is not known; a change that names its own is believed.
    let mut commits = change.commits.known().into_iter().flatten();
    let has_lock = commits.any(|commit| !commit.message.trailer(LOCK_TRAILER).is_empty());
    report.findings.retain(|finding| {
        let is_known =
            !(UNKNOWABLE.contains(&finding.rule.as_str()) || has_lock && finding.rule == "unlocked-path");
        is_known && (!is_assumed || finding.path.is_some() || is_of_size(&finding.rule))
    });
    report.undecided.retain(|undecided| {
        let rule = undecided.rule.as_deref();
        !rule.is_some_and(|rule| UNKNOWABLE.contains(&rule))
    });
    report.decide(report.mode);
}

/// What a report finds, by rule, and the verdict on the change.
pub fn findings(report: &Report) -> Vec<RuleFindings> {
    let mut found: Vec<RuleFindings> = Vec::new();
    for finding in &report.findings {
        let is_it =
            |known: &&mut RuleFindings| known.rule == finding.rule && known.refuses == finding.is_error();
        let at = match found.iter_mut().find(is_it) {
            Some(known) => known,
            None => {
                let (rule, refuses) = (finding.rule.clone(), finding.is_error());
                found.push(RuleFindings { rule, refuses, count: 0, reasons: Vec::new(), paths: Vec::new() });
                let last = found.len() - 1;
                &mut found[last]
            }
        };
        at.count += 1;
        if at.reasons.len() < KEPT && !at.reasons.contains(&finding.headline) {
            at.reasons.push(finding.headline.clone());
        }
        if let Some(path) = finding.path.as_ref().filter(|_| at.paths.len() < KEPT) {
            at.paths.push(path.to_string());
        }
    }
    found.sort_by_key(|rule| !rule.refuses);
    found
}

impl Trial {
    /// Sums up what was found out. `changes`: the newest first.
    pub fn new(plan: &Plan, old: Option<&Plan>, base: String, changes: Vec<TriedChange>) -> Self {
        let count = |is: &dyn Fn(&TriedChange) -> bool| changes.iter().filter(|change| is(change)).count();
        let is_warned = |change: &TriedChange| change.verdict == Verdict::Pass && !change.findings.is_empty();
        let times = changes.iter().map(|change| change.merged_at);
        Self {
            schema: 1,
            policy: plan.source.name.clone(),
            old: old.map(|old| old.source.name.clone()),
            base,
            period: times.clone().min().zip(times.max()),
            judged: changes.len(),
            refused: count(&|change| change.verdict == Verdict::Fail),
            warned: count(&is_warned),
            undecided: count(&|change| change.verdict == Verdict::Undecided),
            old_refused: old.map(|_| count(&|change| change.old_verdict == Some(Verdict::Fail))),
            rules: by_rule(&changes),
            agents: by_agent(plan, &changes),
            changes,
            notes: Vec::new(),
        }
    }

    /// The JSON Schema of it.
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(Trial).to_value()
    }
}

fn by_rule(changes: &[TriedChange]) -> Vec<RuleTrial> {
    let mut rules: BTreeMap<&str, (usize, usize, BTreeMap<&str, usize>)> = BTreeMap::new();
    for change in changes {
        for found in change.findings.iter().filter(|found| found.refuses) {
            let (times, findings, reasons) = rules.entry(&found.rule).or_default();
            *times += 1;
            *findings += found.count;
            for reason in &found.reasons {
                *reasons.entry(reason).or_default() += 1;
            }
        }
    }
    let rule = |(rule, (changes, findings, reasons)): (&str, (usize, usize, BTreeMap<&str, usize>))| {
        let mut reasons: Vec<(String, usize)> =
            reasons.into_iter().map(|(reason, count)| (reason.to_owned(), count)).collect();
        reasons.sort_by(|a, b| (b.1, &a.0).cmp(&(a.1, &b.0)));
        reasons.truncate(5);
        RuleTrial { rule: rule.to_owned(), changes, findings, reasons }
    };
    let mut rules: Vec<RuleTrial> = rules.into_iter().map(rule).collect();
    rules.sort_by(|a, b| (b.changes, &a.rule).cmp(&(a.changes, &b.rule)));
    rules
}

fn by_agent(plan: &Plan, changes: &[TriedChange]) -> Vec<AgentTrial> {
    let ids = plan.policy.agent_ids().map(|id| Some(id.to_owned())).chain([None]);
    let trial = |agent: Option<String>| {
        let own = || changes.iter().filter(|change| change.agent == agent);
        let mut rules = BTreeMap::new();
        for found in own().flat_map(|change| &change.findings).filter(|found| found.refuses) {
            *rules.entry(found.rule.clone()).or_default() += 1;
        }
        let refused = own().filter(|change| change.verdict == Verdict::Fail).count();
        AgentTrial { changes: own().count(), refused, rules, agent }
    };
    ids.map(trial).filter(|one| one.changes > 0).collect()
}

#[cfg(test)]
mod tests;
