//! What is explored, and the state of everything at one moment.

use crate::decisions::{Id, Player, Wish};

/// What is explored.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub players: [Player; 3],
    /// The first of them that does anything.
    pub first: usize,
    /// The life of a lock, in ticks.
    pub ttl: u64,
    /// How long a tick is, in seconds.
    pub tick: u64,
    /// How many ticks there are.
    pub ticks: u8,
    /// By how many ticks the clock of one machine may be ahead of another's.
    pub lead: u8,
    /// Whether no two may rely on one lock: only while clocks differ by no more than the margin of a holder.
    pub relies: bool,
    pub generations: u64,
    pub crashes: u8,
    pub restarts: u8,
    pub thefts: u8,
    pub landings: usize,
    /// How many messages are on their way at a time.
    pub messages: usize,
    /// Whether agents wait in the queue.
    pub waits: bool,
    /// Whether locks are held for a process.
    pub for_process: bool,
    pub push: Push,
    /// What is made wrong.
    pub fault: Option<Mutation>,
}

/// How work is pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Push {
    /// As `git lane push` does: an event is made, then the push is judged, then both go in one atomic push.
    Lane,
    /// The same, judged before the event is made.
    JudgedFirst,
    /// As `git push --no-verify` does, to a server that judges.
    Server,
    /// As `git push` does: judged here, and on its way alone.
    Alone,
}

/// What can be broken, to show that it would be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// Generations of commits are not looked at.
    NoGenerations,
    /// A ref is moved whatever it holds.
    NoCompareAndSwap,
    /// What another machine holds is over as soon as it is seen.
    NoWatch,
    /// A machine forgets what it has seen.
    Forgetful,
}

/// The state of everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// What the lock's ref holds on the remote, and the highest generation that it ever held.
    pub tip: Id,
    pub top: u64,
    /// Whose work has landed, in that order, and under which generations.
    pub landed: Vec<(usize, u64)>,
    /// Whether work landed under a lock that was another's by then.
    pub is_late: bool,
    pub machines: [MachineState; 2],
    pub agents: [AgentState; 3],
    pub crashes: u8,
    pub restarts: u8,
    pub thefts: u8,
}

/// A machine: its clock in ticks, and what its clone of the repository knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct MachineState {
    pub clock: u8,
    pub boot: u8,
    /// The tick in which it was started.
    pub started: u8,
    pub known: Id,
    pub seen: Id,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct AgentState {
    pub life: u8,
    pub work: Option<Work>,
    pub sent: Option<Message>,
}

/// Commits that are not pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Work {
    pub generation: u64,
    /// How much had landed where they begin.
    pub base: usize,
    pub is_judged: bool,
}

/// A push that is being made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Message {
    /// What the ref has to hold, and what it is to hold.
    pub swap: Option<(Id, Id)>,
    /// The process that sent it.
    pub life: u8,
    pub has_work: bool,
    /// Whether nothing has to be done before it goes.
    pub is_judged: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Time passes; on one machine alone where clocks may differ.
    Pass(Option<usize>),
    /// A machine asks the remote.
    Refresh(usize),
    /// An agent makes an event of what its machine knows.
    Send(usize, Wish),
    Arrive(usize),
    /// A message is lost.
    Lose(usize),
    /// The agent commits under the lock that it relies on.
    Work(usize),
    /// It puts its commits on top of what has landed.
    Rebase(usize),
    /// It prepares a push of its commits.
    Prepare(usize),
    /// A push is judged by the locks as they are now.
    Judge(usize),
    /// The agent's process is killed; another one comes back.
    Crash(usize),
    /// A machine is started again, and its clock too.
    Restart(usize),
}
