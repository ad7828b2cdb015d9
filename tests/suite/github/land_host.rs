//! What a landing asks GitHub for, and what it is told.

use git_lane::ops::land::host::{HostAnswer, HostRequest, ask_host};
use git2::Oid;

use super::landing::{NAME, Stage, with_auto_merge, with_queue};
use super::stand_in::repo::{Check, Settings};

fn asked(stage: &Stage, branch: &str, head: &str) -> HostAnswer {
    ask_host(&stage.github(), &request(branch, head)).unwrap()
}

fn request<'a>(branch: &'a str, head: &'a str) -> HostRequest<'a> {
    HostRequest { branch, base: "main", head, squash: true }
}

fn refused(answer: HostAnswer) -> (String, String) {
    match answer {
        HostAnswer::Refused { reason, help, .. } => (reason, help),
        other => panic!("{other:?}"),
    }
}

#[test]
fn into_the_queue_once() {
    let stage = Stage::new(with_queue());
    stage.checks(Check::Pending);
    let (first, second) = (stage.pull("a").1, stage.pull("b").1);
    for (branch, head, place) in [("a", &first, 1), ("b", &second, 2), ("a", &first, 1)] {
        let HostAnswer::Queued { pull, position, queue_url } = asked(&stage, branch, head) else { panic!() };
        assert_eq!((pull.head_ref.as_str(), position), (branch, place));
        assert_eq!(queue_url.as_deref(), Some("https://github.com/o/n/queue/main"));
    }
    let (reason, help) = refused(asked(&stage, "c", &first));
    assert_eq!(reason, "main has a merge queue on GitHub, and `c` has no open pull request into it");
    assert_eq!(help, "open one: git lane pr --yes");
}

#[test]
fn a_queue_that_wants_checks_first_is_waited_for_by_auto_merge() {
    let stage = Stage::new(Settings { requires_checks: true, ..with_queue() });
    stage.checks(Check::Pending);
    let head = stage.pull("a").1;
    let (reason, help) = refused(asked(&stage, "a", &head));
    assert!(reason.contains("Required status check"), "{reason}");
    assert_eq!(help, "see what the pull request is waiting for: https://github.com/o/n/pull/1");
    stage.stand_in.with(NAME, |repo| repo.settings.auto_merge = true);
    assert!(matches!(asked(&stage, "a", &head), HostAnswer::AutoMerge { .. }));
    stage.stand_in.with(NAME, |repo| repo.checks.insert(Oid::from_str(&head).unwrap(), Check::Passed));
    assert!(matches!(asked(&stage, "a", &head), HostAnswer::Queued { position: 1, .. }));
}

#[test]
fn auto_merge_or_ours() {
    let stage = Stage::new(with_auto_merge());
    stage.checks(Check::Pending);
    let head = stage.pull("a").1;
    assert!(matches!(asked(&stage, "a", &head), HostAnswer::AutoMerge { .. }));
    stage.checks(Check::Passed);
    let head = stage.pull("b").1;
    // Auto-merge has nothing to wait for.
    assert!(matches!(asked(&stage, "b", &head), HostAnswer::Ours { pull: Some(_) }));
    stage.stand_in.with(NAME, |repo| repo.settings.requires_pull_request = true);
    let HostAnswer::Merged { pull, commit } = asked(&stage, "b", &head) else { panic!() };
    assert_eq!(commit, Some(stage.main().to_string()));
    // Asked again when it is there.
    let HostAnswer::Merged { pull: again, commit: same } = asked(&stage, "b", &head) else { panic!() };
    assert_eq!((again.number, same), (pull.number, commit));
    stage.stand_in.with(NAME, |repo| repo.settings.requires_pull_request = false);
    let none = asked(&stage, "c", &head);
    assert_eq!(none, HostAnswer::Ours { pull: None });
    let stage = Stage::new(Settings { methods: vec!["MERGE".to_owned()], ..with_auto_merge() });
    stage.checks(Check::Pending);
    let head = stage.pull("a").1;
    let (reason, _) = refused(asked(&stage, "a", &head));
    assert_eq!(reason, "the repository on GitHub does not allow squash merges");
    let plain = HostRequest { squash: false, ..request("a", &head) };
    assert!(matches!(ask_host(&stage.github(), &plain).unwrap(), HostAnswer::AutoMerge { .. }));
}

#[test]
fn what_holds_it_up_is_said_with_what_to_do() {
    for (at, settings) in [with_queue(), with_auto_merge(), Settings::default()].into_iter().enumerate() {
        let stage = Stage::new(settings);
        stage.checks(Check::Pending);
        let (number, head) = stage.pull("a");
        stage.change(number, |pull| pull.is_draft = true);
        let draft = refused(asked(&stage, "a", &head));
        assert_eq!(
            draft,
            (
                "the pull request is a draft".to_owned(),
                "mark it as ready for review: https://github.com/o/n/pull/1".to_owned()
            )
        );
        stage.change(number, |pull| {
            (pull.is_draft, pull.review) = (false, Some("CHANGES_REQUESTED".to_owned()));
        });
        let (reason, help) = refused(asked(&stage, "a", &head));
        assert_eq!(reason, "a review requests changes");
        assert_eq!(help, "answer the review: https://github.com/o/n/pull/1");
        stage.change(number, |pull| pull.review = None);
        let newer = stage.commit("a", None, "a", "y\n").to_string();
        let (reason, help) = refused(asked(&stage, "a", &head));
        assert_eq!(reason, format!("the head of the pull request is {newer} on GitHub"));
        assert_eq!(help, "ask again when GitHub shows the last push: git lane land a");
        stage.commit("main", None, "a", "other\n");
        match asked(&stage, "a", &newer) {
            // A rebase finds them.
            HostAnswer::Ours { pull: Some(_), .. } => assert_eq!(at, 2),
            other => assert_eq!(refused(other).0, "the pull request conflicts with its base"),
        }
    }
}

#[test]
fn what_github_does_not_say_could_not_be_checked() {
    let words = "Resource not accessible by integration".to_owned();
    let stage = Stage::new(Settings { forbidden: Some(words), ..with_queue() });
    let head = stage.pull("a").1;
    let error = ask_host(&stage.github(), &request("a", &head)).unwrap_err();
    assert!(error.to_string().contains("GitHub does not allow POST /graphql (Enqueue)"), "{error}");
}
