//! `git lane lock`

pub mod args;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::cli::Outcome;
use crate::cli::candidates;
use crate::cli::output::{Output, note, print_error};
use crate::cli::progress::Progress;
use crate::cli::session;
use crate::commands::lock::args::{bounded, holder, notes, one_line, scopes};
use crate::commands::locks::text::{self, LockView};
use crate::locks::log::LockHead;
use crate::locks::manager::LockManager;
use crate::machine::ThisMachine;
use crate::ops::Session;
use crate::ops::lock::{self, LockMode, LockOptions};
use lane_core::error::Error;
use lane_core::locks::protocol::{Claim, Refusal};
use lane_core::locks::record::Lease;
use lane_core::policy::Plan;
use lane_core::policy::scalar::Duration;

/// Take a lock on an area, or on paths inside one
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The name of an area, or a path or pattern inside one, as seen from this folder
    #[arg(required = true, value_name = "SCOPE", add = candidates::scopes())]
    pub scopes: Vec<String>,
    /// How long the lock lasts unless renewed, such as 90m [default: `locks.ttl` of the policy]
    #[arg(long, value_name = "DURATION")]
    pub ttl: Option<Duration>,
    /// What the lock is for; shown to everyone who asks
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Wait in the queue for at most this long; first come, first served
    #[arg(long, value_name = "DURATION")]
    pub wait: Option<Duration>,
    /// Extend a lock that you hold; refused if another agent holds it by now
    #[arg(long, conflicts_with_all = ["wait", "steal"])]
    pub renew: bool,
    /// Take the lock from its holder, with a --reason; the holder is told, and cannot push under it any more
    #[arg(long, requires = "reason", conflicts_with = "wait")]
    pub steal: bool,
    /// Lock for this agent
    #[arg(long, value_name = "ID", add = candidates::agents())]
    pub agent: Option<String>,
    /// The process to hold it for: once it has ended, others may take the lock [default: $LANE_PID]
    #[arg(long, value_name = "PID")]
    pub pid: Option<u32>,
}

/// Takes locks, all of them or none.
///
/// # Errors
/// A scope that is none, an agent that nobody is, or a store that cannot be read or written.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let session = session::open_to_work(output, None)?;
    let plan = &session.loaded.plan;
    let agent = session.agent(args.agent.as_deref())?;
    let scopes = scopes(&session, &args.scopes)?;
    let ttl = bounded(plan, args.ttl.as_ref())?;
    let world = ThisMachine::new();
    let process = holder(&world, args.pid)?;
    let reason = one_line(args.reason.as_deref())?;
    if args.steal && reason.is_none() {
        return Err(Error::usage(
            "--steal needs --reason",
            "say why it cannot wait: the previous holder and everyone who asks sees it",
        ));
    }
    let how = match (&args.wait, args.steal, args.renew) {
        (_, true, _) => LockMode::Steal,
        (_, _, true) => LockMode::Renew,
        (Some(wait), ..) => LockMode::Wait(wait.seconds),
        (None, ..) => LockMode::Now,
    };
    let wanted = LockOptions { agent, scopes, ttl, process, reason, mode: how };
    let mut manager = LockManager::new(&session.repo, plan, &world);
    let progress = Progress::new(output.is_quiet());
    let done = lock::lock(&session, &mut manager, &world, &wanted, &mut |scope, waiting| {
        let (what, detail) = text::waiting(plan, scope, waiting);
        progress.status("", &what, &detail);
    });
    progress.end();
    match done? {
        Ok(done) => report(&session, &mut manager, &wanted.agent, &done, output),
        Err((scope, refusal)) => {
            let claim = Claim::of_return(&scope, &wanted.agent, "", None);
            refuse(plan, &mut manager, &claim, &refusal, args, output)
        }
    }
}

fn refuse(
    plan: &Plan,
    manager: &mut LockManager<'_>,
    claim: &Claim<'_>,
    refusal: &Refusal,
    args: &Args,
    output: &Output,
) -> Outcome {
    let said = text::refusal(plan, manager, claim, refusal, args.wait.is_some());
    if output.is_json() {
        output.print_json(&json!({ "locks": [], "refused": said.json }))?;
    }
    output.refuse(&said.text, &said.help);
    Ok(1)
}

fn report(
    session: &Session,
    manager: &mut LockManager<'_>,
    agent: &str,
    done: &[LockHead],
    output: &Output,
) -> Outcome {
    let missing = lock::missing(session, done);
    let mut text = String::new();
    let mut items: Vec<Value> = Vec::new();
    let now = manager.judge().now().wall;
    for tip in done {
        let event = &tip.record.event;
        let own = |lease: &&Lease| lease.generation == event.generation && lease.stake.agent == agent;
        let Some(lease) = tip.record.leases.iter().find(own) else {
            continue;
        };
        let held = LockView::new(&tip.record.area, lease, &manager.judge(), now);
        text.push_str(&text::taken_message(&held, event));
        let mut item = held.json();
        item["event"] = json!(event.kind);
        item["from"] = json!(event.from);
        items.push(item);
    }
    notes(manager, output);
    let missing = match missing {
        Ok(missing) => missing,
        Err(why) => {
            note(&format!(
                "whether this branch has everything that landed could not be checked: {}",
                why.reason
            ));
            BTreeSet::new()
        }
    };
    if !missing.is_empty() {
        print_error(&text::missing(session, &missing));
    }
    if output.is_json() {
        let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
        output.print_json(&json!({ "locks": items, "refused": null, "missing": missing }))?;
    } else if !output.is_quiet() {
        output.print(&text)?;
    }
    Ok(0)
}
