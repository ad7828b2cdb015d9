//! The protocol of locks as a state machine of three agents, played against the real store: take, renew,
//! steal, give back, let time pass, crash, and messages that arrive late.
//!
//! `PROPTEST_CASES=2000 cargo test --release --test locks_model` plays for longer.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;

use crate::support::Scratch;
use git_lane::locks::log::LockHead;
use git_lane::locks::manager::LockManager;
use lane_core::engine;
use lane_core::facts::{
    Change, Commit, Event, Fact, Facts, FileChange, FileVersion, IdentityClaim, IdentitySource, Locks,
    Message, Oid, RepoPath, TakenLock,
};
use lane_core::locks::protocol::{self, Claim, TakeMode};
use lane_core::locks::record::{Cause, LockEventKind, LockRecord};
use lane_core::locks::scope::Scope;
use lane_core::locks::world::{Machine, Now, Process, World};
use lane_core::policy::{self, Plan, Source};
use lane_git::Git2Repository;
use proptest::prelude::*;

const AGENTS: [&str; 3] = ["a1", "a2", "a3"];
const TTL: u64 = 100;

#[derive(Debug, Clone, Copy)]
enum Op {
    Take(usize),
    Renew(usize),
    Steal(usize),
    Release(usize),
    /// Seconds pass; somebody sets a wall clock, too.
    Pass(u64),
    /// The agent's process dies; the agent comes back as another one, and remembers nothing.
    Crash(usize),
    /// A message is made up, and is on its way for long.
    Send(usize, bool),
    /// It arrives.
    Arrive(usize),
    /// The agent does some work under the lock that it believes to have.
    Work(usize),
    /// It pushes what it did.
    Push(usize),
}

fn ops() -> impl Strategy<Value = Op> {
    let agent = 0..AGENTS.len();
    prop_oneof![
        5 => agent.clone().prop_map(Op::Take),
        2 => agent.clone().prop_map(Op::Renew),
        1 => agent.clone().prop_map(Op::Steal),
        2 => agent.clone().prop_map(Op::Release),
        4 => prop_oneof![Just(1), Just(9), Just(40), Just(95), Just(101)].prop_map(Op::Pass),
        1 => agent.clone().prop_map(Op::Crash),
        2 => (agent.clone(), any::<bool>()).prop_map(|(agent, steals)| Op::Send(agent, steals)),
        2 => agent.clone().prop_map(Op::Arrive),
        4 => agent.clone().prop_map(Op::Work),
        4 => agent.prop_map(Op::Push),
    ]
}

/// A machine whose clocks and processes the test sets.
struct Toy {
    machine: Machine,
    /// What all machines share, in seconds; their own clocks began at other times.
    began: u64,
    uptime: Cell<u64>,
    wall: Cell<i64>,
    dead: RefCell<HashSet<u32>>,
    count: Cell<u64>,
}

impl World for Toy {
    fn machine(&self) -> &Machine {
        &self.machine
    }
    fn now(&self) -> Now {
        Now { uptime: (self.began + self.uptime.get()) * 1_000, wall: self.wall.get() }
    }
    fn runs(&self, process: Process) -> bool {
        !self.dead.borrow().contains(&process.id)
    }
    fn nonce(&self) -> String {
        self.count.set(self.count.get() + 1);
        format!("{:08x}{:08x}", self.began, self.count.get())
    }
}

struct Agent {
    name: &'static str,
    repo: Git2Repository,
    world: Toy,
    process: u32,
    /// The lock that it was given and has not given back: its generation.
    believes: Option<u64>,
    /// What it knew when it last looked.
    known: Option<LockHead>,
    /// A message on its way: what it was made from, and what it says.
    sent: Option<(Option<LockHead>, LockRecord)>,
    /// The generations under which it made commits that are not pushed yet.
    work: Vec<u64>,
}

struct Game {
    _scratch: Scratch,
    plan: Plan,
    agents: Vec<Agent>,
    is_remote: bool,
    /// Every event so far, by its commit.
    chain: Vec<Oid>,
    accepted: Vec<(u64, &'static str)>,
}

impl Game {
    fn new(is_remote: bool) -> Self {
        let remote = if is_remote { "origin" } else { "null" };
        let text = format!(
            "version: 1\nagents: {{a1: {{}}, a2: {{}}, a3: {{}}}}\nareas: [{{name: common, paths: [src/], access: lock}}]\n\
             locks: {{ttl: {TTL}s, grace: 5s, remote: {remote}}}\n"
        );
        let plan = policy::load(Source::new("policy.yaml", text), false).unwrap();
        let scratch = Scratch::new();
        scratch.add_origin();
        let agents = AGENTS.iter().enumerate().map(|(at, name)| {
            let root = if is_remote { scratch.home().join(name) } else { scratch.root() };
            if is_remote {
                scratch.run(&scratch.home(), "git", &["clone", "-q", "origin.git", name]).ok();
            }
            let number = if is_remote { at } else { 0 };
            let machine = Machine {
                host: format!("m{number}"),
                boot: Some(format!("boot{number}")),
                pids: Some("pids".into()),
            };
            let (uptime, wall, count) = (Cell::new(0), Cell::new(1_000_000), Cell::new(1_000 * at as u64));
            let world = Toy {
                machine,
                began: 7_777 * (number as u64 + 1),
                uptime,
                wall,
                dead: RefCell::default(),
                count,
            };
            let repo = Git2Repository::open_at(&root).unwrap();
            let process = 100 * (at as u32 + 1);
            let (believes, known, sent, work) = (None, None, None, Vec::new());
            Agent { name, repo, world, process, believes, known, sent, work }
        });
        let agents = agents.collect();
        Self { _scratch: scratch, plan, agents, is_remote, chain: Vec::new(), accepted: Vec::new() }
    }

    fn with<T>(&self, at: usize, act: impl FnOnce(&mut LockManager<'_>, &Claim<'_>) -> T) -> T {
        let agent = &self.agents[at];
        let mut manager = LockManager::new(&agent.repo, &self.plan, &agent.world);
        let scope = Scope::of_area("common");
        let process = Some(Process { id: agent.process, start: 1 });
        let claim = Claim { ttl: TTL, process, ..Claim::of_return(&scope, agent.name, "/w", None) };
        act(&mut manager, &claim)
    }

    fn play(&mut self, op: Op) {
        match op {
            Op::Take(at) => self.claim(at, TakeMode::Take { pass: 0 }),
            Op::Renew(at) => self.claim(at, TakeMode::Renew),
            Op::Steal(at) => self.claim(at, TakeMode::Steal),
            Op::Release(at) => {
                let done = self.with(at, |manager, claim| manager.release(claim, None)).unwrap();
                self.agents[at].believes = None;
                self.agents[at].known = done.ok().or(self.agents[at].known.take());
            }
            Op::Pass(seconds) => {
                for (at, agent) in self.agents.iter().enumerate() {
                    agent.world.uptime.set(agent.world.uptime.get() + seconds);
                    // Wall clocks go wherever they want to.
                    agent.world.wall.set(agent.world.wall.get() + [3_600, -3_600, 0][at]);
                }
                // Those who wait look from time to time.
                for at in 0..self.agents.len() {
                    self.with(at, |manager, _| manager.areas().map(|_| ())).unwrap();
                }
            }
            Op::Crash(at) => {
                let agent = &mut self.agents[at];
                agent.world.dead.borrow_mut().insert(agent.process);
                agent.process += 1;
                (agent.believes, agent.known, agent.sent) = (None, None, None);
                // On one machine all others see it.
                let dead = agent.process - 1;
                if !self.is_remote {
                    self.agents.iter().for_each(|other| {
                        other.world.dead.borrow_mut().insert(dead);
                    });
                }
            }
            Op::Send(at, steals) => {
                let manner = if steals { TakeMode::Steal } else { TakeMode::Take { pass: 0 } };
                let sent = self.with(at, |manager, claim| {
                    manager.refresh(0).unwrap();
                    let old = manager.tip("common").unwrap();
                    let next =
                        protocol::claim(old.as_ref().map(|tip| &tip.record), claim, manner, &manager.judge());
                    next.ok().map(|next| (old, next))
                });
                self.agents[at].sent = sent;
            }
            Op::Arrive(at) => self.arrive(at),
            Op::Work(at) => {
                // By what it knows, which may be old; not in the last moments before the end.
                if let Some(generation) = self.firm(at) {
                    self.agents[at].work.push(generation);
                }
            }
            Op::Push(at) => self.push(at),
        }
    }

    fn claim(&mut self, at: usize, manner: TakeMode) {
        let done = self.with(at, |manager, claim| manager.claim(claim, manner)).unwrap();
        if let Ok(tip) = done {
            self.given(at, tip);
        }
    }

    fn given(&mut self, at: usize, tip: LockHead) {
        // Nobody who may still rely on a lock loses it, but to a thief, of whom they may not know yet.
        if tip.record.event.kind == LockEventKind::Take {
            let robbed = robbed(&self.taken(at));
            for other in (0..self.agents.len()).filter(|other| *other != at) {
                let relied =
                    self.firm(other).filter(|own| !robbed.contains(&(AGENTS[other].to_owned(), *own)));
                assert_eq!(relied, None, "{} took what {} still relies on", AGENTS[at], AGENTS[other]);
            }
        }
        self.agents[at].believes = Some(tip.record.event.generation);
        self.agents[at].known = Some(tip);
    }

    fn arrive(&mut self, at: usize) {
        let Some((old, record)) = self.agents[at].sent.take() else {
            return;
        };
        let before = self.fresh(at);
        let agent = &self.agents[at];
        let manager = LockManager::new(&agent.repo, &self.plan, &agent.world);
        let done = manager.log().append(old.as_ref(), &record, (), None).unwrap();
        let is_as_it_was = before.map(|tip| tip.oid) == old.map(|tip| tip.oid);
        assert_eq!(done.is_some(), is_as_it_was, "a late message counts if nothing happened meanwhile");
        if let Some(tip) = done {
            // It was made long ago: what it says of others may be wrong by now only in their favour.
            self.agents[at].believes = Some(tip.record.event.generation);
            self.agents[at].known = Some(tip);
        }
    }

    /// The generation that an agent may rely on, by its own clock and by what it knows.
    fn firm(&self, at: usize) -> Option<u64> {
        let agent = &self.agents[at];
        let believes = agent.believes?;
        let known = if self.is_remote { agent.known.clone() } else { self.fresh(at) };
        let lease = known?.record.leases.into_iter().find(|lease| lease.generation == believes)?;
        self.with(at, |manager, _| manager.judge().is_firm(&lease)).then_some(believes)
    }

    /// What the store says now.
    fn fresh(&self, at: usize) -> Option<LockHead> {
        self.with(at, |manager, _| {
            manager.refresh(0).unwrap();
            manager.tip("common").unwrap()
        })
    }

    fn taken(&self, at: usize) -> Vec<TakenLock> {
        let mut all = Vec::new();
        let Some(tip) = self.fresh(at) else {
            return all;
        };
        self.with(at, |manager, _| {
            manager.log().walk(&tip, |at| {
                let event = at.record.event.clone();
                if matches!(event.kind, LockEventKind::Take | LockEventKind::Steal) {
                    let scope = Scope::of_area("common");
                    let lane_core::locks::record::LockEvent {
                        agent, generation, kind, reason, at, from, ..
                    } = event;
                    let after = Vec::new();
                    let overtaken = std::collections::HashSet::new();
                    all.push(TakenLock {
                        scope,
                        agent,
                        generation,
                        kind,
                        reason,
                        at,
                        from,
                        after,
                        overtaken,
                        pushed_by: None,
                    });
                }
                false
            })
        })
        .unwrap();
        all.reverse();
        all
    }

    fn push(&mut self, at: usize) {
        let name = AGENTS[at];
        let taken = self.taken(at);
        for generation in std::mem::take(&mut self.agents[at].work) {
            let own = taken.iter().find(|taken| taken.generation == generation).expect("it was taken");
            let is_lost = taken.iter().any(|taken| taken.generation > generation && taken.agent != name);
            let may = own.agent == name && !is_lost;
            assert_eq!(
                self.verdict(name, generation, &taken),
                may,
                "{name} pushes what it did under {generation}"
            );
            if may {
                self.accepted.push((generation, name));
            }
        }
    }

    /// What the rule says of a commit that was made under a generation.
    fn verdict(&self, agent: &str, generation: u64, taken: &[TakenLock]) -> bool {
        let new = Some(FileVersion { mode: 0o100_644, oid: Oid::from_bytes(&[9; 20]).unwrap() });
        let file = FileChange { path: RepoPath(b"src/x".to_vec()), old: None, new };
        let commit = Commit {
            oid: Oid::from_bytes(&[7; 20]).unwrap(),
            parents: 1,
            message: Message { text: format!("x\n\nLane-Lock: common@{generation}") },
            files: vec![file.clone()],
            is_pushed: false,
            is_published: false,
            signature: Fact::NotGathered,
            people: Fact::NotGathered,
        };
        let change = Change {
            files: Fact::Known(vec![file]),
            commits: Fact::Known(vec![commit]),
            ..Change::default()
        };
        let facts = Facts {
            claims: vec![IdentityClaim { source: IdentitySource::Config, agent: agent.into() }],
            locks: Fact::Known(Locks { taken: taken.to_vec(), ..Locks::default() }),
            ..Facts::of(Event::PrePush, 0, vec![change])
        };
        !engine::judge(&self.plan, &facts, None)
            .findings
            .iter()
            .any(|finding| finding.rule == "unlocked-path")
    }

    /// What must hold after every step.
    fn check(&mut self) {
        let taken = self.taken(0);
        for (at, taken) in taken.iter().enumerate() {
            assert_eq!(taken.generation, at as u64 + 1, "generations rise by one");
        }
        for (generation, name) in &self.accepted {
            let own = &taken[usize::try_from(*generation).unwrap() - 1];
            assert_eq!(own.agent, *name, "one agent for each generation");
        }
        // Two can rely on it only if one of them was robbed and does not know yet.
        let robbed = robbed(&taken);
        let firm: Vec<&str> = (0..AGENTS.len())
            .filter(|at| self.firm(*at).is_some_and(|own| !robbed.contains(&(AGENTS[*at].to_owned(), own))))
            .map(|at| AGENTS[at])
            .collect();
        assert!(firm.len() <= 1, "two rely on one lock: {firm:?}");
        // Nothing that was there is ever gone.
        let mut chain = Vec::new();
        if let Some(tip) = self.fresh(0) {
            self.with(0, |manager, _| {
                manager.log().walk(&tip, |at| {
                    chain.push(at.oid);
                    false
                })
            })
            .unwrap();
        }
        chain.reverse();
        assert!(chain.starts_with(&self.chain), "an event is lost");
        self.chain = chain;
    }
}

/// Whose locks were stolen.
fn robbed(taken: &[TakenLock]) -> HashSet<(String, u64)> {
    let losers = taken.iter().flat_map(|taken| &taken.from).filter(|loser| loser.cause == Cause::Stolen);
    losers.map(|loser| (loser.agent.clone(), loser.generation)).collect()
}

fn play(is_remote: bool, ops: &[Op]) {
    let mut game = Game::new(is_remote);
    for op in ops {
        game.play(*op);
        game.check();
    }
}

/// How many games: so many, or as the environment says.
fn games(few: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    ProptestConfig { cases: asked.unwrap_or(few), failure_persistence: None, ..ProptestConfig::default() }
}

/// One who was robbed and does not know it yet relies on the lock in vain, whoever has it after the thief.
#[test]
fn a_theft_that_is_not_known_yet() {
    for is_remote in [false, true] {
        play(is_remote, &[Op::Take(1), Op::Work(1), Op::Steal(2), Op::Release(2), Op::Take(0), Op::Push(1)]);
    }
}

/// Of another machine's lock the watch begins when it is first seen, and again when it moved.
#[test]
fn a_watch_lasts_for_a_whole_life() {
    let seen = [Op::Take(1), Op::Pass(40), Op::Take(0), Op::Pass(95), Op::Take(0), Op::Pass(9), Op::Take(0)];
    play(true, &seen);
    play(
        true,
        &[Op::Take(1), Op::Pass(95), Op::Renew(1), Op::Pass(95), Op::Take(0), Op::Pass(101), Op::Take(0)],
    );
}

proptest! {
    #![proptest_config(games(24))]

    #[test]
    fn on_one_machine(ops in prop::collection::vec(ops(), 1..40)) {
        play(false, &ops);
    }
}

proptest! {
    #![proptest_config(games(4))]

    #[test]
    fn on_three_machines(ops in prop::collection::vec(ops(), 1..25)) {
        play(true, &ops);
    }
}
