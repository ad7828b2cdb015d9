use super::*;
use crate::requests::record::tests::record;
use crate::rules::testing::plan;

fn reference() -> Plan {
    plan(include_str!("../../../../../policy.yaml"))
}

fn agent(id: &str) -> Person {
    Person::Agent(id.into())
}

fn paths(names: &[&str]) -> Vec<(RepoPath, bool)> {
    names.iter().map(|name| (RepoPath(name.as_bytes().to_vec()), false)).collect()
}

#[test]
fn who_is_asked() {
    let plan = reference();
    let of = |names: &[&str]| {
        let target = target(&plan, None, &paths(names)).expect("a target");
        askable(&plan, &target, &agent("a2")).words(&plan)
    };
    assert_eq!(of(&["services/revenue/a.py", "services/revenue/b.py"]), "a4 (Platform)");
    assert_eq!(of(&["services/revenue/alembic/1.py"]), "a1 (MLOps)");
    assert_eq!(of(&["requirements.txt"]), "any other agent");
    assert_eq!(of(&["policy.yaml"]), "a maintainer");
    assert_eq!(of(&["docs/x.md"]), "any other agent");
    let gone = Target { area: Some("gone".into()), ..Target::default() };
    assert_eq!(askable(&plan, &gone, &agent("a2")), Addressees::Maintainers);
}

#[test]
fn a_steward_is_asked() {
    let text = include_str!("../../../../../policy.yaml")
        .replace("access: coordinate }", "access: shared, steward: a3 }");
    let plan = plan(&text);
    let target = target(&plan, None, &paths(&["requirements.txt"])).expect("a target");
    assert_eq!(askable(&plan, &target, &agent("a2")).words(&plan), "a3 (Analytics)");
    let asked = addressed(&plan, target, Some("a4"), &agent("a2")).expect("by name");
    assert_eq!(askable(&plan, &asked, &agent("a2")).words(&plan), "a4 (Platform)");
    let accepted = RequestRecord { state: RequestState::Accepted, ..record("r1", "a2", "shared") };
    assert!(may_answer(&plan, &accepted, &agent("a3")) && !may_answer(&plan, &accepted, &agent("a1")));
    assert!(may_finish(&plan, &accepted, &agent("a2")), "whoever asked may change it");
}

#[test]
fn approvers_are_asked() {
    let text = include_str!("../../../../../policy.yaml");
    let text = text.replace("access: coordinate }", "access: open, approve: [a1, a3] }");
    let plan = plan(&text.replace("owner: a1 }", "owner: [a1, a2], approve: a3 }"));
    let target = |names: &[&str]| target(&plan, None, &paths(names)).expect("a target");
    let of = |names: &[&str], by| askable(&plan, &target(names), &agent(by)).words(&plan);
    assert_eq!(of(&["requirements.txt"], "a2"), "a1 (MLOps) or a3 (Analytics)");
    assert_eq!(of(&["requirements.txt"], "a1"), "a3 (Analytics)");
    let migration = "services/revenue/alembic/1.py";
    assert_eq!(of(&[migration], "a2"), "a3 (Analytics)", "who may change it needs a word");
    assert_eq!(of(&[migration], "a4"), "a1 (MLOps) or a2 (GenAI)", "who may not asks its owners");
    assert!(refuse_own(&plan, &target(&[migration]), &agent("a1")).is_ok());
    assert!(refuse_own(&plan, &target(&["requirements.txt"]), &agent("a1")).is_ok());
    let asked = record("r1", "a2", "shared");
    let accepted = RequestRecord { state: RequestState::Accepted, ..asked.clone() };
    assert!(may_answer(&plan, &asked, &agent("a3")) && !may_answer(&plan, &asked, &agent("a4")));
    assert!(waits_for(&plan, &accepted, &agent("a2")) && !waits_for(&plan, &accepted, &agent("a3")));
    assert!(may_finish(&plan, &accepted, &agent("a2")) && !may_finish(&plan, &asked, &agent("a2")));
    let to = |to| addressed(&plan, asked.target.clone(), Some(to), &agent("a2"));
    assert_eq!(askable(&plan, &to("a3").expect("one"), &agent("a2")).words(&plan), "a3 (Analytics)");
    assert!(to("a4").expect_err("not one").to_string().contains("to approve, not for a4"));
}

#[test]
fn what_cannot_be_asked_for() {
    let plan = reference();
    let fault = |area, names: &[&str]| {
        let error = target(&plan, area, &paths(names)).expect_err("no target");
        format!("{error}; {}", error.help().unwrap_or_default())
    };
    assert!(fault(Some("migration"), &[]).contains("did you mean `migrations`?"));
    assert!(fault(Some("local"), &[]).contains("stays out of git"));
    assert!(fault(None, &["AGENT_FOCUS.md"]).contains("stays out of git"));
    let both = fault(None, &["services/revenue/a", "services/rag_pipeline/a"]);
    assert!(both.contains("for a4 (Platform) to change") && both.contains("for a2 (GenAI)"), "{both}");
    let migrations = target(&plan, Some("migrations"), &[]).expect("a target");
    assert!(refuse_own(&plan, &migrations, &agent("a1")).is_err());
    assert!(refuse_own(&plan, &migrations, &agent("a2")).is_ok());
}

#[test]
fn who_may_answer() {
    let plan = reference();
    let asked = record("r1", "a2", "migrations");
    let may = |who: &str| may_answer(&plan, &asked, &agent(who));
    assert_eq!((may("a1"), may("a2"), may("a3")), (true, false, false));
    assert!(may_answer(&plan, &asked, &Person::Maintainer("x@y".into())));
    let shared = record("r1", "a2", "shared");
    let may = |who: &str| may_answer(&plan, &shared, &agent(who));
    assert_eq!((may("a1"), may("a2"), may("a3")), (true, false, true));
    assert!(!may_finish(&plan, &shared, &agent("a2")), "nobody agreed yet");
    let agreed = RequestRecord { state: RequestState::Accepted, ..shared };
    assert!(may_finish(&plan, &agreed, &agent("a2")));
    let target = addressed(&plan, agreed.target.clone(), Some("a3"), &agent("a2")).expect("addressed");
    let to_a3 = RequestRecord { target, ..agreed };
    let may = |who: &str| may_answer(&plan, &to_a3, &agent(who));
    assert_eq!((may("a1"), may("a2"), may("a3")), (false, false, true));
    assert!(may_finish(&plan, &to_a3, &agent("a2")), "the holder agreed");
    let owned = Target { area: Some("migrations".into()), ..Target::default() };
    assert!(addressed(&plan, owned.clone(), Some("a3"), &agent("a2")).is_err(), "it is a1's");
    assert_eq!(addressed(&plan, owned.clone(), Some("a1"), &agent("a2")).expect("a1's"), owned);
    assert!(addressed(&plan, owned, Some("a9"), &agent("a2")).is_err());
}

#[test]
fn whose_step_is_next() {
    let plan = reference();
    let waits = |area: &str, state, who: &str| {
        waits_for(&plan, &RequestRecord { state, ..record("r1", "a2", area) }, &agent(who))
    };
    assert!(
        waits("migrations", RequestState::Submitted, "a1")
            && waits("migrations", RequestState::Accepted, "a1")
    );
    assert!(
        !waits("migrations", RequestState::Submitted, "a2") && !waits("migrations", RequestState::Done, "a1")
    );
    assert!(
        waits("shared", RequestState::Submitted, "a3") && !waits("shared", RequestState::Submitted, "a2")
    );
    assert!(waits("shared", RequestState::Accepted, "a2") && !waits("shared", RequestState::Accepted, "a3"));
}
