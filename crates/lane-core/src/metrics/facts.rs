//! The report taken apart: one number each, with what it is about.

use std::collections::BTreeMap;

use super::landed::lead_time;
use super::lock_times::seconds_in;
use super::{ConflictKind, Distribution, GoalState, LostMerge, Metrics};

/// One number of the report.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// The section.
    pub section: &'static str,
    /// What is measured.
    pub metric: &'static str,
    /// The agent; none for a sum over all, the empty word for what belongs to none of them.
    pub agent: Option<String>,
    /// What else it is about: an area, a rule, a path, a commit.
    pub key: String,
    /// The number.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// When, where it is about a moment.
    pub at: Option<i64>,
}

/// What facts are collected in.
struct Facts(Vec<Fact>);

impl Facts {
    fn add(
        &mut self,
        section: &'static str,
        metric: &'static str,
        key: &str,
        value: f64,
        unit: &'static str,
    ) -> &mut Fact {
        let (agent, key, at) = (None, key.to_owned(), None);
        self.0.push(Fact { section, metric, agent, key, value, unit, at });
        let last = self.0.len() - 1;
        &mut self.0[last]
    }

    fn spread(&mut self, section: &'static str, key: &str, spread: Option<Distribution>, unit: &'static str) {
        let Some(spread) = spread else { return };
        self.add(section, "count", key, spread.count as f64, "");
        for (metric, value) in [
            ("sum", spread.sum),
            ("min", spread.min),
            ("median", spread.median),
            ("p90", spread.p90),
            ("max", spread.max),
        ] {
            self.add(section, metric, key, value as f64, unit);
        }
    }

    fn by_agent(
        &mut self,
        section: &'static str,
        metric: &'static str,
        key: &str,
        agents: &BTreeMap<String, usize>,
    ) {
        for (agent, count) in agents {
            self.add(section, metric, key, *count as f64, "").agent = Some(agent.clone());
        }
    }
}

/// All numbers of a report, section by section.
pub fn facts(metrics: &Metrics) -> Vec<Fact> {
    let mut facts = Facts(Vec::new());
    goals(&mut facts, metrics);
    agents(&mut facts, metrics);
    changes(&mut facts, metrics);
    locks(&mut facts, metrics);
    verdicts(&mut facts, metrics);
    paths(&mut facts, metrics);
    checks(&mut facts, metrics);
    facts.0
}

fn goals(facts: &mut Facts, metrics: &Metrics) {
    for goal in &metrics.goals {
        if let Some(measured) = goal.measured {
            facts.add("goals", "measured", goal.name, measured, "");
            facts.add("goals", "met", goal.name, f64::from(goal.state == GoalState::Met), "");
        }
    }
}

fn agents(facts: &mut Facts, metrics: &Metrics) {
    for row in &metrics.agents {
        let numbers = [
            ("merged", row.merged as f64, ""),
            ("lines", row.lines as f64, "lines"),
            ("oversized", row.oversized as f64, ""),
            ("conflicts", row.conflicts as f64, ""),
            ("locks_held", row.locks_held as f64, "seconds"),
            ("locks_waited", row.locks_waited as f64, "seconds"),
            ("refusals", row.refusals as f64, ""),
            ("requests", row.requests as f64, ""),
        ];
        let optional = [
            ("per_active_day", row.per_active_day, ""),
            ("lead_time_median", row.lead_time.map(|time| time.median as f64), "seconds"),
        ];
        let optional = optional.into_iter().filter_map(|(metric, value, unit)| Some((metric, value?, unit)));
        for (metric, value, unit) in numbers.into_iter().chain(optional) {
            facts.add("agents", metric, "", value, unit).agent = Some(row.agent.clone().unwrap_or_default());
        }
        for (day, count) in &row.merged_by_day {
            let fact = facts.add("agents", "merged_by_day", day, *count as f64, "");
            fact.agent = Some(row.agent.clone().unwrap_or_default());
        }
    }
}

fn changes(facts: &mut Facts, metrics: &Metrics) {
    for change in &metrics.changes {
        let numbers = [
            ("lines", change.lines.map(|lines| lines as f64), "lines"),
            ("files", Some(change.files as f64), "files"),
            ("commits", Some(change.commits as f64), "commits"),
            ("lead_time", lead_time(change).map(|lead| lead as f64), "seconds"),
        ];
        for (metric, value, unit) in numbers {
            let Some(value) = value else { continue };
            let fact = facts.add("changes", metric, &change.commit, value, unit);
            (fact.agent, fact.at) = (Some(change.agent.clone().unwrap_or_default()), Some(change.merged_at));
        }
    }
    facts.spread("sizes", "lines", metrics.sizes.lines, "lines");
    facts.add("sizes", "oversized", "", metrics.sizes.oversized as f64, "");
    facts.spread("lead_time", "", metrics.lead_time, "seconds");
    for conflict in metrics.conflicts.resolved.iter().chain(&metrics.conflicts.forecast) {
        let key = conflict_key(conflict);
        let fact =
            facts.add("conflicts", kind_word(conflict.kind), &key, conflict.files.len() as f64, "files");
        (fact.agent, fact.at) = (Some(conflict.agents.join(" ")), conflict.at);
    }
    if let Some(per_week) = metrics.conflicts.per_week {
        facts.add("conflicts", "per_week", "", per_week, "");
    }
}

fn conflict_key(conflict: &LostMerge) -> String {
    conflict.commit.clone().or_else(|| conflict.files.first().cloned()).unwrap_or_default()
}

fn locks(facts: &mut Facts, metrics: &Metrics) {
    for area in &metrics.locks.areas {
        facts.spread("locks_held", &area.area, area.held, "seconds");
        facts.spread("locks_waited", &area.area, area.waited, "seconds");
        facts.add("locks", "stolen", &area.area, area.stolen as f64, "");
        facts.add("locks", "expired", &area.area, area.expired as f64, "");
        for blocked in &area.blocked {
            let key = format!("{} by {}", area.area, blocked.holder);
            let fact = facts.add("locks", "blocked", &key, blocked.seconds as f64, "seconds");
            fact.agent = Some(blocked.agent.clone());
        }
    }
    for hold in &metrics.locks.holds {
        let held = seconds_in(metrics.period, hold.from, hold.to) as f64;
        let fact = facts.add("holds", hold.end, &hold.scope, held, "seconds");
        (fact.agent, fact.at) = (Some(hold.agent.clone()), Some(hold.from));
    }
    for wait in &metrics.locks.waits {
        let metric = match wait.is_got {
            Some(true) => "got",
            Some(false) => "given_up",
            None => "waiting",
        };
        let waited = seconds_in(metrics.period, wait.from, wait.to) as f64;
        let fact = facts.add("waits", metric, &wait.scope, waited, "seconds");
        (fact.agent, fact.at) = (Some(wait.agent.clone()), Some(wait.from));
    }
}

fn verdicts(facts: &mut Facts, metrics: &Metrics) {
    for rule in &metrics.refusals.rules {
        facts.by_agent("refusals", "count", &rule.rule, &rule.agents);
        for (outcome, count) in &rule.outcomes {
            facts.add("refusals", outcome.word(), &rule.rule, *count as f64, "");
        }
        facts.spread("time_to_fix", &rule.rule, rule.time_to_fix, "seconds");
    }
    for (rule, count) in &metrics.refusals.warnings {
        facts.add("refusals", "warnings", rule, *count as f64, "");
    }
    for waived in &metrics.waivers {
        facts.by_agent("waivers", "count", &waived.rule, &waived.agents);
    }
    let requests = &metrics.requests;
    let numbers = [("submitted", requests.submitted), ("open", requests.open), ("ignored", requests.ignored)];
    for (metric, count) in numbers {
        facts.add("requests", metric, "", count as f64, "");
    }
    for (state, count) in &requests.states {
        facts.add("requests", "state", state, *count as f64, "");
    }
    facts.spread("time_to_answer", "", requests.time_to_answer, "seconds");
}

fn paths(facts: &mut Facts, metrics: &Metrics) {
    for branch in &metrics.branches {
        for (metric, count) in [("behind", branch.behind), ("ahead", branch.ahead)] {
            let fact = facts.add("branches", metric, &branch.branch, count as f64, "commits");
            (fact.agent, fact.at) =
                (Some(branch.agent.clone().unwrap_or_default()), Some(branch.last_commit_at));
        }
    }
    for file in &metrics.contested {
        facts.by_agent("contested", "changes", &file.path, &file.agents);
        facts.add("contested", "alternations", &file.path, file.alternations as f64, "");
        facts.add("contested", "conflicts", &file.path, file.conflicts as f64, "");
    }
    for cut in &metrics.lane_cuts {
        for (metric, count) in [("changes", cut.changes), ("together", cut.together), ("own", cut.own)] {
            let key = format!("{} with {}", cut.path, cut.with);
            facts.add("lane_cuts", metric, &key, count as f64, "").agent = Some(cut.lane.clone());
        }
    }
}

fn checks(facts: &mut Facts, metrics: &Metrics) {
    if let Some(builds) = &metrics.builds {
        facts.spread("builds", "", builds.time, "seconds");
        for (job, time) in &builds.jobs {
            facts.spread("jobs", job, Some(*time), "seconds");
        }
        for (at, seconds) in &builds.runs {
            facts.add("builds", "run", "", *seconds as f64, "seconds").at = Some(*at);
        }
    }
    if let Some(coverage) = &metrics.coverage {
        facts.add("coverage", "lines", "", coverage.lines, "share");
        for (agent, share) in &coverage.agents {
            facts.add("coverage", "lane", "", *share, "share").agent = Some(agent.clone());
        }
    }
    if let Some(integration) = &metrics.integration {
        facts.add("integration", "succeeded", "", integration.succeeded as f64, "commits");
        facts.add("integration", "failed", "", integration.failed as f64, "commits");
        if let Some(share) = integration.share {
            facts.add("integration", "share", "", share, "share");
        }
        let pulls =
            [("merged", integration.merged), ("closed", integration.closed), ("open", integration.open)];
        for (metric, count) in pulls.into_iter().filter_map(|(metric, count)| Some((metric, count?))) {
            facts.add("pull_requests", metric, "", count as f64, "");
        }
    }
}

/// The word for a kind of conflict.
pub fn kind_word(kind: ConflictKind) -> &'static str {
    match kind {
        ConflictKind::Merge => "merge",
        ConflictKind::Rebase => "rebase",
        ConflictKind::Forecast => "forecast",
    }
}
