//! What each part of a verdict takes, where somebody asks.

use std::time::{Duration, Instant};

use lane_core::engine;
use lane_core::facts::{Fact, Facts};
use lane_core::policy::Plan;
use lane_core::report::{Report, Timing, TimingKind};

/// Nothing is measured unless it was asked for.
pub(super) struct Stopwatch {
    is_wanted: bool,
    timings: Vec<Timing>,
}

impl Stopwatch {
    pub(super) fn new(is_wanted: bool) -> Self {
        Self { is_wanted, timings: Vec::new() }
    }

    /// Gathers facts.
    pub(super) fn gather<T>(&mut self, gather: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let facts = gather();
        self.add(TimingKind::Gather, "gather", start.elapsed());
        facts
    }

    /// Judges them.
    pub(super) fn judge(&mut self, plan: &Plan, facts: &Facts, policy_oid: Option<String>) -> Report {
        if !self.is_wanted {
            return engine::judge(plan, facts, policy_oid);
        }
        let mut last = Instant::now();
        engine::judge_watched(plan, facts, policy_oid, &mut |rule| {
            let now = Instant::now();
            self.add(TimingKind::Rule, rule, now - last);
            last = now;
        })
    }

    /// Notes what the commands of the policy took.
    pub(super) fn custom(&mut self, plan: &Plan, facts: &Facts) {
        for change in &facts.changes {
            let Fact::Known(runs) = &change.custom else { continue };
            for run in runs {
                let Some(rule) = plan.policy.custom.get(run.entry) else { continue };
                self.add(TimingKind::Custom, &rule.id.value, run.time);
            }
        }
    }

    fn add(&mut self, kind: TimingKind, part: &str, time: Duration) {
        if self.is_wanted {
            Timing::add(&mut self.timings, kind, part, time);
        }
    }

    pub(super) fn into_timings(self) -> Vec<Timing> {
        self.timings
    }
}
