//! Whether a lock still lives. Timestamps of two machines are never compared.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::record::{Cause, Lease, LockRecord, Stake};
use super::scope::Scope;
use super::world::{Now, World};
use crate::policy::Plan;

/// What a lock is at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// It lives for so many milliseconds more, unless it is renewed. Of a lock on another machine that is
    /// the most it can be.
    Alive(u64),
    /// The process it is held for is gone; it may be taken over in so many milliseconds.
    Orphaned(u64),
    /// It is over.
    Ended(Cause),
}

impl Liveness {
    /// Milliseconds until somebody else may have it.
    pub fn remaining(self) -> u64 {
        match self {
            Self::Alive(left) | Self::Orphaned(left) => left,
            Self::Ended(_) => 0,
        }
    }

    /// Whether it is over.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Ended(_))
    }
}

/// What this machine has seen stand still, and since when: by nonce.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observations(pub BTreeMap<String, Observation>);

/// Since when one stake stands still, by this machine's steady clock, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// When it was first seen as it is.
    pub first: u64,
    /// When its process was first found to be gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<u64>,
}

impl Observations {
    /// Notes what stands in records. True where something is new.
    pub fn observe<'r>(&mut self, records: impl Iterator<Item = &'r LockRecord>, world: &dyn World) -> bool {
        let now = world.now().uptime;
        let mut is_new = false;
        for stake in records.flat_map(stakes) {
            let is_gone = process_is_gone(stake, world);
            // What lives by our own clock and has no dead process needs no watching.
            if stake.machine.shares_clock(world.machine()) && !is_gone {
                is_new |= self.0.remove(&stake.nonce).is_some();
                continue;
            }
            let known = self.0.get(&stake.nonce).copied();
            let mut sight = known.unwrap_or(Observation { first: now, gone: None });
            sight.gone = if is_gone { sight.gone.or(Some(now)) } else { None };
            is_new |= known != Some(sight);
            self.0.insert(stake.nonce.clone(), sight);
        }
        is_new
    }

    /// Forgets what stands in none of these records any more. True where there was something.
    pub fn forget(&mut self, records: &[LockRecord]) -> bool {
        let before = self.0.len();
        let is_there = |nonce: &str| records.iter().flat_map(stakes).any(|stake| stake.nonce == nonce);
        self.0.retain(|nonce, _| is_there(nonce));
        self.0.len() < before
    }
}

fn stakes(record: &LockRecord) -> impl Iterator<Item = &Stake> {
    record.leases.iter().map(|lease| &lease.stake).chain(&record.queue)
}

fn process_is_gone(stake: &Stake, world: &dyn World) -> bool {
    stake.machine.shares_processes(world.machine())
        && stake.process.is_some_and(|process| !world.runs(process))
}

/// Judges by one clock and by what was seen.
pub struct Judge<'a> {
    world: &'a dyn World,
    observations: &'a Observations,
    now: Now,
    grace: u64,
    fold: bool,
}

impl<'a> Judge<'a> {
    /// At this moment.
    pub fn new(plan: &Plan, world: &'a dyn World, seen: &'a Observations) -> Self {
        let grace = plan.policy.locks.grace.value.seconds.saturating_mul(1_000);
        Self { world, observations: seen, now: world.now(), grace, fold: plan.folds_case() }
    }

    /// Whether a lock still lives.
    pub fn lease(&self, lease: &Lease) -> Liveness {
        self.stake(&lease.stake, self.grace)
    }

    /// Whether somebody still waits: who is gone waits no longer, without any grace.
    pub fn waits(&self, ticket: &Stake) -> bool {
        !self.stake(ticket, 0).is_over()
    }

    fn stake(&self, stake: &Stake, grace: u64) -> Liveness {
        let ttl = stake.ttl.saturating_mul(1_000);
        let since = |start: u64| self.now.uptime.saturating_sub(start);
        let sight = self.observations.0.get(&stake.nonce);
        let spent = if stake.machine.shares_clock(self.world.machine()) {
            since(stake.uptime)
        } else {
            sight.map_or(0, |sight| since(sight.first))
        };
        if spent >= ttl {
            return Liveness::Ended(Cause::Expired);
        }
        let left = ttl - spent;
        if process_is_gone(stake, self.world) {
            let gone = sight.and_then(|sight| sight.gone).map_or(0, since);
            return match grace.saturating_sub(gone) {
                0 => Liveness::Ended(Cause::Gone),
                rest => Liveness::Orphaned(rest.min(left)),
            };
        }
        Liveness::Alive(left)
    }

    /// Whether a holder may still rely on its lock: it stops a margin before others may take it, so that
    /// what it has begun is done by then. A tenth of the life, a minute at most.
    pub fn is_firm(&self, lease: &Lease) -> bool {
        let life = self.lease(lease);
        if !self.is_timed(lease) {
            // Where its life is not measured by this machine's clock, nobody here can say how much is left;
            // where the system tells no starts of the machine, that is so for all, and watching has to do.
            return self.world.machine().boot.is_none() && life.remaining() > margin(lease.stake.ttl);
        }
        if life.is_over() {
            return false;
        }
        // Its process may be gone: its agent asks at this very moment, so another one of it is alive.
        self.now.uptime.saturating_sub(lease.stake.uptime).saturating_add(margin(lease.stake.ttl))
            < lease.stake.ttl.saturating_mul(1_000)
    }

    /// Whether a lock's life is measured by this machine's clock: it was taken here, since the machine was
    /// started.
    pub fn is_timed(&self, lease: &Lease) -> bool {
        lease.stake.machine.shares_clock(self.world.machine())
    }

    /// Whether two scopes can have a path in common.
    pub fn conflict(&self, one: &Scope, other: &Scope) -> bool {
        one.conflicts(other, self.fold)
    }

    /// The time.
    pub fn now(&self) -> Now {
        self.now
    }

    /// The machine and its processes.
    pub fn world(&self) -> &'a dyn World {
        self.world
    }
}

/// How long before its end a holder stops, in milliseconds, for a life in seconds.
pub fn margin(ttl: u64) -> u64 {
    ttl.saturating_mul(100).min(60_000)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::record::tests::stake;
    use super::super::world::{Machine, Process};
    use super::*;
    use crate::rules::testing::plan;
    use std::cell::{Cell, RefCell};

    /// A machine whose clock and processes the tests set.
    pub struct Toy {
        pub machine: Machine,
        pub uptime: Cell<u64>,
        pub wall: Cell<i64>,
        pub dead: RefCell<Vec<u32>>,
        pub count: Cell<u64>,
    }

    impl Toy {
        pub fn new(boot: &str) -> Self {
            let machine = Machine { host: "h".into(), boot: Some(boot.into()), pids: Some("p".into()) };
            let count = Cell::new(0);
            Self {
                machine,
                uptime: Cell::new(1_000_000),
                wall: Cell::new(1_000),
                dead: RefCell::default(),
                count,
            }
        }
    }

    impl World for Toy {
        fn machine(&self) -> &Machine {
            &self.machine
        }
        fn now(&self) -> Now {
            Now { uptime: self.uptime.get(), wall: self.wall.get() }
        }
        fn runs(&self, process: Process) -> bool {
            !self.dead.borrow().contains(&process.id)
        }
        fn nonce(&self) -> String {
            self.count.set(self.count.get() + 1);
            format!("{:?}-{}", self.machine.boot, self.count.get())
        }
    }

    fn lease(nonce: &str, process: Option<u32>) -> Lease {
        let process = process.map(|id| Process { id, start: 1 });
        let stake = Stake { process, ..stake("a1", "common", nonce) };
        Lease { stake, generation: 1, since: 0, reason: None, base: None, by_hand: None, from: vec![] }
    }

    fn record(lease: &Lease) -> LockRecord {
        let event = crate::locks::record::LockEvent {
            kind: crate::locks::record::LockEventKind::Take,
            agent: "a1".into(),
            scope: "common".into(),
            generation: 1,
            at: 0,
            host: String::new(),
            worktree: String::new(),
            reason: None,
            from: vec![],
            pushed: None,
            base: None,
        };
        LockRecord { generation: 1, leases: vec![lease.clone()], ..LockRecord::first("common", event) }
    }

    fn liveness_of(world: &Toy, seen: &Observations, lease: &Lease) -> Liveness {
        let plan = plan("version: 1\nareas: [{name: common, paths: [x], access: lock}]\nlocks: {grace: 5s}");
        Judge::new(&plan, world, seen).lease(lease)
    }

    #[test]
    fn on_the_same_machine_its_steady_clock_decides() {
        let (world, seen, lease) = (Toy::new("b1"), Observations::default(), lease("n", None));
        assert_eq!(liveness_of(&world, &seen, &lease), Liveness::Alive(100_000));
        world.wall.set(1_000 + 86_400);
        assert_eq!(liveness_of(&world, &seen, &lease), Liveness::Alive(100_000), "the wall clock was set");
        world.wall.set(1_000 - 3_600);
        world.uptime.set(1_099_999);
        assert_eq!(liveness_of(&world, &seen, &lease), Liveness::Alive(1));
        world.uptime.set(1_100_000);
        assert_eq!(liveness_of(&world, &seen, &lease), Liveness::Ended(Cause::Expired));
    }

    #[test]
    fn of_another_machine_it_must_be_seen_to_stand_still() {
        let (world, mut seen, mut lease) = (Toy::new("b2"), Observations::default(), lease("n", Some(7)));
        world.dead.borrow_mut().push(7);
        world.uptime.set(9_000_000);
        assert_eq!(liveness_of(&world, &seen, &lease), Liveness::Alive(100_000), "never seen before");
        assert!(seen.observe(std::iter::once(&record(&lease)), &world));
        world.uptime.set(9_060_000);
        assert!(!seen.observe(std::iter::once(&record(&lease)), &world));
        assert_eq!(liveness_of(&world, &seen, &lease), Liveness::Alive(40_000));
        lease.stake.nonce = "renewed".into();
        assert!(seen.observe(std::iter::once(&record(&lease)), &world));
        assert_eq!(liveness_of(&world, &seen, &lease), Liveness::Alive(100_000), "it moved");
        world.uptime.set(9_160_000);
        assert_eq!(liveness_of(&world, &seen, &lease), Liveness::Ended(Cause::Expired));
    }

    #[test]
    fn a_dead_process_has_a_grace() {
        let (world, mut seen, lease) = (Toy::new("b1"), Observations::default(), lease("n", Some(7)));
        seen.observe(std::iter::once(&record(&lease)), &world);
        assert_eq!(liveness_of(&world, &seen, &lease), Liveness::Alive(100_000));
        world.dead.borrow_mut().push(7);
        assert_eq!(liveness_of(&world, &seen, &lease), Liveness::Orphaned(5_000));
        seen.observe(std::iter::once(&record(&lease)), &world);
        world.uptime.set(1_004_000);
        assert_eq!(liveness_of(&world, &seen, &lease), Liveness::Orphaned(1_000));
        world.uptime.set(1_005_000);
        assert_eq!(liveness_of(&world, &seen, &lease), Liveness::Ended(Cause::Gone));
    }

    #[test]
    fn a_holder_stops_a_margin_before_the_end() {
        assert_eq!((margin(100), margin(7_200)), (10_000, 60_000));
        let plan = plan("version: 1\nareas: [{name: common, paths: [x], access: lock}]");
        let (world, seen, lease) = (Toy::new("b1"), Observations::default(), lease("n", None));
        world.uptime.set(1_089_999);
        assert!(Judge::new(&plan, &world, &seen).is_firm(&lease));
        world.uptime.set(1_090_000);
        assert!(!Judge::new(&plan, &world, &seen).is_firm(&lease));
    }

    #[test]
    fn a_holder_does_not_rely_on_what_it_cannot_time() {
        let plan = plan("version: 1\nareas: [{name: common, paths: [x], access: lock}]");
        let (world, seen) = (Toy::new("b1"), Observations::default());
        world.dead.borrow_mut().push(7);
        let is_firm = |world: &Toy, process| Judge::new(&plan, world, &seen).is_firm(&lease("n", process));
        assert!(is_firm(&world, Some(7)), "another process of the same agent asks");
        world.uptime.set(1_095_000);
        assert!(!is_firm(&world, Some(7)), "dead or not, it is about to end");
        assert!(!is_firm(&Toy::new("b2"), None), "the machine was restarted");
        let mut unknown = Toy::new("b2");
        unknown.machine.boot = None;
        assert!(is_firm(&unknown, None), "when the machine was started is unknown");
    }
}
