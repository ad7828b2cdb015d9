//! Landing: a branch is brought onto its base, one at a time, in the order asked for.
//!
//! Whoever asks puts the branch into the queue of its base ([`crate::landings`]), and whoever finds nobody at work lands the first
//! one, their own or not: a landing does not depend on the process that asked for it. The base and the record move together.

mod base;
mod commands;
pub mod host;
mod lander;
mod rebase;
mod tree;
mod verdict;

use std::thread::sleep;
use std::time::{Duration, Instant};

pub use base::BasePlace;
use lander::{Lander, Turn};
use tree::Workspace;

use super::Session;
use super::pr::lower_of;
use super::request::person;
use crate::event_log::{random, spread};
use crate::gather::change_base;
use crate::landings::queue::{Author, Queues};
use crate::machine::ThisMachine;
use lane_core::error::Error;
use lane_core::facts::{Oid, branch_of_ref};
use lane_core::identity::of_branch;
use lane_core::landings::record::{Landing, LandingRecord, LandingResult, LandingStep};
use lane_core::landings::step::Misstep;
use lane_core::policy::Plan;
use lane_core::policy::model::Land;
use lane_core::report::quote;
use lane_core::requests::record::Person;
use lane_git::Repository;

/// What is said to an agent whose policy lets none land.
pub const NOT_ALLOWED: &str = "the policy on the base lets no agent land: it has no `land`";
/// How often a queue is looked at, in milliseconds, where looking costs next to nothing.
const LOOK: u64 = 40;
/// The same on a remote, within these limits: whoever is next looks for a quarter of the time.
const LOOK_THERE: (u64, u64) = (200, 8_000);

/// A branch that somebody wants to land.
#[derive(Debug)]
pub struct Wish {
    /// The branch, by its short name.
    pub branch: String,
    /// Its tip.
    pub head: Oid,
    /// The base, by its short name.
    pub base: String,
    /// Whether it is to land as one commit.
    pub squash: bool,
    /// The pushed branch that it is based on and that has not landed.
    pub lower: Option<String>,
}

/// Until when to land.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// Until this one has ended.
    One(u64),
    /// Until nothing waits any more.
    All,
}

/// How landing ended.
#[derive(Debug)]
pub enum Outcome {
    /// The goal is reached; with how it ended, where it was one.
    Ended(Option<LandingResult>),
    /// A signal ended it, and the queue is as it was.
    Interrupted(u8),
}

/// What somebody who waits is told.
#[derive(Debug)]
pub struct Waiting<'w> {
    /// The queue.
    pub record: &'w LandingRecord,
    /// How many come before; `None` where nothing certain is waited for.
    pub ahead: Option<usize>,
    /// Whether this process lands the first one.
    pub is_own: bool,
}

/// How somebody may land on a base with this policy; `None`: not at all. Maintainers always may.
pub fn allowed(plan: &Plan, by: &Person) -> Option<Land> {
    plan.policy.land.clone().or_else(|| by.agent().is_none().then(Land::default))
}

/// The queues, for whoever works here.
///
/// # Errors
/// Claims disagree, or the policy wants to know who it is.
pub fn queues<'q>(session: &'q Session, world: &'q ThisMachine) -> Result<Queues<'q>, Error> {
    let author = Author { person: person(session, None)?, worktree: session.location() };
    Ok(Queues::new(&session.repo, &session.loaded.plan, world, author))
}

/// What landing a branch comes to. `branch`: the current one, unless it is named; `base`: the one that it was cut from.
///
/// # Errors
/// There is no such branch, it is not the agent's own, or the policy lets no agent land.
pub fn wish(session: &Session, branch: Option<&str>, base: Option<&str>) -> Result<Wish, Error> {
    let plan = &session.loaded.plan;
    let by = person(session, None)?;
    let head = session.repo.head()?;
    let current = head.branch.as_deref().and_then(|name| name.strip_prefix("refs/heads/"));
    let Some(name) = branch.or(current) else {
        return Err(Error::usage(
            "HEAD is detached: there is no branch to land",
            "name one: git lane land BRANCH",
        ));
    };
    if plan.protected(name).is_some() {
        return Err(Error::usage(
            format!("`{name}` is a protected branch: others land on it"),
            "switch to your own branch, or name it: git lane land BRANCH",
        ));
    }
    if let (Person::Agent(agent), owner) = (&by, of_branch(plan, name))
        && owner != Some(agent.as_str())
    {
        let whose = owner.map_or("no branch of yours".to_owned(), |owner| format!("a branch of {owner}"));
        return Err(Error::usage(
            format!("`{name}` is {whose}, but you are {agent}"),
            "land your own branch; its agent or a maintainer lands this one",
        ));
    }
    let Some(land) = allowed(plan, &by) else {
        return Err(Error::usage(NOT_ALLOWED, "open a pull request: git lane pr --yes"));
    };
    let place = BasePlace::new(session, base.unwrap_or(&plan.policy.base.value));
    let local = session.repo.find_ref(&format!("refs/heads/{name}"))?;
    let tip = match (local, branch.is_none() || Some(name) == current) {
        (Some(local), true) => Some(local),
        _ => place.tips(name)?.branch,
    };
    let Some(head) = tip else {
        let there = place.remote.as_ref().map_or(String::new(), |remote| format!(" on `{remote}`"));
        return Err(Error::usage(
            format!("there is no branch `{name}`{there}"),
            "list the branches: git branch --all\nor push it first, from its worktree: git lane push",
        ));
    };
    let base = match base {
        Some(base) => base.to_owned(),
        None => own_base(session, name, head)?,
    };
    if plan.protected(&base).is_none() {
        return Err(Error::usage(
            format!("`{base}` is not a protected branch, so nothing lands on it"),
            "omit --base for the branch that it was cut from: git lane land",
        ));
    }
    let onto = BasePlace::new(session, &base).tips(name)?.base;
    let lower = lower_of(session, name, head, onto)?.map(|(lower, _)| lower);
    Ok(Wish { branch: name.to_owned(), head, base, squash: land.squash.value, lower })
}

/// The protected branch that a branch was cut from.
fn own_base(session: &Session, branch: &str, tip: Oid) -> Result<String, Error> {
    let policy = &session.loaded.plan.policy;
    let base = change_base::of_branch(&session.repo, &session.loaded, branch, tip)?;
    let short = base.as_ref().and_then(|base| branch_of_ref(&base.reference, &policy.remote.value));
    Ok(short.unwrap_or(&policy.base.value).to_owned())
}

/// Puts a branch into the queue: its number, and whether it was there already.
///
/// # Errors
/// It cannot be written, or another branch has to land first.
pub fn ask(queues: &Queues<'_>, wish: &Wish) -> Result<(u64, bool), Error> {
    if let Some(lower) = &wish.lower {
        let head = queues.read(&wish.base)?;
        let waiting = head.iter().flat_map(|head| &head.record.queue);
        if !waiting.into_iter().any(|landing| landing.branch == *lower) {
            let word = quote(lower.as_bytes());
            return Err(Error::usage(
                format!("`{}` is based on `{lower}`, which has not landed", wish.branch),
                format!("land that first: git lane land {word}"),
            ));
        }
    }
    let step = LandingStep::Ask { branch: wish.branch.clone(), head: wish.head.to_string() };
    match queues.add(&wish.base, &step, None)? {
        Ok(head) => {
            let own = head.record.queue.iter().rev().find(|landing| landing.branch == wish.branch);
            Ok((own.map_or(head.record.last, |own| own.id), false))
        }
        Err(Misstep::Asked(id)) => Ok((id, true)),
        Err(_) => {
            Err(Error::usage("this branch cannot be landed now", "list the queue: git lane land --list"))
        }
    }
}

/// Takes a branch out of the queue: what was taken out.
///
/// # Errors
/// It does not wait, or is not the agent's own.
pub fn withdraw(queues: &Queues<'_>, branch: &str, by: &Person) -> Result<(String, Landing), Error> {
    let list = "list the queue: git lane land --list";
    for head in queues.all()? {
        let waiting = head.record.queue.iter().rev().find(|landing| landing.branch == branch);
        let Some(landing) = waiting.cloned() else { continue };
        return match queues.add(&head.record.base, &LandingStep::Withdraw(landing.id), None)? {
            Ok(_) => Ok((head.record.base, landing)),
            Err(Misstep::NotYours) => Err(Error::usage(
                format!("`{branch}` was asked for by {}, but you are {}", landing.by.name(), by.name()),
                "its agent or a maintainer can withdraw it",
            )),
            Err(_) => Err(Error::usage(format!("`{branch}` is landing at this moment"), list)),
        };
    }
    Err(Error::usage(format!("`{branch}` does not wait to land"), list))
}

/// Lands what waits, first come first, until the goal is reached; waits while others are at work. `tell`: is told how it stands.
///
/// # Errors
/// The queue cannot be read or written, or what was asked for could not be decided.
pub fn drive(
    session: &Session,
    queues: &Queues<'_>,
    base: &str,
    goal: Goal,
    tell: &mut dyn FnMut(&Waiting<'_>),
) -> Result<Outcome, Error> {
    let place = BasePlace::new(session, base);
    Workspace::clear_abandoned(session.repo.layout());
    loop {
        let asked = Instant::now();
        let Some(head) = queues.read(base)? else { return Ok(Outcome::Ended(None)) };
        let exchange = u64::try_from(asked.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut ahead = None;
        if let Goal::One(id) = goal {
            if let Some(result) = queues.result(&head, id)? {
                return Ok(Outcome::Ended(Some(result)));
            }
            ahead = head.record.ahead(id);
            if ahead.is_none() {
                return Ok(Outcome::Ended(None));
            }
        }
        let Some(first) = head.record.queue.first().cloned() else { return Ok(Outcome::Ended(None)) };
        if queues.is_busy(&head.record) {
            tell(&Waiting { record: &head.record, ahead, is_own: false });
            let pause = match place.remote {
                // Who comes later looks less often.
                Some(_) => {
                    let ahead = u64::try_from(ahead.unwrap_or(0)).unwrap_or(0);
                    exchange.saturating_mul(3 + 2 * ahead).clamp(LOOK_THERE.0, LOOK_THERE.1)
                }
                None => LOOK,
            };
            sleep(spread(pause, random()));
            continue;
        }
        let Some(begun) = queues.add_to(&head, LandingStep::Begin(queues.stake(base)))? else {
            sleep(spread(10, random()));
            continue;
        };
        tell(&Waiting { record: &begun.record, ahead, is_own: true });
        match Lander::new(session, queues, &place, begun).turn() {
            Ok(Turn::Interrupted(signal)) => return Ok(Outcome::Interrupted(signal)),
            Ok(Turn::Done | Turn::Lost) => {}
            Err(error) if goal == Goal::One(first.id) => return Err(error),
            // It is another's, and stays in the queue for a while: whoever asked is told why.
            Err(error) => {
                let branch = quote(first.branch.as_bytes());
                session.ui.note(&format!("{branch} could not be landed: {error}"));
                sleep(Duration::from_millis(200));
            }
        }
    }
}
