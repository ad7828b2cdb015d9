//! `git lane lock`

pub mod args;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::cli::Outcome;
use crate::cli::candidates;
use crate::cli::output::{Output, Progress, complain};
use crate::cli::session;
use crate::commands::lock::args::{bounded, holder, notes, one_line, scopes};
use crate::commands::locks::text::{self, Held};
use crate::gather::landed;
use crate::locks::keeper::Keeper;
use crate::locks::log::LockHead;
use crate::machine::ThisMachine;
use crate::ops::Session;
use crate::ops::auto_release::{self, Landing};
use lane_core::error::Error;
use lane_core::facts::RepoPath;
use lane_core::locks::protocol::{Claim, Manner, Refusal};
use lane_core::locks::record::{Kind, Lease};
use lane_core::locks::scope::Scope;
use lane_core::policy::Plan;
use lane_core::policy::scalar::Duration;
use lane_core::report::quote;
use lane_git::{Read, Repository};

/// Take a lock on an area, or on paths inside one
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The name of an area, or a path or pattern inside one, as seen from this folder
    #[arg(required = true, value_name = "SCOPE", add = candidates::scopes())]
    pub scopes: Vec<String>,
    /// How long it lives unless it is renewed, such as 90m; the policy's `locks.ttl` by default
    #[arg(long, value_name = "DURATION")]
    pub ttl: Option<Duration>,
    /// What it is for; everyone who asks is told
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Stand in the queue for so long if it is not free: first come, first served
    #[arg(long, value_name = "DURATION")]
    pub wait: Option<Duration>,
    /// Begin the life of a lock that you took anew; refused where another agent has it by now
    #[arg(long, conflicts_with_all = ["wait", "steal"])]
    pub renew: bool,
    /// Take it away from whoever has it, with a --reason; they are told, and cannot push under it any more
    #[arg(long, requires = "reason", conflicts_with = "wait")]
    pub steal: bool,
    /// Lock for this agent
    #[arg(long, value_name = "ID", add = candidates::agents())]
    pub agent: Option<String>,
    /// The process it is held for: when that one is gone, others may take it [default: $LANE_PID]
    #[arg(long, value_name = "PID")]
    pub pid: Option<u32>,
}

/// How long somebody waits in a queue who does not say so at all: not.
const AT_ONCE: u64 = 0;

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
            "a theft needs a reason",
            "say in --reason why it cannot wait; whoever had the lock, and everybody who asks, reads it",
        ));
    }
    let worktree = session.place();
    let mut keeper = Keeper::new(&session.repo, plan, &world);
    crate::ops::by_hand::give_back(&session, &mut keeper, None);
    auto_release::release_landed(
        &session,
        &mut keeper,
        &Landing { spared: Some((&agent, &scopes)), pushed: None },
    );
    let repository = keeper.repository();
    let claims: Vec<Claim<'_>> = scopes
        .iter()
        .map(|scope| Claim {
            ttl,
            process,
            repository: repository.as_deref(),
            ..Claim::of_return(scope, &agent, &worktree, reason.as_deref()).on_base(session.base())
        })
        .collect();
    let mut taking = Taking { plan, args, world: &world, output, done: Vec::new() };
    match taking.all(&mut keeper, &claims) {
        Ok(None) => report(&session, &mut keeper, &agent, &taking.done, output),
        stopped => {
            undo(&mut keeper, &taking.done, &claims[0]);
            let Some((claim, refusal)) = stopped? else {
                return Ok(0);
            };
            refuse(plan, &mut keeper, claim, &refusal, args, output)
        }
    }
}

/// Several locks, taken one after the other.
struct Taking<'a> {
    plan: &'a Plan,
    args: &'a Args,
    world: &'a ThisMachine,
    output: &'a Output,
    done: Vec<LockHead>,
}

impl Taking<'_> {
    /// Takes all of them; the one that was refused, and why.
    fn all<'c, 's>(
        &mut self,
        keeper: &mut Keeper<'_>,
        claims: &'c [Claim<'s>],
    ) -> Result<Option<(&'c Claim<'s>, Refusal)>, Error> {
        // While one is waited for, those before it live with this process: if it is killed, they are free.
        let is_long = self.args.wait.is_some() && claims.len() > 1;
        let here = if is_long { self.world.process(std::process::id()) } else { None };
        let mut held: Vec<Claim<'s>> = Vec::new();
        for claim in claims {
            let mut meanwhile = claim.clone();
            // What one had before stays as it was, whatever becomes of the rest.
            match keeper.own(claim)?.filter(|_| is_long) {
                Some(own) => (meanwhile.process, meanwhile.ttl) = (keeper.process_of(&own), own.stake.ttl),
                None => meanwhile.process = here.or(claim.process),
            }
            match self.take(keeper, &meanwhile, &held)? {
                Ok(tip) => self.done.push(tip),
                Err(refusal) => return Ok(Some((claim, refusal))),
            }
            held.push(meanwhile);
        }
        if is_long {
            // None of them may have changed hands meanwhile.
            for (at, claim) in claims.iter().enumerate() {
                let (kind, generation) = {
                    let event = &self.done[at].record.event;
                    (event.kind, event.generation)
                };
                match keeper.claim(claim, Manner::Renew)? {
                    Ok(mut tip) => {
                        // To this command it is still what it was when it was taken.
                        if tip.record.event.generation == generation {
                            tip.record.event.kind = kind;
                        }
                        self.done[at] = tip;
                    }
                    Err(refusal) => {
                        let lost = Refusal::Lost(claim.scope.text.clone(), Box::new(refusal));
                        return Ok(Some((claim, lost)));
                    }
                }
            }
        }
        Ok(None)
    }

    fn take(
        &self,
        keeper: &mut Keeper<'_>,
        claim: &Claim<'_>,
        kept: &[Claim<'_>],
    ) -> Result<crate::locks::keeper::Outcome, Error> {
        let patience = self.args.wait.as_ref().map_or(AT_ONCE, |wait| wait.seconds);
        if self.args.steal {
            return keeper.claim(claim, Manner::Steal);
        }
        if self.args.renew {
            return keeper.claim(claim, Manner::Renew);
        }
        if patience == AT_ONCE {
            return keeper.claim(claim, Manner::Take { pass: 0 });
        }
        let process = self.world.process(std::process::id());
        let ticket = Claim { ttl: patience, process, ..claim.clone() };
        let mut progress = Progress::new(self.output);
        let told = keeper.wait(claim, &ticket, kept, &mut |waiting| {
            let (what, detail) = text::waiting(self.plan, &claim.scope.text, waiting);
            progress.say(&what, &detail);
        });
        progress.end();
        told
    }
}

/// Gives back what this command took before it was refused something else, and nothing that was held before.
fn undo(keeper: &mut Keeper<'_>, done: &[LockHead], claim: &Claim<'_>) {
    for tip in done.iter().filter(|tip| tip.record.event.kind != Kind::Renew) {
        let event = &tip.record.event;
        let Some(scope) = Scope::stored(&tip.record.area, &event.scope) else {
            continue;
        };
        let reason = Some("another lock of the same command was refused");
        let back = Claim {
            base: claim.base.clone(),
            ..Claim::of_return(&scope, claim.agent, claim.worktree, reason)
        };
        // What somebody else has by now is not there to be given back.
        if keeper.release(&back, Some(event.generation)).is_err() {
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
    args: &Args,
    output: &Output,
) -> Outcome {
    let said = text::refusal(plan, keeper, claim, refusal, args.wait.is_some());
    if output.is_json() {
        output.print_json(&json!({ "locks": [], "refused": said.json }))?;
    }
    complain(&output.refusal(&said.text, &said.help));
    Ok(1)
}

fn report(
    session: &Session,
    keeper: &mut Keeper<'_>,
    agent: &str,
    done: &[LockHead],
    output: &Output,
) -> Outcome {
    let missing = missing(session, done);
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
        text.push_str(&text::taken(&held, event));
        let mut item = held.json();
        item["event"] = json!(event.kind);
        item["from"] = json!(event.from);
        items.push(item);
    }
    notes(keeper, output);
    let missing = match missing {
        Ok(missing) => missing,
        Err(why) => {
            complain(&format!(
                "git-lane: note: whether this branch has all that landed could not be checked: {}\n",
                why.reason
            ));
            BTreeSet::new()
        }
    };
    if !missing.is_empty() {
        complain(&text::missing(session, &missing));
    }
    if output.is_json() {
        let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
        output.print_json(&json!({ "locks": items, "refused": null, "missing": missing }))?;
    } else if !output.is_quiet() {
        output.print(&text)?;
    }
    Ok(0)
}

/// The files under the locks that the base has in a newer version, which this branch does not contain.
fn missing(session: &Session, done: &[LockHead]) -> Read<BTreeSet<RepoPath>> {
    let (Some(base), Some(head)) = (session.base(), session.repo.head()?.oid) else {
        return Ok(BTreeSet::new());
    };
    let scope = |tip: &LockHead| Scope::stored(&tip.record.area, &tip.record.event.scope);
    let scopes: Vec<Scope> = done.iter().filter_map(scope).collect();
    let scopes: Vec<&Scope> = scopes.iter().collect();
    landed::missing_in(&session.repo, &session.loaded.plan, base, head, &scopes)
}
