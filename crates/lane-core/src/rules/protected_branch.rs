//! `protected-branch`

use super::{Context, Draft, Findings, Rule};
use crate::facts::{RefUpdate, Stage, Unavailable, is_replacing};
use crate::identity::is_listed_account;
use crate::policy::model::Level;
use crate::policy::{Disguise, ReservedRef};
use crate::report::quote;

mod ownership;

pub static RULE: Rule = Rule {
    id: "protected-branch",
    summary: "an agent pushing to, deleting or rewriting a protected branch",
    docs: "\
## What it finds
A push by an agent that creates, moves, rewrites or deletes a branch listed under `branch.protected`, or
that rewrites or deletes a ref of locks, requests or landings (`locks.prefix`), or puts something there that is
not an event of its own written by git-lane (requests and landings are checked on the server only).

A server lets a landing move the branch, where the policy has `land`: it comes in one push with the event by which
`git lane land` ends the turn of a branch, from what the protected branch is to what the event says, and is judged as the work of
that branch's agent.

Also a ref that git, or another system, takes for another one: a tag named like a protected branch, like a branch of an
agent or like a branch of the remote (`main`, `feat/a1/x`, `origin/main`); a branch named `origin/main`, `heads/main`,
`tags/v1`, `HEAD`, or like a protected one except for case; and refs below `refs/replace/`, which a server always refuses.
And a tag on a commit of the base that an agent deletes or moves.

Also what an agent does to a ref that is not its own. It deletes no branch outside `branch.pattern` unless the last commit
there has its tag. An existing tag may be deleted or moved by the agent whose id its
name has (`a2-wip`, `wip/a2`) or whose tag the message of its commit has, unless either names another. Notes
only grow, for all; with an agent's id in their name (`refs/notes/a2`) they are that agent's. A server takes
refs of other kinds (`refs/pull/1/head`, `refs/stash`) from no agent, but for those that it makes something else of by
itself (`receive.procReceiveRefs`, such as `refs/for/main`).

## Why
What lands on the base binds everybody: it goes there by a reviewed pull request. And a lock is what its
history says: without it, who held it when is unknown. So is a request.

## Example
`git push origin HEAD:main` from the worktree of `a2`.

## How to get on
Push your own branch and open a pull request: `git push origin feat/a2/FEATURE`. Where the policy has `land`: `git lane land`.
",
    level: Level::Error,
    at: &[Stage::Push, Stage::Server],
    binds_maintainers: true,
    needs: &[],
    is_wanted: |_| true,
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    let Some(update) = context.change.update else {
        return Ok(());
    };
    if let Some(draft) = history(context, update)
        .or_else(|| disguise(context, update))
        .or_else(|| landed_tag(context, update))
        .or_else(|| ownership::check(context, update))
    {
        findings.add(draft);
    }
    let Some(branch) = &context.change.branch else {
        return Ok(());
    };
    let (Some(protected), Some(agent)) = (context.plan.protected(branch), context.agent()) else {
        return Ok(());
    };
    let does = match update {
        RefUpdate::Create => "creates",
        RefUpdate::Forward => "moves",
        RefUpdate::Rewrite => "rewrites",
        RefUpdate::Delete => "deletes",
    };
    let names = context.plan.branch.as_ref();
    let own = names.map(|names| names.own_name(agent, "work", ""));
    let own = own.unwrap_or_else(|| "work".to_owned());
    let remote = &context.plan.policy.remote.value;
    let local = quote(context.change.elsewhere.as_deref().unwrap_or("HEAD").as_bytes());
    findings.add(Draft {
        headline: format!("the push {does} the protected branch `{branch}`, but you are {agent}"),
        help: if update == RefUpdate::Delete {
            "leave it, or ask a maintainer to delete it".to_owned()
        } else {
            let push = format!(
                "push your own branch and open a pull request: git push {remote} {local}:refs/heads/{own}"
            );
            match context.plan.policy.land {
                Some(_) => format!("{push}\nor land it from there, in turn: git lane land"),
                None => push,
            }
        },
        span: protected.span,
        ..Draft::default()
    });
    Ok(())
}

/// A ref by which git takes one thing for another: one object for the other, or a ref for the one whose name it has.
fn disguise(context: &Context<'_>, update: RefUpdate) -> Option<Draft> {
    let reference = context.change.reference.as_ref()?;
    let is_tag = reference.starts_with("refs/tags/");
    if is_replacing(reference) {
        // A server administrator has other ways.
        let whose = whose(context, true).filter(|_| update != RefUpdate::Delete)?;
        return Some(Draft {
            headline: format!("the push replaces an object through `{reference}`{whose}"),
            help: "leave it; a server administrator can replace objects there".to_owned(),
            always_binds: true,
            ..Draft::default()
        });
    }
    let Disguise { name, reserved: taken, span } = context.plan.disguise(reference)?;
    // Where nothing shows who pushes, a maintainer may still name a tag after a release branch to come, and take away
    // one that is in the way.
    let is_harmless =
        is_tag && (update == RefUpdate::Delete || !context.change.shadows && context.change.head.is_some());
    let is_known = is_listed_account(context.plan, context.facts);
    let whose = whose(context, !is_known && !is_harmless)?;
    let what = match taken {
        ReservedRef::Protected => format!("the protected branch `{name}`"),
        ReservedRef::Agents => format!("the branch `{name}`"),
        ReservedRef::Tracking => format!("`{name}` of the remote"),
        ReservedRef::Git => format!("`{name}`"),
        ReservedRef::Records => format!("`{name}`, where git-lane keeps its records"),
    };
    let (kind, help) = match (is_tag, update) {
        (true, RefUpdate::Delete) => ("tag", "leave it, or ask a maintainer to delete it"),
        (false, RefUpdate::Delete) => ("ref", "leave it, or ask a maintainer to delete it"),
        (true, _) => ("tag", "rename the tag"),
        (false, _) => ("ref", "rename it"),
    };
    let does = if update == RefUpdate::Delete { "is" } else { "would be" };
    let headline = format!("the {kind} `{reference}` {does} mistaken for {what}{whose}");
    let always_binds = taken == ReservedRef::Records;
    Some(Draft { headline, help: help.to_owned(), span, always_binds, ..Draft::default() })
}

/// A tag on what has landed is shared.
fn landed_tag(context: &Context<'_>, update: RefUpdate) -> Option<Draft> {
    let reference = context.change.reference.as_ref()?;
    let agent = context.agent().filter(|_| context.change.was_landed && update != RefUpdate::Create)?;
    let does = if update == RefUpdate::Delete { "deletes" } else { "moves" };
    Some(Draft {
        headline: format!(
            "the push {does} `{reference}`, a tag on what has landed on {}, but you are {agent}",
            context.base_name()
        ),
        help: "leave it to a maintainer".to_owned(),
        ..Draft::default()
    })
}

/// A ref of locks or of a request only ever grows: each change is one more event.
fn history(context: &Context<'_>, update: RefUpdate) -> Option<Draft> {
    let locks = &context.plan.policy.locks;
    let reference = context.change.reference.as_ref()?;
    let (what, help) = if locks.lock_of(reference).is_some() {
        let help = "leave it; take locks with `git lane lock SCOPE`, release them with `git lane unlock SCOPE`, list them with `git lane locks`";
        ("locks", help.to_owned())
    } else if locks.landing_of(reference).is_some() {
        let help = "leave it; ask with `git lane land`, list what waits with `git lane land --list`, take your own out with `git lane land --withdraw`";
        ("landings", help.to_owned())
    } else {
        let id = locks.request_of(reference)?;
        let help = format!("leave it; withdraw your own request: git lane request withdraw {id}");
        ("a request", help)
    };
    let whose = whose(context, true)?;
    let does = match update {
        RefUpdate::Create | RefUpdate::Forward => forged(context)?,
        RefUpdate::Rewrite => format!("rewrites the history of {what}"),
        RefUpdate::Delete => format!("deletes the history of {what}"),
    };
    let headline = format!("the push {does} in `{reference}`{whose}");
    Some(Draft { headline, help, span: locks.prefix.span, always_binds: true, ..Draft::default() })
}

/// Who does it, as the end of a sentence; `None`: somebody who may. `binds_all`: on a server, nobody may.
fn whose(context: &Context<'_>, binds_all: bool) -> Option<String> {
    match context.agent() {
        Some(agent) => Some(format!(", but you are {agent}")),
        None => (binds_all && context.facts.event.is_server()).then(String::new),
    }
}

/// What is wrong with the events that are pushed; `None` if they can be, and are the agent's own.
fn forged(context: &Context<'_>) -> Option<String> {
    let events = context.change.lock_events.as_ref()?;
    if let Some(fault) = &events.fault {
        return Some(format!("puts something git-lane did not write ({fault})"));
    }
    let agent = context.agent()?;
    let other = events.agents.iter().find(|other| *other != agent)?;
    Some(format!("puts an event of {other}"))
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::{PrePush, PreReceive};
    use crate::facts::LockEvents;
    use crate::facts::RefUpdate::{self, Create, Delete, Forward, Rewrite};
    use crate::rules::testing::Scene;

    fn push(agent: &str, branch: &str, update: RefUpdate) -> Vec<String> {
        Scene::new(PrePush, agent).pushed_to(branch, update).findings()
    }

    #[test]
    fn agents_do_not() {
        for update in [Create, Forward, Rewrite, Delete] {
            assert_eq!(push("a2", "main", update), ["error protected-branch"]);
        }
        assert_eq!(push("a2", "release/1.0", Create), ["error protected-branch"]);
    }

    #[test]
    fn maintainers_do() {
        assert_eq!(push("", "main", Forward).len(), 0);
    }

    #[test]
    fn other_branches_are_free() {
        assert_eq!(push("a2", "feat/a2/main", Rewrite).len(), 0);
    }

    #[test]
    fn locks_keep_their_history() {
        let at = |event, agent, update: RefUpdate| {
            let scene = Scene::new(event, agent).change(|change| {
                change.reference = Some("refs/lane/locks/0123".into());
                change.branch = None;
                change.update = Some(update);
            });
            scene.of("protected-branch").len()
        };
        let all = |event, agent| [Create, Forward, Rewrite, Delete].map(|update| at(event, agent, update));
        assert_eq!(all(PrePush, "a2"), [0, 0, 1, 1]);
        assert_eq!(all(PrePush, ""), [0, 0, 0, 0]);
        assert_eq!(all(PreReceive, ""), [0, 0, 1, 1]);
    }

    #[test]
    fn locks_are_not_forged() {
        let lock = |agents: &[&str], fault: Option<&str>| {
            let agents = agents.iter().map(|agent| (*agent).to_owned()).collect();
            let events = LockEvents { agents, fault: fault.map(str::to_owned) };
            let scene = Scene::new(PrePush, "a2").change(|change| {
                change.reference = Some("refs/lane/locks/0123".into());
                (change.branch, change.update, change.lock_events) = (None, Some(Forward), Some(events));
            });
            scene.of("protected-branch").len()
        };
        assert_eq!([lock(&["a2"], None), lock(&["a2", "a1"], None), lock(&["a2"], Some("x"))], [0, 1, 1]);
    }
}
