//! Who works here: the claims that are present, and what they come to.

use crate::facts::{Change, Commit, Facts, IdentityClaim, IdentityProof, IdentitySource};
use crate::policy::model::Unidentified;
use crate::policy::{Plan, nearest};
use crate::signature::Signature;

/// Whose change it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// An agent, by id.
    Agent(String),
    /// Somebody without a lane.
    Maintainer,
    /// Nobody that the policy would have.
    Stranger,
    /// Claims that disagree, or that name no agent of the policy: nobody can tell.
    Unclear {
        /// What is wrong.
        reason: String,
        /// The next step.
        help: String,
    },
}

impl Who {
    /// The agent's id, if it is an agent.
    pub fn agent(&self) -> Option<&str> {
        match self {
            Self::Agent(id) => Some(id),
            _ => None,
        }
    }
}

/// Decides whose a change is. What is said outright (configuration, environment, file) must agree;
/// only where nothing is said, the branch's name speaks, and after it the tags of the messages.
/// A branch or a tag that contradicts what was said outright is a finding of its own rule.
pub fn resolve(plan: &Plan, facts: &Facts, change: &Change) -> Who {
    let is_copy = |claim: &&IdentityClaim| claim.source == IdentitySource::CopiedConfig;
    if let Some(who) = outright(plan, facts.claims.iter().filter(|claim| !is_copy(claim)).collect()) {
        return who;
    }
    if let Some(agent) = change.branch.as_deref().and_then(|branch| of_branch(plan, branch)) {
        return Who::Agent(agent.to_owned());
    }
    if let Some(who) = outright(plan, facts.claims.iter().filter(is_copy).collect()) {
        return who;
    }
    if let Some(agent) = of_messages(plan, facts, change) {
        return Who::Agent(agent);
    }
    nobody(plan, facts)
}

fn outright(plan: &Plan, mut claims: Vec<&IdentityClaim>) -> Option<Who> {
    if let Some(option) = claims.iter().find(|claim| claim.source == IdentitySource::Option) {
        claims = vec![option];
    }
    let first = *claims.first()?;
    if let Some(other) = claims.iter().find(|claim| claim.agent != first.agent) {
        return Some(Who::Unclear {
            reason: format!(
                "{} says `{}`, but {} says `{}`",
                first.source.name(),
                first.agent,
                other.source.name(),
                other.agent
            ),
            help: "make them agree: `git lane install --agent <id>` sets the worktree's, \
                   `unset AGENT_ID` clears the variable"
                .to_owned(),
        });
    }
    if plan.policy.agent(&first.agent).is_none() {
        let ids = || plan.policy.agent_ids();
        let near = nearest(&first.agent, ids()).map(|near| format!("did you mean `{near}`? "));
        let known: Vec<&str> = ids().take(12).collect();
        return Some(Who::Unclear {
            reason: format!(
                "{} says `{}`, which is no agent of {}",
                first.source.name(),
                first.agent,
                plan.source.name
            ),
            help: format!("{}the agents are: {}", near.unwrap_or_default(), known.join(", ")),
        });
    }
    Some(Who::Agent(first.agent.clone()))
}

/// Whether it is shown, and not only said, that a change is an agent's: by the account that it comes from, or
/// by all of its commits being signed with keys of the agent.
pub fn is_proven(plan: &Plan, facts: &Facts, change: &Change, agent: &str) -> bool {
    let is_its_key = |commit: &Commit| match commit.signature.known() {
        Some(Signature::Valid { key }) => plan.signer(key).is_some_and(|signer| signer.agent == agent),
        _ => false,
    };
    let is_signed = change.commits.known().is_some_and(|all| !all.is_empty() && all.iter().all(is_its_key));
    is_signed || has_account(plan, facts, agent)
}

/// Whether the change comes from an account of an agent.
pub fn has_account(plan: &Plan, facts: &Facts, agent: &str) -> bool {
    facts.proofs.iter().any(|IdentityProof::GithubAccount(login)| plan.agent_of_account(login) == Some(agent))
}

/// The agent of the policy that a branch's name bears.
pub fn of_branch<'p>(plan: &'p Plan, branch: &str) -> Option<&'p str> {
    let id = plan.branch.as_ref()?.parse(branch)?;
    plan.policy.agent(id).map(|agent| agent.id.value.as_str())
}

/// The one agent whose tag the messages of a branch bear. Where there are several, or on a protected
/// branch or a tag, somebody puts the work of agents together: that is a maintainer.
fn of_messages(plan: &Plan, facts: &Facts, change: &Change) -> Option<String> {
    let is_tag = change.reference.as_deref().is_some_and(|name| !name.starts_with("refs/heads/"));
    let is_shared = change.branch.as_deref().is_some_and(|branch| plan.protected(branch).is_some());
    if is_tag || is_shared {
        return None;
    }
    let made = facts.message.known();
    let commits = change.commits.known().into_iter().flatten();
    let messages = made.into_iter().chain(commits.map(|commit| &commit.message));
    let mut agents: Vec<&str> = Vec::new();
    for message in messages {
        match plan.tagged(message).as_slice() {
            // Nobody puts work together in one commit: the tags contradict each other.
            [one, _, ..] => return Some((*one).to_owned()),
            tagged => agents.extend(tagged),
        }
    }
    agents.sort_unstable();
    agents.dedup();
    match agents.as_slice() {
        [one] => Some((*one).to_owned()),
        _ => None,
    }
}

fn nobody(plan: &Plan, facts: &Facts) -> Who {
    let policy = &plan.policy;
    let is_listed = facts.email.as_deref().is_some_and(|email| {
        let same = |name: &str| name.eq_ignore_ascii_case(email);
        policy.maintainers.iter().any(|listed| same(&listed.value))
    });
    if is_listed || policy.unidentified.value == Unidentified::Maintainer {
        Who::Maintainer
    } else {
        Who::Stranger
    }
}
