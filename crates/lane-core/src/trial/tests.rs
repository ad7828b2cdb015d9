use super::*;
use crate::facts::Event;
use crate::rules::testing::{Scene, plan};

fn reference() -> Plan {
    plan(include_str!("../../../../policy.yaml"))
}

fn of(scene: Scene, is_assumed: bool) -> Report {
    let facts = scene.into_facts();
    let mut report = crate::engine::judge(&reference(), &facts, None);
    keep_what_is_known(&mut report, &facts.changes[0], is_assumed);
    report
}

#[test]
fn the_lane_with_most_files_stands_for_an_agent() {
    let owner = |files: &[&str]| {
        let facts = Scene::new(Event::Ci, "").files(files).into_facts();
        owner_of_most(&reference(), &facts.changes[0])
    };
    assert_eq!(
        owner(&["services/revenue/a", "services/revenue/b", "services/orchestrator/a"]).as_deref(),
        Some("a4")
    );
    assert_eq!(owner(&["services/revenue/a", "services/orchestrator/a"]).as_deref(), Some("a1"));
    assert_eq!(owner(&["README.md"]), None);
}

#[test]
fn messages_of_a_change_that_names_no_agent_do_not_count() {
    let scene = || {
        let scene = Scene::new(Event::Ci, "a1").files(&["services/revenue/x.py"]);
        scene.commit(3, "no tag", &["services/revenue/x.py"])
    };
    let rules = |report: &Report| -> Vec<String> {
        report.findings.iter().map(|finding| finding.rule.clone()).collect()
    };
    assert_eq!(rules(&of(scene(), true)), ["foreign-path"]);
    assert_eq!(rules(&of(scene(), false)), ["foreign-path", "untagged-message"]);
    assert_eq!(of(scene(), true).verdict, Verdict::Fail);
}

#[test]
fn a_change_that_names_its_lock_is_believed() {
    let path = "services/common/x.py";
    let scene = |message: &str| Scene::new(Event::Ci, "a1").files(&[path]).commit(3, message, &[path]);
    assert_eq!(of(scene("[A1] feat: x"), false).findings[0].rule, "unlocked-path");
    assert_eq!(of(scene("[A1] feat: x\n\nLane-Lock: common@3"), false).findings.len(), 0);
}

#[test]
fn the_same_findings_are_counted_once() {
    let report = of(Scene::new(Event::Ci, "a1").files(&["services/revenue/x", "services/revenue/y"]), true);
    let found = findings(&report);
    assert_eq!((found.len(), found[0].count, found[0].reasons.len(), found[0].paths.len()), (1, 2, 1, 2));
    let change = |agent: &str, verdict, old| TriedChange {
        commit: "0123456789abcdef".into(),
        subject: "a subject".into(),
        pull_request: None,
        merged_at: 1_795_867_200,
        agent: Some(agent.into()),
        agent_by: Some(BY_FILES),
        files: 2,
        lines: Some(12),
        verdict,
        old_verdict: Some(old),
        findings: if verdict == Verdict::Fail { found.clone() } else { Vec::new() },
        undecided: Vec::new(),
    };
    let changes = vec![
        change("a1", Verdict::Fail, Verdict::Pass),
        change("a1", Verdict::Fail, Verdict::Fail),
        change("a2", Verdict::Pass, Verdict::Fail),
    ];
    let trial = Trial::new(&reference(), Some(&reference()), "origin/main".into(), changes);
    insta::assert_snapshot!(text::render(&trial, false));
}
