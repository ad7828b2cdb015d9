//! `unlocked-path`

use super::{Context, Draft, Findings, Need, Rule, TouchedPath};
use crate::facts::{Commit, Event, HeldLock, LockClaim, Locks, Oid, Stage, Unavailable};
use crate::locks::scope::Scope;
use crate::policy::model::{Access, Agent, Level};

mod drafts;
mod generations;
#[cfg(test)]
mod tests;

pub static RULE: Rule = Rule {
    id: "unlocked-path",
    summary: "a change under `access: lock` without holding the lock",
    docs: "\
## What it finds
A change in an area with `access: lock` by an agent that does not hold a lock on it; it says who does,
and until when. `git lane lock` takes one, on the area or on paths inside it. A file
`.locks/.<area>-lock-<agent>` that was touched by hand in any worktree is a claim too, on the whole area
and for `locks.ttl`; of several the oldest holds, and a lock in git goes before all of them. A commit
that relies on one turns it into a lock with a generation, and removing the file releases it.

A lock orders content, not only time: a change to a file under it starts from what the last holder
landed. Where the base has a newer version that the change does not contain, the commit is refused until the
branch has it (`git lane sync`).

What was pushed once stays right, also when the branch is rebased and pushed again with the path as it was, as
long as the base has the path as it was, too. On top of a newer version the same content reverts what
landed in between, and needs the lock: by whatever way, a reset, a rebase or a merge with one's own side.

At commit the paths of that commit are judged. Each commit made under a lock has a trailer
`Lane-Lock: <scope>@<generation>`, and at push it is that generation which counts: it must have been the
agent's, and no other agent may have taken the lock since. A commit without the trailer needs the lock to
be held when it is pushed.

A commit recreated after its lock had ended, on top of what others have landed since then, is not what was
made under that lock.

In the job of a pull request each commit must have the trailer, and its generation must have been the
agent's. That another agent has taken the lock since is an error where the commit was pushed afterwards by
the record of `git lane push` or is based on what has landed since, and a warning where it was not recorded when it
was pushed.

A server that does not store the locks (`locks.remote` is another remote, or none) cannot check the
generations: there each commit must have the trailer.

A holder stops a margin before its lock ends: a tenth of its life, a minute at most. A maintainer needs no
lock, but is told when an agent holds one.

## Why
Common code has no owner. Without a lock, two agents change the same function in two ways.

## Example
With `services/common/**` under `access: lock`, agent `a2` commits `services/common/db.py` while `a1`
holds the lock `common`.

## How to get on
If it is free, take it: `git lane lock common`. If not, wait for it:
`git lane lock common --wait 1h`, or ask them for the change: `git lane request submit PATH --to a1 --reason …`. Release it when your work is pushed: `git lane unlock common`. Where it
was stolen after you committed, take it again, rebase on what was pushed meanwhile, and amend your commits, so
that they have the new generation. `git lane locks --log` shows who held it when, and why.
",
    level: Level::Error,
    at: &[Stage::Edit, Stage::Commit, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: true,
    needs: &[Need::Files, Need::Locks],
    is_wanted: |plan| plan.has_area(Access::Lock),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    let at_commit = matches!(context.facts.event.stages(), [Stage::Commit | Stage::Edit]);
    for touched in context.touched()? {
        let Some(area) = touched.decision.area().filter(|_| touched.access() == Some(Access::Lock)) else {
            continue;
        };
        let landed = context.change.landed.get()?;
        // A lock is held while work is done: what was pushed under it stays right when it is gone, as long as
        // it takes nothing back that has landed since.
        let is_new = touched.is_new() || landed.moved.contains(touched.path);
        let is_old = !is_new || context.change.unchanged.contains(touched.path);
        if !touched.in_staged && (at_commit || is_old) {
            continue;
        }
        let path = Path { context, locks: context.facts.locks.get()?, touched, area: &area.name.value };
        let mut wrong: Vec<(Draft, Vec<Oid>)> = if path.locks.is_elsewhere {
            path.elsewhere(landed.moved.contains(touched.path))
        } else if context.facts.event == Event::Ci && context.agent().is_some() {
            path.elsewhere(false).into_iter().chain(path.proposed()).collect()
        } else if at_commit || context.agent().is_none() {
            path.now().into_iter().map(|draft| (draft, path.commits())).collect()
        } else {
            path.pushed()
        };
        if wrong.is_empty() && context.agent().is_some() && landed.missing.contains(touched.path) {
            wrong.push((path.stale_content(), path.commits()));
        }
        if wrong.is_empty() {
            wrong.extend(path.missing_trailers());
        }
        for (draft, commits) in wrong {
            context.path_finding_in(touched, commits, draft, findings);
        }
    }
    if let Some(locks) = context.facts.locks.known() {
        in_doubt(locks, findings);
        if context.facts.event == Event::PreCommit {
            void_claims(context, locks, findings);
        }
    }
    Ok(())
}

/// One path under a lock.
struct Path<'a> {
    context: &'a Context<'a>,
    locks: &'a Locks,
    touched: &'a TouchedPath<'a>,
    area: &'a str,
}

impl<'a> Path<'a> {
    fn commits(&self) -> Vec<Oid> {
        self.touched.commits.iter().map(|commit| commit.oid).collect()
    }

    /// What is wrong with changing it at this moment.
    fn now(&self) -> Option<Draft> {
        let agent = self.context.agent();
        let mut on_it = self.locks.leases.iter().filter(|lock| self.has(lock));
        let lease = on_it.find(|lock| Some(lock.agent.as_str()) != agent || lock.is_firm);
        let lease = lease.or_else(|| self.locks.leases.iter().find(|lock| self.has(lock)));
        if let Some(lock) = lease {
            return match agent {
                Some(agent) if lock.agent == agent && lock.is_firm => {
                    lock.pushed_by.as_ref().map(|refspec| self.unrecorded(&lock.scope.text, refspec))
                }
                Some(agent) if lock.agent == agent => Some(drafts::expiring_lock(lock)),
                _ => Some(self.held_lock(lock)),
            };
        }
        match (marker(self.context, self.locks, self.area), agent) {
            (Some(marker), Some(agent)) if marker.agent == agent => None,
            (Some(marker), _) => Some(self.marked(marker)),
            (None, None) => None,
            (None, Some(_)) => Some(Draft {
                headline: format!("under the lock `{}`, which is not held", self.area),
                help: format!(
                    "take the lock, then try again: git lane lock {0}\n\
                     when your work is pushed, release it: git lane unlock {0}",
                    self.lock_argument()
                ),
                ..Draft::default()
            }),
        }
    }

    /// What is wrong with pushing it: the commits that have a generation are judged by that one, all
    /// others by what is held now.
    fn pushed(&self) -> Vec<(Draft, Vec<Oid>)> {
        let new = self.touched.commits.iter().filter(|commit| !commit.is_pushed);
        let (stamped, bare): (Vec<&Commit>, Vec<&Commit>) =
            new.copied().partition(|commit| !self.tokens(commit).is_empty());
        let mut wrong: Vec<(Draft, Vec<Oid>)> = Vec::new();
        for commit in &stamped {
            let Some(draft) = self.stale_trailer(commit) else {
                continue;
            };
            match wrong.iter_mut().find(|(known, _)| known.headline == draft.headline) {
                Some((_, commits)) => commits.push(commit.oid),
                None => wrong.push((draft, vec![commit.oid])),
            }
        }
        if (self.touched.in_staged || !bare.is_empty() || stamped.is_empty())
            && let Some(mut draft) = self.now()
        {
            let is_free = draft.owner.is_none() && !self.locks.leases.iter().any(|lock| self.has(lock));
            if !bare.is_empty() && is_free {
                draft.help =
                    self.to_stamp(&format!("take the lock: git lane lock {}\n", self.lock_argument()));
            }
            wrong.push((draft, bare.iter().map(|commit| commit.oid).collect()));
        }
        wrong
    }

    /// What others will say of commits that were made past the hooks, though the lock is held now: a job that looks at them
    /// later knows of no manual claim, nor of a time.
    fn missing_trailers(&self) -> Option<(Draft, Vec<Oid>)> {
        let is_asked = matches!(self.context.facts.event, Event::PrePush | Event::Check);
        let agent = self.context.agent().filter(|_| is_asked && !self.locks.is_elsewhere)?;
        let bare = self.touched.commits.iter().filter(|commit| !commit.is_pushed);
        let bare: Vec<Oid> =
            bare.filter(|commit| self.tokens(commit).is_empty()).map(|commit| commit.oid).collect();
        let is_locked = self.locks.leases.iter().any(|lock| lock.agent == agent && self.has(lock));
        let claim = format!("turn your manual claim into a lock: git lane lock {}\n", self.area);
        let draft = Draft {
            headline: format!(
                "under the lock `{}`, in commits without a Lane-Lock trailer: the job of a pull request will refuse them",
                self.area
            ),
            help: self.to_stamp(if is_locked { "" } else { &claim }),
            at_most: Some(Level::Warn),
            ..Draft::default()
        };
        (!bare.is_empty()).then_some((draft, bare))
    }

    /// How commits get their trailer. `lock`: how the lock is had first.
    fn to_stamp(&self, lock: &str) -> String {
        let reword = self.context.reword("git commit --amend --no-edit", "git rebase --force-rebase");
        let then = if lock.is_empty() { "" } else { "then " };
        format!("{lock}{then}let the prepare-commit-msg hook add the trailer: {reword}")
    }

    /// What is wrong with pushing it to a server that sees no locks: an agent's commits have to say under
    /// which they were made, and whether that is true is judged where the locks are. `is_moved`: what was
    /// pushed before is on top of something else.
    fn elsewhere(&self, is_moved: bool) -> Vec<(Draft, Vec<Oid>)> {
        if self.context.agent().is_none() {
            return Vec::new();
        }
        let says = |commit: &&&Commit| {
            self.context.lock_tokens(commit).iter().any(|token| self.covers(&token.scope))
        };
        let new = || self.touched.commits.iter().filter(|commit| !commit.is_pushed);
        let silent: Vec<Oid> = new().filter(|commit| !says(commit)).map(|commit| commit.oid).collect();
        if silent.is_empty() && is_moved && new().next().is_none() {
            return vec![(self.taken_back(), self.commits())];
        }
        if silent.is_empty() && !self.touched.commits.is_empty() {
            return Vec::new();
        }
        let draft = Draft {
            headline: format!("under the lock `{}`, without a Lane-Lock trailer", self.area),
            help: self.to_stamp(&format!("take the lock: git lane lock {}\n", self.area)),
            ..Draft::default()
        };
        vec![(draft, silent)]
    }

    /// Whether the scope of a trailer has the path.
    fn covers(&self, scope: &str) -> bool {
        let scope = Scope::from_record(self.area, scope);
        scope.is_some_and(|scope| self.is_on(self.area, &scope))
    }

    /// What is wrong with what was pushed some time ago: the generations of its commits, each held against
    /// what was taken before the push.
    fn proposed(&self) -> Vec<(Draft, Vec<Oid>)> {
        let mut wrong = Vec::new();
        for commit in &self.touched.commits {
            let said = self.context.lock_tokens(commit).into_iter().find(|token| self.covers(&token.scope));
            let draft = match said {
                None => continue, // told already
                Some(token) if self.tokens(commit).is_empty() => Some(self.missing_trailer(format!(
                    "under generation {} of the lock `{}`, which was never taken",
                    token.generation, token.scope
                ))),
                Some(_) => self.stale_trailer(commit),
            };
            if let Some(draft) = draft {
                wrong.push((draft, vec![commit.oid]));
            }
        }
        wrong
    }

    fn has(&self, lock: &HeldLock) -> bool {
        self.is_on(lock.scope.area.as_str(), &lock.scope)
    }

    fn is_on(&self, area: &str, scope: &Scope) -> bool {
        let fold = self.context.plan.folds_case();
        area == self.area && scope.has(&self.touched.path.0, self.touched.is_folder, fold)
    }
}

/// The manual claim that holds an area.
fn marker<'a>(context: &Context<'_>, locks: &'a Locks, area: &str) -> Option<&'a LockClaim> {
    LockClaim::holding(&locks.markers, area, context.facts.now, ttl(context))
}

/// Says that the remote could not be asked.
fn in_doubt(locks: &Locks, findings: &mut Findings) {
    if let Some(doubt) = &locks.doubt {
        findings.add(Draft {
            headline: format!("the locks could not be refreshed; the last known state is used: {doubt}"),
            help: "the push will check again, and be refused if someone else took the lock meanwhile"
                .to_owned(),
            at_most: Some(Level::Warn),
            ..Draft::default()
        });
    }
}

/// Tells an agent of its manual claims that hold nothing, because another has the lock.
fn void_claims(context: &Context<'_>, locks: &Locks, findings: &mut Findings) {
    let Some(agent) = context.agent() else {
        return;
    };
    let own = locks.markers.iter().filter(|claim| claim.agent == agent);
    for claim in own {
        let area = &claim.area;
        let lease = locks.leases.iter().find(|lock| lock.scope.area == *area && lock.agent != agent);
        let older = marker(context, locks, area).filter(|other| other.agent != agent);
        let holder = lease.map(|lock| &lock.agent).or(older.map(|other| &other.agent));
        let Some(holder) = holder else {
            continue;
        };
        let file = crate::locks::scope::file_name(area, area, agent);
        findings.add(Draft {
            headline: format!(
                "your .locks/{file} has no effect: {} holds a lock there",
                title(context, holder)
            ),
            help: format!(
                "remove the file: rm .locks/{file}\nthen wait for the lock: git lane lock {area} --wait 1h"
            ),
            owner: Some(holder.clone()),
            at_most: Some(Level::Warn),
            ..Draft::default()
        });
    }
}

fn ttl(context: &Context<'_>) -> u64 {
    context.plan.policy.locks.ttl.value.seconds
}

fn title(context: &Context<'_>, agent: &str) -> String {
    context.plan.policy.agent(agent).map_or(agent.to_owned(), Agent::title)
}
