use super::super::liveness::Observations;
use super::super::liveness::tests::Toy;
use super::*;
use crate::policy::Plan;
use crate::rules::testing::plan;

const TAKE: TakeMode = TakeMode::Take { pass: 0 };

/// Three agents at one lock, on one machine.
struct Table {
    world: Toy,
    plan: Plan,
    record: Option<LockRecord>,
}

impl Table {
    fn new() -> Self {
        let plan = plan("version: 1\nareas: [{name: common, paths: ['src/**'], access: lock}]");
        Self { world: Toy::new("b1"), plan, record: None }
    }

    fn with<T>(&self, agent: &str, text: &str, act: impl FnOnce(&Claim<'_>, &Judge<'_>) -> T) -> T {
        let (seen, scope) = (Observations::default(), Scope::from_record("common", text).expect("a scope"));
        let judge = Judge::new(&self.plan, &self.world, &seen);
        let (agent, scope) = (agent, &scope);
        act(&Claim { ttl: 100, ..Claim::of_return(scope, agent, "/w", None) }, &judge)
    }

    /// What became of it: `a1@3`, or who is in the way.
    fn claim(&mut self, agent: &str, text: &str, manner: TakeMode) -> String {
        let next = self.with(agent, text, |wish, judge| claim(self.record.as_ref(), wish, manner, judge));
        match next {
            Ok(next) => {
                let said = format!("{:?} {agent}@{}", next.event.kind, next.event.generation);
                self.record = Some(next);
                said
            }
            Err(Refusal::Held(lease, _)) => format!("held by {}", lease.stake.agent),
            Err(Refusal::Queued(ahead)) => {
                format!("behind {}", ahead.iter().map(|t| t.agent.as_str()).collect::<Vec<_>>().join(","))
            }
            Err(Refusal::NotHeld | Refusal::Marked(_) | Refusal::Lost(..)) => "not held".into(),
        }
    }

    fn release(&mut self, agent: &str, text: &str) -> bool {
        let next = self.with(agent, text, |wish, judge| release(self.record.as_ref(), wish, None, judge));
        let is_done = next.is_ok();
        self.record = next.ok().or(self.record.take());
        is_done
    }

    fn wait(&mut self, agent: &str, text: &str) {
        let (next, _) = self.with(agent, text, |wish, judge| wait(self.record.as_ref(), wish, judge));
        self.record = Some(next);
    }

    fn later(&self, seconds: u64) {
        self.world.uptime.set(self.world.uptime.get() + seconds * 1_000);
    }
}

#[test]
fn one_holder_at_a_time() {
    let mut table = Table::new();
    assert_eq!(table.claim("a1", "common", TAKE), "Take a1@1");
    assert_eq!(table.claim("a2", "common", TAKE), "held by a1");
    assert_eq!(table.claim("a2", "src/x", TAKE), "held by a1", "a part of it");
    assert_eq!(table.claim("a1", "common", TAKE), "Renew a1@1", "asked for twice");
    assert!(!table.release("a2", "common"));
    assert!(table.release("a1", "common"));
    assert_eq!(table.claim("a2", "common", TAKE), "Take a2@2");
}

#[test]
fn parts_that_do_not_meet_have_holders_of_their_own() {
    let mut table = Table::new();
    assert_eq!(table.claim("a1", "src/*.rs", TAKE), "Take a1@1");
    assert_eq!(table.claim("a2", "src/a*", TAKE), "held by a1");
    assert_eq!(table.claim("a2", "src/x/y", TAKE), "Take a2@2");
    assert_eq!(table.claim("a3", "common", TAKE), "held by a1");
    assert_eq!(table.claim("a1", "src/z/*", TAKE), "Take a1@3");
    assert!(table.release("a1", "common"), "all of one's own");
    assert_eq!(table.claim("a3", "common", TAKE), "held by a2");
}

#[test]
fn one_of_several_is_given_back() {
    let mut table = Table::new();
    table.claim("a1", "src/x", TAKE);
    table.claim("a1", "common", TAKE);
    let back = |table: &Table, only| {
        table.with("a1", "common", |wish, judge| release(table.record.as_ref(), wish, only, judge))
    };
    let left = |next: Result<LockRecord, Refusal>| next.expect("released").leases.len();
    assert_eq!((left(back(&table, Some(2))), left(back(&table, None))), (1, 0));
    assert!(back(&table, Some(3)).is_err());
}

#[test]
fn an_end_by_time_is_told_in_the_next_event() {
    let mut table = Table::new();
    table.claim("a1", "common", TAKE);
    table.later(100);
    assert_eq!(table.claim("a1", "common", TakeMode::Renew), "Take a1@2", "late, and nobody minded");
    table.later(100);
    assert_eq!(table.claim("a2", "common", TAKE), "Take a2@3");
    let from = &table.record.as_ref().expect("a record").event.from;
    assert_eq!((from[0].agent.as_str(), from[0].generation, from[0].cause), ("a1", 2, Cause::Expired));
    assert_eq!(table.claim("a1", "common", TakeMode::Renew), "held by a2");
    assert!(table.release("a2", "common"));
    assert_eq!(table.claim("a1", "common", TakeMode::Renew), "not held");
}

#[test]
fn theft_is_named() {
    let mut table = Table::new();
    table.claim("a1", "common", TAKE);
    assert_eq!(table.claim("a2", "common", TakeMode::Steal), "Steal a2@2");
    let from = &table.record.as_ref().expect("a record").event.from;
    assert_eq!((from[0].agent.as_str(), from[0].cause), ("a1", Cause::Stolen));
    assert_eq!(table.claim("a2", "common", TakeMode::Steal), "Renew a2@2", "nothing to steal from oneself");
    table.release("a2", "common");
    assert_eq!(table.claim("a3", "common", TakeMode::Steal), "Take a3@3", "nobody has it");
}

#[test]
fn first_come_first_served() {
    let mut table = Table::new();
    table.claim("a1", "common", TAKE);
    table.wait("a2", "common");
    table.wait("a3", "src/x");
    table.release("a1", "common");
    assert_eq!(table.claim("a1", "common", TAKE), "behind a2,a3", "a newcomer");
    assert_eq!(table.claim("a3", "src/x", TAKE), "behind a2");
    assert_eq!(table.claim("a3", "src/x", TakeMode::Take { pass: 1 }), "Take a3@2", "a2 never came");
    assert_eq!(table.claim("a2", "src/y", TAKE), "Take a2@3");
    table.later(100);
    assert_eq!(table.claim("a1", "common", TAKE), "Take a1@4", "whose patience is over waits no longer");
    assert!(table.record.as_ref().expect("a record").queue.is_empty());
}
