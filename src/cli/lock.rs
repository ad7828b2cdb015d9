//! `git lane lock`

use serde_json::{Value, json};

use super::Outcome;
use super::args::Lock;
use super::lock_args::{agent, bounded, here, holder, notes, one_line, scopes};
use super::locks_text::{self, Held};
use super::output::{Output, Progress, complain};
use super::session::Session;
use crate::error::Error;
use crate::locks::keeper::Keeper;
use crate::locks::machine::ThisMachine;
use crate::locks::protocol::{Claim, Manner, Refusal};
use crate::locks::record::{Kind, Lease};
use crate::locks::scope::Scope;
use crate::locks::store::Tip;
use crate::policy::Plan;
use crate::report::quote;

/// How long somebody waits in a queue who does not say so at all: not.
const AT_ONCE: u64 = 0;

/// Takes locks, all of them or none.
///
/// # Errors
/// A scope that is none, an agent that nobody is, or a store that cannot be read or written.
pub fn run(args: &Lock, output: &Output) -> Outcome {
    let session = Session::open(None)?;
    let plan = &session.loaded.plan;
    let agent = agent(&session, args.agent.as_deref())?;
    let scopes = scopes(&session, &args.scopes)?;
    let ttl = bounded(plan, args.ttl.as_ref())?;
    let world = ThisMachine::new();
    let process = holder(&world, args.pid)?;
    let reason = one_line(args.reason.as_deref());
    if args.steal && reason.is_none() {
        return Err(Error::usage(
            "a theft needs a reason",
            "say in --reason why it cannot wait; whoever had the lock, and everybody who asks, reads it",
        ));
    }
    let worktree = here(&session);
    let mut keeper = Keeper::new(&session.repo, plan, &world);
    super::settle::settle(&session, &mut keeper);
    let mut done: Vec<Tip> = Vec::new();
    for scope in &scopes {
        let claim = Claim {
            scope,
            agent: &agent,
            ttl,
            reason: reason.as_deref(),
            process,
            worktree: &worktree,
            pushed: None,
            base: session.loaded.base.as_ref().map(|base| base.oid.to_string()),
        };
        let result = take(plan, &mut keeper, &claim, args, &world, output);
        match result {
            Ok(Ok(tip)) => done.push(tip),
            stopped => {
                undo(&mut keeper, &done, &claim);
                let refusal = stopped?.err().unwrap_or(Refusal::NotHeld);
                return refuse(plan, &mut keeper, &claim, &refusal, args, output);
            }
        }
    }
    report(&mut keeper, &agent, &done, output)
}

fn take(
    plan: &Plan,
    keeper: &mut Keeper<'_>,
    claim: &Claim<'_>,
    args: &Lock,
    world: &ThisMachine,
    output: &Output,
) -> Result<crate::locks::keeper::Outcome, Error> {
    let patience = args.wait.as_ref().map_or(AT_ONCE, |wait| wait.seconds);
    if args.steal {
        return keeper.claim(claim, Manner::Steal);
    }
    if args.renew {
        return keeper.claim(claim, Manner::Renew);
    }
    if patience == AT_ONCE {
        return keeper.claim(claim, Manner::Take { pass: 0 });
    }
    let ticket = Claim { ttl: patience, process: world.process(std::process::id()), ..claim.clone() };
    let mut progress = Progress::new(output);
    let told = keeper.wait(claim, &ticket, &mut |waiting| {
        let (what, detail) = locks_text::waiting(plan, &claim.scope.text, waiting);
        progress.say(&what, &detail);
    });
    progress.end();
    told
}

/// Gives back what this command took before it was refused something else, and nothing that was held before.
fn undo(keeper: &mut Keeper<'_>, done: &[Tip], claim: &Claim<'_>) {
    for tip in done.iter().filter(|tip| tip.record.event.kind != Kind::Renew) {
        let event = &tip.record.event;
        let Some(scope) = Scope::stored(&tip.record.area, &event.scope) else {
            continue;
        };
        let reason = Some("another lock of the same command was refused");
        let back = Claim::of_return(&scope, claim.agent, claim.worktree, reason);
        if !matches!(keeper.release(&back, Some(event.generation)), Ok(Ok(_))) {
            let word = quote(event.scope.as_bytes());
            complain(&format!("git-lane: `{}` is still held: git lane unlock {word}\n", event.scope));
        }
    }
}

fn refuse(
    plan: &Plan,
    keeper: &mut Keeper<'_>,
    claim: &Claim<'_>,
    refusal: &Refusal,
    args: &Lock,
    output: &Output,
) -> Outcome {
    let said = locks_text::refusal(plan, keeper, claim, refusal, args.wait.is_some());
    if output.is_json() {
        output.print_json(&said.json)?;
    }
    complain(&output.refusal(&said.text, &said.help));
    Ok(1)
}

fn report(keeper: &mut Keeper<'_>, agent: &str, done: &[Tip], output: &Output) -> Outcome {
    let mut text = String::new();
    let mut items: Vec<Value> = Vec::new();
    let now = keeper.judge().now().wall;
    for tip in done {
        let event = &tip.record.event;
        let own = |lease: &&Lease| lease.generation == event.generation && lease.stake.agent == agent;
        let Some(lease) = tip.record.leases.iter().find(own) else {
            continue;
        };
        let held = Held::new(&tip.record.area, lease, &keeper.judge(), now);
        text.push_str(&locks_text::taken(&held, event));
        let mut item = held.json();
        item["event"] = json!(event.kind);
        item["from"] = json!(event.from);
        items.push(item);
    }
    notes(keeper, output);
    if output.is_json() {
        output.print_json(&items)?;
    } else if !output.is_quiet() {
        output.print(&text)?;
    }
    Ok(0)
}
