//! `unlocked-path`

use super::{Context, Draft, Findings, Need, Rule, Touched};
use crate::facts::{Commit, Event, HeldLock, LockClaim, Locks, Oid, Stage, TakenLock, Unavailable};
use crate::locks::record::{Cause, Kind};
use crate::policy::model::{Access, Agent, Level};
use crate::policy::scalar::{as_typed, clock, in_words};
use crate::report::quote;

pub static RULE: Rule = Rule {
    id: "unlocked-path",
    summary: "a change under `access: lock` without holding the lock",
    docs: "\
## What it finds
A change in an area with `access: lock` by an agent that does not hold a lock on it; it says who does,
and until when. `git lane lock` takes one, on the area or on paths inside it. A file
`.locks/.<area>-lock-<agent>` that was touched by hand in any worktree is a claim too, on the whole area
and for `locks.ttl`; of several the oldest holds, and a lock in git goes before all of them.

What was pushed once stays right, also when the branch is rebased and pushed again with the path as it was.

At commit the paths of that commit are judged. Each commit made under a lock bears a trailer
`Lane-Lock: <scope>@<generation>`, and at push it is that generation which counts: it must have been the
agent's, and no other agent may have taken the lock since. A commit without the trailer needs the lock to
be held when it is pushed.

In the job of a pull request each commit must bear the trailer, and its generation must have been the
agent's. That another agent has taken the lock since is an error where the commit was pushed afterwards by
the word of `git lane push`, and a warning where nobody wrote down when it was pushed.

A server on which the locks do not lie (`locks.remote` is another remote, or none) cannot hold the
generations against anything: there each commit must bear the trailer.

A holder stops a margin before its lock ends: a tenth of its life, a minute at most. A maintainer needs no
lock, but is told when an agent holds one.

## Why
Common code has no owner. Without a lock, two agents change the same function in two ways.

## Example
With `services/common/**` under `access: lock`, agent `a2` commits `services/common/db.py` while `a1`
holds the lock `common`.

## How to get on
If nobody holds it, take it: `git lane lock common`. If somebody does, wait for it:
`git lane lock common --wait 1h`. Give it back when your work is pushed: `git lane unlock common`. Where it
was stolen after you committed, take it again, rebase on what the thief pushed, and amend your commits, so
that they bear the new generation. `git lane locks --log` says who had it when, and why.
",
    level: Level::Error,
    at: &[Stage::Commit, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: true,
    needs: &[Need::Files, Need::Locks],
    is_wanted: |plan| plan.has_area(Access::Lock),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    let at_commit = context.facts.event.stages() == [Stage::Commit];
    for touched in context.touched()? {
        let Some(area) = touched.decision.area().filter(|_| touched.access() == Some(Access::Lock)) else {
            continue;
        };
        // A lock is held while work is done: what was pushed under it stays right when it is gone.
        let is_old = !touched.is_new() || context.change.unchanged.contains(touched.path);
        if !touched.in_staged && (at_commit || is_old) {
            continue;
        }
        let path = Path { context, locks: context.facts.locks.get()?, touched, area: &area.name.value };
        if path.locks.is_elsewhere {
            path.elsewhere(findings);
        } else if context.facts.event == Event::Ci && context.agent().is_some() {
            path.elsewhere(findings);
            path.proposed(findings);
        } else if at_commit || context.agent().is_none() {
            path.now().into_iter().for_each(|draft| context.path_finding(touched, draft, findings));
        } else {
            path.pushed(findings);
        }
    }
    if let Some(locks) = context.facts.locks.known() {
        in_doubt(locks, findings);
        if context.facts.event == Event::PreCommit {
            in_vain(context, locks, findings);
        }
    }
    Ok(())
}

/// One path under a lock.
struct Path<'a> {
    context: &'a Context<'a>,
    locks: &'a Locks,
    touched: &'a Touched<'a>,
    area: &'a str,
}

impl<'a> Path<'a> {
    /// What is wrong with changing it at this moment.
    fn now(&self) -> Option<Draft> {
        let agent = self.context.agent();
        let mut on_it =
            self.locks.leases.iter().filter(|lock| self.is_on(lock.scope.area.as_str(), &lock.scope));
        let lease = on_it.find(|lock| Some(lock.agent.as_str()) != agent || lock.is_firm).or_else(|| {
            self.locks.leases.iter().find(|lock| self.is_on(lock.scope.area.as_str(), &lock.scope))
        });
        if let Some(lock) = lease {
            return match agent {
                Some(agent) if lock.agent == agent && lock.is_firm => None,
                Some(agent) if lock.agent == agent => Some(ending(lock)),
                _ => Some(self.held(lock)),
            };
        }
        match (marker(self.context, self.locks, self.area), agent) {
            (Some(marker), Some(agent)) if marker.agent == agent => None,
            (Some(marker), _) => Some(self.marked(marker)),
            (None, None) => None,
            (None, Some(_)) => Some(Draft {
                headline: format!("under the lock `{}`, which nobody holds", self.area),
                help: format!(
                    "take the lock, then try again: git lane lock {0}\n\
                     give it back when your work is pushed: git lane unlock {0}",
                    self.wanted()
                ),
                ..Draft::default()
            }),
        }
    }

    /// What is wrong with pushing it: the commits that bear a generation are judged by that one, all
    /// others by what is held now.
    fn pushed(&self, findings: &mut Findings) {
        let new = self.touched.commits.iter().filter(|commit| !commit.is_pushed);
        let (stamped, bare): (Vec<&Commit>, Vec<&Commit>) =
            new.copied().partition(|commit| !self.tokens(commit).is_empty());
        let mut wrong: Vec<(Draft, Vec<Oid>)> = Vec::new();
        for commit in &stamped {
            let Some(draft) = self.stamped(commit) else {
                continue;
            };
            match wrong.iter_mut().find(|(known, _)| known.headline == draft.headline) {
                Some((_, commits)) => commits.push(commit.oid),
                None => wrong.push((draft, vec![commit.oid])),
            }
        }
        if (self.touched.in_staged || !bare.is_empty() || stamped.is_empty())
            && let Some(draft) = self.now()
        {
            wrong.push((draft, bare.iter().map(|commit| commit.oid).collect()));
        }
        for (draft, commits) in wrong {
            self.context.path_finding_in(self.touched, commits, draft, findings);
        }
    }

    /// What is wrong with pushing it to a server that sees no locks: an agent's commits have to say under
    /// which they were made, and whether that is true is judged where the locks are.
    fn elsewhere(&self, findings: &mut Findings) {
        if self.context.agent().is_none() {
            return;
        }
        let says = |commit: &&&Commit| {
            self.context.lock_tokens(commit).iter().any(|token| self.covers(&token.scope))
        };
        let new = self.touched.commits.iter().filter(|commit| !commit.is_pushed);
        let silent: Vec<Oid> = new.filter(|commit| !says(commit)).map(|commit| commit.oid).collect();
        if silent.is_empty() && !self.touched.commits.is_empty() {
            return;
        }
        let reword = self.context.reword("git commit --amend --no-edit", "git rebase --force-rebase");
        let draft = Draft {
            headline: format!(
                "under the lock `{}`, with no trailer `Lane-Lock` that says who held it",
                self.area
            ),
            help: format!(
                "take the lock, and have the prepare-commit-msg hook put the trailer in: git lane lock {} && {reword}",
                self.area
            ),
            ..Draft::default()
        };
        self.context.path_finding_in(self.touched, silent, draft, findings);
    }

    /// Whether the scope of a trailer has the path.
    fn covers(&self, scope: &str) -> bool {
        let scope = crate::locks::scope::Scope::stored(self.area, scope);
        scope.is_some_and(|scope| self.is_on(self.area, &scope))
    }

    /// What is wrong with what was pushed some time ago: the generations of its commits, each held against
    /// what was taken before the push.
    fn proposed(&self, findings: &mut Findings) {
        for commit in &self.touched.commits {
            let said = self.context.lock_tokens(commit).into_iter().find(|token| self.covers(&token.scope));
            let draft = match said {
                None => continue, // told already
                Some(token) if self.tokens(commit).is_empty() => Some(self.stamp(format!(
                    "under generation {} of the lock `{}`, which was never taken",
                    token.generation, token.scope
                ))),
                Some(_) => self.stamped(commit),
            };
            if let Some(draft) = draft {
                self.context.path_finding_in(self.touched, vec![commit.oid], draft, findings);
            }
        }
    }

    /// The generations that a commit bears for this path. A whole area's that was never given out is one
    /// too, if a wrong one.
    fn tokens(&self, commit: &Commit) -> Vec<(u64, Option<&'a TakenLock>)> {
        let tokens = self.context.lock_tokens(commit).into_iter();
        let of_path = tokens.filter_map(|token| {
            let is_it = |taken: &&TakenLock| {
                taken.generation == token.generation
                    && taken.scope.text == token.scope
                    && self.is_on(&taken.scope.area, &taken.scope)
            };
            let taken = self.locks.taken.iter().find(is_it);
            (taken.is_some() || token.scope == self.area).then_some((token.generation, taken))
        });
        of_path.collect()
    }

    /// What is wrong with a commit that bears generations: nothing if one of them is right.
    fn stamped(&self, commit: &Commit) -> Option<Draft> {
        let mut wrong = None;
        for (generation, taken) in self.tokens(commit) {
            let agent = self.context.agent();
            let draft = match taken {
                None => self.stamp(format!(
                    "under generation {generation} of the lock `{}`, which was never taken",
                    self.area
                )),
                Some(taken) if Some(taken.agent.as_str()) != agent => {
                    let whose = title(self.context, &taken.agent);
                    let text = &taken.scope.text;
                    Draft {
                        owner: Some(taken.agent.clone()),
                        ..self.stamp(format!(
                            "under generation {generation} of the lock `{text}`, which was that of {whose}"
                        ))
                    }
                }
                Some(taken) => match self.taken_since(generation, commit.oid) {
                    None => return None,
                    // Only `git lane push` writes down when it was; the hook judged any other push in its time.
                    Some(later)
                        if self.context.facts.event == Event::Ci
                            && !self.locks.pushed.contains(&commit.oid) =>
                    {
                        Draft { at_most: Some(Level::Warn), ..self.lost(taken, later) }
                    }
                    Some(later) => self.lost(taken, later),
                },
            };
            wrong = Some(draft);
        }
        wrong
    }

    /// The first other agent's lock on this path since a generation, and before a commit was pushed.
    fn taken_since(&self, generation: u64, commit: Oid) -> Option<&'a TakenLock> {
        let agent = self.context.agent();
        self.locks.taken.iter().find(|taken| {
            taken.generation > generation
                && !taken.after.contains(&commit)
                && Some(taken.agent.as_str()) != agent
                && self.is_on(&taken.scope.area, &taken.scope)
        })
    }

    fn lost(&self, own: &TakenLock, later: &TakenLock) -> Draft {
        let thief = title(self.context, &later.agent);
        let verb = if later.kind == Kind::Steal { "stole" } else { "has taken since" };
        let why = later.reason.as_ref().map(|reason| format!(": \"{reason}\"")).unwrap_or_default();
        let headline = format!(
            "under generation {} of the lock `{}`, which {thief} {verb} at {}{why}",
            own.generation,
            own.scope.text,
            clock(later.at, self.context.facts.now)
        );
        Draft { owner: Some(later.agent.clone()), ..self.stamp(headline) }
    }

    fn stamp(&self, headline: String) -> Draft {
        let (area, base) = (self.area, self.context.base_name());
        let fetch = match base.split_once('/') {
            Some((remote, _)) if *remote == self.context.plan.policy.remote.value => {
                format!("git fetch {remote} && ")
            }
            _ => String::new(),
        };
        Draft {
            headline,
            help: format!(
                "take it, and make your commits anew on top of the base, so that they bear the new generation:\n\
                 {}git lane lock {area} --wait 1h && {fetch}git rebase --force-rebase {base}\n\
                 git lane push --force-with-lease\n\
                 who had it when, and why: git lane locks --log {area}",
                self.context.switch()
            ),
            ..Draft::default()
        }
    }

    /// What to lock: the area, or these paths alone where another agent has another part of it.
    fn wanted(&self) -> &str {
        let is_shared = |lock: &HeldLock| {
            lock.scope.area == self.area
                && !lock.scope.is_area()
                && Some(lock.agent.as_str()) != self.context.agent()
        };
        if self.locks.leases.iter().any(is_shared) { "{paths}" } else { self.area }
    }

    fn is_on(&self, area: &str, scope: &crate::locks::scope::Scope) -> bool {
        let fold = self.context.plan.folds_case();
        area == self.area && scope.has(&self.touched.path.0, self.touched.is_folder, fold)
    }

    fn held(&self, lock: &HeldLock) -> Draft {
        let (agent, scope) = (&lock.agent, quote(lock.scope.text.as_bytes()));
        let why = lock.reason.as_ref().map(|reason| format!(" (\"{reason}\")")).unwrap_or_default();
        let robbed = lock
            .from
            .iter()
            .find(|loser| loser.cause == Cause::Stolen && Some(loser.agent.as_str()) == self.context.agent());
        let robbed = robbed.map(|loser| format!("; it was stolen from you: {}", loser.words()));
        let why = format!("{why}{}", robbed.unwrap_or_default());
        let wait = if self.context.agent().is_some() {
            let wanted = if lock.scope.is_area() { self.area } else { self.wanted() };
            format!(
                "wait for it: git lane lock {wanted} --wait {}\nor talk to {agent}, who works in {}",
                as_typed(lock.left),
                lock.place
            )
        } else {
            format!(
                "talk to {agent}, who works in {}; how it came to that: git lane locks --log {scope}",
                lock.place
            )
        };
        self.by_another(&lock.agent, &lock.scope.text, lock.left, &why, wait)
    }

    fn marked(&self, marker: &LockClaim) -> Draft {
        let until = marker.since.saturating_add_unsigned(ttl(self.context));
        let left = u64::try_from(until - self.context.facts.now).unwrap_or(0);
        let file = crate::locks::markers::file_name(self.area, self.area, &marker.agent);
        let help = format!(
            "wait for it: git lane lock {} --wait {}\nor talk to {}; the claim lies in {}/.locks/{file}",
            self.area,
            as_typed(left),
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
                in_words(left)
            ),
            help,
            owner: Some(agent.to_owned()),
            at_most: self.context.agent().is_none().then_some(Level::Warn),
            ..Draft::default()
        }
    }
}

fn ending(lock: &HeldLock) -> Draft {
    let when = if !lock.is_timed {
        format!(
            "was taken in {}, before this machine was started or on another one: nobody here can tell when it ends",
            lock.place
        )
    } else if lock.left == 0 {
        "is about to end".to_owned()
    } else {
        format!("ends in {}", in_words(lock.left))
    };
    let scope = quote(lock.scope.text.as_bytes());
    Draft {
        headline: format!("under your lock `{}`, which {when}", lock.scope.text),
        help: format!("renew it, then try again: git lane lock {scope} --renew"),
        ..Draft::default()
    }
}

/// The claim by hand that holds an area.
fn marker<'a>(context: &Context<'_>, locks: &'a Locks, area: &str) -> Option<&'a LockClaim> {
    LockClaim::holding(&locks.markers, area, context.facts.now, ttl(context))
}

/// Says that the remote could not be asked.
fn in_doubt(locks: &Locks, findings: &mut Findings) {
    if let Some(doubt) = &locks.doubt {
        findings.add(Draft {
            headline: format!("who holds what is known from earlier alone: {doubt}"),
            help: "the push will ask again, and be refused if somebody else took the lock meanwhile"
                .to_owned(),
            at_most: Some(Level::Warn),
            ..Draft::default()
        });
    }
}

/// Tells an agent of its claims by hand that hold nothing, because another has the lock.
fn in_vain(context: &Context<'_>, locks: &Locks, findings: &mut Findings) {
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
        let file = crate::locks::markers::file_name(area, area, agent);
        findings.add(Draft {
            headline: format!(
                "your .locks/{file} holds nothing: {} has a lock there",
                title(context, holder)
            ),
            help: format!(
                "take the file away and wait for the lock: rm .locks/{file}; git lane lock {area} --wait 1h"
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

#[cfg(test)]
mod tests {
    use crate::facts::Event::{PreCommit, PrePush, PreReceive};
    use crate::facts::RefUpdate::Create;
    use crate::locks::record::Kind;
    use crate::rules::testing::Scene;

    const PATH: &str = "services/common/db.py";

    fn commit(agent: &str) -> Scene {
        Scene::new(PreCommit, agent).files(&[PATH])
    }

    #[test]
    fn without_the_lock() {
        assert_eq!(commit("a2").findings(), ["error unlocked-path services/common/db.py"]);
    }

    #[test]
    fn with_the_lock() {
        assert_eq!(commit("a2").lock("common", "a2", 1_000).findings().len(), 0);
        assert_eq!(commit("a2").lock("other", "a2", 1_000).findings().len(), 1);
    }

    #[test]
    fn the_oldest_claim_holds() {
        let both = commit("a2").lock("common", "a2", 1_500).lock("common", "a1", 1_400);
        assert_eq!(
            both.findings(),
            ["warn unlocked-path (a1)", "error unlocked-path services/common/db.py (a1)"],
            "and the younger one is told that it holds nothing"
        );
        let older = commit("a2").lock("common", "a2", 1_400).lock("common", "a1", 1_500);
        assert_eq!(older.findings().len(), 0);
    }

    #[test]
    fn a_claim_expires() {
        let scene = commit("a2").lock("common", "a2", 1_000).facts(|facts| facts.now = 1_000 + 7_200);
        assert_eq!(scene.findings().len(), 1);
    }

    #[test]
    fn a_maintainer_is_told_and_passes() {
        assert_eq!(commit("").findings().len(), 0);
        assert_eq!(
            commit("").lock("common", "a1", 1_000).findings(),
            ["warn unlocked-path services/common/db.py (a1)"]
        );
    }

    #[test]
    fn a_lock_in_git_goes_before_a_claim_by_hand() {
        let held = |scope: &str, agent: &str| commit("a2").held(scope, agent, 7, 900).findings();
        assert_eq!(held("common", "a2").len(), 0);
        assert_eq!(held("services/common/db.py", "a2").len(), 0);
        assert_eq!(held("services/common/*.rs", "a2").len(), 1, "another part of it");
        assert_eq!(held("common", "a1"), ["error unlocked-path services/common/db.py (a1)"]);
        let other = commit("a2").held("services/common/net.py", "a1", 7, 900);
        assert!(
            other.helps()[0].contains("git lane lock services/common/db.py\n"),
            "the area is not to be had"
        );
        assert_eq!(held("services/common/net.py", "a1"), ["error unlocked-path services/common/db.py"]);
        let by_hand = commit("a2").lock("common", "a2", 1_000).held("common", "a1", 7, 900);
        assert_eq!(by_hand.findings().len(), 2);
        let touched = Scene::new(PreCommit, "a2").lock("common", "a2", 1_000).held("common", "a1", 7, 900);
        assert_eq!(touched.findings(), ["warn unlocked-path (a1)"], "whatever the commit is about");
        assert_eq!(commit("").held("common", "a1", 7, 900).findings().len(), 1);
    }

    #[test]
    fn a_holder_stops_before_the_end() {
        assert!(commit("a2").held("common", "a2", 7, 30).headlines()[0].contains("ends in 30 s"));
    }

    #[test]
    fn doubts_are_told_and_do_not_refuse() {
        let scene = commit("a2").held("common", "a2", 7, 900).facts(|facts| {
            let crate::facts::Fact::Known(locks) = &mut facts.locks else { panic!() };
            locks.doubt = Some("no network".into());
        });
        assert_eq!(scene.findings(), ["warn unlocked-path"]);
    }

    fn push(message: &str) -> Scene {
        Scene::new(PrePush, "a2").commit(7, message, &[PATH])
    }

    #[test]
    fn the_generation_of_a_commit_decides() {
        const UNDER: &str = "[A2] x\n\nLane-Lock: common@3";
        let own = || push(UNDER).taken("common", "a2", 3, Kind::Take);
        assert_eq!(own().of("unlocked-path").len(), 0, "given back meanwhile");
        assert_eq!(own().taken("common", "a2", 4, Kind::Take).of("unlocked-path").len(), 0);
        assert_eq!(own().taken("services/common/net.py", "a1", 4, Kind::Take).of("unlocked-path").len(), 0);
        let stolen = own().taken("common", "a1", 4, Kind::Steal);
        assert_eq!(stolen.of("unlocked-path"), ["error unlocked-path services/common/db.py @07 (a1)"]);
        assert_eq!(
            stolen.headlines(),
            ["under generation 3 of the lock `common`, which a1 (MLOps) stole at 01:00 UTC: \"hotfix\""]
        );
        let again = stolen.taken("common", "a2", 5, Kind::Take).held("common", "a2", 5, 900);
        assert_eq!(again.of("unlocked-path").len(), 1, "the commit is from before the theft");
        assert!(push(UNDER).headlines()[0].ends_with("which was never taken"));
        let foreign = push(UNDER).taken("common", "a1", 3, Kind::Take);
        assert!(foreign.headlines()[0].ends_with("which was that of a1 (MLOps)"));
        let both =
            push("[A2] x\n\nLane-Lock: common@3\nLane-Lock: common@5").taken("common", "a2", 3, Kind::Take);
        let both = both.taken("common", "a1", 4, Kind::Steal).taken("common", "a2", 5, Kind::Take);
        assert_eq!(both.of("unlocked-path").len(), 0, "one of them is right");
    }

    #[test]
    fn a_rebase_of_what_was_pushed_brings_nothing_new() {
        let scene = push("[A2] x\n\nLane-Lock: common@3").taken("common", "a2", 3, Kind::Take);
        let scene = scene.taken("common", "a1", 4, Kind::Take);
        let path = crate::facts::RepoPath(PATH.into());
        let rebased = scene.change(|change| change.unchanged = [path].into());
        assert_eq!(rebased.of("unlocked-path").len(), 0);
    }

    #[test]
    fn a_commit_without_a_generation_needs_the_lock_now() {
        assert_eq!(push("[A2] x").held("common", "a2", 3, 900).of("unlocked-path").len(), 0);
        assert_eq!(push("[A2] x").of("unlocked-path").len(), 1);
        let other = push("[A2] x\n\nLane-Lock: services/common/net.py@3");
        assert_eq!(other.taken("services/common/net.py", "a2", 3, Kind::Take).of("unlocked-path").len(), 1);
    }

    #[test]
    fn what_was_committed_before_is_not_judged_again_at_commit() {
        let scene = Scene::new(PreCommit, "a2").files(&[PATH]).change(|change| {
            change.staged = crate::facts::Fact::Known(Vec::new());
        });
        assert_eq!(scene.findings().len(), 0);
    }

    #[test]
    fn what_the_remote_has_is_not_judged_again_at_push() {
        let scene = |is_pushed| {
            Scene::new(PrePush, "a2").commit(7, "[A2] x", &[PATH]).change(|change| {
                if let crate::facts::Fact::Known(commits) = &mut change.commits {
                    commits[0].is_pushed = is_pushed;
                }
            })
        };
        assert_eq!(scene(false).of("unlocked-path").len(), 1);
        assert_eq!(scene(true).of("unlocked-path").len(), 0);
    }

    #[test]
    fn what_a_merge_puts_back_is_judged() {
        let scene = Scene::new(PrePush, "a2").files(&[PATH]);
        assert_eq!(scene.of("unlocked-path"), ["error unlocked-path services/common/db.py"]);
    }

    #[test]
    fn where_no_locks_are_seen_the_trailer_must_be_there() {
        let push = |agent: &str, message: &str| {
            let scene = Scene::new(PreReceive, "").pushed_to(&format!("feat/{agent}/x"), Create);
            let scene = scene.commit(7, message, &[PATH]).facts(|facts| {
                facts.locks = crate::facts::Fact::Known(crate::facts::Locks {
                    is_elsewhere: true,
                    ..crate::facts::Locks::default()
                });
            });
            scene.of("unlocked-path").len()
        };
        assert_eq!(push("a2", "[A2] x\n\nLane-Lock: common@7"), 0);
        assert_eq!(push("a2", "[A2] x\n\nLane-Lock: services/common/db.py@7"), 0);
        assert_eq!(push("a2", "[A2] x\n\nLane-Lock: services/common/net.py@7"), 1);
        assert_eq!(push("a2", "[A2] x\n\nLane-Lock: other@7"), 1);
        assert_eq!(push("a2", "[A2] x"), 1);
        assert_eq!(push("nobody", "x"), 0, "a maintainer");
    }

    #[test]
    fn locks_that_cannot_be_read_do_not_pass() {
        let scene = commit("a2").facts(|facts| facts.locks = crate::facts::Fact::NotGathered);
        assert!(scene.findings()[0].starts_with("undecided: "));
    }
}
