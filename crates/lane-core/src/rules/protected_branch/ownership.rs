//! Whose a ref is beside the branches of agents: another branch, a tag, a note, or a ref of another kind.

use crate::facts::{Message, RefUpdate, is_replacing};
use crate::policy::Plan;
use crate::report::quote;
use crate::rules::{Context, Draft};

/// Where an agent's own refs lie, beside git-lane's records.
const OWN: [&str; 3] = ["refs/heads/", "refs/tags/", "refs/notes/"];

/// What an agent does to a ref that is not its own.
pub(super) fn check(context: &Context<'_>, update: RefUpdate) -> Option<Draft> {
    let (agent, reference) = (context.agent()?, context.change.reference.as_ref()?);
    if context.plan.policy.locks.is_record(reference) || is_replacing(reference) {
        return None;
    }
    if let Some(name) = &context.change.branch {
        return branch(context, agent, name, update);
    }
    if let Some(name) = reference.strip_prefix("refs/tags/") {
        return tag(context, agent, name, update);
    }
    if let Some(name) = reference.strip_prefix("refs/notes/") {
        return note(context, agent, name, update);
    }
    let is_own_kind = OWN.iter().any(|prefix| reference.starts_with(prefix));
    if is_own_kind || !context.facts.event.is_server() || context.change.is_for_host {
        return None;
    }
    let remote = &context.plan.policy.remote.value;
    let names = context.plan.branch.as_ref();
    let branch = names.map(|names| names.own_name(agent, "work", ""));
    let help = match update {
        RefUpdate::Delete => "leave it, or ask a maintainer to delete it".to_owned(),
        _ => format!(
            "push it as your own branch: git push {remote} {}:refs/heads/{}",
            context.change.head.map_or_else(|| "HEAD".to_owned(), |oid| oid.short()),
            branch.unwrap_or_else(|| "work".to_owned())
        ),
    };
    Some(Draft {
        headline: format!(
            "`{}` is not a branch, tag or note; only the host and maintainers may push such refs, but you are {agent}",
            quote(reference.as_bytes())
        ),
        help,
        ..Draft::default()
    })
}

/// A branch whose name has no agent's id is deleted by the agent alone whose tag its last commit has. Other rules
/// are about branches of agents, and about what is pushed to any.
fn branch(context: &Context<'_>, agent: &str, name: &str, update: RefUpdate) -> Option<Draft> {
    let plan = context.plan;
    let is_told = plan.branch.as_ref()?.parse(name).is_some() || plan.protected(name).is_some();
    if update != RefUpdate::Delete || is_told || !context.change.was_known {
        return None;
    }
    let owners = context.change.replaced.as_ref().map(|message| plan.tagged(message)).unwrap_or_default();
    if owners.as_slice() == [agent] {
        return None;
    }
    Some(Draft {
        headline: format!(
            "the push deletes the branch `{name}`, which {}, but you are {agent}",
            whose(&owners, agent)
        ),
        help: "leave it, or ask a maintainer to delete it".to_owned(),
        owner: owners.into_iter().find(|owner| *owner != agent).map(str::to_owned),
        ..Draft::default()
    })
}

/// An agent may take away or move a tag that is shown to be its own: by the tag's name, or by the message of the commit
/// that it is on. Neither may say another's.
fn tag(context: &Context<'_>, agent: &str, name: &str, update: RefUpdate) -> Option<Draft> {
    // What has landed is another finding's.
    if update == RefUpdate::Create || context.change.was_landed || !context.change.was_known {
        return None;
    }
    let owners = owners(context.plan, name, context.change.replaced.as_ref());
    if owners.as_slice() == [agent] {
        return None;
    }
    let does = if update == RefUpdate::Delete { "deletes" } else { "moves" };
    let help = match update {
        RefUpdate::Delete => "leave it, or ask a maintainer to delete it",
        _ => "leave it, and rename yours",
    };
    Some(Draft {
        headline: format!(
            "the push {does} the tag `{name}`, which {}, but you are {agent}",
            whose(&owners, agent)
        ),
        help: help.to_owned(),
        owner: owners.into_iter().find(|owner| *owner != agent).map(str::to_owned),
        ..Draft::default()
    })
}

/// Notes are shared, and only grow; those with an agent's id in their name are that agent's.
fn note(context: &Context<'_>, agent: &str, name: &str, update: RefUpdate) -> Option<Draft> {
    let owners = owners(context.plan, name, None);
    let is_other = !owners.is_empty() && owners.as_slice() != [agent];
    let is_free = match update {
        RefUpdate::Create => true,
        RefUpdate::Forward => !is_other,
        RefUpdate::Rewrite | RefUpdate::Delete => owners.as_slice() == [agent],
    };
    if is_free {
        return None;
    }
    let does = match update {
        RefUpdate::Delete => "deletes",
        RefUpdate::Rewrite => "rewrites",
        RefUpdate::Create | RefUpdate::Forward => "changes",
    };
    let remote = &context.plan.policy.remote.value;
    let help = match update {
        RefUpdate::Delete => "leave it, or ask a maintainer to delete it".to_owned(),
        _ if is_other => format!(
            "leave them, and push yours under your own name: git push {remote} \
             refs/notes/{name}:refs/notes/{agent}/{name}"
        ),
        _ => format!(
            "merge what is there, then push again:\n\
             git fetch {remote} +refs/notes/{name}:refs/notes/{remote}/{name}\n\
             git notes --ref {name} merge refs/notes/{remote}/{name}\n\
             git push {remote} refs/notes/{name}"
        ),
    };
    Some(Draft {
        headline: format!(
            "the push {does} the notes `{name}`, which {}, but you are {agent}",
            whose(&owners, agent)
        ),
        help,
        owner: owners.into_iter().find(|owner| *owner != agent).map(str::to_owned),
        ..Draft::default()
    })
}

/// The agents that a ref is shown to belong to: by a part of its name that is an agent's id, alone or with more after
/// it (`a1`, `a1-wip`), and by the message of the commit that it was on.
fn owners<'p>(plan: &'p Plan, name: &str, message: Option<&Message>) -> Vec<&'p str> {
    let mut owners = message.map(|message| plan.tagged(message)).unwrap_or_default();
    for part in name.split('/') {
        let is_named = |id: &&str| {
            let rest = part.get(..id.len()).filter(|start| start.eq_ignore_ascii_case(id));
            rest.is_some() && !part[id.len()..].starts_with(|next: char| next.is_alphanumeric())
        };
        if let Some(id) = plan.policy.agent_ids().find(is_named).filter(|id| !owners.contains(id)) {
            owners.push(id);
        }
    }
    owners
}

fn whose(owners: &[&str], agent: &str) -> String {
    match owners.iter().find(|owner| **owner != agent) {
        Some(other) => format!("belongs to {other}"),
        None => format!("is not shown to belong to {agent}"),
    }
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::{PrePush, PreReceive};
    use crate::facts::RefUpdate::{self, Create, Delete, Forward, Rewrite};
    use crate::facts::{Message, Pusher};
    use crate::rules::testing::Scene;

    fn found(agent: &str, reference: &str, update: RefUpdate, on: Option<&str>) -> bool {
        let listed = "    worktree: ../wt-a2-genai\n";
        let scene = Scene::new(PreReceive, "")
            .with(listed, &format!("{listed}    identity: {{ accounts: [bot-2] }}\n"));
        let name = if agent.is_empty() { "lead" } else { "bot-2" };
        let scene = scene.facts(|facts| {
            facts.pusher = Some(Pusher { source: "REMOTE_USER", name: name.into() });
        });
        let scene = scene.change(|change| {
            change.reference = Some(reference.into());
            change.branch = reference.strip_prefix("refs/heads/").map(str::to_owned);
            change.update = Some(update);
            change.was_known = update != Create;
            change.replaced = on.map(|text| Message { text: text.into() });
        });
        !scene.of("protected-branch").is_empty()
    }

    fn refused(reference: &str, on: Option<&str>) -> Vec<RefUpdate> {
        [Create, Forward, Rewrite, Delete].into_iter().filter(|it| found("a2", reference, *it, on)).collect()
    }

    #[test]
    fn tags() {
        let (own, other) = (Some("[A2] feat: x"), Some("[A1] feat: x"));
        assert_eq!(refused("refs/tags/v1", own), []);
        assert_eq!(refused("refs/tags/a2-wip", None), []);
        assert_eq!(refused("refs/tags/wip/A2", own), []);
        for (name, on) in [("v1", other), ("v1", None), ("a1-wip", own), ("a2-wip", other), ("a22", None)] {
            assert_eq!(refused(&format!("refs/tags/{name}"), on), [Forward, Rewrite, Delete], "{name}");
        }
    }

    #[test]
    fn branches() {
        assert_eq!(refused("refs/heads/hotfix", Some("fix: x")).last(), Some(&Delete));
        assert_eq!(refused("refs/heads/hotfix", Some("[A1] fix: x")).last(), Some(&Delete));
        assert!(!refused("refs/heads/hotfix", Some("[A2] fix: x")).contains(&Delete));
        assert_eq!(refused("refs/heads/feat/a2/x", Some("fix: x")), []);
    }

    #[test]
    fn notes() {
        assert_eq!(refused("refs/notes/commits", None), [Rewrite, Delete]);
        assert_eq!(refused("refs/notes/a1", None), [Forward, Rewrite, Delete]);
        assert_eq!(refused("refs/notes/a2/review", None), []);
    }

    #[test]
    fn other_refs() {
        for name in
            ["refs/pull/1/head", "refs/changes/01/1/1", "refs/aaa/x", "refs/stash", "refs/Heads/feat/a2/x"]
        {
            assert_eq!(refused(name, None), [Create, Forward, Rewrite, Delete], "{name}");
        }
    }

    #[test]
    fn maintainers_do_as_they_like() {
        for name in ["refs/pull/1/head", "refs/tags/a1-wip", "refs/notes/a1", "refs/aaa/x"] {
            assert!(!found("", name, Delete, None), "{name}");
        }
    }

    #[test]
    fn a_mirror_elsewhere_is_no_servers_matter() {
        let scene = Scene::new(PrePush, "a2").change(|change| {
            change.reference = Some("refs/stash".into());
            (change.branch, change.update) = (None, Some(Create));
        });
        assert_eq!(scene.of("protected-branch").len(), 0);
    }
}
