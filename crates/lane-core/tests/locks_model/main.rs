//! The protocol of locks, explored exhaustively: every order in which three agents on two machines can act, with crashes,
//! restarts, clocks that differ and messages that come late or never, up to a size. What is decided, the program's own
//! functions decide; see `decisions.rs`, and `docs/locks.md` for what must hold.
//!
//! `cargo test -p lane-core --test locks_model -- --ignored --nocapture` explores larger sizes.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod decisions;
mod model;
mod properties;
mod state;

use stateright::{Checker, HasDiscoveries, Model};

use decisions::Player;
use model::Game;
use properties::{GENERATIONS, GETS_ON, LANDED, ONE_RELIES};
use state::{Mutation, Push, Size};

const fn player(name: &'static str, scope: &'static str, path: &'static str, machine: usize) -> Player {
    Player { name, scope, path, machine }
}

/// Two worktrees on one machine, and a clone on another; all want the whole area.
const WHOLE: [Player; 3] = [
    player("a1", "common", "src/x", 0),
    player("a2", "common", "src/x", 0),
    player("a3", "common", "src/x", 1),
];

/// Two of them want other parts of it, which may be held side by side.
const PARTS: [Player; 3] = [
    player("a1", "src/x", "src/x", 0),
    player("a2", "common", "src/x", 0),
    player("a3", "src/y", "src/y", 1),
];

/// What is explored at each build.
const SMALL: Size = Size {
    players: WHOLE,
    first: 0,
    ttl: 1,
    tick: 20,
    ticks: 1,
    lead: 0,
    relies: true,
    generations: 2,
    crashes: 0,
    restarts: 0,
    thefts: 0,
    landings: 1,
    messages: 2,
    waits: false,
    for_process: true,
    push: Push::Lane,
    fault: None,
};

/// A kill and a theft at once, with a push.
const LARGE: Size = Size { crashes: 1, thefts: 1, messages: 1, ..SMALL };

/// Explores all of it; nothing of what must not happen happens, and all that must does.
fn holds(name: &str, size: Size) {
    let checker = Game::new(size).checker().threads(2).spawn_bfs().join();
    let (events, decisions) = checker.model().decisions.count();
    println!(
        "{name}: {} states, {} steps, depth {}; {events} events, {decisions} decisions",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth()
    );
    checker.assert_properties();
}

/// Explores until the counterexample that must be there is found.
fn fails(size: Size, property: &'static str) {
    let found = HasDiscoveries::AnyOf([property].into());
    let checker = Game::new(size).checker().finish_when(found).spawn_bfs().join();
    let path = checker.discovery(property).unwrap_or_else(|| panic!("`{property}` holds in {size:?}"));
    println!("`{property}` does not hold: {:?}", path.into_actions());
}

#[test]
fn three_agents_on_two_machines() {
    holds("the whole area", SMALL);
}

#[test]
fn parts_side_by_side() {
    holds("parts", Size { players: PARTS, messages: 1, ..SMALL });
}

/// A machine that sleeps relies on what others have by now; it lands nothing by that.
#[test]
fn a_clock_that_stands_still() {
    holds("asleep", Size { lead: 1, relies: false, messages: 1, ..SMALL });
}

/// A killed process leaves a lock and a message on its way; a restart of the machine, a lock that no clock measures.
#[test]
fn kills_and_restarts() {
    holds("kills", Size { crashes: 1, landings: 0, messages: 1, ..SMALL });
    holds("restarts", Size { restarts: 1, landings: 0, messages: 1, ..SMALL });
}

#[test]
fn thefts() {
    holds("thefts", Size { thefts: 1, messages: 1, ..SMALL });
}

#[test]
fn a_queue() {
    holds("queue", Size { first: 1, waits: true, landings: 0, messages: 1, ..SMALL });
}

#[test]
fn a_server_that_judges() {
    holds("server", Size { push: Push::Server, ..SMALL });
}

/// What `git push` alone cannot promise: docs/locks.md.
#[test]
fn a_push_on_its_own_is_overtaken() {
    fails(Size { push: Push::Alone, ..SMALL }, LANDED);
    fails(Size { push: Push::JudgedFirst, ..SMALL }, LANDED);
}

#[test]
fn what_is_broken_is_found() {
    let broken = |fault| Size { fault: Some(fault), ..SMALL };
    fails(Size { push: Push::Server, ..broken(Mutation::NoGenerations) }, LANDED);
    fails(broken(Mutation::NoCompareAndSwap), ONE_RELIES);
    fails(broken(Mutation::NoCompareAndSwap), GENERATIONS);
    fails(broken(Mutation::NoWatch), ONE_RELIES);
    fails(broken(Mutation::Forgetful), GETS_ON);
}

#[test]
#[ignore = "a minute"]
fn a_kill_and_a_theft() {
    holds("kill and theft", LARGE);
}
