//! What somebody writes who wants to get around the policy, or is in a hurry.

use super::*;

/// What another file says more loudly is a mistake all the same.
#[test]
fn a_mistake_is_not_hidden_behind_another_file() {
    let own = "version: 1\nextends: a\ninclude: [d/lane.yaml]\nareas: [{ name: x, paths: [/x], access: open }]\n\
               agents: { a1: {} }\nfiles: { forbid: [x] }\nbase: main\nrules: { stale-base: warn }\n";
    for (text, wanted) in [
        ("areas: { name: secret, paths: [/s/], access: maintainer }", "expected a list for `areas`"),
        ("areas: 3", "expected a list for `areas`"),
        ("agents: [a1]", "`agents`"),
        ("files: [1]", "`files`"),
        ("base: [1]", "`base`"),
        ("rules: { stale-base: bananas }", "bananas"),
    ] {
        let told = mistakes(&[(FILE, own), ("a", text), ("d/lane.yaml", "agents: {}")]);
        assert!(
            told.iter().any(|line| line.starts_with("main:a:1:") && line.contains(wanted)),
            "{text}: {told:?}"
        );
        assert_eq!(told.iter().collect::<std::collections::BTreeSet<_>>().len(), told.len(), "{told:?}");
    }
    for text in ["areas: { name: secret, paths: [s], access: maintainer }", "areas: 3", "agents: [a1]"] {
        let told = mistakes(&[(FILE, own), ("a", "base: main"), ("d/lane.yaml", text)]);
        assert!(told.iter().any(|line| line.starts_with("main:d/lane.yaml:1:")), "{text}: {told:?}");
    }
}

#[test]
fn tests_are_one_list_in_whatever_form() {
    let list = "tests: [a1 may change src/a]";
    let mapping = "tests: { run: 'y {path}', sentences: [a1 may not change src/b] }";
    for (own, other) in [(list, mapping), (mapping, list), (list, list), (mapping, mapping)] {
        let own = format!("version: 1\nextends: a\nagents: {{ a1: {{ owns: [/src/] }} }}\n{own}\n");
        let plan = plan(&[(FILE, &own), ("a", other)]);
        let sentences = &plan.policy.tests.sentences;
        assert_eq!(sentences.len(), 2, "{own} {other}");
    }
}

/// Whoever may change the policy's own file may change the others, and nobody else may.
#[test]
fn files_are_whose_the_policy_is() {
    let base = "version: 1\nextends: [src/rules.yaml]\nagents: { a1: { owns: [/src/] }, lead: { owns: [/other/] } }\n";
    let owners = |rest: &str| {
        let own = format!("{base}{rest}\n");
        let plan = plan(&[(FILE, &own), ("src/rules.yaml", "base: main\n")]);
        let said = |path: &[u8]| match plan.decide(path, false).owner {
            Some(crate::policy::Owner::Lane(agent)) => agent.id.value.clone(),
            Some(crate::policy::Owner::Area(area)) => area.name.value.clone(),
            None => String::new(),
        };
        assert_eq!(said(b"src/x"), "a1");
        (said(b"policy.yaml"), said(b"src/rules.yaml"), said(b"SRC/Rules.yaml"))
    };
    assert_eq!(owners("unowned: deny"), (String::new(), String::new(), String::new()));
    let areas = "areas: [{ name: config, paths: ['*.yaml'], access: open }, { name: policy, paths: [/policy.yaml], access: maintainer }]";
    assert_eq!(owners(areas).1, "policy");
    let broad = "areas: [{ name: policy, paths: [/policy.yaml], access: maintainer }, { name: src, paths: ['/src/rul*'], access: open }]";
    assert_eq!(owners(broad).1, "policy");
    let named = "areas: [{ name: policy, paths: [/policy.yaml], access: maintainer }, { name: rules, paths: [/src/rules.yaml], access: open }]";
    assert_eq!(owners(named).1, "rules");
}

/// What a branch asks for costs no more than so much.
#[test]
fn nothing_is_looked_for_without_end() {
    let large = "#".repeat(LARGEST - 10);
    let many = "src/big, ".repeat(3_000);
    let own = format!("version: 1\nextends: [{many}]\n");
    assert_eq!(mistakes(&[(FILE, &own), ("src/big", &large)]).len(), 1);
    let names: Vec<String> = (0..5_000).map(|at| format!("x{at}")).collect();
    let own = format!("version: 1\nextends: [{}]\n", names.join(", "));
    assert_eq!(mistakes(&[(FILE, &own)]).len(), MOST_MISTAKES);
}

#[test]
fn names_stay_on_their_line_and_outside_of_git() {
    for (name, wanted) in [
        ("\"p\\n\\nx: pass\"", "`p x: pass` is not the path of a file"),
        (".GIT/config", "`.GIT/config` is not the path of a file"),
    ] {
        let told = mistakes(&[(FILE, &format!("version: 1\nextends: [{name}]\n"))]);
        assert!(told.len() == 1 && told[0].contains(wanted), "{told:?}");
    }
    let plan = plan(&[
        (FILE, "\u{feff}extends: a\nversion: 1\n"),
        ("a", "\u{feff}extends: b\n"),
        ("b", "base: x\n"),
    ]);
    assert_eq!(plan.policy.base.value, "x");
}
