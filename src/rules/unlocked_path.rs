//! `unlocked-path`

use super::{Context, Draft, Findings, Need, Rule};
use crate::facts::{LockClaim, Stage, Unavailable};
use crate::policy::model::{Access, Level};
use crate::policy::scalar::in_words;

pub static RULE: Rule = Rule {
    id: "unlocked-path",
    summary: "a change under `access: lock` without holding the lock",
    docs: "\
## What it finds
A change in an area with `access: lock` by an agent that does not hold the area's lock; it says who
does, and until when. A file `.locks/.<area>-lock-<agent>` in any worktree of the repository is that
agent's claim on the area; of several claims the oldest holds, and a claim older than `locks.ttl` has
expired. At commit the paths of that commit are judged, at push those that the remote does not have.

A maintainer needs no lock, but is told when an agent holds one.

## Why
Common code has no owner. Without a lock, two agents change the same function in two ways.

## Example
With `services/common/**` under `access: lock`, agent `a2` commits `services/common/db.py` while
`.locks/.common-lock-a1` is there.

## How to get on
If nobody holds the lock, take it: `mkdir -p .locks && touch .locks/.common-lock-a2`. Keep it until the
change is pushed, then remove the file. If somebody holds it, wait or talk to them.
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
        if !touched.in_staged && (at_commit || !touched.is_new()) {
            continue;
        }
        let area = area.name.value.as_str();
        let holder = holder(context, area)?;
        let root =
            if context.facts.in_subfolder { "cd \"$(git rev-parse --show-toplevel)\" && " } else { "" };
        let draft = match (holder, context.agent()) {
            (Some(lock), Some(agent)) if lock.agent == agent => continue,
            (None, None) => continue,
            (Some(lock), agent) => held(context, lock, area, agent.is_none()),
            (None, Some(agent)) => Draft {
                headline: format!("under the lock `{area}`, which nobody holds"),
                help: format!(
                    "take the lock, then try again: {root}mkdir -p .locks && touch .locks/.{area}-lock-{agent}\n\
                     keep it until the change is pushed, then remove the file"
                ),
                ..Draft::default()
            },
        };
        context.path_finding(touched, draft, findings);
    }
    Ok(())
}

/// The claim that holds an area: the oldest that has not expired.
fn holder<'a>(context: &'a Context<'_>, area: &str) -> Result<Option<&'a LockClaim>, Unavailable> {
    let ttl = ttl(context);
    let claims = context.facts.locks.get()?.iter();
    let alive = claims.filter(|claim| claim.area == area && context.facts.now < claim.since + ttl);
    Ok(alive.min_by_key(|claim| (claim.since, &claim.agent)))
}

fn ttl(context: &Context<'_>) -> i64 {
    i64::try_from(context.plan.policy.locks.ttl.value.seconds).unwrap_or(i64::MAX / 2)
}

fn held(context: &Context<'_>, lock: &LockClaim, area: &str, is_maintainer: bool) -> Draft {
    let until = lock.since + ttl(context);
    let left = u64::try_from(until - context.facts.now).unwrap_or(0);
    let at = jiff::Timestamp::from_second(until)
        .map_or_else(|_| "the end of time".to_owned(), |time| time.strftime("%H:%M UTC").to_string());
    let plan = context.plan;
    let title = plan.policy.agent(&lock.agent).map_or(lock.agent.clone(), crate::policy::model::Agent::title);
    Draft {
        headline: format!(
            "under the lock `{area}`, which {title} holds until {at} ({} from now)",
            in_words(left)
        ),
        help: format!(
            "wait until {0} has pushed and given it back, or talk to {0}; the lock lies in {1}/.locks/",
            lock.agent, lock.place
        ),
        owner: Some(lock.agent.clone()),
        at_most: is_maintainer.then_some(Level::Warn),
        ..Draft::default()
    }
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::{PreCommit, PrePush};
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
        assert_eq!(both.findings(), ["error unlocked-path services/common/db.py (a1)"]);
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
    fn locks_that_cannot_be_read_do_not_pass() {
        let scene = commit("a2").facts(|facts| facts.locks = crate::facts::Fact::NotGathered);
        assert!(scene.findings()[0].starts_with("undecided: "));
    }
}
