use super::*;
use crate::locks::liveness::{Judge, Observations, tests::Toy};
use crate::locks::record::Loser;
use crate::locks::record::tests::{record, stake};
use crate::rules::testing::plan;

const POLICY: &str =
    "version: 1\nagents: {a1: {}, a2: {}, a3: {}}\nareas: [{name: common, paths: [x/], access: lock}]";

fn told(chain: &[LockRecord], agent: &str, world: &Toy, is_claimed: bool) -> Vec<(String, String)> {
    let (plan, seen) = (plan(POLICY), Observations::default());
    let judge = Judge::new(&plan, world, &seen);
    let area = Area { chain, judge: &judge, is_claimed: &|_| is_claimed };
    area.notices(agent).into_iter().map(|notice| (notice.kind.word.to_owned(), notice.text)).collect()
}

fn after(before: &LockRecord, kind: LockEventKind, agent: &str) -> LockRecord {
    let event = LockEvent { kind, agent: agent.into(), reason: None, ..before.event.clone() };
    LockRecord { event, ..before.clone() }
}

/// a1 holds it, a2 waits.
fn waited() -> (LockRecord, LockRecord) {
    let taken = record();
    let mut waiting = after(&taken, LockEventKind::Wait, "a2");
    waiting.queue.push(stake("a2", "common", "t"));
    (taken, waiting)
}

#[test]
fn a_lock_is_free_once_nobody_is_in_the_way() {
    let world = Toy::new("b1");
    let (taken, waiting) = waited();
    assert_eq!(told(&[waiting.clone(), taken.clone()], "a2", &world, false), []);
    let mut left = after(&waiting, LockEventKind::Leave, "a2");
    left.queue.clear();
    assert_eq!(told(&[left.clone(), waiting.clone(), taken.clone()], "a2", &world, false), [], "held still");
    let mut released = after(&left, LockEventKind::Release, "a1");
    released.leases.clear();
    let chain = [released.clone(), left, waiting, taken];
    let free = ("lock-free".to_owned(), "`common`, which you waited for, is free".to_owned());
    assert_eq!(told(&chain, "a2", &world, false), [free]);
    assert_eq!(told(&chain, "a2", &world, true), [], "claimed manually");
    assert_eq!(told(&chain, "a3", &world, false), [], "never waited");
    world.wall.set(1_000 + WISH);
    assert_eq!(told(&chain, "a2", &world, false), [], "long ago");
}

#[test]
fn a_lock_is_not_free_while_somebody_waits_for_it() {
    let world = Toy::new("b1");
    let (taken, waiting) = waited();
    let mut released = after(&waiting, LockEventKind::Release, "a1");
    released.leases.clear();
    let chain = [released.clone(), waiting.clone(), taken.clone()];
    assert_eq!(told(&chain, "a2", &world, false), [], "its own process takes it in a moment");
    released.queue = vec![stake("a3", "common", "u")];
    assert_eq!(told(&[released, waiting, taken], "a2", &world, false), [], "another one's turn");
}

#[test]
fn whoever_waited_hears_that_the_lock_is_theirs() {
    let world = Toy::new("b1");
    let (taken, waiting) = waited();
    let mut got = after(&waiting, LockEventKind::Take, "a2");
    got.queue.clear();
    got.leases[0].stake = stake("a2", "common", "m");
    (got.generation, got.event.generation, got.leases[0].generation) = (4, 4, 4);
    let text = "`common`, which you waited for, is locked for you now";
    assert_eq!(
        told(&[got.clone(), waiting, taken.clone()], "a2", &world, false),
        [("lock-taken".into(), text.into())]
    );
    assert_eq!(told(&[got, taken], "a2", &world, false), [], "without a wait it is no news");
}

#[test]
fn the_end_of_a_lock_is_told_before_and_after() {
    let world = Toy::new("b1");
    let chain = [record()];
    assert_eq!(told(&chain, "a1", &world, false), []);
    world.uptime.set(1_080_000);
    let soon = ("lock-expiring".to_owned(), "your lock on `common` expires in 20 s".to_owned());
    assert_eq!(told(&chain, "a1", &world, false), [soon]);
    assert_eq!(told(&chain, "a2", &world, false), []);
    world.uptime.set(1_100_000);
    let over = "your lock on `common` has expired, and nobody else has taken it";
    assert_eq!(told(&chain, "a1", &world, false), [("lock-lost".into(), over.into())]);
    let (plan, seen) = (plan(POLICY), Observations::default());
    world.uptime.set(1_000_000);
    let judge = Judge::new(&plan, &world, &seen);
    let area = Area { chain: &chain, judge: &judge, is_claimed: &|_| false };
    assert_eq!(area.next_change(), Some(75_000));
}

#[test]
fn a_theft_is_told_to_the_one_it_was_taken_from() {
    let world = Toy::new("b1");
    let taken = record();
    let mut stolen = after(&taken, LockEventKind::Steal, "a3");
    stolen.event.reason = Some("a1 is\u{1b}[2J away".into());
    stolen.event.from =
        vec![Loser { agent: "a1".into(), scope: "common".into(), generation: 3, cause: Cause::Stolen }];
    let text = "a3 stole your lock on `common` (a1 is\\x1b[2J away)";
    let lost = |cause: Cause, agent: &str| {
        let mut stolen = stolen.clone();
        stolen.event.from[0].cause = cause;
        stolen.leases[0].stake.agent = "a3".into();
        told(&[stolen, taken.clone()], agent, &world, false)
    };
    assert_eq!(lost(Cause::Stolen, "a1"), [("lock-lost".into(), text.into())]);
    assert_eq!(lost(Cause::Stolen, "a2"), []);
    assert_eq!(lost(Cause::Returned, "a1"), []);
    let text = "your lock on `common` had expired, and a3 took it";
    assert_eq!(lost(Cause::Expired, "a1"), [("lock-lost".into(), text.into())]);
}
