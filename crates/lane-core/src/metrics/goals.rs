//! How far the goals of the policy were met.

use super::words::{decimal, duration, percent};
use super::{Goal, GoalState, Metrics};
use crate::policy::{Plan, Span};

/// The goals of a policy, measured by what is in the report. A policy that has none for something has no goal for it.
pub fn measure(plan: &Plan, metrics: &Metrics) -> Vec<Goal> {
    let wanted = &plan.policy.metrics;
    let line = |span: Option<Span>| plan.line(span).map(|line| line.line);
    let mut goals = Vec::new();
    if let Some(range) = &wanted.velocity {
        let about = "changes merged per agent and active day";
        let measured = velocity(metrics);
        let goal = goal("velocity", about, range.value.to_string(), line(range.span));
        goals.push(goal.of(measured, |value| range.value.contains(rounded(value)), decimal));
    }
    if let Some(rate) = &wanted.conflicts {
        let most = rate.value.per_week;
        let goal = goal("conflicts", "conflicts per week", format!("< {}", rate.value), line(rate.span));
        // Fewer than none cannot be asked for.
        let is_met = |value: f64| value < most || value == 0.0;
        goals.push(goal.of(metrics.conflicts.per_week, is_met, |value| format!("{}/week", decimal(value))));
    }
    if let Some(time) = &wanted.build {
        let most = time.value.seconds as f64;
        let measured = metrics.builds.as_ref().and_then(|builds| builds.time).map(|time| time.median as f64);
        let goal = goal("build", "median time of a build", format!("< {}", time.value), line(time.span));
        goals.push(goal.of(measured, |value| value < most, |value| duration(value as u64)));
    }
    let shares = [
        (
            "coverage",
            "lines covered by tests",
            &wanted.coverage,
            metrics.coverage.as_ref().map(|coverage| coverage.lines),
        ),
        (
            "integration",
            "merged commits whose checks succeeded",
            &wanted.integration,
            metrics.integration.as_ref().and_then(|integration| integration.share),
        ),
    ];
    for (name, about, share, measured) in shares {
        let Some(share) = share else { continue };
        let least = share.value.share;
        let goal = goal(name, about, format!("> {}", share.value), line(share.span));
        // More than all cannot be asked for.
        goals.push(goal.of(measured, |value| value > least || value >= 1.0, percent));
    }
    goals.iter_mut().for_each(|goal| doubt(goal, metrics));
    goals
}

/// What was read in part does not meet a goal. More conflicts would not make good those that there are.
fn doubt(goal: &mut Goal, metrics: &Metrics) {
    let needed: &[&str] = match goal.name {
        "velocity" => &["changes"],
        "conflicts" => &["changes", "conflicts"],
        "coverage" => &["coverage"],
        _ => &["builds", "builds and integration"],
    };
    let is_whole = !metrics.missing.iter().any(|missing| needed.contains(&missing.what.as_str()));
    let is_certain = goal.name == "conflicts" && goal.state == GoalState::Missed;
    if goal.state != GoalState::Unknown && !is_whole && !is_certain {
        goal.state = GoalState::Unknown;
        goal.shown.push_str(", in part");
    }
}

/// Changes merged for each agent and each day on which it did anything, over all agents of the report: days are added up, so
/// that an agent with one busy day weighs no more than it did.
fn velocity(metrics: &Metrics) -> Option<f64> {
    let agents = metrics.agents.iter().filter(|row| row.agent.is_some());
    let known = agents.filter_map(|row| Some((row.merged as f64, row.per_active_day?)));
    let (mut merged, mut days) = (0.0, 0.0);
    for (count, per_day) in known.filter(|(_, per_day)| *per_day > 0.0) {
        merged += count;
        days += count / per_day;
    }
    (days > 0.0).then(|| merged / days)
}

/// As it is shown: a range of 1 to 2 is not missed by a hair that nobody sees.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn goal(name: &'static str, about: &'static str, goal: String, policy_line: Option<usize>) -> Goal {
    Goal {
        name,
        about,
        goal,
        policy_line,
        measured: None,
        shown: "not measured".to_owned(),
        state: GoalState::Unknown,
    }
}

impl Goal {
    fn of(self, measured: Option<f64>, is_met: impl Fn(f64) -> bool, show: impl Fn(f64) -> String) -> Self {
        let Some(value) = measured.filter(|value| value.is_finite()) else { return self };
        let state = if is_met(value) { GoalState::Met } else { GoalState::Missed };
        Self { measured: Some(value), shown: show(value), state, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{AgentMetrics, Builds, Coverage, Distribution, Integration, Missing, Period};
    use super::*;
    use crate::rules::testing::plan;

    const GOALS: &str = "version: 1\nmetrics: { velocity: 1..2, conflicts: 2/week, build: 5m, coverage: 80%, integration: 95% }";

    fn metrics() -> Metrics {
        Metrics::empty("r".into(), "main".into(), Period { from: 0, to: 1 }, None)
    }

    fn states(metrics: &Metrics) -> Vec<(GoalState, String)> {
        measure(&plan(GOALS), metrics).into_iter().map(|goal| (goal.state, goal.shown)).collect()
    }

    #[test]
    fn what_was_not_measured_is_unknown() {
        let unknown = vec![(GoalState::Unknown, "not measured".to_owned()); 5];
        assert_eq!(states(&metrics()), unknown);
        assert!(measure(&plan("version: 1"), &metrics()).is_empty());
        let goals = measure(&plan(GOALS), &metrics());
        assert_eq!((goals[0].policy_line, goals[0].goal.as_str()), (Some(2), "1..2"));
        assert_eq!((goals[1].goal.as_str(), goals[3].goal.as_str()), ("< 2/week", "> 80%"));
    }

    fn measured(velocity: &[(usize, f64)], conflicts: f64, build: u64, coverage: f64, share: f64) -> Metrics {
        let mut metrics = metrics();
        for (merged, per_day) in velocity {
            metrics.agents.push(AgentMetrics {
                agent: Some("a".into()),
                merged: *merged,
                per_active_day: Some(*per_day),
                ..AgentMetrics::default()
            });
        }
        metrics.conflicts.per_week = Some(conflicts);
        let time = Distribution::of([build]);
        metrics.builds = Some(Builds { source: "x".into(), time, jobs: Default::default(), runs: vec![] });
        metrics.coverage = Some(Coverage {
            lines: coverage,
            total: 1,
            covered: 1,
            agents: Default::default(),
            files: vec![],
        });
        let integration = Integration {
            source: "x".into(),
            succeeded: 1,
            failed: 0,
            share: Some(share),
            merged: None,
            closed: None,
            open: None,
        };
        metrics.integration = Some(integration);
        metrics
    }

    #[test]
    fn met_and_missed() {
        use GoalState::{Met, Missed};
        let only =
            |metrics: &Metrics| states(metrics).into_iter().map(|(state, _)| state).collect::<Vec<_>>();
        assert_eq!(only(&measured(&[(4, 2.0), (1, 0.5)], 1.9, 299, 0.801, 0.96)), [Met; 5]);
        assert_eq!(only(&measured(&[(9, 3.0)], 2.0, 300, 0.8, 0.95)), [Missed; 5]);
        assert_eq!(only(&measured(&[(1, 0.5)], 0.0, 1, 1.0, 1.0)), [Missed, Met, Met, Met, Met]);
        let shown = states(&measured(&[(4, 2.0), (1, 0.5)], 1.5, 250, 0.8349, 0.96));
        let shown: Vec<&str> = shown.iter().map(|(_, shown)| shown.as_str()).collect();
        assert_eq!(shown, ["1.25", "1.5/week", "4m 10s", "83.5%", "96%"]);
    }

    #[test]
    fn what_was_read_in_part_meets_no_goal() {
        let mut cut = measured(&[(4, 2.0)], 0.0, 1, 1.0, 1.0);
        cut.missing.push(Missing { what: "changes".into(), reason: String::new(), help: None });
        assert_eq!(states(&cut)[0], (GoalState::Unknown, "2, in part".to_owned()));
        assert_eq!(states(&cut)[1], (GoalState::Unknown, "0/week, in part".to_owned()));
        assert_eq!(states(&cut)[2].0, GoalState::Met, "builds were all asked about");
        cut.conflicts.per_week = Some(9.0);
        assert_eq!(states(&cut)[1].0, GoalState::Missed, "more of them make it no better");
    }

    #[test]
    fn goals_that_nothing_could_surpass_can_be_met() {
        let plan = plan("version: 1\nmetrics: { conflicts: 0/week, coverage: 100% }");
        let states: Vec<GoalState> =
            measure(&plan, &measured(&[], 0.0, 1, 1.0, 1.0)).iter().map(|goal| goal.state).collect();
        assert_eq!(states, [GoalState::Met; 2]);
    }
}
