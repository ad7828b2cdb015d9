//! The decisions of the program itself, each asked once: what follows a record, on what an agent relies, and which work
//! may be pushed. Nothing of the protocol is told again here.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use lane_core::engine;
use lane_core::facts::{
    Change, Commit, Event, Fact, Facts, FileChange, FileVersion, IdentityClaim, IdentitySource, Locks,
    Message, Oid, RepoPath, TakenLock,
};
use lane_core::locks::liveness::{Judge, Observations};
use lane_core::locks::protocol::{self, Claim, TakeMode};
use lane_core::locks::record::{Cause, Lease, LockEvent, LockEventKind, LockRecord, Loser, Stake};
use lane_core::locks::scope::Scope;
use lane_core::locks::world::{Machine, Now, Process, World};
use lane_core::locks::{bounds, step};
use lane_core::policy::{self, Plan, Source};

/// The name of something that is written once: an event of the lock's chain, or what a machine has seen. 0: none.
pub type Id = u16;

/// The wall clocks by which each decision is made: it must not matter which.
const WALLS: [i64; 2] = [0, 1_000_000_000];

/// What an agent asks of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wish {
    /// Take it, past so many who wait in front.
    Take(u8),
    Renew,
    Steal,
    Release,
    Wait,
    KeepWaiting,
    Leave,
    /// What goes along with a push of work.
    Push,
}

/// An agent.
#[derive(Debug, Clone, Copy)]
pub struct Player {
    pub name: &'static str,
    pub scope: &'static str,
    /// A file under that scope.
    pub path: &'static str,
    pub machine: usize,
}

/// A machine at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Moment {
    pub machine: u8,
    pub boot: u8,
    /// Seconds since it was started.
    pub uptime: u64,
    /// Which process each agent has by now.
    pub lives: [u8; 3],
    /// What was seen to stand still.
    pub seen: Id,
}

/// One event of the chain, with those before it in which a lock was taken.
#[derive(Debug, PartialEq, Eq)]
pub struct Link {
    pub record: LockRecord,
    pub taken: Vec<Taken>,
    /// Why a server would not accept it.
    pub fault: Option<String>,
}

/// A lock that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub agent: String,
    pub scope: String,
    pub generation: u64,
    pub kind: LockEventKind,
    pub from: Vec<Loser>,
}

/// The answers so far.
pub struct Decisions {
    plan: Plan,
    players: Vec<Player>,
    ttl: u64,
    /// Whether locks are held for a process.
    for_process: bool,
    links: Mutex<Names<Link>>,
    seen: Mutex<Names<Observations>>,
    made: Answers<(Id, Wish, usize, Moment), Option<Id>>,
    looks: Answers<(Id, Moment), Id>,
    relied: Answers<(Id, usize, Moment), Option<u64>>,
    verdicts: Answers<(Id, usize, u64), bool>,
}

/// What was answered to each question.
type Answers<K, V> = Mutex<HashMap<K, V>>;

struct Names<T> {
    all: Vec<Arc<T>>,
    by_text: HashMap<String, Id>,
}

impl<T> Names<T> {
    fn name(&mut self, text: String, value: T) -> Id {
        *self.by_text.entry(text).or_insert_with(|| {
            self.all.push(Arc::new(value));
            Id::try_from(self.all.len()).unwrap()
        })
    }

    fn get(&self, id: Id) -> Option<Arc<T>> {
        self.all.get(usize::from(id).checked_sub(1)?).cloned()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The answer to a question, which is asked the first time only.
fn once<K: Hash + Eq, V: Copy>(known: &Answers<K, V>, key: K, ask: impl FnOnce() -> V) -> V {
    if let Some(answer) = lock(known).get(&key) {
        return *answer;
    }
    let answer = ask();
    lock(known).insert(key, answer);
    answer
}

/// The machine as the protocol sees it.
struct Here<'a> {
    machine: Machine,
    moment: &'a Moment,
    wall: i64,
    /// For whom a record is made, after which generation: what is made of the same at the same moment is the same.
    maker: String,
}

impl World for Here<'_> {
    fn machine(&self) -> &Machine {
        &self.machine
    }
    fn now(&self) -> Now {
        Now { uptime: self.moment.uptime * 1_000, wall: self.wall }
    }
    fn runs(&self, process: Process) -> bool {
        let (agent, life) = (process.id / 100, process.id % 100);
        u32::from(self.moment.lives[agent as usize]) == life
    }
    fn nonce(&self) -> String {
        let Moment { machine, boot, uptime, .. } = self.moment;
        format!("{}-{machine}.{boot}.{uptime}", self.maker)
    }
}

impl Decisions {
    pub fn new(players: &[Player], ttl: u64, grace: u64, for_process: bool) -> Self {
        let text = format!(
            "version: 1\nagents: {{a1: {{}}, a2: {{}}, a3: {{}}}}\n\
             areas: [{{name: common, paths: ['src/**'], access: lock}}]\n\
             locks: {{ttl: {ttl}s, min_ttl: 1s, grace: {grace}s, remote: origin}}\n"
        );
        let plan = policy::load(Source::new("policy.yaml", text), false).unwrap();
        Self {
            plan,
            players: players.to_vec(),
            ttl,
            for_process,
            links: Mutex::new(Names { all: Vec::new(), by_text: HashMap::new() }),
            seen: Mutex::new(Names { all: Vec::new(), by_text: HashMap::new() }),
            made: Mutex::default(),
            looks: Mutex::default(),
            relied: Mutex::default(),
            verdicts: Mutex::default(),
        }
    }

    /// An event of the chain.
    pub fn link(&self, id: Id) -> Option<Arc<Link>> {
        lock(&self.links).get(id)
    }

    /// How many different events and decisions there were.
    pub fn count(&self) -> (usize, usize) {
        (lock(&self.links).all.len(), lock(&self.made).len())
    }

    fn observations(&self, moment: &Moment) -> Observations {
        lock(&self.seen).get(moment.seen).map(|seen| (*seen).clone()).unwrap_or_default()
    }

    fn here<'a>(&self, moment: &'a Moment, wall: i64, maker: String) -> Here<'a> {
        let Moment { machine, boot, .. } = moment;
        let machine = Machine {
            host: format!("m{machine}"),
            boot: Some(format!("m{machine} boot {boot}")),
            pids: Some("pids".into()),
        };
        Here { machine, moment, wall, maker }
    }

    /// What a machine has seen after it looked at an event.
    pub fn look(&self, at: Id, moment: Moment) -> Id {
        once(&self.looks, (at, moment), || {
            let records: Vec<LockRecord> = self.link(at).iter().map(|link| link.record.clone()).collect();
            let mut seen = self.observations(&moment);
            seen.observe(records.iter(), &self.here(&moment, 0, String::new()));
            seen.forget(&records);
            if seen.0.is_empty() {
                return 0;
            }
            lock(&self.seen).name(serde_json::to_string(&seen).unwrap(), seen)
        })
    }

    /// The event that an agent makes of another; `None`: it is refused.
    pub fn make(&self, from: Id, wish: Wish, agent: usize, moment: Moment) -> Option<Id> {
        once(&self.made, (from, wish, agent, moment), || {
            let old = self.link(from);
            let old_record = old.as_ref().map(|link| &link.record);
            let [one, other] = WALLS.map(|wall| self.follow(old_record, wish, agent, &moment, wall));
            let plain = |next: &Option<LockRecord>| next.clone().map(|next| normal(next, true));
            assert_eq!(plain(&one), plain(&other), "a wall clock decided: {wish:?} after {old_record:?}");
            let next = one?;
            let mut taken = old.as_ref().map(|link| link.taken.clone()).unwrap_or_default();
            let LockEvent { kind, agent, scope, generation, from, .. } = next.event.clone();
            if matches!(kind, LockEventKind::Take | LockEventKind::Steal) {
                taken.push(Taken { agent, scope, generation, kind, from });
            }
            let fault = self.fault(old_record, &next, &taken).err();
            let record = normal(next, false);
            let text = format!("{} {taken:?} {fault:?}", serde_json::to_string(&record).unwrap());
            Some(lock(&self.links).name(text, Link { record, taken, fault }))
        })
    }

    fn follow(
        &self,
        old: Option<&LockRecord>,
        wish: Wish,
        agent: usize,
        moment: &Moment,
        wall: i64,
    ) -> Option<LockRecord> {
        let player = &self.players[agent];
        let generation = old.map_or(0, |old| old.generation);
        let life = moment.lives[agent];
        let kind = if matches!(wish, Wish::Wait | Wish::KeepWaiting) { "waits" } else { "holds" };
        let maker = format!("{}.{life} {kind} {generation}", player.name);
        let (here, seen) = (self.here(moment, wall, maker), self.observations(moment));
        let judge = Judge::new(&self.plan, &here, &seen);
        let scope = Scope::from_record("common", player.scope).unwrap();
        let is_waiting = matches!(wish, Wish::Wait | Wish::KeepWaiting | Wish::Leave);
        let process = (self.for_process || is_waiting)
            .then(|| Process { id: u32::try_from(agent).unwrap() * 100 + u32::from(life), start: 1 });
        let reason = (wish == Wish::Steal).then_some("it is urgent");
        let ttl = self.ttl;
        let claim = Claim { ttl, process, ..Claim::of_return(&scope, player.name, "/w", reason) };
        let mode = |mode| protocol::claim(old, &claim, mode, &judge).ok();
        let ticket = || Some(own_ticket(old?, player.name)?.nonce.clone());
        match wish {
            Wish::Take(pass) => mode(TakeMode::Take { pass: usize::from(pass) }),
            Wish::Renew => mode(TakeMode::Renew),
            Wish::Steal => mode(TakeMode::Steal),
            Wish::Release => protocol::release(old, &claim, None, &judge).ok(),
            Wish::Wait => Some(protocol::wait(old, &claim, &judge).0),
            Wish::KeepWaiting => Some(protocol::go_on_waiting(old?, &ticket()?, &claim, &judge)?.0),
            Wish::Leave => protocol::leave(old?, &ticket()?, &claim, &judge),
            Wish::Push => {
                let is_own = |lease: &&Lease| lease.stake.agent == player.name;
                match old?.leases.iter().filter(is_own).find(|lease| !judge.lease(lease).is_over()) {
                    Some(_) => mode(TakeMode::Renew),
                    None => Some(protocol::push(old?, &claim, &judge)),
                }
            }
        }
    }

    /// Whether a server accepts an event, and reads it as it was meant.
    fn fault(&self, old: Option<&LockRecord>, next: &LockRecord, taken: &[Taken]) -> Result<(), String> {
        step::check(old, next)?;
        bounds::check(&self.plan, old, next, WALLS[0])?;
        let text = next.message().map_err(|error| error.to_string())?;
        if LockRecord::parse(&text, Some("common"))? != *next {
            return Err("it is read in another way than it was written".into());
        }
        let is_one_more = |pair: &[Taken]| pair[0].generation + 1 == pair[1].generation;
        if !taken.windows(2).all(is_one_more) {
            return Err("a generation is missing".into());
        }
        Ok(())
    }

    /// The generation of the lock that an agent relies on, by what its machine knows and by its clock.
    pub fn relies(&self, known: Id, agent: usize, moment: Moment) -> Option<u64> {
        once(&self.relied, (known, agent, moment), || {
            let link = self.link(known)?;
            let (here, seen) = (self.here(&moment, 0, String::new()), self.observations(&moment));
            let judge = Judge::new(&self.plan, &here, &seen);
            let own = |lease: &&Lease| lease.stake.agent == self.players[agent].name;
            let held = link.record.leases.iter().filter(own).find(|lease| judge.is_firm(lease));
            held.map(|lease| lease.generation)
        })
    }

    /// Whether the rule lets an agent push what it did under a generation, by the locks that were taken so far.
    pub fn may_push(&self, at: Id, agent: usize, generation: u64) -> bool {
        once(&self.verdicts, (at, agent, generation), || {
            let Player { name, scope, path, .. } = self.players[agent];
            let new = Some(FileVersion { mode: 0o100_644, oid: oid(9) });
            let file = FileChange { path: RepoPath(path.as_bytes().to_vec()), old: None, new };
            let commit = Commit {
                oid: oid(7),
                parents: 1,
                message: Message { text: format!("x\n\nLane-Lock: {scope}@{generation}") },
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
            let taken = self.link(at).iter().flat_map(|link| &link.taken).map(taken_lock).collect();
            let facts = Facts {
                claims: vec![IdentityClaim { source: IdentitySource::Config, agent: name.into() }],
                locks: Fact::Known(Locks { taken, ..Locks::default() }),
                ..Facts::of(Event::PrePush, 0, vec![change])
            };
            let report = engine::judge(&self.plan, &facts, None);
            !report.findings.iter().any(|finding| finding.rule == "unlocked-path")
        })
    }
}

fn oid(byte: u8) -> Oid {
    Oid::from_bytes(&[byte; 20]).unwrap()
}

fn taken_lock(taken: &Taken) -> TakenLock {
    TakenLock {
        scope: Scope::from_record("common", &taken.scope).unwrap(),
        agent: taken.agent.clone(),
        generation: taken.generation,
        kind: taken.kind,
        reason: None,
        at: 0,
        from: taken.from.clone(),
        after: Vec::new(),
        overtaken: std::collections::HashSet::new(),
        pushed_by: None,
    }
}

/// Whose locks were stolen, by generation.
pub fn stolen(link: &Link) -> impl Iterator<Item = u64> {
    let losers = link.taken.iter().flat_map(|taken| &taken.from);
    losers.filter(|loser| loser.cause == Cause::Stolen).map(|loser| loser.generation)
}

/// An agent's place in the queue.
pub fn own_ticket<'r>(record: &'r LockRecord, agent: &str) -> Option<&'r Stake> {
    record.queue.iter().find(|ticket| ticket.agent == agent)
}

/// A record without what is only shown to people, `with_event` or without the event, which no decision reads again.
fn normal(mut record: LockRecord, with_event: bool) -> LockRecord {
    for lease in &mut record.leases {
        (lease.since, lease.stake.at, lease.reason) = (0, 0, None);
        lease.from.clear();
    }
    record.queue.iter_mut().for_each(|ticket| ticket.at = 0);
    record.event.at = 0;
    if !with_event {
        record.event = LockRecord::floor(&record.area, 0).event;
    }
    record
}
