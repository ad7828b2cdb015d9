//! What is said of a path under a lock.

use super::{Path, title, ttl};
use crate::facts::{HeldLock, LockClaim, TakenLock};
use crate::locks::record::{Cause, LockEventKind};
use crate::policy::model::Level;
use crate::policy::scalar::{as_typed, clock, format_duration};
use crate::report::quote;
use crate::requests::rights::submit_command;
use crate::rules::Draft;

impl Path<'_> {
    pub(super) fn lost_lock(&self, own: &TakenLock, later: &TakenLock) -> Draft {
        let taker = title(self.context, &later.agent);
        let verb = if later.kind == LockEventKind::Steal { "stole" } else { "has taken since" };
        let why = later.reason.as_ref().map(|reason| format!(": \"{reason}\"")).unwrap_or_default();
        let headline = format!(
            "under generation {} of the lock `{}`, which {taker} {verb} at {}{why}",
            own.generation,
            own.scope.text,
            clock(later.at, self.context.facts.now)
        );
        Draft { owner: Some(later.agent.clone()), ..self.missing_trailer(headline) }
    }

    pub(super) fn missing_trailer(&self, headline: String) -> Draft {
        let (area, base) = (self.area, self.context.base_name());
        let fetch = match base.split_once('/') {
            Some((remote, _)) if *remote == self.context.plan.policy.remote.value => {
                format!("git fetch {remote}\n")
            }
            _ => String::new(),
        };
        Draft {
            headline,
            help: format!(
                "take it, and redo your commits on top of the base, so that they get the new generation:\n\
                 {}git lane lock {area} --wait 1h\n\
                 {fetch}git rebase --force-rebase {base}\n\
                 git lane push --force-with-lease\n\
                 see who held it and why: git lane locks --log {area}",
                self.switch()
            ),
            ..Draft::default()
        }
    }

    /// The command that goes to the branch of the change, on a line of its own, where HEAD is elsewhere.
    fn switch(&self) -> String {
        let branch = self.context.change.elsewhere.as_ref();
        branch.map(|name| format!("git switch {name}\n")).unwrap_or_default()
    }

    pub(super) fn overtaken(&self, own: &TakenLock) -> Draft {
        self.missing_trailer(format!(
            "under generation {} of the lock `{}`, which had expired before the newest version on {} landed",
            own.generation,
            own.scope.text,
            self.context.base_name()
        ))
    }

    /// The lock itself comes in the same push, and may be refused where the work is not.
    pub(super) fn unrecorded(&self, scope: &str, refspec: &str) -> Draft {
        let remote = &self.context.plan.policy.remote.value;
        Draft {
            headline: format!(
                "under the lock `{scope}`, whose record comes in the same push; push the record before the work"
            ),
            help: format!("push the record first: git push {remote} {refspec}\nthen push the rest again"),
            ..Draft::default()
        }
    }

    /// What landed last is not in the change.
    pub(super) fn stale_content(&self) -> Draft {
        let (area, base) = (self.area, self.context.base_name());
        let by = if self.touched.in_staged {
            "update first; your edits are kept: git lane sync --autostash".to_owned()
        } else {
            format!("update, and push the result:\n{}git lane sync --push", self.switch())
        };
        Draft {
            headline: format!(
                "under the lock `{area}`, but {base} has a newer version that this branch does not contain"
            ),
            help: by,
            ..Draft::default()
        }
    }

    /// What landed last is in the history of the change, and not in its files.
    pub(super) fn taken_back(&self) -> Draft {
        let (area, base) = (self.area, self.context.base_name());
        Draft {
            headline: format!(
                "under the lock `{area}`: it reverts what landed on {base} since it was pushed"
            ),
            help: format!("rebase your commits on top of it:\n{}git lane sync --push", self.switch()),
            ..Draft::default()
        }
    }

    /// What to lock: the area, or these paths alone where another agent has another part of it.
    pub(super) fn lock_argument(&self) -> &str {
        let is_shared = |lock: &HeldLock| {
            lock.scope.area == self.area
                && !lock.scope.is_area()
                && Some(lock.agent.as_str()) != self.context.agent()
        };
        if self.locks.leases.iter().any(is_shared) { "{paths}" } else { self.area }
    }

    pub(super) fn held_lock(&self, lock: &HeldLock) -> Draft {
        let (agent, scope) = (&lock.agent, quote(lock.scope.text.as_bytes()));
        let why = lock.reason.as_ref().map(|reason| format!(" (\"{reason}\")")).unwrap_or_default();
        let robbed = lock
            .from
            .iter()
            .find(|loser| loser.cause == Cause::Stolen && Some(loser.agent.as_str()) == self.context.agent());
        let robbed = robbed.map(|loser| format!("; it was stolen from you: {}", loser.words()));
        let why = format!("{why}{}", robbed.unwrap_or_default());
        let wait = if self.context.agent().is_some() {
            let wanted = if lock.scope.is_area() { self.area } else { self.lock_argument() };
            format!(
                "wait for it: git lane lock {wanted} --wait {}\n{}\nor talk to {agent}, who works in {}",
                as_typed(lock.remaining),
                submit_command(agent, "{paths}"),
                lock.worktree
            )
        } else {
            format!(
                "talk to {agent}, who works in {}; see what happened: git lane locks --log {scope}",
                lock.worktree
            )
        };
        self.by_another(&lock.agent, &lock.scope.text, lock.remaining, &why, wait)
    }

    pub(super) fn marked(&self, marker: &LockClaim) -> Draft {
        let until = marker.since.saturating_add_unsigned(ttl(self.context));
        let left = u64::try_from(until - self.context.facts.now).unwrap_or(0);
        let file = crate::locks::scope::file_name(self.area, self.area, &marker.agent);
        let help = format!(
            "wait for it: git lane lock {} --wait {}\n{}\nor talk to {}; the claim is {}/.locks/{file}",
            self.area,
            as_typed(left),
            submit_command(&marker.agent, "{paths}"),
            marker.agent,
            marker.place
        );
        self.by_another(&marker.agent, self.area, left, "", help)
    }

    fn by_another(&self, agent: &str, scope: &str, left: u64, why: &str, help: String) -> Draft {
        let until = self.context.facts.now.saturating_add_unsigned(left);
        Draft {
            headline: format!(
                "under the lock `{scope}`, which {} holds until {} ({} from now){why}",
                title(self.context, agent),
                clock(until, self.context.facts.now),
                format_duration(left)
            ),
            help,
            owner: Some(agent.to_owned()),
            at_most: self.context.agent().is_none().then_some(Level::Warn),
            ..Draft::default()
        }
    }
}

pub(super) fn expiring_lock(lock: &HeldLock) -> Draft {
    let when = if !lock.is_timed {
        format!(
            "was taken in {}, on another machine or before this one was started, so its end is unknown here",
            lock.worktree
        )
    } else if lock.remaining == 0 {
        "is about to end".to_owned()
    } else {
        format!("ends in {}", format_duration(lock.remaining))
    };
    let scope = quote(lock.scope.text.as_bytes());
    Draft {
        headline: format!("under your lock `{}`, which {when}", lock.scope.text),
        help: format!("renew it, then try again: git lane lock {scope} --renew"),
        ..Draft::default()
    }
}
