//! `identity`

use super::{Context, Draft, Findings, Need, Rule};
use crate::facts::{Commit, Facts, IdentityProof, Pusher, Stage, Unavailable};
use crate::identity::{
    Actor, has_account, is_maintainer_on_github, is_proven, is_somebody_else, of_account, of_branch,
};
use crate::locks::record::plain;
use crate::policy::Plan;
use crate::policy::model::Level;
use crate::signature::Signature;

pub static RULE: Rule = Rule {
    id: "identity",
    summary: "a missing identity, sources that disagree, or a proof that fails",
    docs: "\
## What it finds
Somebody without an agent identity whom the policy does not list under `maintainers`, where
`unidentified` is `deny`. A coding agent at work without a lane: its harness says so in the
environment (`CLAUDECODE`, `AI_AGENT`, `CODEX_THREAD_ID`, `GEMINI_CLI`, `CURSOR_AGENT`, `COPILOT_CLI`,
`OPENCODE` and the like; `identity.harness` adds more), and neither the worktree nor the branch says which agent
it is. Whose git configuration it works with does not matter: a maintainer's harness is an agent too. It is
refused unless the policy has `unidentified: { agent: maintainer }`; a human at the same terminal, a server and a
CI job are not affected. Sources that disagree about the agent (`git config lane.agent`, the variable
`AGENT_ID`, `AGENT_ID` in `.agent.env`), or that name an agent which the policy does not know: then
the lane of the change could not be determined, and there is no verdict (exit 2).

A branch or a message with another agent's name is found by `branch-name` and
`untagged-message`. On a server, where the account that pushes is known and the policy lists it under
`agents.<id>.identity.accounts`, it is that agent who pushes, and whatever else the push says is found
here too. So is an agent's name on a branch or on the record of a lock that comes from an account which is listed
nowhere, where the agent has others.

Where the policy lists keys under `agents.<id>.identity.signing_keys`, also a commit of an agent that is
signed with the key of another, or has a signature by a listed key that does not verify; and a pull
request from the account of another agent. With `identity: { require: proven }`, at push and after, every
commit that is not signed with a key of the agent, unless the change comes from an account of the agent.
Plain SSH keys count; certificates, GPG and X.509 do not.

## Why
Everything else depends on whose change it is.

## Example
`AGENT_ID=a1` left over in a shell that now works in the worktree of `a2`.

## How to get on
`git lane join a2` makes this worktree that of `a2`, with branch, hooks and environment, and keeps all work in
it; `git lane install --agent a2` gives it its agent alone; `unset AGENT_ID` clears the variable;
`git lane doctor` shows what each source says. To sign: `git config --worktree gpg.format ssh`,
`user.signingKey <the key's file>`, `commit.gpgSign true`; to sign what is there:
`git rebase --exec 'git commit --amend --no-edit -S' BASE`.
",
    level: Level::Error,
    at: &[Stage::Edit, Stage::Commit, Stage::CommitMsg, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: true,
    needs: &[Need::Signatures],
    is_wanted: |_| true,
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    match context.actor {
        Actor::Agent(agent) => {
            account(context, agent, findings);
            return proofs(context, agent, findings);
        }
        Actor::Maintainer => foreign_agent_names(context, findings),
        Actor::Unassigned { variable } => unassigned(context, variable, findings),
        Actor::Stranger if context.change.is_ownerless => {}
        Actor::Stranger => unknown(context, findings),
        // That there is no verdict then is the engine's to say, also where this rule is off.
        Actor::Unclear { reason, help } => {
            findings.add(Draft { headline: reason.clone(), help: help.clone(), ..Draft::default() });
        }
    }
    Ok(())
}

/// A coding agent that no lane was given to.
fn unassigned(context: &Context<'_>, variable: &str, findings: &mut Findings) {
    let policy = &context.plan.policy;
    // Before there is a commit, a lane has nothing to begin at; the policy in the working tree does not apply yet.
    if context.facts.event.is_commit() && context.change.head.is_none() && context.change.base.is_none() {
        if context.facts.event.stages() == [Stage::Commit] {
            findings.add(Draft {
                headline: format!("a coding agent without a lane makes the first commit ({variable} is set)"),
                help: format!("once it is made, {}", how_to_join(context.plan)),
                at_most: Some(Level::Warn),
                ..Draft::default()
            });
        }
        return;
    }
    findings.add(Draft {
        headline: format!("a coding agent is at work here ({variable} is set), but has no lane"),
        help: how_to_join(context.plan),
        span: policy.unidentified.agent.span.or(policy.unidentified.human.span),
        ..Draft::default()
    });
}

/// Somebody whom the policy knows neither as an agent nor as a maintainer.
fn unknown(context: &Context<'_>, findings: &mut Findings) {
    let (policy, facts) = (&context.plan.policy, context.facts);
    let who = author(facts).or(facts.pusher.as_ref().map(|pusher| &pusher.name)).or(facts.email.as_ref());
    let who = who.or(context.change.committer.as_ref());
    let who = who.map_or_else(|| "the user here".to_owned(), |who| plain(who));
    findings.add(Draft {
        headline: format!("{who} is neither an agent nor a maintainer of this repository"),
        help: if let Some(author) = author(facts) {
            format!(
                "if this is an agent's work, put its id into the branch name and its tag into the commits\n\
                 if you are a maintainer, ask for `github:{}` under `maintainers` in the policy",
                plain(author)
            )
        } else if let Some(Pusher { name, .. }) = &facts.pusher {
            format!(
                "if this is an agent's work, push it from that agent's account, or, if it has none, on a branch with its id\n\
                 if you are a maintainer, ask for `account:{}` under `maintainers` in the policy",
                plain(name)
            )
        } else {
            format!(
                "if this is an agent's worktree ({}): git lane join ID\n\
                 if you are a maintainer, ask for your e-mail address under `maintainers` in the policy",
                policy.agents_in_words()
            )
        },
        span: policy.unidentified.human.span.or(policy.maintainers.first().and_then(|name| name.span)),
        ..Draft::default()
    });
}

/// How an agent without a lane gets one: the command for each lane that there is.
pub fn how_to_join(plan: &Plan) -> String {
    /// The most lanes that are listed.
    const MOST: usize = 12;
    let agents = &plan.policy.agents.0;
    let titles: Vec<String> = agents.iter().take(MOST).map(|agent| plain(&agent.title())).collect();
    let more = if agents.len() > MOST { ", …" } else { "" };
    let mut help = format!(
        "join the lane you were assigned ({}{more}); the work in this worktree is kept",
        titles.join(", ")
    );
    for agent in agents.iter().take(MOST) {
        help.push_str(&format!("\ngit lane join {}", agent.id.value));
    }
    help
}

fn author(facts: &Facts) -> Option<&String> {
    facts.request.as_ref()?.author.as_ref()
}

/// An agent's name on what comes from an account that is listed nowhere, whatever the policy takes such a one for.
fn foreign_agent_names(context: &Context<'_>, findings: &mut Findings) {
    let (plan, facts, change) = (context.plan, context.facts, context.change);
    let Some(pusher) = facts.pusher.as_ref().filter(|_| !change.is_landing) else {
        return;
    };
    let branch = change.branch.as_deref().and_then(|branch| of_branch(plan, branch));
    let events = change.lock_events.iter().flat_map(|events| &events.agents).map(String::as_str);
    let named = branch
        .map(|agent| ("the branch", agent))
        .into_iter()
        .chain(events.map(|agent| ("the record", agent)));
    for (what, id) in named.filter(|(_, agent)| is_somebody_else(plan, facts, agent)) {
        let Some(agent) = plan.policy.agent(id) else {
            continue;
        };
        let accounts = agent.identity.iter().flat_map(|identity| &identity.accounts);
        let names: Vec<&str> = accounts.clone().map(|account| account.value.as_str()).collect();
        let name = plain(&pusher.name);
        findings.add(Draft {
            headline: format!("{what} has the name of {id}, but `{name}` is not an account of {id}"),
            help: format!(
                "if this is the work of {id}, push it from its account ({})\n\
                 if not, rename it; if you are a maintainer, ask for `account:{name}` under `maintainers` in the policy",
                names.join(", ")
            ),
            owner: Some(id.to_owned()),
            span: accounts.clone().next().and_then(|account| account.span),
            ..Draft::default()
        });
    }
}

/// What a push says against the account that it came with.
fn account(context: &Context<'_>, agent: &str, findings: &mut Findings) {
    let (plan, change) = (context.plan, context.change);
    let Some(pusher) = context.facts.pusher.as_ref().filter(|_| !change.is_landing) else {
        return;
    };
    if of_account(plan, pusher) != Some(agent) {
        return;
    }
    let branch = change.branch.as_deref().and_then(|branch| of_branch(plan, branch));
    let events = change.lock_events.iter().flat_map(|events| &events.agents);
    let of_lock = events.map(String::as_str).find(|other| *other != agent);
    let commits = change.commits.known().into_iter().flatten().filter(|commit| !commit.is_pushed);
    let mut tagged = commits.flat_map(|commit| plan.tagged(&commit.message));
    let (reference, records) = (change.reference.as_deref().unwrap_or_default(), &plan.policy.locks);
    let record = match () {
        () if records.request_of(reference).is_some() => "the record of a request",
        () if records.landing_of(reference).is_some() => "the record of a landing",
        () => "the record of a lock",
    };
    let claims = [
        ("the branch name", branch.filter(|other| *other != agent)),
        (record, of_lock),
        ("a commit message", tagged.find(|other| *other != agent)),
    ];
    let identity = plan.policy.agent(agent).and_then(|agent| agent.identity.as_ref());
    let span = identity.and_then(|identity| identity.accounts.first()).and_then(|account| account.span);
    for (place, other) in claims {
        if let Some(other) = other {
            findings.add(Draft {
                headline: format!(
                    "the account `{}` belongs to {agent}, but {place} says {other}",
                    plain(&pusher.name)
                ),
                help: format!(
                    "push as {agent}: its branches, its tag in commits, its locks; {other} pushes its own work"
                ),
                owner: Some(other.to_owned()),
                span,
                ..Draft::default()
            });
        }
    }
}

/// What speaks against an agent's being who it says; and, where a proof is wanted, what is not proven.
fn proofs(context: &Context<'_>, agent: &str, findings: &mut Findings) -> Result<(), Unavailable> {
    let (plan, facts) = (context.plan, context.facts);
    for login in facts.proofs.iter().filter_map(IdentityProof::account) {
        if let Some(other) = plan.agent_of_account(login).filter(|other| *other != agent) {
            findings.add(Draft {
                headline: format!(
                    "the change claims to be by {agent}, but comes from `{login}`, an account of {other}"
                ),
                help: format!("open it from an account of {agent}, or rename the branch for {other}"),
                owner: Some(other.to_owned()),
                ..Draft::default()
            });
        } else if let Some(draft) = unknown_account(context, agent, login) {
            findings.add(draft);
        }
    }
    let is_at = |stage| facts.event.stages().contains(&stage);
    let is_late = is_at(Stage::Push) || is_at(Stage::Server) || is_at(Stage::Ci);
    let wants_proof = plan.wants_proof() && is_late && !has_account(plan, facts, agent);
    let is_unknown = facts.proofs.contains(&IdentityProof::UnknownPusher);
    if wants_proof && is_unknown && !is_proven(plan, facts, context.change, agent) {
        return Err(Unavailable::new(
            "the account that pushed the head of the pull request could not be determined, and the policy asks for proof",
            "give the step a token with read access (`contents: read`, `pull-requests: read`), or sign the commits",
        ));
    }
    // Nobody has an account that shows before there is a pull request.
    if wants_proof && is_at(Stage::Ci) && !plan.signs(agent) && !is_proven(plan, facts, context.change, agent)
    {
        findings.add(Draft {
            headline: format!("not proven to be by {agent}: it does not come from an account of {agent}"),
            help: format!("open the pull request from an account that the policy lists for {agent}"),
            span: plan.policy.identity.require.span,
            ..Draft::default()
        });
    }
    if !plan.has_signers() {
        return Ok(());
    }
    for commit in context.commits()? {
        if let Some(draft) = against(context, agent, commit)? {
            findings.add(draft);
        } else if wants_proof
            && plan.signs(agent)
            && let Some(draft) = unproven(context, agent, commit)?
        {
            findings.add(draft);
        }
    }
    Ok(())
}

/// An account that comes with an agent's change and is not one of those that the policy lists for it.
fn unknown_account(context: &Context<'_>, agent: &str, login: &str) -> Option<Draft> {
    let plan = context.plan;
    let listed = &plan.policy.agent(agent)?.identity.as_ref()?.github;
    let is_its = plan.agent_of_account(login) == Some(agent);
    if listed.is_empty() || is_its || is_maintainer_on_github(plan, login) {
        return None;
    }
    let names: Vec<&str> = listed.iter().map(|name| name.value.as_str()).collect();
    Some(Draft {
        headline: format!(
            "the change claims to be by {agent}, but comes from `{}`, which is not an account of {agent}",
            plain(login)
        ),
        help: format!(
            "push and open it from an account of {agent} ({}); a maintainer's account is listed under `maintainers` as `github:{}`",
            names.join(", "),
            plain(login)
        ),
        span: listed.first().and_then(|name| name.span),
        ..Draft::default()
    })
}

/// What a signature says against an agent: another's key, or one of the policy's that did not make it.
fn against(context: &Context<'_>, agent: &str, commit: &Commit) -> Result<Option<Draft>, Unavailable> {
    let signed_by = |key| context.plan.signer(key);
    let (signer, headline) = match commit.signature.get()? {
        Signature::Valid { key } => match signed_by(key) {
            Some(signer) if signer.agent != agent => {
                (signer, format!("signed with the key of {}, but you are {agent}", signer.agent))
            }
            _ => return Ok(None),
        },
        Signature::Invalid { reason, key: Some(key) } => match signed_by(key) {
            Some(signer) => (
                signer,
                format!("with a signature that does not verify for the key of {}: it {reason}", signer.agent),
            ),
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    Ok(Some(Draft {
        headline,
        help: how_to_sign(context, agent),
        owner: (signer.agent != agent).then(|| signer.agent.clone()),
        span: signer.span,
        ..Draft::of_commit(commit)
    }))
}

/// A commit that does not show whose it is, where it has to.
fn unproven(context: &Context<'_>, agent: &str, commit: &Commit) -> Result<Option<Draft>, Unavailable> {
    let what = match commit.signature.get()? {
        Signature::Valid { key } if context.plan.signer(key).is_some() => return Ok(None),
        Signature::Valid { key } => {
            format!("signed with a key that the policy does not list ({})", key.fingerprint())
        }
        Signature::None => "without a signature".to_owned(),
        Signature::OtherKind(kind) => format!("signed with {}, but the policy lists SSH keys", kind.name()),
        Signature::Invalid { reason, .. } => {
            format!("with an invalid signature: it {reason}")
        }
    };
    Ok(Some(Draft {
        headline: format!("{what}; sign with a key of {agent}"),
        help: how_to_sign(context, agent),
        span: context.plan.policy.identity.require.span,
        ..Draft::of_commit(commit)
    }))
}

fn how_to_sign(context: &Context<'_>, agent: &str) -> String {
    let again = context
        .reword("git commit --amend --no-edit -S", "git rebase --exec 'git commit --amend --no-edit -S'");
    format!(
        "sign with a key of {agent}, in its worktree: git config --worktree gpg.format ssh\n\
         git config --worktree user.signingKey KEY_FILE\n\
         git config --worktree commit.gpgSign true\n\
         then sign the existing commits: {again}"
    )
}

#[cfg(test)]
mod tests;
