//! What must hold in every state, and what must happen in some.

use lane_core::locks::record::Cause;
use stateright::Property;

use crate::decisions::{Wish, stolen};
use crate::model::Game;
use crate::state::{Size, State};

pub const ONE_HOLDER: &str = "never two holders";
pub const ONE_RELIES: &str = "nobody relies on what another agent holds";
pub const GENERATIONS: &str = "generations grow";
pub const ACCEPTED: &str = "a server accepts each event";
pub const LANDED: &str = "no landed work is lost";
pub const GETS_ON: &str = "each agent can get the lock, and land";

/// What is to be found, so that the model is known to go there.
const REACHED: [&str; 4] = [
    "a lock passes to the other machine",
    "a message comes too late",
    "a lock is stolen",
    "work lands twice",
];

pub fn all(size: &Size) -> Vec<Property<Game>> {
    let mut all = vec![
        Property::always(ONE_HOLDER, |game: &Game, state: &State| one_holder(game, state)),
        Property::always(GENERATIONS, |game: &Game, state: &State| generations_grow(game, state)),
        Property::always(ACCEPTED, |game: &Game, state: &State| is_accepted(game, state)),
        Property::always(LANDED, |game: &Game, state: &State| !state.is_late && lands_in_order(game, state)),
        Property::always(GETS_ON, |game: &Game, state: &State| {
            (0..3).all(|agent| gets_on(game, state, agent))
        }),
        Property::sometimes(REACHED[0], |game: &Game, state: &State| passes(game, state)),
        Property::sometimes(REACHED[1], |_, state: &State| {
            let swaps = state.agents.iter().filter_map(|agent| agent.sent?.swap);
            swaps.into_iter().any(|(old, _)| old != state.tip)
        }),
    ];
    if size.relies {
        all.push(Property::always(ONE_RELIES, |game: &Game, state: &State| one_relies(game, state)));
    }
    if size.thefts > 0 {
        all.push(Property::sometimes(REACHED[2], |game: &Game, state: &State| {
            game.decisions.link(state.tip).is_some_and(|link| stolen(&link).next().is_some())
        }));
    }
    if size.landings > 1 {
        all.push(Property::sometimes(REACHED[3], |_, state: &State| {
            state.landed.windows(2).any(|pair| pair[0].1 < pair[1].1)
        }));
    }
    all
}

/// Whether two agents' scopes can have a path in common.
fn meet(game: &Game, one: usize, other: usize) -> bool {
    let [one, other] = [one, other].map(|agent| game.size.players[agent].scope);
    one == other || [one, other].contains(&"common")
}

fn pairs() -> [(usize, usize); 3] {
    [(0, 1), (0, 2), (1, 2)]
}

/// No two agents have leases in the record that meet, whatever the time is.
fn one_holder(game: &Game, state: &State) -> bool {
    let Some(link) = game.decisions.link(state.tip) else {
        return true;
    };
    let holds = |agent: usize| {
        link.record.leases.iter().any(|lease| lease.stake.agent == game.size.players[agent].name)
    };
    pairs().into_iter().all(|(one, other)| !(meet(game, one, other) && holds(one) && holds(other)))
}

/// No two agents rely on locks that meet, unless one was robbed, or its own release came after it was killed, and does
/// not know it yet.
fn one_relies(game: &Game, state: &State) -> bool {
    let tip = game.decisions.link(state.tip);
    let is_current = |own: u64| {
        tip.as_ref().is_some_and(|link| {
            let losers = link.taken.iter().flat_map(|taken| &taken.from);
            let is_lost =
                losers.filter(|loser| loser.cause != Cause::Stolen).any(|loser| loser.generation == own);
            is_lost || link.record.leases.iter().any(|lease| lease.generation == own)
        })
    };
    let relies = |agent: usize| game.relies(state, agent).is_some_and(is_current);
    pairs().into_iter().all(|(one, other)| !(meet(game, one, other) && relies(one) && relies(other)))
}

/// No file that landed under a lock is changed by what was made under an older one.
fn lands_in_order(game: &Game, state: &State) -> bool {
    let path = |agent: usize| game.size.players[agent].path;
    state.landed.iter().enumerate().all(|(at, (agent, generation))| {
        let earlier = state.landed[..at].iter().filter(|(other, _)| path(*other) == path(*agent));
        earlier.into_iter().all(|(_, before)| before <= generation)
    })
}

fn generations_grow(game: &Game, state: &State) -> bool {
    let generation = game.decisions.link(state.tip).map_or(0, |link| link.record.generation);
    generation == state.top
}

fn is_accepted(game: &Game, state: &State) -> bool {
    let sent = state.agents.iter().filter_map(|agent| Some(agent.sent?.swap?.1));
    sent.into_iter().all(|id| game.decisions.link(id).is_none_or(|link| link.fault.is_none()))
}

/// Whether an agent whom nobody answers any more gets the lock without stealing it, when its machine looks at it for
/// two lives, and may then push what it does.
fn gets_on(game: &Game, state: &State, agent: usize) -> bool {
    let (mut state, machine) = (state.clone(), game.machine_of(agent));
    state.machines[machine].known = state.tip;
    for _ in 0..=2 * game.size.ttl {
        let moment = game.moment(&state, machine);
        state.machines[machine].seen = game.decisions.look(state.tip, moment);
        state.machines[machine].clock += 1;
    }
    let Some(next) = game.make(&state, Wish::Take(0), agent) else {
        return false;
    };
    let name = game.size.players[agent].name;
    let Some(link) = game.decisions.link(next) else {
        return false;
    };
    let own = link.record.leases.iter().find(|lease| lease.stake.agent == name);
    own.is_some_and(|own| game.may_push(next, agent, own.generation))
}

/// Whether a lock of the other machine ended because its life was over.
fn passes(game: &Game, state: &State) -> bool {
    let Some(link) = game.decisions.link(state.tip) else {
        return false;
    };
    let machine = |name: &str| game.size.players.iter().find(|player| player.name == name).map(|p| p.machine);
    link.taken.iter().any(|taken| {
        taken
            .from
            .iter()
            .any(|loser| machine(&loser.agent) != machine(&taken.agent) && loser.cause == Cause::Expired)
    })
}
