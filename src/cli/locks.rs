//! `git lane locks`

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::args::Locks;
use super::locks_text::{Held, clock, timestamp, title};
use super::output::Output;
use super::session::Session;
use super::{Outcome, lock_args, settle};
use crate::error::Error;
use crate::facts::LockClaim;
use crate::gather::Repository;
use crate::locks::keeper::{AreaLocks, Keeper};
use crate::locks::machine::ThisMachine;
use crate::locks::markers;
use crate::locks::record::{Event, Lease};
use crate::locks::scope::Scope;
use crate::locks::store::Tip;
use crate::policy::scalar::in_words;
use crate::report::quote;

/// The locks of a remote are shown as they were up to so many milliseconds ago.
const RECENT: u64 = 3_000;

/// Says who holds what, or who did what. Exit code 2 where a ref holds no lock: nobody can tell then.
///
/// # Errors
/// No repository, no policy, or a store that cannot be read.
pub fn run(args: &Locks, output: &Output) -> Outcome {
    let session = Session::open(None)?;
    let scope = match &args.scope {
        Some(text) => lock_args::scopes(&session, std::slice::from_ref(text))?.into_iter().next(),
        None => None,
    };
    let world = ThisMachine::new();
    let mut keeper = Keeper::new(&session.repo, &session.loaded.plan, &world);
    let doubt = keeper.refresh(if args.log { 0 } else { RECENT }).err();
    if !args.log {
        settle::settle(&session, &mut keeper);
        keeper.show();
    }
    let mut areas = keeper.areas()?;
    if let Some(scope) = &scope {
        areas.retain(|area| area.area.as_deref() == Some(scope.area.as_str()));
    }
    if let Some(error) = &doubt {
        super::output::complain(&output.refusal(&error.to_string(), error.help().unwrap_or_default()));
    }
    let list = List { session: &session, keeper: &keeper, scope: scope.as_ref() };
    let is_broken = areas.iter().any(|area| area.tip.is_err());
    if args.log {
        list.log(&areas, args.limit.unwrap_or(usize::MAX), output)?;
    } else {
        list.state(&areas, doubt.as_ref(), output)?;
    }
    lock_args::notes(&keeper, output);
    Ok(if is_broken || doubt.is_some() { 2 } else { 0 })
}

struct List<'a> {
    session: &'a Session,
    keeper: &'a Keeper<'a>,
    scope: Option<&'a Scope>,
}

impl List<'_> {
    fn is_wanted(&self, area: &str, text: &str) -> bool {
        let fold = self.session.loaded.plan.folds_case();
        self.scope
            .is_none_or(|wanted| Scope::stored(area, text).is_none_or(|scope| wanted.conflicts(&scope, fold)))
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
                    let help = error.help().unwrap_or_default();
                    text.push_str(&format!("{name}: could not decide\n    {error}\n"));
                    help.lines().for_each(|line| text.push_str(&format!("    {line}\n")));
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
                text.push_str(&format!("{name}: free\n"));
            }
            text.push_str(&lines);
            text.push_str(&self.marked(&marked, tip));
            if !waits.is_empty() {
                let names: Vec<String> =
                    waits.iter().map(|(agent, scope)| format!("{agent} ({scope})")).collect();
                text.push_str(&format!("    in the queue: {}\n", names.join(", then ")));
            }
            if !is_known && !items.is_empty() {
                text.push_str("    the policy has no such area any more\n");
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
        if output.is_json() {
            let by_hand: Vec<Value> = markers.iter().map(marker_json).collect();
            return output.print_json(&json!({
                "remote": self.keeper.store().remote_name(),
                "unreachable": doubt.map(ToString::to_string),
                "areas": all, "locks": held, "markers": by_hand, "broken": broken,
            }));
        }
        output.print(&text)
    }

    /// What is held in an area, as lines and for programs. What has ended is for programs alone.
    fn leases(&self, area: &str, tip: &Tip) -> (String, Vec<Value>) {
        let judge = self.keeper.judge();
        let plan = &self.session.loaded.plan;
        let (mut text, mut items) = (String::new(), Vec::new());
        for lease in tip.record.leases.iter().filter(|lease| self.is_wanted(area, &lease.stake.scope)) {
            let held = Held::new(area, lease, &judge, judge.now().wall);
            let mut item = held.json();
            let idle = settle::idle(self.session, lease, judge.now().wall);
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
            text.push_str(&format!("    since {}, {}{process}{why}\n", clock(lease.since), held.place()));
            if let Some(idle) = idle.filter(|idle| *idle >= lease.stake.ttl / 2) {
                text.push_str(&format!(
                    "    no commit under it for {}; done with it? git lane unlock {}\n",
                    in_words(idle),
                    quote(scope.as_bytes())
                ));
            }
        }
        (text, items)
    }

    fn waits(&self, tip: &Tip) -> Vec<(String, String)> {
        let judge = self.keeper.judge();
        let queue = tip.record.queue.iter().filter(|ticket| judge.waits(ticket));
        queue.map(|ticket| (ticket.agent.clone(), ticket.scope.clone())).collect()
    }

    /// The claims by hand that have not expired.
    fn markers(&self) -> Result<Vec<LockClaim>, Error> {
        let plan = &self.session.loaded.plan;
        let ttl = i64::try_from(plan.policy.locks.ttl.value.seconds).unwrap_or(i64::MAX / 2);
        let now = self.keeper.judge().now().wall;
        let mut markers = markers::by_hand(self.session.repo.layout(), &plan.policy)?;
        markers.retain(|marker| now < marker.since + ttl && self.is_wanted(&marker.area, &marker.area));
        markers.sort_by(|a, b| (a.since, &a.agent).cmp(&(b.since, &b.agent)));
        Ok(markers)
    }

    /// Claims by hand, oldest first: one of them may hold the area, all others hold nothing.
    fn marked(&self, markers: &[&LockClaim], tip: Option<&Tip>) -> String {
        let plan = &self.session.loaded.plan;
        let judge = self.keeper.judge();
        let leases = tip.map(|tip| tip.record.leases.as_slice()).unwrap_or_default();
        let alive = |lease: &&Lease| !judge.lease(lease).is_over();
        let mut text = String::new();
        for (at, marker) in markers.iter().enumerate() {
            let LockClaim { area, agent, since, place } = marker;
            let ttl = &plan.policy.locks.ttl.value;
            let file = markers::file_name(area, area, agent);
            let lease = leases.iter().filter(alive).find(|lease| lease.stake.agent != *agent);
            let holder =
                lease.map(|lease| &lease.stake.agent).or(if at > 0 { Some(&markers[0].agent) } else { None });
            let whose = title(plan, agent);
            match holder.filter(|holder| *holder != agent) {
                Some(holder) => text.push_str(&format!(
                    "    {place}/.locks/{file} of {whose} holds nothing: {holder} was first\n\
                     \x20   take it away: rm {}\n",
                    quote(format!("{place}/.locks/{file}").as_bytes())
                )),
                None => text.push_str(&format!(
                    "{area}: {whose} by hand since {}, for {ttl} at the most\n    {place}/.locks/{file}\n",
                    clock(*since)
                )),
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
            let mut events: Vec<(String, Event)> = Vec::new();
            self.keeper.store().walk(tip, |at| {
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
            text = "nobody ever took a lock here\n".to_owned();
        }
        output.print(&text)
    }
}

fn marker_json(marker: &LockClaim) -> Value {
    let LockClaim { area, agent, since, place } = marker;
    let file = markers::file_name(area, area, agent);
    json!({ "area": area, "agent": agent, "since": timestamp(*since), "file": format!("{place}/.locks/{file}") })
}

/// One event of the audit trail.
fn line(event: &Event) -> String {
    let Event { kind, agent, scope, generation, at, host, worktree, reason, from, pushed } = event;
    let token = if *generation > 0 { format!("@{generation}") } else { String::new() };
    let why = reason.as_ref().map(|reason| format!(": \"{reason}\"")).unwrap_or_default();
    let mut losers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for loser in from {
        let words = format!("{} of {}", loser.generation, loser.agent);
        losers.entry(loser.cause.words()).or_default().push(words);
    }
    let ended: String =
        losers.iter().map(|(cause, whose)| format!("; generation {} {cause}", whose.join(", "))).collect();
    let push = pushed.as_ref().map(|oid| format!(", with the push of {}", &oid[..10.min(oid.len())]));
    let push = push.unwrap_or_default();
    let time =
        jiff::Timestamp::from_second(*at).unwrap_or_default().strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    format!("{time}  {agent} {} {scope}{token}{push}{why}{ended}  ({host}:{worktree})\n", kind.verb())
}
