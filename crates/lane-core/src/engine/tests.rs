//! What is only observed.

use super::*;
use crate::facts::RefUpdate;
use crate::facts::{Fact, LockEvents, PolicyTexts};
use crate::policy::model::Mode;
use crate::policy::{FILE, Source};
use crate::rules::testing::{Scene, plan};

const REFERENCE: &str = include_str!("../../../../policy.yaml");

fn observing() -> Plan {
    plan(&REFERENCE.replacen("version: 1", "version: 1\nmode: observe", 1))
}

fn judged(plan: &Plan, scene: Scene) -> Report {
    judge(plan, &scene.into_facts(), None)
}

/// Rule, level, and whether it is only observed.
type Found<'a> = (&'a str, Level, bool);

/// Verdict, observed verdict, and each finding.
fn words(report: &Report) -> (Verdict, Option<Verdict>, Vec<Found<'_>>) {
    let findings = report.findings.iter().map(|found| (found.rule.as_str(), found.level, found.observed));
    (report.verdict, report.observed, findings.collect())
}

fn foreign(event: Event) -> Scene {
    Scene::new(event, "a1").files(&["services/revenue/x.py"])
}

#[test]
fn a_policy_that_observes_refuses_nothing() {
    let report = judged(&observing(), foreign(Event::PreCommit));
    let found = vec![("foreign-path", Level::Warn, true)];
    assert_eq!(words(&report), (Verdict::Pass, Some(Verdict::Fail), found));
    assert_eq!((report.mode, report.spared()), (Mode::Observe, Some(Verdict::Fail)));
    let clean = judged(&observing(), Scene::new(Event::PreCommit, "a1"));
    assert_eq!(words(&clean), (Verdict::Pass, Some(Verdict::Pass), Vec::new()));
    let enforced = judged(&plan(REFERENCE), foreign(Event::PreCommit));
    let found = vec![("foreign-path", Level::Error, false)];
    assert_eq!(words(&enforced), (Verdict::Fail, None, found));
    let mut strict = observing();
    strict.enforce();
    assert_eq!(judged(&strict, foreign(Event::PreCommit)).verdict, Verdict::Fail);
}

#[test]
fn one_rule_may_be_observed() {
    let one = plan(&REFERENCE.replace("rules: { stale-base: warn }", "rules: { foreign-path: observe }"));
    let report = judged(&one, foreign(Event::PreCommit));
    let found = vec![("foreign-path", Level::Warn, true)];
    assert_eq!(words(&report), (Verdict::Pass, Some(Verdict::Fail), found));
    assert_eq!(report.mode, Mode::Enforce);
    let two = judged(
        &one,
        Scene::new(Event::PreCommit, "a1").files(&["services/revenue/x.py", ".github/workflows/ci.yml"]),
    );
    assert_eq!((two.verdict, two.observed), (Verdict::Fail, Some(Verdict::Fail)));
}

#[test]
fn what_could_not_be_decided_passes_too() {
    let scene = || {
        Scene::new(Event::Check, "a1").change(|change| {
            change.lines = Fact::Unavailable(Unavailable::new("gone", "fetch it"));
        })
    };
    let report = judged(&observing(), scene());
    assert_eq!((report.verdict, report.observed), (Verdict::Pass, Some(Verdict::Undecided)));
    assert!(report.undecided.iter().all(|undecided| undecided.observed));
    assert_eq!(judged(&plan(REFERENCE), scene()).verdict, Verdict::Undecided);
    let error = Error::from(Unavailable::new("gone", "fetch it"));
    let failure = observed_failure(&observing(), Event::PreCommit, None, &error);
    assert_eq!((failure.verdict, failure.observed), (Verdict::Pass, Some(Verdict::Undecided)));
}

#[test]
fn records_and_replaced_objects_are_refused_all_the_same() {
    let pushed = |reference: &str, update: RefUpdate, fault: Option<&str>| {
        let scene = Scene::new(Event::PreReceive, "").change(|change| {
            let events = LockEvents { agents: Vec::new(), fault: fault.map(str::to_owned) };
            (change.reference, change.branch) = (Some(reference.to_owned()), None);
            (change.update, change.lock_events) = (Some(update), Some(events));
        });
        judged(&observing(), scene).verdict
    };
    let lock = "refs/lane/locks/0123";
    assert_eq!(pushed(lock, RefUpdate::Forward, None), Verdict::Pass);
    assert_eq!(pushed(lock, RefUpdate::Forward, Some("forged")), Verdict::Fail);
    assert_eq!(pushed(lock, RefUpdate::Rewrite, None), Verdict::Fail);
    assert_eq!(pushed(lock, RefUpdate::Delete, None), Verdict::Fail);
    assert_eq!(pushed("refs/replace/0123", RefUpdate::Create, None), Verdict::Fail);
}

#[test]
fn a_policy_that_cannot_be_read_is_refused_all_the_same() {
    let with = |text: &str| {
        let texts = PolicyTexts { policy: Some(Source::new(FILE, text)), tests: None, absent: Vec::new() };
        let scene =
            Scene::new(Event::PreCommit, "").change(|change| change.policy = Fact::Known(Some(texts)));
        judged(&observing(), scene).verdict
    };
    assert_eq!(with("version: 1\nbase: [\n"), Verdict::Fail);
    let failing = REFERENCE.replace("\ntests:\n", "\ntests:\n  - a1 may change services/revenue/x.py\n");
    assert_eq!(with(&failing), Verdict::Pass);
}
