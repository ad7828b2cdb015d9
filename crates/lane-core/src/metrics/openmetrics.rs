//! The report as OpenMetrics text, for whatever scrapes or pushes that: OpenMetrics 1.0.
//!
//! All numbers are of the period alone, which moves on: they may fall, so that they are gauges. Names begin with `git_lane_`
//! and end with the unit; shares are ratios from 0 to 1. It is Prometheus' older text format as well, which knows no `info`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::facts::kind_word;
use super::format::Format;
use super::{Distribution, GoalState, Metrics};

/// Its row.
pub static FORMAT: Format =
    Format { word: "openmetrics", about: "OpenMetrics text, for Prometheus and Grafana", render };

/// One family: gauges of one name.
struct Family {
    name: &'static str,
    unit: &'static str,
    help: &'static str,
    samples: Vec<(Vec<(&'static str, String)>, f64)>,
}

type Labels<'l> = &'l [(&'static str, &'l str)];

impl Family {
    /// `unit`: what the name ends with, or nothing.
    fn new(name: &'static str, unit: &'static str, help: &'static str) -> Self {
        Self { name, unit, help, samples: Vec::new() }
    }

    fn add(&mut self, labels: Labels<'_>, value: f64) {
        let labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        self.samples.push((labels, value));
    }

    fn one(mut self, value: Option<f64>) -> Self {
        value.into_iter().for_each(|value| self.add(&[], value));
        self
    }

    fn spread(&mut self, labels: Labels<'_>, spread: Option<Distribution>) {
        let Some(spread) = spread else { return };
        for (quantile, value) in [("0.5", spread.median), ("0.9", spread.p90), ("1", spread.max)] {
            self.add(&[labels, &[("quantile", quantile)]].concat(), value as f64);
        }
    }

    fn counts(&mut self, name: &'static str, label: &str, agents: &BTreeMap<String, usize>) {
        for (agent, count) in agents {
            self.add(&[(name, label), ("agent", agent)], *count as f64);
        }
    }

    fn write(&self, out: &mut String) {
        let Self { name, unit, help, samples } = self;
        if samples.is_empty() {
            return;
        }
        let _ = writeln!(out, "# TYPE git_lane_{name} gauge");
        if !unit.is_empty() {
            let _ = writeln!(out, "# UNIT git_lane_{name} {unit}");
        }
        let _ = writeln!(out, "# HELP git_lane_{name} {help}");
        for (labels, value) in samples {
            let labels: Vec<String> =
                labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            let _ = writeln!(out, "git_lane_{name}{labels} {value}");
        }
    }
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"")
}

fn render(metrics: &Metrics) -> String {
    let mut out = String::from(
        "# TYPE git_lane_report_info gauge\n# HELP git_lane_report_info What the report is about.\n",
    );
    let agent = metrics.agent.as_deref().unwrap_or_default();
    let _ = writeln!(
        out,
        "git_lane_report_info{{repository=\"{}\",base=\"{}\",agent=\"{}\"}} 1",
        escaped(&metrics.repository),
        escaped(&metrics.base),
        escaped(agent)
    );
    let families = [period(metrics), agents(metrics), changes(metrics), locks(metrics), verdicts(metrics)];
    let families = families.into_iter().flatten().chain(branches(metrics)).chain(checks(metrics));
    families.chain(goals(metrics)).for_each(|family| family.write(&mut out));
    out.push_str("# EOF\n");
    out
}

fn period(metrics: &Metrics) -> Vec<Family> {
    let (from, to) = (metrics.period.from as f64, metrics.period.to as f64);
    vec![
        Family::new("period_start_timestamp_seconds", "seconds", "When the period begins.").one(Some(from)),
        Family::new("period_end_timestamp_seconds", "seconds", "When the period ends.").one(Some(to)),
    ]
}

fn agents(metrics: &Metrics) -> Vec<Family> {
    let mut merged = Family::new("merged_changes", "", "Changes that were merged.");
    let mut lines = Family::new("merged_lines", "", "Lines added and removed by merged changes.");
    let mut oversized = Family::new("oversized_changes", "", "Merged changes above the limit of the policy.");
    let mut velocity = Family::new("changes_per_active_day", "", "Changes merged per day with work.");
    let mut conflicts = Family::new("agent_conflicts", "", "Conflicts that an agent was part of.");
    let mut held = Family::new("locks_held_seconds", "seconds", "How long locks were held.");
    let mut waited = Family::new("locks_waited_seconds", "seconds", "How long locks were waited for.");
    let mut refused = Family::new("refused_verdicts", "", "Commits, pushes and edits that were refused.");
    let mut requests = Family::new("submitted_requests", "", "Requests that were submitted.");
    for row in &metrics.agents {
        let labels = [("agent", row.agent.as_deref().unwrap_or_default())];
        merged.add(&labels, row.merged as f64);
        lines.add(&labels, row.lines as f64);
        oversized.add(&labels, row.oversized as f64);
        row.per_active_day.into_iter().for_each(|value| velocity.add(&labels, value));
        conflicts.add(&labels, row.conflicts as f64);
        held.add(&labels, row.locks_held as f64);
        waited.add(&labels, row.locks_waited as f64);
        refused.add(&labels, row.refusals as f64);
        requests.add(&labels, row.requests as f64);
    }
    vec![merged, lines, oversized, velocity, conflicts, held, waited, refused, requests]
}

fn changes(metrics: &Metrics) -> Vec<Family> {
    let mut size = Family::new("change_lines", "", "Lines of a merged change.");
    size.spread(&[], metrics.sizes.lines);
    let mut lead =
        Family::new("lead_time_seconds", "seconds", "From the first commit of a change to its merge.");
    lead.spread(&[], metrics.lead_time);
    let mut counts: BTreeMap<&str, usize> =
        ["merge", "rebase", "forecast"].into_iter().map(|kind| (kind, 0)).collect();
    for conflict in metrics.conflicts.resolved.iter().chain(&metrics.conflicts.forecast) {
        *counts.entry(kind_word(conflict.kind)).or_default() += 1;
    }
    let mut conflicts = Family::new("conflicts", "", "Conflicts, resolved or forecast.");
    counts.iter().for_each(|(kind, count)| conflicts.add(&[("kind", kind)], *count as f64));
    let rate = Family::new("conflicts_per_week", "", "Conflicts that were resolved, a week.")
        .one(metrics.conflicts.per_week);
    vec![size, lead, conflicts, rate]
}

fn locks(metrics: &Metrics) -> Vec<Family> {
    let mut held = Family::new("lock_hold_seconds", "seconds", "How long an area was held each time.");
    let mut waited =
        Family::new("lock_wait_seconds", "seconds", "How long an area was waited for each time.");
    let mut stolen = Family::new("stolen_locks", "", "Locks that ended by being stolen.");
    let mut expired = Family::new("expired_locks", "", "Locks that ended because their life was over.");
    let mut blocked = Family::new("lock_blocked_seconds", "seconds", "How long an agent waited for another.");
    for area in &metrics.locks.areas {
        let label = [("area", area.area.as_str())];
        held.spread(&label, area.held);
        waited.spread(&label, area.waited);
        stolen.add(&label, area.stolen as f64);
        expired.add(&label, area.expired as f64);
        for one in &area.blocked {
            let labels = [label[0], ("agent", one.agent.as_str()), ("holder", one.holder.as_str())];
            blocked.add(&labels, one.seconds as f64);
        }
    }
    vec![held, waited, stolen, expired, blocked]
}

fn verdicts(metrics: &Metrics) -> Vec<Family> {
    let mut refused = Family::new("refusals", "", "Refusals by rule and agent.");
    let mut outcomes = Family::new("refusal_outcomes", "", "What became of refusals.");
    let mut fixes =
        Family::new("refusal_fix_seconds", "seconds", "From a refusal to the verdict without it.");
    let mut warned = Family::new("warnings", "", "Verdicts that warned, by rule.");
    let mut waived = Family::new("waivers", "", "Findings that were waived, by rule and agent.");
    for rule in &metrics.refusals.rules {
        refused.counts("rule", &rule.rule, &rule.agents);
        for (outcome, count) in &rule.outcomes {
            outcomes.add(&[("rule", &rule.rule), ("outcome", outcome.word())], *count as f64);
        }
        fixes.spread(&[("rule", &rule.rule)], rule.time_to_fix);
    }
    for (rule, count) in &metrics.refusals.warnings {
        warned.add(&[("rule", rule)], *count as f64);
    }
    metrics.waivers.iter().for_each(|one| waived.counts("rule", &one.rule, &one.agents));
    let mut requests = Family::new("requests", "", "Requests between agents, by what became of them.");
    let all = &metrics.requests;
    for (state, count) in [("submitted", all.submitted), ("open", all.open), ("ignored", all.ignored)] {
        requests.add(&[("state", state)], count as f64);
    }
    all.states.iter().for_each(|(state, count)| requests.add(&[("state", state)], *count as f64));
    let mut answers = Family::new("request_answer_seconds", "seconds", "From a request to its first answer.");
    answers.spread(&[], all.time_to_answer);
    vec![refused, outcomes, fixes, warned, waived, requests, answers]
}

fn branches(metrics: &Metrics) -> Vec<Family> {
    let mut behind =
        Family::new("branch_behind_commits", "commits", "Commits of the base that a branch lacks.");
    let mut ahead =
        Family::new("branch_ahead_commits", "commits", "Commits of a branch that are not merged.");
    for branch in &metrics.branches {
        let labels =
            [("branch", branch.branch.as_str()), ("agent", branch.agent.as_deref().unwrap_or_default())];
        behind.add(&labels, branch.behind as f64);
        ahead.add(&labels, branch.ahead as f64);
    }
    vec![behind, ahead]
}

fn checks(metrics: &Metrics) -> Vec<Family> {
    let mut builds = Family::new("build_seconds", "seconds", "How long a build took.");
    let mut jobs = Family::new("build_job_seconds", "seconds", "How long a job of a build took.");
    if let Some(found) = &metrics.builds {
        builds.spread(&[], found.time);
        found.jobs.iter().for_each(|(job, time)| jobs.spread(&[("job", job)], Some(*time)));
    }
    let share = metrics.coverage.as_ref().map(|coverage| coverage.lines);
    let coverage = Family::new("coverage_ratio", "ratio", "The share of lines that tests reach.").one(share);
    let mut lanes = Family::new("lane_coverage_ratio", "ratio", "The same in the lane of an agent.");
    for (agent, share) in metrics.coverage.iter().flat_map(|coverage| &coverage.agents) {
        lanes.add(&[("agent", agent)], *share);
    }
    let share = metrics.integration.as_ref().and_then(|integration| integration.share);
    let integration =
        Family::new("integration_ratio", "ratio", "The share of merged commits whose checks succeeded.")
            .one(share);
    vec![builds, jobs, coverage, lanes, integration]
}

fn goals(metrics: &Metrics) -> Vec<Family> {
    let mut measured = Family::new("goal_measured", "", "What was measured, in the unit of the goal.");
    let mut met = Family::new("goal_met", "", "Whether a goal of the policy was met: 1 or 0.");
    for goal in &metrics.goals {
        let Some(value) = goal.measured else { continue };
        measured.add(&[("goal", goal.name)], value);
        met.add(&[("goal", goal.name)], f64::from(goal.state == GoalState::Met));
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    metrics.missing.iter().for_each(|missing| *counts.entry(&missing.what).or_default() += 1);
    let mut unknown = Family::new("missing", "", "What could not be found out.");
    counts.iter().for_each(|(what, count)| unknown.add(&[("what", what)], *count as f64));
    vec![measured, met, unknown]
}

#[cfg(test)]
mod tests {
    use super::super::sample::metrics;
    use super::*;

    #[test]
    fn as_openmetrics() {
        insta::assert_snapshot!(render(&metrics()));
    }

    #[test]
    fn labels_cannot_end_a_line() {
        assert_eq!(escaped("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
        let mut metrics = metrics();
        metrics.branches[0].branch = "x\"} 1\n# EOF".into();
        assert_eq!(render(&metrics).matches("\n# EOF").count(), 1);
    }

    #[test]
    fn no_sample_twice() {
        let text = render(&metrics());
        let names: Vec<&str> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.rsplit_once(' '))
            .map(|(name, _)| name)
            .collect();
        let mut distinct = names.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(names.len(), distinct.len());
    }
}
