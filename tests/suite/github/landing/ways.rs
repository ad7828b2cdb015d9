//! The three ways, each from its beginning to the base.

use git2::{Oid, Repository};
use lane_github::{
    LandingOutcome, LandingWay, MergeMethod, MergeState, NeitherReason, Obstacle, PullStatus, QueueEntry,
    ReviewDecision,
};

use super::{NAME, Stage, merged, request, with_auto_merge, with_queue};
use crate::github::stand_in::repo::{Check, Settings, State};

#[test]
fn a_merge_queue_lands_in_its_order() {
    for is_ruleset in [true, false] {
        let stage = Stage::new(Settings { is_ruleset, ..with_queue() });
        stage.checks(Check::Pending);
        let pulls: Vec<(u64, String)> = ["a", "b", "c"].map(|name| stage.pull(name)).to_vec();
        let github = stage.github();
        for (at, (number, head)) in pulls.iter().enumerate() {
            let (landing, pull) = stage.landing(*number);
            let LandingWay::MergeQueue { url, method, length } = &landing.way else { panic!("{landing:?}") };
            assert_eq!(url.as_deref(), Some("https://github.com/o/n/queue/main"));
            assert_eq!((*method, *length), (Some(MergeMethod::Squash), Some(at as u64)));
            assert_eq!(landing.refuses_push(), is_ruleset);
            let LandingOutcome::Queued(entry) = github.enqueue(&pull, head).unwrap() else { panic!() };
            assert_eq!(entry.position, at as u64 + 1);
            // It stays where it is.
            let again = github.enqueue(&pull, head).unwrap();
            let LandingOutcome::Queued(entry) = again else { panic!("{again:?}") };
            assert_eq!(entry.position, at as u64 + 1);
        }
        let first = github.pull_state(1).unwrap().queue.unwrap();
        assert_eq!(first, QueueEntry { position: 1, state: "AWAITING_CHECKS".to_owned() });
        let before = stage.main();
        stage.checks(Check::Passed);
        for (number, _) in &pulls {
            let state = github.pull_state(*number).unwrap();
            assert!(merged(&state) && state.queue.is_none(), "{state:?}");
        }
        let repo = Repository::open_bare(&stage.git).unwrap();
        let mut walk = repo.revwalk().unwrap();
        walk.push(stage.main()).unwrap();
        walk.hide(before).unwrap();
        let subjects: Vec<String> = walk
            .map(|oid| repo.find_commit(oid.unwrap()).unwrap().summary().unwrap().unwrap().to_owned())
            .collect();
        assert_eq!(subjects, ["c (#3)", "b (#2)", "a (#1)"]);
    }
}

#[test]
fn what_fails_its_checks_leaves_the_queue() {
    let stage = Stage::new(with_queue());
    let (number, head) = stage.pull("a");
    let (_, pull) = stage.landing(number);
    stage.stand_in.with(NAME, |repo| repo.checks.insert(Oid::from_str(&head).unwrap(), Check::Passed));
    stage.checks(Check::Pending);
    let before = stage.main();
    stage.github().enqueue(&pull, &head).unwrap();
    stage.checks(Check::Failed);
    let state = stage.github().pull_state(number).unwrap();
    assert_eq!((state.status, state.queue, stage.main()), (PullStatus::Open, None, before));
}

#[test]
fn a_push_takes_it_out_of_the_queue() {
    let stage = Stage::new(with_queue());
    stage.checks(Check::Pending);
    let (number, head) = stage.pull("a");
    let (_, pull) = stage.landing(number);
    stage.github().enqueue(&pull, &head).unwrap();
    let newer = stage.commit("a", None, "a", "y\n").to_string();
    let state = stage.github().pull_state(number).unwrap();
    assert_eq!((state.queue.clone(), state.head_sha.as_str()), (None, newer.as_str()));
    let moved = LandingOutcome::Refused(Obstacle::HeadMoved { head: newer.clone() });
    assert_eq!(state.outcome(&head), Some(moved.clone()));
    assert_eq!(stage.github().enqueue(&pull, &head).unwrap(), moved);
    assert!(matches!(stage.github().enqueue(&pull, &newer).unwrap(), LandingOutcome::Queued(_)));
}

#[test]
fn auto_merge_waits_for_checks() {
    let stage = Stage::new(with_auto_merge());
    stage.checks(Check::Pending);
    let (number, head) = stage.pull("a");
    let (landing, pull) = stage.landing(number);
    assert_eq!((&landing.way, landing.refuses_push()), (&LandingWay::AutoMerge, false));
    assert_eq!(landing.methods, [MergeMethod::Merge, MergeMethod::Squash, MergeMethod::Rebase]);
    assert_eq!((pull.merge_state, pull.can_enable_auto_merge), (MergeState::Blocked, true));
    let github = stage.github();
    for _ in 0..2 {
        let asked = github.enable_auto_merge(&pull, &request(&head)).unwrap();
        assert_eq!(asked, LandingOutcome::AutoMerge(MergeMethod::Squash));
    }
    assert_eq!(stage.landing(number).0.way, LandingWay::AutoMerge);
    stage.checks(Check::Passed);
    let state = github.pull_state(number).unwrap();
    assert!(merged(&state), "{state:?}");
    assert_eq!(state.outcome(&head), Some(LandingOutcome::Merged { commit: Some(stage.main().to_string()) }));
    // Whoever asks after that is told so.
    let asked = github.enable_auto_merge(&pull, &request(&head)).unwrap();
    assert_eq!(asked, LandingOutcome::Merged { commit: Some(stage.main().to_string()) });
    assert_eq!(stage.landing(number).0.way, LandingWay::Neither(NeitherReason::NotOpen));
}

#[test]
fn auto_merge_has_nothing_to_wait_for() {
    let stage = Stage::new(with_auto_merge());
    let (number, head) = stage.pull("a");
    let (landing, pull) = stage.landing(number);
    assert_eq!(landing.way, LandingWay::Neither(NeitherReason::NothingToWaitFor));
    let github = stage.github();
    assert_eq!(github.enable_auto_merge(&pull, &request(&head)).unwrap(), LandingOutcome::MergeableNow);
    let LandingOutcome::Merged { commit } = github.merge_pull(number, &request(&head)).unwrap() else {
        panic!()
    };
    assert_eq!(commit, Some(stage.main().to_string()));
    assert!(merged(&github.pull_state(number).unwrap()));
    let again = github.merge_pull(number, &request(&head)).unwrap();
    assert_eq!(again, LandingOutcome::Merged { commit });
}

#[test]
fn auto_merge_where_there_is_a_queue_leads_into_it() {
    let settings = Settings { queue: Some("MERGE".to_owned()), ..with_auto_merge() };
    let stage = Stage::new(settings);
    stage.checks(Check::Pending);
    let (number, head) = stage.pull("a");
    let (landing, pull) = stage.landing(number);
    assert!(matches!(landing.way, LandingWay::MergeQueue { .. }));
    let github = stage.github();
    // Checks that the queue wants first.
    let LandingOutcome::Refused(Obstacle::Other(words)) = github.enqueue(&pull, &head).unwrap() else {
        panic!()
    };
    assert!(words.contains("Required status check"), "{words}");
    let asked = github.enable_auto_merge(&pull, &request(&head)).unwrap();
    assert_eq!(asked, LandingOutcome::AutoMerge(MergeMethod::Squash));
    stage.stand_in.with(NAME, |repo| repo.checks.insert(Oid::from_str(&head).unwrap(), Check::Passed));
    assert_eq!(github.pull_state(number).unwrap().queue.unwrap().position, 1);
    // A merge past the queue is none.
    let (second, head) = stage.pull("b");
    stage.stand_in.with(NAME, |repo| repo.checks.insert(Oid::from_str(&head).unwrap(), Check::Passed));
    let LandingOutcome::Refused(refused) = github.merge_pull(second, &request(&head)).unwrap() else {
        panic!()
    };
    assert!(refused.to_string().contains("Changes must be made through the merge queue"), "{refused}");
}

#[test]
fn neither_queue_nor_auto_merge() {
    let stage = Stage::new(Settings::default());
    let (number, head) = stage.pull("a");
    let (landing, pull) = stage.landing(number);
    assert_eq!(landing.way, LandingWay::Neither(NeitherReason::NotAllowed));
    assert!(landing.rules.is_empty() && pull.obstacle(&head).is_none() && pull.outcome(&head).is_none());
    assert_eq!((pull.base_ref.as_str(), pull.head_ref.as_str()), ("main", "a"));
    assert_eq!(pull.url, "https://github.com/o/n/pull/1");
    let asked = stage.github().enable_auto_merge(&pull, &request(&head)).unwrap();
    let words = "GitHub refuses: Pull request Auto merge is not allowed for this repository";
    let LandingOutcome::Refused(refused) = asked else { panic!("{asked:?}") };
    assert_eq!(refused.to_string(), words);
    assert!(matches!(stage.github().enqueue(&pull, &head).unwrap(), LandingOutcome::Refused(_)));
    let none = Stage::new(with_auto_merge()).github().landing("main", None).unwrap();
    assert_eq!((none.way, none.pull), (LandingWay::Neither(NeitherReason::NoPull), None));
}

#[test]
fn a_plan_without_rulesets_has_none() {
    let stage = Stage::new(Settings { has_no_rules: true, ..with_auto_merge() });
    assert!(stage.github().landing("main", None).unwrap().rules.is_empty());
}

#[test]
fn drafts_reviews_and_conflicts_hold_it_up() {
    let stage = Stage::new(with_auto_merge());
    stage.checks(Check::Pending);
    let (number, head) = stage.pull("a");
    let held_up = |wanted: Obstacle| {
        let (landing, pull) = stage.landing(number);
        assert_eq!(pull.obstacle(&head), Some(wanted.clone()));
        assert_eq!(pull.outcome(&head), Some(LandingOutcome::Refused(wanted)));
        landing.way
    };
    stage.change(number, |pull| pull.is_draft = true);
    assert_eq!(held_up(Obstacle::Draft), LandingWay::Neither(NeitherReason::Draft));
    let (_, pull) = stage.landing(number);
    let asked = stage.github().enable_auto_merge(&pull, &request(&head)).unwrap();
    assert_eq!(asked, LandingOutcome::Refused(Obstacle::Draft));
    assert_eq!(
        stage.github().merge_pull(number, &request(&head)).unwrap(),
        LandingOutcome::Refused(Obstacle::Draft)
    );
    // Whether or not reviews are required.
    for requires_reviews in [true, false] {
        stage.stand_in.with(NAME, |repo| repo.settings.requires_reviews = requires_reviews);
        stage.change(number, |pull| {
            (pull.is_draft, pull.review) = (false, Some("CHANGES_REQUESTED".to_owned()));
        });
        held_up(Obstacle::ChangesRequested);
        stage.change(number, |pull| pull.review = Some("APPROVED".to_owned()));
        let approved = requires_reviews.then_some(ReviewDecision::Approved);
        assert_eq!(stage.landing(number).1.review, approved);
    }
    stage.commit("main", None, "a", "other\n");
    held_up(Obstacle::Conflicts);
    stage.change(number, |pull| pull.state = State::Closed);
    assert_eq!(held_up(Obstacle::Closed), LandingWay::Neither(NeitherReason::NotOpen));
}
