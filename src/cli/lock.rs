//! `git lane lock` and `git lane unlock`

use std::cell::Cell;

use serde_json::{Value, json};

use super::Outcome;
use super::args::{Lock, Unlock};
use super::locks_text::{self, Held};
use super::output::{Output, Progress, complain};
use super::session::Session;
use crate::error::Error;
use crate::facts::{Event, Unavailable};
use crate::gather::{Repository, Request, Subject};
use crate::identity::{Who, resolve};
use crate::locks::keeper::Keeper;
use crate::locks::machine::{Process, ThisMachine};
use crate::locks::markers;
use crate::locks::protocol::{Claim, Manner, Refusal};
use crate::locks::record::{Kind, Lease};
use crate::locks::scope::{Scope, Typed, lockable};
use crate::locks::store::Tip;
use crate::policy::Plan;
use crate::policy::scalar::Duration;
use crate::report::quote;

/// How long somebody waits in a queue who does not say so at all: not.
const AT_ONCE: u64 = 0;
/// The variable with the number of the process that locks are held for.
const HOLDER: &str = "LANE_PID";

/// Takes locks, all of them or none.
///
/// # Errors
/// A scope that is none, an agent that nobody is, or a store that cannot be read or written.
pub fn lock(args: &Lock, output: &Output) -> Outcome {
    let session = Session::open(None)?;
    let plan = &session.loaded.plan;
    let agent = agent(&session, args.agent.as_deref())?;
    let scopes = scopes(&session, &args.scopes)?;
    let ttl = bounded(plan, args.ttl.as_ref())?;
    let world = ThisMachine::new();
    let process = holder(&world, args.pid)?;
    let reason = one_line(args.reason.as_deref());
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

/// Gives back what this command took before it was refused something else.
fn undo(keeper: &mut Keeper<'_>, done: &[Tip], claim: &Claim<'_>) {
    for tip in done.iter().filter(|tip| tip.record.event.kind != Kind::Renew) {
        if let Some(scope) = Scope::stored(&tip.record.area, &tip.record.event.scope) {
            let reason = Some("another lock of the same command was refused");
            let back = Claim { scope: &scope, reason, ..claim.clone() };
            if !matches!(keeper.release(&back), Ok(Ok(_))) {
                complain(&format!(
                    "git-lane: `{}` is still held: git lane unlock {}\n",
                    scope.text,
                    quote(scope.text.as_bytes())
                ));
            }
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

/// Gives locks back.
///
/// # Errors
/// A scope that is none, an agent that nobody is, or a store that cannot be read or written.
pub fn unlock(args: &Unlock, output: &Output) -> Outcome {
    let session = Session::open(None)?;
    let plan = &session.loaded.plan;
    let agent = agent(&session, args.agent.as_deref())?;
    let world = ThisMachine::new();
    let mut keeper = Keeper::new(&session.repo, plan, &world);
    let scopes = if args.all {
        keeper.refresh(0)?;
        let areas = lockable(plan);
        areas.into_iter().map(Scope::of_area).collect()
    } else {
        scopes(&session, &args.scopes)?
    };
    let reason = one_line(args.reason.as_deref());
    let worktree = here(&session);
    let is_refused = Cell::new(false);
    let mut items = Vec::new();
    for scope in &scopes {
        let claim = Claim {
            scope,
            agent: &agent,
            ttl: 0,
            reason: reason.as_deref(),
            process: None,
            worktree: &worktree,
            pushed: None,
            base: None,
        };
        let outcome = keeper.release(&claim)?;
        let by_hand = if scope.is_area() {
            markers::remove_by_hand(session.repo.layout(), &scope.area, &agent)?
        } else {
            0
        };
        let text = &scope.text;
        let (state, said) = match &outcome {
            Ok(_) => ("released", format!("gave back `{text}`")),
            _ if by_hand > 0 => ("released", format!("took away the marker of {agent} on `{text}`")),
            Err(Refusal::Held(lease, _)) if lease.stake.agent != agent && !args.all => {
                let said = locks_text::not_yours(plan, &keeper.judge(), &claim, lease);
                complain(&output.refusal(&said.text, &said.help));
                is_refused.set(true);
                ("refused", String::new())
            }
            Err(Refusal::Held(lease, _)) if lease.stake.agent == agent => {
                let said = locks_text::another_scope(&claim, lease);
                complain(&output.refusal(&said.text, &said.help));
                is_refused.set(true);
                ("refused", String::new())
            }
            Err(_) => ("free", format!("{agent} does not hold `{text}`: nothing to give back")),
        };
        let is_idle = args.all && state == "free";
        if !said.is_empty() && !is_idle && !output.is_json() && !output.is_quiet() {
            output.print(&format!("{said}\n"))?;
        }
        let generation = outcome.ok().map(|tip| tip.record.event.generation);
        items.push(json!({ "scope": text, "area": scope.area, "state": state, "generation": generation }));
    }
    notes(&keeper, output);
    if output.is_json() {
        output.print_json(&items)?;
    }
    Ok(u8::from(is_refused.get()))
}

/// What did not work out and stands in nobody's way.
pub(super) fn notes(keeper: &Keeper<'_>, output: &Output) {
    if !output.is_quiet() {
        for note in &keeper.notes {
            complain(&format!("git-lane: note: {note}\n"));
        }
    }
}

/// The agent that works here.
///
/// # Errors
/// Nobody says so, or claims disagree.
pub(super) fn agent(session: &Session, option: Option<&str>) -> Result<String, Error> {
    let plan = &session.loaded.plan;
    let agent = option.map(str::to_owned);
    let request = Request { event: Event::CommitMsg, agent, branch: None, subject: Subject::Nothing };
    let facts = session.facts(&request)?;
    match resolve(plan, &facts, &facts.changes[0]) {
        Who::Agent(agent) => Ok(agent),
        Who::Unclear { reason, help } => Err(Unavailable::new(reason, help).into()),
        Who::Maintainer | Who::Stranger => {
            let ids: Vec<&str> = plan.policy.agent_ids().take(12).collect();
            Err(Error::usage(
                "a lock is held by an agent, and nothing here says which one you are",
                format!(
                    "name it: --agent <id>, or for good: git lane install --agent <id>; the agents are: {}",
                    ids.join(", ")
                ),
            ))
        }
    }
}

/// What was typed, as scopes; sorted, so that two who want the same ones want them in the same order.
///
/// # Errors
/// One of them is no scope.
pub(super) fn scopes(session: &Session, typed: &[String]) -> Result<Vec<Scope>, Error> {
    let root = session.repo.layout().worktree.as_deref();
    let root = root.map(|root| std::fs::canonicalize(root).unwrap_or_else(|_| root.to_owned()));
    let here = std::env::current_dir().and_then(std::fs::canonicalize).ok();
    let folder = match (&root, &here) {
        (Some(root), Some(here)) => here.strip_prefix(root).unwrap_or(std::path::Path::new("")).to_owned(),
        _ => std::path::PathBuf::new(),
    };
    let folder = folder.to_string_lossy().into_owned();
    let exists = |path: &str| root.as_ref().is_some_and(|root| root.join(path).symlink_metadata().is_ok());
    let mut scopes = Vec::new();
    for text in typed {
        // A path from the root of the file system, if it leads here.
        let inside = root.as_ref().and_then(|root| std::path::Path::new(text).strip_prefix(root).ok());
        let text = inside.map_or_else(|| text.clone(), |path| format!("/{}", path.display()));
        let typed = Typed { text: &text, folder: &folder, exists: &exists };
        scopes.push(Scope::resolve(&session.loaded.plan, &typed)?);
    }
    scopes.sort_by(|a, b| (&a.area, &a.text).cmp(&(&b.area, &b.text)));
    scopes.dedup();
    Ok(scopes)
}

/// The life that was asked for, within the policy's bounds.
fn bounded(plan: &Plan, asked: Option<&Duration>) -> Result<u64, Error> {
    let locks = &plan.policy.locks;
    let ttl = asked.unwrap_or(&locks.ttl.value);
    let (min, max) = (&locks.min_ttl.value, &locks.max_ttl.value);
    if ttl.seconds < min.seconds || ttl.seconds > max.seconds {
        let bound = if ttl.seconds < min.seconds {
            format!("at least {min} (`locks.min_ttl`)")
        } else {
            format!("at most {max} (`locks.max_ttl`)")
        };
        return Err(Error::usage(
            format!("a lock cannot live for {ttl}: {} allows {bound}", plan.source.name),
            format!(
                "leave --ttl away for {}, and renew when you need longer: git lane lock <scope> --renew",
                locks.ttl.value
            ),
        ));
    }
    Ok(ttl.seconds)
}

/// The process that the lock is held for, if one was named.
fn holder(world: &ThisMachine, option: Option<u32>) -> Result<Option<Process>, Error> {
    let named = match option {
        Some(id) => Some((id, "--pid".to_owned())),
        None => match std::env::var(HOLDER) {
            Ok(text) if !text.trim().is_empty() => match text.trim().parse() {
                Ok(id) => Some((id, HOLDER.to_owned())),
                Err(_) => {
                    return Err(Error::usage(
                        format!("{HOLDER} is `{text}`, which is no process"),
                        format!("unset {HOLDER}, or give it the number of your agent's process"),
                    ));
                }
            },
            _ => None,
        },
    };
    let Some((id, source)) = named else {
        return Ok(None);
    };
    match world.process(id) {
        Some(process) => Ok(Some(process)),
        None => Err(Error::usage(
            format!("{source} says {id}, and no such process runs here"),
            "name one that lives as long as the work does, or none: then the lock lives by its time alone",
        )),
    }
}

fn one_line(reason: Option<&str>) -> Option<String> {
    let words = reason?.split_whitespace().collect::<Vec<_>>().join(" ");
    (!words.is_empty()).then_some(words)
}

/// The worktree, as records name it.
pub(super) fn here(session: &Session) -> String {
    let layout = session.repo.layout();
    layout.worktree.as_ref().unwrap_or(&layout.common_dir).display().to_string()
}
