//! `git lane unlock`

use serde_json::json;

use crate::cli::Outcome;
use crate::cli::candidates;
use crate::cli::output::{Output, complain};
use crate::cli::session;
use crate::commands::lock::args::{notes, one_line, scopes};
use crate::commands::locks::text;
use crate::locks::keeper::Keeper;
use crate::locks::markers;
use crate::machine::ThisMachine;
use crate::ops::by_hand;
use lane_core::locks::protocol::{Claim, Refusal};
use lane_core::locks::record::Event;
use lane_core::locks::scope::{Scope, lockable};
use lane_core::policy::pattern::escape;
use lane_git::Repository;

/// Release a lock
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What `git lane lock` was given; an area gives back all that you hold in it
    #[arg(required_unless_present = "all", value_name = "SCOPE", add = candidates::scopes())]
    pub scopes: Vec<String>,
    /// Everything that you hold
    #[arg(long, conflicts_with = "scopes")]
    pub all: bool,
    /// Why, for the audit trail
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Unlock for this agent
    #[arg(long, value_name = "ID", add = candidates::agents())]
    pub agent: Option<String>,
}

/// Gives locks back.
///
/// # Errors
/// A scope that is none, an agent that nobody is, or a store that cannot be read or written.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let session = session::open_to_work(output, None)?;
    let plan = &session.loaded.plan;
    let agent = session.agent(args.agent.as_deref())?;
    let world = ThisMachine::new();
    let mut keeper = Keeper::new(&session.repo, plan, &world);
    let scopes = if args.all {
        keeper.refresh(0)?;
        let areas = lockable(plan);
        areas.into_iter().map(Scope::of_area).collect()
    } else {
        as_locked(&mut keeper, &agent, scopes(&session, &args.scopes)?)
    };
    // One's own is what the command itself gives back.
    by_hand::give_back(&session, &mut keeper, Some(&agent));
    let reason = one_line(args.reason.as_deref())?;
    let worktree = session.place();
    let (mut is_refused, mut has_any) = (false, false);
    let mut items = Vec::new();
    for scope in &scopes {
        let claim = Claim::of_return(scope, &agent, &worktree, reason.as_deref()).on_base(session.base());
        let outcome = keeper.release(&claim, None)?;
        let by_hand = if scope.is_area() {
            markers::remove_by_hand(session.repo.layout(), &scope.area, &agent)?
        } else {
            0
        };
        let text = &scope.text;
        let (state, said) = match &outcome {
            Ok(tip) => ("released", format!("gave back {}", given_back(&tip.record.event))),
            _ if by_hand > 0 => ("released", format!("took away the marker of {agent} on `{text}`")),
            Err(Refusal::Held(lease, _)) if lease.stake.agent != agent && !args.all => {
                let said = text::not_yours(plan, &keeper.judge(), &claim, lease);
                complain(&output.refusal(&said.text, &said.help));
                is_refused = true;
                ("refused", String::new())
            }
            Err(Refusal::Held(lease, _)) if lease.stake.agent == agent => {
                let said = text::another_scope(&claim, lease);
                complain(&output.refusal(&said.text, &said.help));
                is_refused = true;
                ("refused", String::new())
            }
            Err(_) => ("free", format!("{agent} does not hold `{text}`: nothing to give back")),
        };
        let is_idle = args.all && state == "free";
        has_any |= state == "released";
        if !said.is_empty() && !is_idle && !output.is_json() && !output.is_quiet() {
            output.print(&format!("{said}\n"))?;
        }
        let generation = outcome.ok().map(|tip| tip.record.event.generation);
        items.push(json!({ "scope": text, "area": scope.area, "state": state, "generation": generation }));
    }
    if args.all && !has_any && !output.is_json() && !output.is_quiet() {
        output.print(&format!("{agent} holds nothing: nothing to give back\n"))?;
    }
    notes(&mut keeper, output);
    if output.is_json() {
        output.print_json(&items)?;
    }
    Ok(u8::from(is_refused))
}

/// The scopes that are held where what was typed means one of them: once a file with brackets in its name is
/// gone, its name is taken for a pattern.
fn as_locked(keeper: &mut Keeper<'_>, agent: &str, typed: Vec<Scope>) -> Vec<Scope> {
    let held = keeper.held_by(agent);
    let own = |scope: &Scope, text: &str| {
        held.iter().any(|(tip, lease)| tip.record.area == scope.area && lease.stake.scope == text)
    };
    let meant = |scope: Scope| {
        let literal = escape(&scope.text);
        if own(&scope, &scope.text) || !own(&scope, &literal) {
            return scope;
        }
        Scope::stored(&scope.area, &literal).unwrap_or(scope)
    };
    typed.into_iter().map(meant).collect()
}

/// What was given back, each by its own name.
fn given_back(event: &Event) -> String {
    if event.from.is_empty() {
        return format!("`{}`", event.scope);
    }
    let scopes: Vec<String> = event.from.iter().map(|returned| format!("`{}`", returned.scope)).collect();
    scopes.join(", ")
}
