//! A report to try formats on.

use std::collections::BTreeMap;

use super::*;
use crate::rules::testing::plan;

const NOON: i64 = 1_795_867_200; // 2026-11-28T12:00:00Z
const DAY: i64 = 86_400;

fn counts(all: &[(&str, usize)]) -> BTreeMap<String, usize> {
    all.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

fn change(commit: &str, agent: Option<&str>, merged_at: i64, lines: u64) -> LandedChange {
    LandedChange {
        commit: commit.repeat(10),
        agent: agent.map(str::to_owned),
        agent_by: agent.map(|_| "tag"),
        subject: format!("Change {commit}"),
        pull_request: Some(7),
        merged_at,
        first_commit_at: merged_at - 7_500,
        commits: 2,
        lines: Some(lines),
        counted: Some(lines),
        files: 3,
        is_merge: true,
    }
}

fn conflict(kind: ConflictKind, at: Option<i64>, files: &[&str]) -> LostMerge {
    let commit = at.map(|_| "c0ff".repeat(10));
    let files = files.iter().map(|file| (*file).to_owned()).collect();
    LostMerge { kind, commit, at, agents: vec!["a1".into(), "a2".into()], files }
}

fn locks(metrics: &mut Metrics) {
    let hold = |agent: &str, generation, from, to: Option<i64>, end| LockHold {
        area: "common".into(),
        scope: "common".into(),
        agent: agent.into(),
        generation,
        from,
        to,
        end,
    };
    metrics.locks.holds = vec![
        hold("a1", 3, NOON - DAY, Some(NOON - DAY + 9_000), "released"),
        hold("a2", 4, NOON - 600, None, "held"),
    ];
    metrics.locks.waits = vec![LockWait {
        area: "common".into(),
        scope: "common".into(),
        agent: "a2".into(),
        from: NOON - DAY + 4_000,
        to: Some(NOON - DAY + 9_100),
        is_got: Some(true),
    }];
    metrics.locks.areas = vec![LockArea {
        area: "common".into(),
        held: Distribution::of([9_000, 600]),
        waited: Distribution::of([5_100]),
        stolen: 0,
        expired: 1,
        blocked: vec![Blocked { agent: "a2".into(), holder: "a1".into(), seconds: 5_000 }],
    }];
}

fn verdicts(metrics: &mut Metrics) {
    let rule = |rule: &str, count, outcomes: &[(Outcome, usize)], times: &[u64]| RuleRefusals {
        rule: rule.into(),
        count,
        agents: counts(&[("a2", count)]),
        outcomes: outcomes.iter().copied().collect(),
        time_to_fix: Distribution::of(times.iter().copied()),
    };
    let observed = Observed { count: 2, verdicts: 5, agents: counts(&[("a2", 2)]) };
    metrics.refusals = Refusals {
        rules: vec![
            rule("foreign-path", 3, &[(Outcome::Fixed, 2), (Outcome::Repeated, 1)], &[45, 250]),
            rule("unlocked-path", 1, &[(Outcome::Open, 1)], &[]),
        ],
        all: vec![Refusal {
            at: NOON - 5_000,
            agent: Some("a2".into()),
            event: crate::facts::Event::PreCommit.name().into(),
            rules: vec!["foreign-path".into()],
            outcome: Outcome::Fixed,
        }],
        verdicts: Some(41),
        warnings: counts(&[("stale-base", 2)]),
        observed: std::iter::once(("oversized-change".to_owned(), observed)).collect(),
        since: Some(NOON - 20 * DAY),
        torn: 0,
    };
}

fn requests(metrics: &mut Metrics) {
    let ask = RequestAnswer {
        id: "r7".into(),
        by: "a2".into(),
        to: vec!["a1".into()],
        submitted: NOON - 2 * DAY,
        answered: Some(NOON - 2 * DAY + 3_700),
        state: "accepted".into(),
    };
    metrics.requests = Requests {
        submitted: 2,
        open: 2,
        ignored: 1,
        states: counts(&[("accepted", 1)]),
        time_to_answer: Distribution::of([3_700]),
        all: vec![ask],
    };
}

fn paths(metrics: &mut Metrics) {
    metrics.waivers = vec![WaivedRule {
        rule: "oversized-change".into(),
        count: 1,
        agents: counts(&[("a2", 1)]),
        reasons: vec!["a generated client".into()],
    }];
    metrics.branches = vec![OpenBranch {
        branch: "origin/feat/a2/rank".into(),
        agent: Some("a2".into()),
        behind: 12,
        ahead: 3,
        stale_since: Some(NOON - DAY),
        last_commit_at: NOON - 2 * DAY,
    }];
    metrics.contested = vec![ContestedFile {
        path: "services/common/db.py".into(),
        agents: counts(&[("a1", 4), ("a2", 3)]),
        alternations: 5,
        conflicts: 2,
        owner: Some("area `common`".into()),
    }];
    metrics.lane_cuts = vec![LaneCut {
        path: "services/rag_pipeline/index".into(),
        lane: "a2".into(),
        with: "a1".into(),
        changes: 10,
        together: 8,
        own: 1,
        proposal: "give services/rag_pipeline/index to a1: line 23 of policy.yaml".into(),
    }];
}

fn checks(metrics: &mut Metrics) {
    let jobs = [("test".to_owned(), Distribution::of([200, 290]).expect("numbers"))];
    let time = Distribution::of([200, 290]);
    let runs = vec![(NOON - DAY, 200), (NOON - 600, 290)];
    metrics.builds = Some(Builds { source: "GitHub".into(), time, jobs: jobs.into(), runs });
    let file = CoverageFile { name: "lcov.info".into(), format: "lcov", total: 1_000, covered: 765 };
    let agents = [("a1".to_owned(), 0.81)].into();
    metrics.coverage = Some(Coverage { lines: 0.765, total: 1_000, covered: 765, agents, files: vec![file] });
}

/// The report.
pub fn metrics() -> Metrics {
    let period = Period { from: NOON - 14 * DAY, to: NOON };
    let mut metrics = Metrics::empty("shop".into(), "origin/main".into(), period, None);
    metrics.changes = vec![
        change("1234", Some("a1"), NOON - 3 * DAY, 120),
        change("abcd", Some("a2"), NOON - 2 * DAY, 410),
        change("beef", None, NOON - DAY, 8),
    ];
    metrics.sizes = Sizes {
        limit: Some(300),
        lines: Distribution::of([120, 410, 8]),
        oversized: 1,
        within_limit: Some(2.0 / 3.0),
    };
    metrics.lead_time = Distribution::of([7_500, 7_500, 93_000]);
    metrics.conflicts = Conflicts {
        resolved: vec![
            conflict(
                ConflictKind::Merge,
                Some(NOON - 4 * DAY),
                &["services/common/db.py", "requirements.txt"],
            ),
            conflict(ConflictKind::Rebase, Some(NOON - 2 * DAY), &["services/common/db.py"]),
        ],
        per_week: Some(1.0),
        forecast: vec![conflict(ConflictKind::Forecast, None, &["requirements.txt"])],
    };
    locks(&mut metrics);
    verdicts(&mut metrics);
    requests(&mut metrics);
    paths(&mut metrics);
    checks(&mut metrics);
    metrics.missing = vec![Missing {
        what: "integration".into(),
        reason: "checks on GitHub are not known: no token".into(),
        help: Some("gh auth login".into()),
    }];
    for (agent, merged, lines) in [("a1", 1, 120), ("a2", 1, 410)] {
        let row = metrics.row(Some(agent));
        (row.merged, row.lines, row.per_active_day) = (merged, lines, Some(0.5));
        row.merged_by_day = counts(&[("2026-11-25", merged)]);
        (row.conflicts, row.locks_held, row.refusals, row.requests) = (2, 9_000, 4, 1);
        row.lead_time = Distribution::of([7_500]);
        row.oversized = usize::from(lines > 300);
    }
    metrics.row(None).merged = 1;
    let plan = plan(include_str!("../../../../policy.yaml"));
    metrics.sort_rows(&plan);
    metrics.goals = goals::measure(&plan, &metrics);
    metrics
}
