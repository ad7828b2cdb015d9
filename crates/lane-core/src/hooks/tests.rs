use super::{Action, HOOKS, Hook, Subject, find, names, watched};

#[test]
fn a_name_and_an_event_have_one_row() {
    for (at, hook) in HOOKS.iter().enumerate() {
        let rest = &HOOKS[at + 1..];
        assert!(rest.iter().all(|other| other.name != hook.name), "{}", hook.name);
        assert!(hook.event.is_none() || rest.iter().all(|other| other.event != hook.event));
        assert_eq!(find(hook.name), Some(hook));
    }
    assert_eq!(find("pre-nothing"), None);
}

#[test]
fn a_row_agrees_with_itself() {
    for hook in &HOOKS {
        let name = hook.name;
        assert_eq!(hook.event.is_some(), !hook.stages.is_empty(), "{name}: rules, or none");
        assert_eq!(
            hook.event.is_some(),
            hook.prevents.is_some(),
            "{name}: a refusal keeps something from it"
        );
        assert!(!(hook.event.is_some() && hook.fails_open), "{name}: no verdict fails open");
        assert!(!hook.is_script || hook.is_configured, "{name}: a script is in the configuration too");
        assert!(!hook.is_watched || hook.is_script, "{name}: only a script can be missing");
        let is_ours = hook.subject != Subject::Nothing;
        assert_eq!(is_ours, hook.is_configured || hook.event.is_some(), "{name}: who starts it");
        let is_named = |event: super::Event| event.name() == name || hook.action == Action::Edit;
        assert!(hook.event.is_none_or(|event| is_named(event) && event.stages() == hook.stages));
    }
}

#[test]
fn watched_ones_are_in_the_order_of_git() {
    let names =
        |hooks: &mut dyn Iterator<Item = &'static Hook>| -> Vec<_> { hooks.map(|hook| hook.name).collect() };
    let before = |name| names(&mut find(name).unwrap().watched_before());
    assert_eq!(names(&mut watched()), ["pre-commit", "prepare-commit-msg", "commit-msg", "pre-push"]);
    assert_eq!(before("commit-msg"), ["pre-commit", "prepare-commit-msg"]);
    assert!(before("pre-commit").is_empty() && before("pre-push").is_empty());
    assert!(before("pre-merge-commit").is_empty() && before("applypatch-msg").is_empty());
    let first: Vec<_> = HOOKS.iter().filter(|hook| hook.is_first()).map(|hook| hook.name).collect();
    assert_eq!(first, ["pre-commit", "pre-push"]);
}

#[test]
fn names_are_sorted() {
    let receive = ["post-receive", "post-update", "pre-receive", "update"];
    assert_eq!(names(|hook| hook.action == Action::Receive), receive);
}
