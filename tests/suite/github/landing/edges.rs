//! Heads and bases in motion, lost answers, missing permissions, other servers.

use git2::{Oid, Repository};
use lane_github::{
    Error, LandingOutcome, LandingWay, MergeMethod, MergeState, NeitherReason, Obstacle, PullStatus,
};

use super::{NAME, Stage, request, with_auto_merge, with_queue};
use crate::github::stand_in::repo::{Check, Settings};

#[test]
fn another_head_is_never_landed() {
    let stage = Stage::new(Settings { auto_merge: true, ..Settings::default() });
    let (number, head) = stage.pull("a");
    let (_, pull) = stage.landing(number);
    let newer = stage.commit("a", None, "a", "y\n").to_string();
    let moved = LandingOutcome::Refused(Obstacle::HeadMoved { head: newer.clone() });
    let github = stage.github();
    assert_eq!(github.merge_pull(number, &request(&head)).unwrap(), moved);
    assert_eq!(github.enable_auto_merge(&pull, &request(&head)).unwrap(), moved);
    github.merge_pull(number, &request(&newer)).unwrap();
    // It is merged, with something else than what is asked about.
    assert_eq!(github.merge_pull(number, &request(&head)).unwrap(), moved);
}

#[test]
fn what_is_pushed_to_the_base_counts_as_merged() {
    let stage = Stage::new(Settings::default());
    let (number, head) = stage.pull("a");
    let repo = Repository::open_bare(&stage.git).unwrap();
    repo.reference("refs/heads/main", Oid::from_str(&head).unwrap(), true, "").unwrap();
    let state = stage.github().pull_state(number).unwrap();
    assert_eq!(state.status, PullStatus::Merged { commit: Some(head.clone()) });
    assert_eq!(state.outcome(&head), Some(LandingOutcome::Merged { commit: Some(head) }));
    let (number, head) = stage.pull("b");
    repo.find_reference("refs/heads/b").unwrap().delete().unwrap();
    let state = stage.github().pull_state(number).unwrap();
    assert_eq!(state.outcome(&head), Some(LandingOutcome::Refused(Obstacle::Closed)));
}

#[test]
fn a_base_in_motion_is_tried_again() {
    let stage = Stage::new(Settings::default());
    let (number, head) = stage.pull("a");
    stage.stand_in.with(NAME, |repo| repo.moving_base = 2);
    let done = stage.github().merge_pull(number, &request(&head)).unwrap();
    assert!(matches!(done, LandingOutcome::Merged { .. }), "{done:?}");
    let slept: Vec<f64> = stage.stand_in.slept.lock().unwrap().iter().map(|it| it.as_secs_f64()).collect();
    assert_eq!(slept, [0.5, 1.0]);
    let (number, head) = stage.pull("b");
    stage.stand_in.with(NAME, |repo| repo.moving_base = 9);
    let LandingOutcome::Refused(refused) = stage.github().merge_pull(number, &request(&head)).unwrap() else {
        panic!()
    };
    assert!(refused.to_string().contains("Base branch was modified"), "{refused}");
}

#[test]
fn github_may_still_be_computing() {
    let stage = Stage::new(with_auto_merge());
    let (number, _) = stage.pull("a");
    stage.change(number, |pull| pull.computing = 2);
    let (landing, pull) = stage.landing(number);
    assert_eq!(pull.merge_state, MergeState::Clean);
    assert_eq!(landing.way, LandingWay::Neither(NeitherReason::NothingToWaitFor));
    stage.change(number, |pull| pull.computing = 99);
    assert_eq!(stage.landing(number).1.merge_state, MergeState::Unknown);
    assert_eq!(stage.stand_in.slept.lock().unwrap().len(), 2 + 3);
}

#[test]
fn a_lost_answer_is_looked_after() {
    for is_done in [true, false] {
        for status in [Some(502), None] {
            let stage = Stage::new(Settings { auto_merge: true, ..with_queue() });
            stage.checks(Check::Pending);
            let fault = |at: &str| stage.stand_in.hub().fault(at, is_done, status);
            let count = |at: &str| stage.asked().iter().filter(|line| line.contains(at)).count();
            let times = 1 + usize::from(!is_done);
            let github = stage.github();
            let (number, head) = stage.pull("a");
            let (_, pull) = stage.landing(number);
            fault("(Enqueue)");
            let asked = github.enqueue(&pull, &head).unwrap();
            assert!(matches!(asked, LandingOutcome::Queued(_)), "{asked:?}");
            assert_eq!(count("(Enqueue)"), times);
            stage
                .stand_in
                .with(NAME, |repo| (repo.settings.queue, repo.settings.requires_checks) = (None, true));
            let (number, head) = stage.pull("b");
            let (_, pull) = stage.landing(number);
            fault("(EnableAutoMerge)");
            let asked = github.enable_auto_merge(&pull, &request(&head)).unwrap();
            assert_eq!(asked, LandingOutcome::AutoMerge(MergeMethod::Squash));
            assert_eq!(count("(EnableAutoMerge)"), times);
            stage.checks(Check::Passed);
            let (number, head) = stage.pull("c");
            fault("PUT ");
            let asked = github.merge_pull(number, &request(&head)).unwrap();
            assert!(matches!(asked, LandingOutcome::Merged { commit: Some(_) }), "{asked:?}");
            assert_eq!(count("PUT "), times);
        }
    }
}

#[test]
fn a_token_that_may_not_is_told_what_it_lacks() {
    let words = "Resource not accessible by integration";
    let settings = Settings { forbidden: Some(words.to_owned()), auto_merge: true, ..with_queue() };
    let stage = Stage::new(settings);
    let (number, head) = stage.pull("a");
    let (_, pull) = stage.landing(number);
    let github = stage.github();
    let refused = [
        (github.enqueue(&pull, &head), "POST /graphql (Enqueue)"),
        (github.enable_auto_merge(&pull, &request(&head)), "POST /graphql (EnableAutoMerge)"),
        (github.merge_pull(number, &request(&head)), "PUT /repos/o/n/pulls/1/merge"),
    ];
    for (asked, call) in refused {
        let error = asked.unwrap_err();
        assert!(error.is_forbidden());
        assert_eq!(error.to_string(), format!("GitHub does not allow {call}: {words}"));
        assert!(error.help().contains("`permissions: { contents: write, pull-requests: write }`"));
    }
    let error = github.landing("main", Some(99)).unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
    let error = stage.stand_in.github("o/gone", "").landing("main", None).unwrap_err();
    assert_eq!(error.to_string(), "GitHub has nothing at POST /graphql (Landing)");
}

#[test]
fn a_queue_that_graphql_hides_is_found_elsewhere_or_not_denied() {
    let hidden = || Settings { hides_queue: true, ..with_queue() };
    // The rules name it, or the pull request does.
    let stage = Stage::new(hidden());
    let way = stage.github().landing("main", None).unwrap().way;
    assert_eq!(way, LandingWay::MergeQueue { url: None, method: None, length: None });
    let stage = Stage::new(Settings { is_ruleset: false, ..hidden() });
    let (number, _) = stage.pull("a");
    assert!(matches!(stage.landing(number).0.way, LandingWay::MergeQueue { .. }));
    let error = stage.github().landing("main", None).unwrap_err();
    assert!(error.is_forbidden() && error.help().contains("contents: read, pull-requests: read"), "{error}");
}

#[test]
fn on_github_enterprise() {
    let stage = Stage::new(with_queue());
    let (number, head) = stage.pull("a");
    let github = stage.stand_in.github(NAME, "/api/v3");
    let pull = github.landing("main", Some(number)).unwrap().pull.unwrap();
    let asked = github.enqueue(&pull, &head).unwrap();
    assert!(matches!(asked, LandingOutcome::Queued(_)), "{asked:?}");
    assert_eq!(
        stage.asked(),
        [
            "POST /api/graphql (Landing)",
            "GET /api/v3/repos/o/n/rules/branches/main",
            "POST /api/graphql (Enqueue)"
        ]
    );
}

#[test]
fn twenty_at_once_land_once_each() {
    let stage = Stage::new(Settings::default());
    let before = stage.main();
    let pulls: Vec<(u64, String)> = (0..20).map(|at| stage.pull(&format!("x{at}"))).collect();
    std::thread::scope(|threads| {
        for (number, head) in &pulls {
            threads.spawn(|| {
                let outcome = stage.github().merge_pull(*number, &request(head)).unwrap();
                assert!(matches!(outcome, LandingOutcome::Merged { commit: Some(_) }), "{outcome:?}");
            });
        }
    });
    let repo = Repository::open_bare(&stage.git).unwrap();
    let mut walk = repo.revwalk().unwrap();
    walk.push(stage.main()).unwrap();
    walk.hide(before).unwrap();
    assert_eq!(walk.count(), 20);
    let tree = repo.find_commit(stage.main()).unwrap().tree().unwrap();
    assert_eq!(tree.len(), 21);
}
