//! The status for programs. Keys are only ever added.

use serde_json::{Value, json};

use super::{Line, Pair, Status};
use crate::conflicts::{Clash, Forecast};
use crate::health::ServiceHealth;
use crate::stack::Step;
use lane_core::facts::Unavailable;
use lane_core::text::plain;

/// Everything; times are seconds since the epoch as RFC 3339.
pub fn status(status: &Status) -> Value {
    json!({
        "schema": 1,
        "time": time(status.now),
        "base": { "name": status.base.0, "oid": status.base.1 },
        "mode": if status.observes { "observe" } else { "enforce" },
        "lines": status.lines.iter().map(line).collect::<Vec<_>>(),
        "conflicts": status.clashes.iter().filter(|pair| pair.forecast != Forecast::Clean).map(pair).collect::<Vec<_>>(),
        "notes": status.notes,
        "health": status.health.as_ref().map(|services| services.iter().map(health).collect::<Vec<_>>()),
    })
}

/// How a service is.
fn health(service: &ServiceHealth) -> Value {
    let found = &service.finding;
    json!({
        "agent": service.agent, "service": service.service, "check": service.check,
        "state": found.verdict.state, "reason": Some(&found.verdict.reason).filter(|why| !why.is_empty()),
        "exit_code": found.exit_code, "status": found.status, "output": found.output,
        "milliseconds": u64::try_from(found.time.as_millis()).unwrap_or(u64::MAX),
    })
}

/// Something that could not be read, of one line.
pub fn unread(line: &Line, why: &Unavailable) -> Value {
    json!({ "side": line.title(), "why": error_json(why) })
}

/// One pair of a forecast.
pub fn pair(pair: &Pair) -> Value {
    let (state, files, why) = match &pair.forecast {
        Forecast::Clean => ("clean", Vec::new(), None),
        Forecast::Conflicts(files) => ("conflict", files.iter().map(clash).collect(), None),
        Forecast::Unknown(why) => ("unknown", Vec::new(), Some(error_json(why))),
    };
    json!({
        "one": pair.one, "two": pair.two, "tips": [pair.tips.0, pair.tips.1],
        "state": state, "files": files, "why": why,
    })
}

fn clash(clash: &Clash) -> Value {
    json!({ "path": clash.path, "kinds": clash.kinds })
}

fn error_json(why: &Unavailable) -> Value {
    json!({ "reason": why.reason, "help": why.help })
}

/// One branch below another.
fn step(step: &Step) -> Value {
    json!({
        "branch": plain(&step.branch), "head": step.tip, "commits": step.commits,
        "here": step.is_here, "pushed": step.pushed,
    })
}

fn line(line: &Line) -> Value {
    let check = line.check.as_ref().map(|check| {
        let findings = check.findings.iter().map(|(is_error, rule, message)| {
            json!({ "level": if *is_error { "error" } else { "warning" }, "rule": rule, "message": message })
        });
        json!({
            "errors": check.errors, "warnings": check.warnings,
            "findings": findings.collect::<Vec<_>>(), "undecided": check.undecided,
            "not_run": check.not_run,
        })
    });
    let lock = |lock: &super::Lock| json!({ "scope": lock.scope, "left": lock.left, "reason": lock.reason });
    let pull = |pull: &super::Pull| json!({ "number": pull.number, "url": pull.url, "draft": pull.is_draft });
    json!({
        "agent": line.agent,
        "worktree": line.root.as_ref().map(|root| root.display().to_string()),
        "branch": line.branch,
        "head": line.head,
        "under_way": line.under_way,
        "base": line.base.as_ref().map(|(name, oid)| json!({ "name": name, "oid": oid })),
        "counted_from": line.counted_from,
        "stack": line.stack.iter().map(step).collect::<Vec<_>>(),
        "ahead": line.ahead,
        "behind": line.behind,
        "merge_base": line.merge_base_at.map(time),
        "lines": line.lines.map(|(counted, _)| counted),
        "limit": line.lines.and_then(|(_, limit)| limit),
        "uncommitted": line.uncommitted,
        "check": check,
        "last": line.last.as_ref().map(|last| json!({ "subject": last.subject, "time": time(last.at) })),
        "locks": line.locks.iter().map(lock).collect::<Vec<_>>(),
        "waits": line.waits,
        "ports": line.ports,
        "requests": line.requests,
        "pulls": line.pulls.iter().map(pull).collect::<Vec<_>>(),
        "health": line.health.map(|count| json!({
            "healthy": count.healthy, "unhealthy": count.unhealthy, "unknown": count.unknown,
        })),
        "unassigned": line.is_unassigned,
        "hooks": line.hooks,
        "troubles": line.troubles.iter().map(error_json).collect::<Vec<_>>(),
    })
}

fn time(at: i64) -> String {
    jiff::Timestamp::from_second(at).unwrap_or_default().to_string()
}
