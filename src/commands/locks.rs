//! `git lane locks`

pub mod text;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cli::Outcome;
use crate::cli::candidates;
use crate::cli::output::Output;
use crate::cli::session;
use crate::commands::lock::args as lock_args;
use crate::commands::locks::text::{LockView, timestamp, title};
use crate::locks::log::LockHead;
use crate::locks::manager::{AreaLocks, LockManager};
use crate::locks::markers;
use crate::machine::ThisMachine;
use crate::ops::Session;
use crate::ops::auto_release;
use crate::ops::by_hand;
use lane_core::error::Error;
use lane_core::facts::LockClaim;
use lane_core::locks::record::{Lease, LockEvent};
use lane_core::locks::scope::Scope;
use lane_core::policy::scalar::{clock, format_duration};
use lane_core::report::quote;
use lane_git::Repository;

/// Show who holds which lock, until when, and who waits
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only locks that overlap this scope
    #[arg(value_name = "SCOPE", add = candidates::scopes())]
    pub scope: Option<String>,
    /// Show who took, renewed, released and stole it, when and why; newest first
    #[arg(long)]
    pub log: bool,
    /// Show at most this many events of each area
    #[arg(short = 'n', long, value_name = "N", requires = "log", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
}

/// The locks of a remote are shown as they were up to so many milliseconds ago.
const RECENT: u64 = 1_000;

/// Says who holds what, or who did what. Exit code 2 where a ref holds no lock: it is unknown then.
///
/// # Errors
/// No repository, no policy, or a store that cannot be read.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let session = session::open_to_work(output, None)?;
    let scope = match &args.scope {
        Some(text) => lock_args::scopes(&session, std::slice::from_ref(text))?.into_iter().next(),
        None => None,
    };
    let world = ThisMachine::new();
    let mut manager = LockManager::new(&session.repo, &session.loaded.plan, &world);
    let doubt = manager.refresh(if args.log { 0 } else { RECENT }).err();
    if !args.log {
        by_hand::give_back(&session, &mut manager, None);
        auto_release::release_landed(&session, &mut manager, &auto_release::Landing::default());
        manager.show();
    }
    let mut areas = manager.areas()?;
    if let Some(scope) = &scope {
        areas.retain(|area| area.area.as_deref() == Some(scope.area.as_str()));
    }
    if let Some(error) = &doubt {
        output.error(error);
    }
    let me = session.agent(None).ok();
    let list = List { session: &session, manager: &manager, scope: scope.as_ref(), me };
    let is_broken = areas.iter().any(|area| area.tip.is_err());
    if args.log {
        list.log(&areas, args.limit.map_or(usize::MAX, |limit| limit as usize), output)?;
    } else {
        list.state(&areas, doubt.as_ref(), output)?;
    }
    lock_args::notes(&mut manager, output);
    Ok(if is_broken || doubt.is_some() { 2 } else { 0 })
}

struct List<'a> {
    session: &'a Session,
    manager: &'a LockManager<'a>,
    scope: Option<&'a Scope>,
    /// Who asks, if that is an agent.
    me: Option<String>,
}

/// A ref that could not be read as locks.
fn broken_text(area: &str, error: &Error) -> String {
    let help = error.help().unwrap_or_default();
    let help: String = help.lines().map(|line| format!("    {line}\n")).collect();
    format!("{area}: could not decide\n    {error}\n{help}")
}

impl List<'_> {
    fn is_wanted(&self, area: &str, text: &str) -> bool {
        let fold = self.session.loaded.plan.folds_case();
        self.scope.is_none_or(|wanted| {
            Scope::from_record(area, text).is_none_or(|scope| wanted.conflicts(&scope, fold))
        })
    }

    fn state(&self, areas: &[AreaLocks], doubt: Option<&Error>, output: &Output) -> Result<(), Error> {
        let plan = &self.session.loaded.plan;
        let markers = self.markers()?;
        let mut text = String::new();
        let (mut held, mut broken, mut all) = (Vec::new(), Vec::new(), Vec::new());
        for area in areas {
            let name = area.area.as_deref().unwrap_or("?");
            let tip = match &area.tip {
                Ok(tip) => tip.as_ref(),
                Err(error) => {
                    text.push_str(&broken_text(name, error));
                    let (reason, help) = (error.to_string(), error.help());
                    broken.push(json!({ "ref": area.reference, "reason": reason, "help": help }));
                    continue;
                }
            };
            let is_known = plan.policy.areas.iter().any(|known| known.name.value == name);
            let generation = tip.map_or(0, |tip| tip.record.generation);
            let (lines, items) = tip.map(|tip| self.leases(name, tip)).unwrap_or_default();
            let marked: Vec<&LockClaim> = markers.iter().filter(|marker| marker.area == name).collect();
            let waits = tip.map(|tip| self.waits(tip)).unwrap_or_default();
            let is_free = items.iter().all(|item| item["state"] == "ended") && marked.is_empty();
            if is_free && is_known && (items.is_empty() || waits.is_empty()) {
                let what = self.scope.map_or(name, |scope| scope.text.as_str());
                let state = if doubt.is_some() && tip.is_none() { "could not be determined" } else { "free" };
                text.push_str(&format!("{what}: {state}\n"));
            }
            text.push_str(&lines);
            text.push_str(&self.marked(&marked, tip));
            if !waits.is_empty() {
                let names: Vec<String> =
                    waits.iter().map(|(agent, scope)| format!("{agent} ({scope})")).collect();
                text.push_str(&format!("    in the queue: {}\n", names.join(", then ")));
            }
            if !is_known && !items.is_empty() {
                text.push_str("    no such area in the policy any more\n");
            }
            held.extend(items);
            let waits: Vec<Value> =
                waits.iter().map(|(agent, scope)| json!({ "agent": agent, "scope": scope })).collect();
            all.push(json!({
                "area": name, "ref": area.reference, "generation": generation, "free": is_free, "waiting": waits,
            }));
        }
        if areas.is_empty() {
            text.push_str(&format!("{} has no area under `access: lock`\n", plan.source.name));
        }
        for (file, why) in markers::unknown_markers(self.session.repo.layout(), &plan.policy)? {
            text.push_str(&format!("{file} has no effect: {why}\n"));
        }
        if output.is_json() {
            let by_hand: Vec<Value> = markers.iter().map(marker_json).collect();
            return output.print_json(&json!({
                "remote": self.manager.log().remote_name(),
                "unreachable": doubt.map(ToString::to_string),
                "areas": all, "locks": held, "markers": by_hand, "broken": broken,
            }));
        }
        output.page(&text)
    }

    /// What is held in an area, as lines and for programs. What has ended is for programs alone.
    fn leases(&self, area: &str, tip: &LockHead) -> (String, Vec<Value>) {
        let judge = self.manager.judge();
        let plan = &self.session.loaded.plan;
        let (mut text, mut items) = (String::new(), Vec::new());
        for lease in tip.record.leases.iter().filter(|lease| self.is_wanted(area, &lease.stake.scope)) {
            let held = LockView::new(area, lease, &judge, judge.now().wall);
            let mut item = held.json();
            let idle = auto_release::idle(self.session, self.manager, lease, judge.now().wall);
            item["idle"] = json!(idle);
            items.push(item);
            if held.liveness.is_over() {
                continue;
            }
            let (scope, generation) = (&lease.stake.scope, lease.generation);
            let whose = title(plan, &lease.stake.agent);
            text.push_str(&format!("{scope}: {whose} {}, generation {generation}\n", held.until()));
            let why = lease.reason.as_ref().map(|why| format!(": \"{why}\"")).unwrap_or_default();
            let process = lease.stake.process.map(|process| format!(", process {}", process.id));
            let process = process.unwrap_or_default();
            let since = clock(lease.since, judge.now().wall);
            text.push_str(&format!("    since {since}, {}{process}{why}\n", held.location()));
            for loser in &lease.from {
                text.push_str(&format!("    {} {}\n", loser.words(), loser.cause.words()));
            }
            if let Some(idle) = idle.filter(|idle| *idle >= lease.stake.ttl / 2) {
                let own = self.me.as_ref() == Some(&lease.stake.agent);
                let word = quote(scope.as_bytes());
                let next = if own { format!("; if done: git lane unlock {word}") } else { String::new() };
                text.push_str(&format!("    no commit under it for {}{next}\n", format_duration(idle)));
            }
        }
        (text, items)
    }

    fn waits(&self, tip: &LockHead) -> Vec<(String, String)> {
        let judge = self.manager.judge();
        let queue = tip.record.queue.iter().filter(|ticket| judge.waits(ticket));
        queue.map(|ticket| (ticket.agent.clone(), ticket.scope.clone())).collect()
    }

    /// The manual claims that have not expired, oldest first.
    fn markers(&self) -> Result<Vec<LockClaim>, Error> {
        let plan = &self.session.loaded.plan;
        let (ttl, now) = (plan.policy.locks.ttl.value.seconds, self.manager.judge().now().wall);
        let mut markers = markers::by_hand(self.session.repo.layout(), &plan.policy)?;
        markers.retain(|marker| {
            now < marker.since.saturating_add_unsigned(ttl) && self.is_wanted(&marker.area, &marker.area)
        });
        markers.sort_by(|a, b| (a.since, a.nanos, &a.agent).cmp(&(b.since, b.nanos, &b.agent)));
        Ok(markers)
    }

    /// Claims by hand, oldest first: one of them may hold the area, all others hold nothing.
    fn marked(&self, markers: &[&LockClaim], tip: Option<&LockHead>) -> String {
        let plan = &self.session.loaded.plan;
        let judge = self.manager.judge();
        let leases = tip.map(|tip| tip.record.leases.as_slice()).unwrap_or_default();
        let alive = |lease: &&Lease| !judge.lease(lease).is_over();
        let mut text = String::new();
        for marker in markers {
            let LockClaim { area, agent, since, place, .. } = marker;
            let ttl = &plan.policy.locks.ttl.value;
            let file = format!("{place}/.locks/{}", lane_core::locks::scope::file_name(area, area, agent));
            let lease = leases.iter().filter(alive).find(|lease| lease.stake.agent != *agent);
            let older = markers.first().filter(|first| first.agent != *agent);
            let why = match (lease, older) {
                (Some(lease), _) => Some(format!("the lock of {} takes precedence", lease.stake.agent)),
                (None, Some(older)) => Some(format!("{} was first", older.agent)),
                (None, None) => None,
            };
            let whose = title(plan, agent);
            let Some(why) = why else {
                let since = clock(*since, judge.now().wall);
                text.push_str(&format!(
                    "{area}: {whose} manually since {since}, for at most {ttl}\n    {file}\n"
                ));
                continue;
            };
            text.push_str(&format!("    {file} of {whose} has no effect: {why}\n"));
            if self.me.as_ref() == Some(agent) {
                text.push_str(&format!("    remove it: rm {}\n", quote(file.as_bytes())));
            }
        }
        text
    }

    /// The audit trail, newest first.
    fn log(&self, areas: &[AreaLocks], limit: usize, output: &Output) -> Result<(), Error> {
        let mut items: Vec<Value> = Vec::new();
        let mut text = String::new();
        for area in areas {
            let tip = match &area.tip {
                Ok(Some(tip)) => tip,
                Ok(None) => continue,
                Err(error) => {
                    text.push_str(&format!("{}: could not decide: {error}\n", area.reference));
                    continue;
                }
            };
            let mut events: Vec<(String, LockEvent)> = Vec::new();
            self.manager.log().walk(tip, |at| {
                let event = &at.record.event;
                if self.is_wanted(&at.record.area, &event.scope) {
                    events.push((at.oid.to_string(), event.clone()));
                }
                events.len() >= limit
            })?;
            for (oid, event) in events {
                text.push_str(&line(&event));
                let mut item = json!(event);
                item["area"] = json!(tip.record.area);
                item["commit"] = json!(oid);
                item["at"] = json!(timestamp(event.at));
                items.push(item);
            }
        }
        if output.is_json() {
            return output.print_json(&items);
        }
        if items.is_empty() && text.is_empty() {
            text = "no lock was ever taken here\n".to_owned();
        }
        output.page(&text)
    }
}

fn marker_json(marker: &LockClaim) -> Value {
    let LockClaim { area, agent, since, place, .. } = marker;
    let file = lane_core::locks::scope::file_name(area, area, agent);
    json!({ "area": area, "agent": agent, "since": timestamp(*since), "file": format!("{place}/.locks/{file}") })
}

/// One event of the audit trail.
fn line(event: &LockEvent) -> String {
    let LockEvent { kind, agent, scope, generation, at, host, worktree, reason, from, pushed, base: _ } =
        event;
    let token = if *generation > 0 { format!("@{generation}") } else { String::new() };
    let why = reason.as_ref().map(|reason| format!(": \"{reason}\"")).unwrap_or_default();
    let mut losers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for loser in from {
        let scope = if loser.scope == *scope { String::new() } else { format!(" ({})", loser.scope) };
        losers.entry(loser.cause.words()).or_default().push(format!("{}{scope}", loser.words()));
    }
    let ended: String =
        losers.iter().map(|(cause, whose)| format!("; {} {cause}", whose.join(", "))).collect();
    let push = pushed.as_ref().map(|oid| format!(", with the push of {}", &oid[..10.min(oid.len())]));
    let push = push.unwrap_or_default();
    let time =
        jiff::Timestamp::from_second(*at).unwrap_or_default().strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    format!("{time}  {agent} {} {scope}{token}{push}{why}{ended}  ({host}:{worktree})\n", kind.verb())
}
