//! `git lane unlock`

use serde_json::json;

use crate::cli::Outcome;
use crate::cli::candidates;
use crate::cli::output::Output;
use crate::cli::session;
use crate::commands::lock::args::{notes, one_line, scopes};
use crate::commands::locks::text;
use crate::locks::manager::LockManager;
use crate::machine::ThisMachine;
use crate::ops::unlock::{self, State, UnlockScope, UnlockedScope};
use lane_core::locks::protocol::Claim;
use lane_core::locks::record::LockEvent;

/// Release a lock
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What was locked; an area releases all that you hold in it
    #[arg(required_unless_present = "all", value_name = "SCOPE", add = candidates::scopes())]
    pub scopes: Vec<String>,
    /// Release everything that you hold
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
    let reason = one_line(args.reason.as_deref())?;
    let wanted = match args.all {
        true => UnlockScope::All,
        false => UnlockScope::Scopes(scopes(&session, &args.scopes)?),
    };
    let world = ThisMachine::new();
    let mut manager = LockManager::new(&session.repo, plan, &world);
    let done = unlock::unlock(&session, &mut manager, &agent, wanted, reason.as_deref())?;
    let (mut is_refused, mut has_any) = (false, false);
    let mut items = Vec::new();
    for UnlockedScope { scope, state, generation } in &done {
        let text = &scope.text;
        let claim = Claim::of_return(scope, &agent, "", None);
        let mut refuse = |said: text::RefusalText| {
            output.refuse(&said.text, &said.help);
            is_refused = true;
            ("refused", String::new())
        };
        let (word, said) = match state {
            State::Released(event) => ("released", format!("released {}", released_message(event))),
            State::MarkerRemoved => ("released", format!("removed the marker of {agent} on `{text}`")),
            State::Anothers(lease) => refuse(text::not_holder(plan, &manager.judge(), &claim, lease)),
            State::OtherScope(lease) => refuse(text::another_scope(&claim, lease)),
            State::Free => ("free", format!("{agent} does not hold `{text}`: nothing to release")),
        };
        let is_idle = args.all && word == "free";
        has_any |= word == "released";
        if !said.is_empty() && !is_idle && !output.is_json() && !output.is_quiet() {
            output.print(&format!("{said}\n"))?;
        }
        items.push(json!({ "scope": text, "area": scope.area, "state": word, "generation": generation }));
    }
    if args.all && !has_any && !output.is_json() && !output.is_quiet() {
        output.print(&format!("{agent} holds nothing: nothing to release\n"))?;
    }
    notes(&mut manager, output);
    if output.is_json() {
        output.print_json(&items)?;
    }
    Ok(u8::from(is_refused))
}

/// What was released, each by its own name.
fn released_message(event: &LockEvent) -> String {
    if event.from.is_empty() {
        return format!("`{}`", event.scope);
    }
    let scopes: Vec<String> = event.from.iter().map(|returned| format!("`{}`", returned.scope)).collect();
    scopes.join(", ")
}
