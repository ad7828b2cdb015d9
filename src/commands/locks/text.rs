//! Locks in words and as JSON.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::locks::manager::LockManager;
use crate::locks::waiting::Waiting;
use crate::ops::Session;
use lane_core::facts::{LockClaim, RepoPath, typed_ref};
use lane_core::locks::liveness::{Judge, Liveness};
use lane_core::locks::protocol::{Claim, Refusal};
use lane_core::locks::record::{Lease, LockEvent, LockEventKind, Stake};
use lane_core::policy::Plan;
use lane_core::policy::model::Agent;
use lane_core::policy::scalar::{as_typed, clock, format_duration};
use lane_core::report::quote;
use lane_core::requests::rights::submit_command;
use lane_core::text::help_block;

/// A lock that is held, at one moment.
pub struct LockView<'a> {
    area: &'a str,
    /// The lock.
    pub lease: &'a Lease,
    /// What it is now.
    pub liveness: Liveness,
    is_here: bool,
    now: i64,
}

impl<'a> LockView<'a> {
    /// Judges it. `now`: seconds since the epoch.
    pub fn new(area: &'a str, lease: &'a Lease, judge: &Judge<'_>, now: i64) -> Self {
        let is_here = judge.world().machine().shares_clock(&lease.stake.machine);
        Self { area, lease, liveness: judge.lease(lease), is_here, now }
    }

    /// Seconds until others may have it.
    pub fn remaining(&self) -> u64 {
        self.liveness.remaining().div_ceil(1_000)
    }

    /// `until 10:40 UTC (1 h from now)`.
    pub fn until(&self) -> String {
        let at = clock(self.now.saturating_add_unsigned(self.remaining()), self.now);
        let left = format_duration(self.remaining());
        match self.liveness {
            Liveness::Orphaned(_) => format!("until {at} ({left} from now; its process has ended)"),
            Liveness::Ended(cause) => format!("no more: it {}", cause.words()),
            Liveness::Alive(_) if self.is_here => format!("until {at} ({left} from now)"),
            Liveness::Alive(_) => format!("until {at} at the latest, unless renewed"),
        }
    }

    /// `in /w/a1 on build-7`.
    pub fn location(&self) -> String {
        let Stake { worktree, machine, .. } = &self.lease.stake;
        if self.is_here { format!("in {worktree}") } else { format!("in {worktree} on {}", machine.host) }
    }

    /// Everything, for programs.
    pub fn json(&self) -> Value {
        let stake = &self.lease.stake;
        let state = match self.liveness {
            Liveness::Alive(_) => "held",
            Liveness::Orphaned(_) => "orphaned",
            Liveness::Ended(_) => "ended",
        };
        json!({
            "area": self.area,
            "scope": stake.scope,
            "agent": stake.agent,
            "generation": self.lease.generation,
            "state": state,
            "left": self.remaining(),
            "until": timestamp(self.now.saturating_add_unsigned(self.remaining())),
            "since": timestamp(self.lease.since),
            "renewed": timestamp(stake.at),
            "ttl": stake.ttl,
            "reason": self.lease.reason,
            "worktree": stake.worktree,
            "by_hand": self.lease.by_hand,
            "machine": stake.machine.host,
            "process": stake.process.map(|process| process.id),
        })
    }
}

/// A time for programs.
pub fn timestamp(at: i64) -> String {
    jiff::Timestamp::from_second(at).unwrap_or_default().to_string()
}

/// The agent with its name.
pub fn title(plan: &Plan, agent: &str) -> String {
    plan.policy.agent(agent).map_or(agent.to_owned(), Agent::title)
}

/// What was refused.
pub struct RefusalText {
    /// One sentence.
    pub text: String,
    /// The next steps, one on each line.
    pub help: String,
    /// The same for programs.
    pub json: Value,
}

/// What taking a lock came to.
pub fn taken_message(held: &LockView<'_>, event: &LockEvent) -> String {
    let Lease { stake, generation, .. } = held.lease;
    let (agent, scope) = (&stake.agent, &stake.scope);
    let verb = match event.kind {
        LockEventKind::Renew => "renewed",
        LockEventKind::Steal => "stole",
        _ => "locked",
    };
    let mut text = format!("{verb} `{scope}` for {agent} {}, generation {generation}\n", held.until());
    for loser in &event.from {
        text.push_str(&format!("  {} {}\n", loser.words(), loser.cause.words()));
    }
    if event.kind != LockEventKind::Renew {
        text.push_str(&format!("  when your work is pushed: git lane unlock {}\n", quote(scope.as_bytes())));
    }
    text
}

/// Files under a lock that was taken, of which this branch has an older version than the base.
pub fn missing(session: &Session, paths: &BTreeSet<RepoPath>) -> String {
    const SHOWN: usize = 5;
    let base = session.loaded.base.as_ref().map_or("the base", |base| typed_ref(&base.reference));
    let (files, have) = if paths.len() == 1 { ("file", "has") } else { ("files", "have") };
    let mut text = format!(
        "warning: {} {files} under the lock {have} a newer version on {base}, which this branch does not contain:\n",
        paths.len()
    );
    paths.iter().take(SHOWN).for_each(|path| text.push_str(&format!("    {path}\n")));
    if paths.len() > SHOWN {
        text.push_str(&format!("    and {} more\n", paths.len() - SHOWN));
    }
    text.push_str(&help_block("update before you change them: git lane sync", false));
    text
}

/// Why a lock was not given.
pub fn refusal(
    plan: &Plan,
    manager: &mut LockManager<'_>,
    claim: &Claim<'_>,
    why: &Refusal,
    waited: bool,
) -> RefusalText {
    let scope = &claim.scope.text;
    let word = quote(scope.as_bytes());
    let now = manager.judge().now().wall;
    let told = if waited { " (timed out waiting)" } else { "" };
    match why {
        Refusal::Held(lease, _) => held_refusal(plan, &manager.judge(), claim, lease, told),
        Refusal::Queued(ahead) => {
            let names: Vec<&str> = ahead.iter().map(|ticket| ticket.agent.as_str()).collect();
            let text = format!("`{scope}` is free, but {} is first in the queue{told}", names.join(", "));
            let help = format!("join the queue: git lane lock {word} --wait 10m");
            refusal_text(text, help, claim, "queued", json!({ "ahead": names }))
        }
        Refusal::Marked(marker) => claimed_refusal(plan, claim, marker, now, told),
        Refusal::Lost(lost, why) => {
            let by = match why.as_ref() {
                Refusal::Held(lease, _) => format!("{} holds it now", title(plan, &lease.stake.agent)),
                Refusal::Marked(marker) => format!("{} claimed it manually", title(plan, &marker.agent)),
                _ => "it ended".to_owned(),
            };
            let text = format!("`{lost}`, taken by this command, was lost while waiting for others: {by}");
            let help = format!(
                "all of its locks were released; see what happened: git lane locks --log {}\nthen lock all of them again",
                quote(lost.as_bytes())
            );
            refusal_text(text, help, claim, "lost", json!({ "lost": lost }))
        }
        Refusal::NotHeld => {
            let text = format!("{} does not hold `{scope}`: nothing to renew", claim.agent);
            refusal_text(text, format!("take it: git lane lock {word}"), claim, "not-held", json!({}))
        }
    }
}

/// Another agent holds the lock, or one that overlaps it.
fn held_refusal(plan: &Plan, judge: &Judge<'_>, claim: &Claim<'_>, lease: &Lease, told: &str) -> RefusalText {
    let (scope, now) = (&claim.scope.text, judge.now().wall);
    let word = quote(scope.as_bytes());
    let held = LockView::new(&claim.scope.area, lease, judge, now);
    let whose = title(plan, &lease.stake.agent);
    let what = &lease.stake.scope;
    let part = if what == scope { String::new() } else { format!(", which overlaps `{scope}`,") };
    let reason = lease.reason.as_ref().map(|why| format!(": \"{why}\"")).unwrap_or_default();
    let text = format!(
        "`{what}`{part} is held by {whose} {}{told}\n  since {}, {}, generation {}{reason}",
        held.until(),
        clock(lease.since, now),
        held.location(),
        lease.generation
    );
    let wait = as_typed(held.remaining());
    let ask = submit_command(&lease.stake.agent, &format!("--area {}", quote(claim.scope.area.as_bytes())));
    let help = format!(
        "wait for it: git lane lock {word} --wait {wait}\n\
         {ask}\n\
         only if {0} will not return ({0} will be told): git lane lock {word} --steal --reason '…'",
        lease.stake.agent
    );
    refusal_text(text, help, claim, "held", json!({ "holder": held.json() }))
}

/// Another agent has claimed the lock with a file.
fn claimed_refusal(plan: &Plan, claim: &Claim<'_>, marker: &LockClaim, now: i64, told: &str) -> RefusalText {
    let word = quote(claim.scope.text.as_bytes());
    let file = lane_core::locks::scope::file_name(&marker.area, &marker.area, &marker.agent);
    let whose = title(plan, &marker.agent);
    let since = clock(marker.since, now);
    let text = format!(
        "`{}` is held by {whose} since {since}, claimed manually: {}/.locks/{file}{told}",
        marker.area, marker.place
    );
    let until = marker.since.saturating_add_unsigned(plan.policy.locks.ttl.value.seconds);
    let left = u64::try_from(until - now).unwrap_or(0);
    let help = format!(
        "wait for it: git lane lock {word} --wait {}\n{}",
        as_typed(left),
        submit_command(&marker.agent, &format!("--area {}", quote(marker.area.as_bytes())))
    );
    let holder = json!({
        "agent": marker.agent, "since": timestamp(marker.since), "worktree": marker.place,
    });
    refusal_text(text, help, claim, "marked", json!({ "holder": holder }))
}

fn refusal_text(text: String, help: String, claim: &Claim<'_>, why: &str, mut json: Value) -> RefusalText {
    json["state"] = json!("refused");
    json["scope"] = json!(claim.scope.text);
    json["area"] = json!(claim.scope.area);
    json["why"] = json!(why);
    json["help"] = json!(help);
    RefusalText { text, help, json }
}

/// Why another's lock is not released.
pub fn not_holder(plan: &Plan, judge: &Judge<'_>, claim: &Claim<'_>, lease: &Lease) -> RefusalText {
    let held = LockView::new(&claim.scope.area, lease, judge, judge.now().wall);
    let whose = title(plan, &lease.stake.agent);
    let text = format!("`{}` is not yours to release: {whose} holds it {}", lease.stake.scope, held.until());
    let help = format!(
        "it was left as it is; see who holds it: git lane locks {}",
        quote(claim.scope.text.as_bytes())
    );
    refusal_text(text, help, claim, "held", json!({ "holder": held.json() }))
}

/// Why a part of what one holds is not released.
pub fn another_scope(claim: &Claim<'_>, lease: &Lease) -> RefusalText {
    let (wanted, have) = (&claim.scope.text, &lease.stake.scope);
    let text = format!("{} does not hold `{wanted}`, but `{have}`", claim.agent);
    refusal_text(text, format!("git lane unlock {}", quote(have.as_bytes())), claim, "held", json!({}))
}

/// What somebody who waits is told: what does not change from moment to moment, and what does.
pub fn waiting(plan: &Plan, scope: &str, waiting: &Waiting<'_>) -> (String, String) {
    let ahead = match waiting.ahead {
        0 => String::new(),
        1 => ", one before you".to_owned(),
        count => format!(", {count} before you"),
    };
    let (who, left) = match waiting.refusal {
        Refusal::Held(lease, liveness) => {
            let left = format_duration(liveness.remaining().div_ceil(1_000));
            let gone = if matches!(liveness, Liveness::Orphaned(_)) { ", its process has ended" } else { "" };
            (title(plan, &lease.stake.agent), format!(" ({left} left, unless renewed{gone})"))
        }
        Refusal::Marked(marker) => (title(plan, &marker.agent), String::new()),
        Refusal::Queued(queue) => {
            let first = queue.first().map(|ticket| title(plan, &ticket.agent));
            (first.unwrap_or_default(), " (next in the queue)".to_owned())
        }
        Refusal::NotHeld | Refusal::Lost(..) => (String::new(), String::new()),
    };
    (format!("waiting for `{scope}`: {who}{ahead}"), left)
}
