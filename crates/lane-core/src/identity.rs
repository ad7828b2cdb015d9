//! Who works here: the claims that are present, and what they come to.

use crate::facts::{
    Change, Commit, Facts, IdentityClaim, IdentityProof, IdentitySource, Message, PullRequest, Pusher,
};
use crate::policy::model::Unidentified;
use crate::policy::{Plan, Spanned, unknown_agent};
use crate::signature::Signature;

/// What stands before a maintainer's name that is an account on the git server.
const ACCOUNT: &str = "account:";
/// What stands before one that is an account on GitHub.
const GITHUB: &str = "github:";

/// Whose change it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// An agent, by id.
    Agent(String),
    /// Somebody without a lane.
    Maintainer,
    /// Nobody that the policy would have.
    Stranger,
    /// A coding agent at work that no lane was given to.
    Unassigned {
        /// The variable by which its harness says so.
        variable: String,
    },
    /// Claims that disagree, or that name an unknown agent: nothing can be decided.
    Unclear {
        /// What is wrong.
        reason: String,
        /// The next step.
        help: String,
    },
}

impl Actor {
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
///
/// A server knows nothing of worktrees: there the account that pushes stands above the branch's name,
/// the records of locks and the tags.
pub fn resolve(plan: &Plan, facts: &Facts, change: &Change) -> Actor {
    if change.is_landing {
        return landing(plan, facts, change);
    }
    if facts.event.is_server() {
        return received(plan, facts, change);
    }
    if let Some(request) = &facts.request {
        return proposed(plan, facts, change, request);
    }
    let worktree = Worktree {
        claims: &facts.claims,
        branch: change.branch.as_deref().or(change.beside.as_deref()),
        harness: facts.harness.as_deref(),
    };
    let tagged = || of_messages(plan, facts, change);
    worktree.agent(plan, tagged).unwrap_or_else(|| nobody(plan, facts, change))
}

/// Whose work lands, whoever lands it.
fn landing(plan: &Plan, facts: &Facts, change: &Change) -> Actor {
    let branch = change.branch.as_deref().and_then(|branch| of_branch(plan, branch));
    let agent = branch.map(str::to_owned).or_else(|| of_messages(plan, facts, change));
    agent.map_or_else(|| nobody(plan, facts, change), Actor::Agent)
}

/// What a worktree says of who works in it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Worktree<'a> {
    /// What is said outright.
    pub claims: &'a [IdentityClaim],
    /// The branch that is checked out.
    pub branch: Option<&'a str>,
    /// The variable by which the harness of a coding agent says that it is there.
    pub harness: Option<&'a str>,
}

/// Who works in a worktree, where no change is judged. `message`: that of the commit that is being made.
pub fn here(plan: &Plan, worktree: &Worktree<'_>, message: Option<&Message>, email: Option<&str>) -> Actor {
    let is_shared = worktree.branch.is_some_and(|branch| plan.protected(branch).is_some());
    let tagged = || tagged_agent(plan, message.filter(|_| !is_shared));
    worktree.agent(plan, tagged).unwrap_or_else(|| maintainer_if(plan, is_listed_email(plan, email)))
}

impl Worktree<'_> {
    /// The agent, or what is wrong; `None` where nothing speaks of one. `tagged`: the agent whose tag the messages have.
    fn agent(&self, plan: &Plan, tagged: impl FnOnce() -> Option<String>) -> Option<Actor> {
        let is_copy = |claim: &&IdentityClaim| claim.source == IdentitySource::CopiedConfig;
        if let Some(who) = outright(plan, self.claims.iter().filter(|claim| !is_copy(claim)).collect()) {
            return Some(who);
        }
        if let Some(agent) = self.branch.and_then(|branch| of_branch(plan, branch)) {
            return Some(Actor::Agent(agent.to_owned()));
        }
        if let Some(who) = outright(plan, self.claims.iter().filter(is_copy).collect()) {
            return Some(who);
        }
        if let Some(agent) = tagged() {
            return Some(Actor::Agent(agent));
        }
        // Whose git configuration an agent works with says nothing about the agent.
        let is_refused = plan.policy.unidentified.agent.value == Unidentified::Deny;
        let harness = self.harness.filter(|_| is_refused && !plan.policy.agents.0.is_empty())?;
        Some(Actor::Unassigned { variable: harness.to_owned() })
    }
}

/// Whose a pull request is: its author's account stands above the branch's name, the title and the tags.
fn proposed(plan: &Plan, facts: &Facts, change: &Change, request: &PullRequest) -> Actor {
    if let Some(who) = outright(plan, facts.claims.iter().collect()) {
        return who;
    }
    // An agent that pushed to somebody else's pull request has a part in it, whoever opened it.
    let author = request.author.as_deref();
    let accounts = author.into_iter().chain(facts.proofs.iter().filter_map(IdentityProof::account));
    let account = accounts.into_iter().find_map(|login| plan.agent_of_account(login));
    let account = account.or_else(|| facts.pusher.as_ref().and_then(|pusher| of_account(plan, pusher)));
    let branch = change.branch.as_deref().and_then(|branch| of_branch(plan, branch));
    let branch = branch.filter(|agent| !is_somebody_else(plan, facts, agent));
    if let Some(agent) = account.or(branch) {
        return Actor::Agent(agent.to_owned());
    }
    // Who is known to be none may land the work of agents, whatever tags the work has.
    if author.is_some_and(|author| is_maintainer_on_github(plan, author)) {
        return Actor::Maintainer;
    }
    let agent = of_title(plan, request).or_else(|| of_messages(plan, facts, change));
    agent.map_or_else(|| nobody(plan, facts, change), Actor::Agent)
}

/// The one agent whose tag a title has.
fn of_title(plan: &Plan, request: &PullRequest) -> Option<String> {
    let title = Message { text: request.title.clone()? };
    match plan.tagged(&title).as_slice() {
        [one] => Some((*one).to_owned()),
        _ => None,
    }
}

/// Whether an account on GitHub stands under `maintainers`, as `github:<login>`.
pub fn is_maintainer_on_github(plan: &Plan, login: &str) -> bool {
    let named = |listed: &Spanned<String>| {
        listed.value.strip_prefix(GITHUB).is_some_and(|name| name.eq_ignore_ascii_case(login))
    };
    plan.policy.maintainers.iter().any(named)
}

/// Whether the policy says who maintains it by their accounts on GitHub.
pub fn lists_maintainers_on_github(plan: &Plan) -> bool {
    plan.policy.maintainers.iter().any(|listed| listed.value.starts_with(GITHUB))
}

/// Whose a change is that a server receives.
fn received(plan: &Plan, facts: &Facts, change: &Change) -> Actor {
    let branch = change.branch.as_deref();
    let of_lock = match change.lock_events.as_ref().map_or(&[][..], |events| events.agents.as_slice()) {
        [one] => plan.policy.agent(one).map(|agent| agent.id.value.as_str()),
        _ => None,
    };
    let account = facts.pusher.as_ref().and_then(|pusher| of_account(plan, pusher));
    let claimed = branch.and_then(|branch| of_branch(plan, branch)).or(of_lock);
    let agent = account.or(claimed.filter(|agent| !is_somebody_else(plan, facts, agent)));
    let agent = agent.map(str::to_owned).or_else(|| {
        let tagged = match branch {
            Some(branch) if plan.protected(branch).is_none() => of_messages(plan, facts, change),
            _ => of_shared(plan, change),
        };
        tagged.filter(|agent| !is_known_not_to_be(plan, facts, agent))
    });
    agent.map_or_else(|| nobody(plan, facts, change), Actor::Agent)
}

/// Whether the account that pushes is a maintainer's, or none of those that the agent has.
fn is_known_not_to_be(plan: &Plan, facts: &Facts, agent: &str) -> bool {
    is_listed_account(plan, facts) || is_without_its_account(plan, facts, agent)
}

/// Whether the account that pushes is listed nowhere, and the agent has others. A maintainer who goes on with an
/// agent's branch does it in the agent's stead.
pub fn is_somebody_else(plan: &Plan, facts: &Facts, agent: &str) -> bool {
    !is_listed_account(plan, facts) && is_without_its_account(plan, facts, agent)
}

fn is_without_its_account(plan: &Plan, facts: &Facts, agent: &str) -> bool {
    let identity = plan.policy.agent(agent).and_then(|agent| agent.identity.as_ref());
    let has_accounts = identity.is_some_and(|identity| !identity.accounts.is_empty());
    facts.pusher.as_ref().is_some_and(|pusher| has_accounts && of_account(plan, pusher) != Some(agent))
}

/// Whether the account that pushes stands under `maintainers`.
pub fn is_listed_account(plan: &Plan, facts: &Facts) -> bool {
    facts.pusher.as_ref().is_some_and(|pusher| is_maintainer(plan, pusher))
}

/// The agent of the policy whose account it is. Hosts do not tell accounts apart by case.
pub fn of_account<'p>(plan: &'p Plan, pusher: &Pusher) -> Option<&'p str> {
    let has = |accounts: &[Spanned<String>]| {
        accounts.iter().any(|account| account.value.eq_ignore_ascii_case(&pusher.name))
    };
    let mut agents = plan.policy.agents.0.iter();
    let agent = agents.find(|agent| agent.identity.as_ref().is_some_and(|identity| has(&identity.accounts)));
    agent.map(|agent| agent.id.value.as_str())
}

/// The agent who pushes to what is shared, such as a protected branch or a tag: the one whose tag the
/// last commit has, unless others have a part in it.
fn of_shared(plan: &Plan, change: &Change) -> Option<String> {
    let commits = change.commits.known()?;
    let [agent] = plan.tagged(&commits.last()?.message)[..] else {
        return None;
    };
    if commits.iter().any(|commit| plan.tagged(&commit.message).iter().any(|other| *other != agent)) {
        return None;
    }
    Some(agent.to_owned())
}

/// Whether an account stands under `maintainers`, by its name or as `account:<name>`.
fn is_maintainer(plan: &Plan, pusher: &Pusher) -> bool {
    plan.policy.maintainers.iter().any(|listed| {
        let name = listed.value.strip_prefix(ACCOUNT).unwrap_or(&listed.value);
        name.eq_ignore_ascii_case(&pusher.name)
    })
}

fn outright(plan: &Plan, mut claims: Vec<&IdentityClaim>) -> Option<Actor> {
    if let Some(option) = claims.iter().find(|claim| claim.source == IdentitySource::Option) {
        claims = vec![option];
    }
    let first = *claims.first()?;
    if let Some(other) = claims.iter().find(|claim| claim.agent != first.agent) {
        return Some(Actor::Unclear {
            reason: format!(
                "{} says `{}`, but {} says `{}`",
                first.source.name(),
                first.agent,
                other.source.name(),
                other.agent
            ),
            help: match claims.iter().any(|claim| claim.source == IdentitySource::Environment) {
                true => "clear the variable: unset AGENT_ID\n\
                         or, if the variable is right, set the worktree's agent: git lane install --agent ID"
                    .to_owned(),
                false => "set the worktree's agent, and make .agent.env agree: git lane install --agent ID"
                    .to_owned(),
            },
        });
    }
    if plan.policy.agent(&first.agent).is_none() {
        return Some(Actor::Unclear {
            reason: format!(
                "{} (from {})",
                unknown_agent(&first.agent, &plan.source.name),
                first.source.name()
            ),
            help: plan.policy.agent_hint(&first.agent),
        });
    }
    Some(Actor::Agent(first.agent.clone()))
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
    let is_its = |proof: &IdentityProof| {
        proof.account().is_some_and(|login| plan.agent_of_account(login) == Some(agent))
    };
    let is_pushed = facts.pusher.as_ref().is_some_and(|pusher| of_account(plan, pusher) == Some(agent));
    // Whoever pushed to it last counts as much as whoever opened it.
    is_pushed || (!facts.proofs.is_empty() && facts.proofs.iter().all(is_its))
}

/// The agent of the policy that a branch's name has.
pub fn of_branch<'p>(plan: &'p Plan, branch: &str) -> Option<&'p str> {
    let id = plan.branch.as_ref()?.parse(branch)?;
    plan.policy.agent(id).map(|agent| agent.id.value.as_str())
}

/// The one agent whose tag the messages of a branch have. Where there are several, or on a protected
/// branch or a tag, somebody puts the work of agents together: that is a maintainer.
fn of_messages(plan: &Plan, facts: &Facts, change: &Change) -> Option<String> {
    let is_tag = change.reference.as_deref().is_some_and(|name| !name.starts_with("refs/heads/"));
    let is_shared = change.branch.as_deref().is_some_and(|branch| plan.protected(branch).is_some());
    if is_tag || is_shared {
        return None;
    }
    let made = facts.message.known();
    let commits = change.commits.known().into_iter().flatten();
    tagged_agent(plan, made.into_iter().chain(commits.map(|commit| &commit.message)))
}

/// The one agent whose tag messages have.
pub fn tagged_agent<'m>(plan: &Plan, messages: impl IntoIterator<Item = &'m Message>) -> Option<String> {
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

fn nobody(plan: &Plan, facts: &Facts, change: &Change) -> Actor {
    let policy = &plan.policy;
    // Whose e-mail address a commit has is easily said: it counts only where accounts cannot.
    let by_account = policy.maintainers.iter().any(|listed| listed.value.starts_with(ACCOUNT));
    let author = facts.request.as_ref().and_then(|request| request.author.as_deref());
    let is_known =
        (facts.pusher.is_some() && by_account) || (author.is_some() && lists_maintainers_on_github(plan));
    let committer = change.committer.as_ref().filter(|_| !is_known);
    let is_listed = is_listed_email(plan, facts.email.as_ref().or(committer).map(String::as_str));
    let is_listed = is_listed || author.is_some_and(|author| is_maintainer_on_github(plan, author));
    maintainer_if(plan, is_listed || is_listed_account(plan, facts))
}

fn is_listed_email(plan: &Plan, email: Option<&str>) -> bool {
    let mut listed = plan.policy.maintainers.iter();
    email.is_some_and(|email| listed.any(|listed| listed.value.eq_ignore_ascii_case(email)))
}

fn maintainer_if(plan: &Plan, is_listed: bool) -> Actor {
    if is_listed || plan.policy.unidentified.human.value == Unidentified::Maintainer {
        Actor::Maintainer
    } else {
        Actor::Stranger
    }
}
