//! Everything that can happen around one lock: agents, machines, their clocks, and messages that are on their way for as
//! long as they like.

use stateright::{Model, Property};

use crate::decisions::{Decisions, Id, Moment, Wish, own_ticket};
use crate::state::{Action, AgentState, MachineState, Message, Mutation, Push, Size, State, Work};

pub struct Game {
    pub size: Size,
    pub decisions: Decisions,
}

impl Game {
    pub fn new(size: Size) -> Self {
        let grace = size.tick;
        Self { size, decisions: Decisions::new(&size.players, size.ttl * size.tick, grace, size.for_process) }
    }

    pub fn moment(&self, state: &State, machine: usize) -> Moment {
        let MachineState { clock, boot, started, seen, .. } = state.machines[machine];
        Moment {
            machine: u8::try_from(machine).unwrap(),
            boot,
            uptime: 1_000 * (machine as u64 + 1) + u64::from(clock - started) * self.size.tick,
            lives: state.agents.map(|agent| agent.life),
            seen: if self.size.fault == Some(Mutation::Forgetful) { 0 } else { seen },
        }
    }

    pub fn machine_of(&self, agent: usize) -> usize {
        self.size.players[agent].machine
    }

    /// The same after a machine has looked at what it knows.
    fn look(&self, state: &mut State, machine: usize) {
        let moment = self.moment(state, machine);
        state.machines[machine].seen = self.decisions.look(state.machines[machine].known, moment);
    }

    fn refresh(&self, state: &mut State, machine: usize) {
        state.machines[machine].known = state.tip;
        self.look(state, machine);
    }

    pub fn make(&self, state: &State, wish: Wish, agent: usize) -> Option<Id> {
        let machine = self.machine_of(agent);
        let mut moment = self.moment(state, machine);
        if self.size.fault == Some(Mutation::NoWatch) {
            moment.uptime += 1_000; // by the clock of whoever looks, and not by that of the lock
        }
        self.decisions.make(state.machines[machine].known, wish, agent, moment)
    }

    pub fn relies(&self, state: &State, agent: usize) -> Option<u64> {
        let machine = self.machine_of(agent);
        self.decisions.relies(state.machines[machine].known, agent, self.moment(state, machine))
    }

    pub fn may_push(&self, at: Id, agent: usize, generation: u64) -> bool {
        self.size.fault == Some(Mutation::NoGenerations) || self.decisions.may_push(at, agent, generation)
    }

    fn send(&self, state: &mut State, agent: usize, wish: Wish) -> Option<()> {
        let machine = self.machine_of(agent);
        self.look(state, machine);
        let (known, life) = (state.machines[machine].known, state.agents[agent].life);
        let next = self.make(state, wish, agent).filter(|next| *next != known)?;
        state.thefts += u8::from(wish == Wish::Steal);
        let swap = Some((known, next));
        state.agents[agent].sent = Some(Message { swap, life, has_work: false, is_judged: true });
        Some(())
    }

    /// Prepares a push of work, by what the machine knows.
    fn prepare(&self, state: &mut State, agent: usize) -> Option<()> {
        let machine = self.machine_of(agent);
        let (life, work) = (state.agents[agent].life, state.agents[agent].work?);
        let mut message = Message { swap: None, life, has_work: true, is_judged: false };
        match self.size.push {
            Push::Lane => {}
            Push::JudgedFirst => message.is_judged = work.is_judged.then_some(true)?,
            Push::Server => message.is_judged = true,
            Push::Alone => {}
        }
        if matches!(self.size.push, Push::Lane | Push::JudgedFirst) {
            self.look(state, machine);
            let known = state.machines[machine].known;
            message.swap = Some((known, self.make(state, Wish::Push, agent)?));
        }
        state.agents[agent].sent = Some(message);
        Some(())
    }

    /// Judges a push as pre-push does, which asks the remote first.
    fn judge(&self, state: &mut State, agent: usize) -> Option<()> {
        let work = state.agents[agent].work?;
        self.refresh(state, self.machine_of(agent));
        let may = self.may_push(state.tip, agent, work.generation);
        if self.size.push == Push::JudgedFirst {
            state.agents[agent].work = Some(Work { is_judged: may, ..work });
        } else if may {
            state.agents[agent].sent.as_mut()?.is_judged = true;
        } else {
            state.agents[agent].sent = None;
        }
        Some(())
    }

    /// The remote takes a push whole, or not at all.
    fn arrive(&self, state: &mut State, agent: usize) -> Option<()> {
        let message = state.agents[agent].sent.take()?;
        let swaps = self.size.fault == Some(Mutation::NoCompareAndSwap);
        if message.swap.is_some_and(|(old, _)| old != state.tip && !swaps) {
            return Some(());
        }
        if message.has_work {
            let Some(work) = state.agents[agent].work.filter(|work| work.base == state.landed.len()) else {
                return Some(());
            };
            if self.size.push == Push::Server && !self.may_push(state.tip, agent, work.generation) {
                return Some(());
            }
            state.is_late |= self.is_taken_since(state.tip, agent, work.generation);
            state.landed.push((agent, work.generation));
            state.agents[agent].work = None;
        }
        if let Some((_, next)) = message.swap {
            state.tip = next;
            let generation = self.decisions.link(next).map_or(0, |link| link.record.generation);
            state.top = state.top.max(generation);
            if message.life == state.agents[agent].life {
                state.machines[self.machine_of(agent)].known = next;
            }
        }
        Some(())
    }

    /// Whether another agent has taken a lock on one's file since a generation.
    fn is_taken_since(&self, at: Id, agent: usize, generation: u64) -> bool {
        let player = &self.size.players[agent];
        self.decisions.link(at).is_some_and(|link| {
            link.taken.iter().any(|taken| {
                let is_on_it = ["common", player.path].contains(&taken.scope.as_str());
                taken.generation > generation && taken.agent != player.name && is_on_it
            })
        })
    }

    fn pass(&self, state: &mut State, alone: Option<usize>) {
        for (at, machine) in state.machines.iter_mut().enumerate() {
            machine.clock += u8::from(alone.is_none_or(|alone| alone == at));
        }
    }

    fn restart(&self, state: &mut State, machine: usize) {
        let it = &mut state.machines[machine];
        (it.boot, it.started, it.seen) = (it.boot + 1, it.clock, 0);
        state.restarts += 1;
        for (at, player) in self.size.players.iter().enumerate() {
            state.agents[at].life += u8::from(player.machine == machine);
        }
    }

    /// What an agent may do now.
    fn deeds(&self, state: &State, agent: usize, actions: &mut Vec<Action>) {
        let AgentState { work, sent, .. } = state.agents[agent];
        let is_free = state.agents.iter().filter(|agent| agent.sent.is_some()).count() < self.size.messages;
        if let Some(sent) = sent {
            actions.push(if sent.is_judged { Action::Arrive(agent) } else { Action::Judge(agent) });
            actions.push(Action::Lose(agent));
        } else if is_free {
            let mut wishes = vec![Wish::Take(0), Wish::Renew, Wish::Release];
            if state.thefts < self.size.thefts {
                wishes.push(Wish::Steal);
            }
            let known = self.decisions.link(state.machines[self.machine_of(agent)].known);
            let name = self.size.players[agent].name;
            if self.size.waits && known.is_some_and(|known| own_ticket(&known.record, name).is_some()) {
                wishes.extend([Wish::Take(1), Wish::KeepWaiting, Wish::Leave]);
            } else if self.size.waits && self.make(state, Wish::Take(0), agent).is_none() {
                wishes.push(Wish::Wait);
            }
            actions.extend(wishes.into_iter().map(|wish| Action::Send(agent, wish)));
            if work.is_some_and(|work| self.size.push != Push::JudgedFirst || work.is_judged) {
                actions.push(Action::Prepare(agent));
            }
        }
        match work {
            None if state.landed.len() < self.size.landings => actions.push(Action::Work(agent)),
            Some(work) if work.base != state.landed.len() && sent.is_none() => {
                actions.push(Action::Rebase(agent))
            }
            Some(work) if self.size.push == Push::JudgedFirst && !work.is_judged => {
                actions.push(Action::Judge(agent))
            }
            _ => {}
        }
        if state.crashes < self.size.crashes {
            actions.push(Action::Crash(agent));
        }
    }
}

impl Model for Game {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            tip: 0,
            top: 0,
            landed: Vec::new(),
            is_late: false,
            machines: Default::default(),
            agents: Default::default(),
            crashes: 0,
            restarts: 0,
            thefts: 0,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let clocks = state.machines.map(|machine| machine.clock);
        if self.size.lead == 0 {
            actions.extend((clocks[0] < self.size.ticks).then_some(Action::Pass(None)));
        }
        for machine in 0..2 {
            let is_ahead = clocks[machine] >= clocks[1 - machine] + self.size.lead;
            if !is_ahead && clocks[machine] < self.size.ticks {
                actions.push(Action::Pass(Some(machine)));
            }
            actions.push(Action::Refresh(machine));
            if state.restarts < self.size.restarts {
                actions.push(Action::Restart(machine));
            }
        }
        (self.size.first..3).for_each(|agent| self.deeds(state, agent, actions));
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Pass(alone) => self.pass(&mut state, alone),
            Action::Refresh(machine) => self.refresh(&mut state, machine),
            Action::Send(agent, wish) => self.send(&mut state, agent, wish)?,
            Action::Arrive(agent) => self.arrive(&mut state, agent)?,
            Action::Lose(agent) => state.agents[agent].sent = None,
            Action::Work(agent) => {
                let (generation, base) = (self.relies(&state, agent)?, state.landed.len());
                state.agents[agent].work = Some(Work { generation, base, is_judged: false });
            }
            Action::Rebase(agent) => state.agents[agent].work.as_mut()?.base = state.landed.len(),
            Action::Prepare(agent) => self.prepare(&mut state, agent)?,
            Action::Judge(agent) => self.judge(&mut state, agent)?,
            Action::Crash(agent) => {
                state.agents[agent].life += 1;
                state.crashes += 1;
            }
            Action::Restart(machine) => self.restart(&mut state, machine),
        }
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        crate::properties::all(&self.size)
    }

    fn within_boundary(&self, state: &State) -> bool {
        state.top <= self.size.generations && state.landed.len() <= self.size.landings
    }
}
