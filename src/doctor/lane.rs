//! Who works here, and by which policy.

use super::Check;
use crate::gather::{Environment, LoadedPolicy, claims};
use crate::install::settings::is_copied;
use crate::install::targets::{is_same, policy_worktrees};
use lane_core::error::Error;
use lane_core::facts::IdentityClaim;
use lane_core::identity::of_branch;
use lane_core::policy::model::Unidentified;
use lane_core::policy::{FILE, Place, Plan, nearest, unknown_agent};
use lane_git::Repository;
use lane_git::worktrees::worktrees;

const IDENTITY: &str = "identity";
const POLICY: &str = "policy";
const BASE: &str = "base";

/// What each source says of who works here.
pub(super) fn identity(repo: &dyn Repository, plan: Option<&Plan>, environment: &Environment) -> Check {
    let claims = match claims(repo, environment, None) {
        Ok(claims) => claims,
        Err(why) => return Check::error(IDENTITY, &why.into()),
    };
    let agent_here = plan.and_then(|plan| named_here(repo, plan));
    let install = format!("git lane install --agent {}", agent_here.as_deref().unwrap_or("ID"));
    let said = describe_claims(&claims);
    if !claims.is_empty() && is_copied(repo.layout()).unwrap_or(false) {
        return Check::problem(
            IDENTITY,
            format!("{said}; but `git worktree add` copied it from another worktree"),
            install,
        );
    }
    let Some(first) = claims.first() else {
        return nobody(repo, plan, environment, agent_here, install);
    };
    if claims.iter().any(|claim| claim.agent != first.agent) {
        return Check::problem(
            IDENTITY,
            format!("the sources disagree: {said}"),
            format!("clear the variable: unset AGENT_ID\nor set the worktree's agent: {install}"),
        );
    }
    let Some(plan) = plan else {
        return Check::ok(IDENTITY, said);
    };
    if plan.policy.agent(&first.agent).is_none() {
        let near = nearest(&first.agent, plan.policy.agent_ids());
        let help = near.map_or(install, |near| format!("git lane install --agent {near}"));
        return Check::problem(
            IDENTITY,
            format!("{said}; {}", unknown_agent(&first.agent, &plan.source.name)),
            help,
        );
    }
    match agent_here {
        Some(agent) if agent != first.agent => Check::warning(
            IDENTITY,
            format!("{said}; but {} says that this worktree is {agent}'s", plan.source.name),
            install,
        ),
        _ => Check::ok(IDENTITY, said),
    }
}

fn describe_claims(claims: &[IdentityClaim]) -> String {
    let said = claims.iter().map(|claim| format!("{} says `{}`", claim.source.name(), claim.agent));
    said.collect::<Vec<_>>().join(", ")
}

fn nobody(
    repo: &dyn Repository,
    plan: Option<&Plan>,
    environment: &Environment,
    agent_here: Option<String>,
    install: String,
) -> Check {
    let branch = repo.head().ok().and_then(|head| head.branch);
    let branch = branch.as_deref().and_then(|name| name.strip_prefix("refs/heads/"));
    let of_branch = plan.zip(branch).and_then(|(plan, branch)| of_branch(plan, branch));
    let is_refused = |plan: &&Plan| {
        let policy = &plan.policy;
        policy.unidentified.agent.value == Unidentified::Deny && !policy.agents.0.is_empty()
    };
    let harness =
        plan.filter(is_refused).filter(|_| of_branch.is_none()).and_then(|plan| environment.harness(plan));
    if let Some(variable) = harness {
        return Check::problem(
            IDENTITY,
            format!("a coding agent is at work here ({variable} is set), but has no lane: it is refused"),
            format!(
                "{}git lane join {}",
                if repo.head().is_ok_and(|head| head.oid.is_none()) {
                    "once there is a commit: "
                } else {
                    ""
                },
                agent_here.as_deref().unwrap_or("ID")
            ),
        );
    }
    if let Some(agent) = agent_here {
        let detail = format!("no identity here; the policy says that this worktree is {agent}'s");
        return Check::warning(IDENTITY, detail, install);
    }
    match plan.map(|plan| plan.policy.unidentified.human.value) {
        Some(Unidentified::Deny) => {
            Check::problem(IDENTITY, "no identity here, and the policy denies changes without one", install)
        }
        _ => Check::ok(IDENTITY, "no identity here: treated as a maintainer"),
    }
}

/// The agent whose worktree the policy says this is.
pub(super) fn named_here(repo: &dyn Repository, plan: &Plan) -> Option<String> {
    let root = repo.layout().worktree.as_ref()?;
    let present = worktrees(repo.layout()).ok()?;
    let named = policy_worktrees(plan, repo.layout(), &present);
    named.into_iter().find(|(_, path)| is_same(path, root)).map(|(agent, _)| agent)
}

/// Where the policy was read, and whether its base is there.
pub(super) fn policy(repo: &dyn Repository, loaded: Result<&LoadedPolicy, &Error>) -> Vec<Check> {
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(error) => return vec![unusable(error)],
    };
    let policy = &loaded.plan.policy;
    let (base, remote, source) = (&policy.base.value, &policy.remote.value, &loaded.plan.source.name);
    let agents = policy.agents.0.len();
    let has_remote = repo.config(&format!("remote.{remote}.url")).is_ok_and(|urls| !urls.is_empty());
    let is_unborn = loaded.base.is_none() && repo.head().is_ok_and(|head| head.oid.is_none());
    let mut checks = Vec::new();
    // A policy from a commit has the ref in its name.
    if source.contains(':') {
        checks.push(Check::ok(
            POLICY,
            format!("{source}, {agents} agent{}", if agents == 1 { "" } else { "s" }),
        ));
    } else {
        checks.push(Check::warning(
            POLICY,
            format!("the base has no {FILE}; the one in the worktree is used, which every branch can change"),
            format!(
                "on {base}: git add {FILE}\ngit commit -m 'chore: a policy for our agents'{}",
                if has_remote { format!("\ngit push {remote} {base}") } else { String::new() }
            ),
        ));
    }
    if loaded.plan.observes() {
        checks.push(Check::warning(
            POLICY,
            "it only observes (`mode: observe`): hooks say and note what they would refuse, and refuse nothing",
            "see what would have been refused: git lane report\n\
             to refuse it from now on, leave out `mode`, or write `mode: enforce`, on the base",
        ));
    }
    checks.push(match &loaded.base {
        Some(found) => Check::ok(BASE, format!("{} at {}", found.reference, found.oid.short())),
        None => Check::problem(
            BASE,
            format!("no branch `{base}`, neither local nor on {remote} as last fetched"),
            match (has_remote, is_unborn) {
                (true, _) => {
                    format!(
                        "git fetch {remote} {base}:refs/remotes/{remote}/{base}\nor fix `base:` in {FILE}"
                    )
                }
                (false, true) => format!("the first commit on `{base}` creates it"),
                (false, false) => format!("set `base:` in {FILE} to an existing branch"),
            },
        ),
    });
    checks
}

fn unusable(error: &Error) -> Check {
    let Some(mistakes) = error.policy() else {
        return Check::error(POLICY, error);
    };
    let first = mistakes.diagnostics.first().map(|first| {
        let Place { file, line, column } = mistakes.text.place(first.span.start);
        let of = if file == mistakes.text.name { String::new() } else { format!(" of {file}") };
        format!("; the first, at line {line}, column {column}{of}: {}", first.message)
    });
    Check::problem(POLICY, format!("{error}{}", first.unwrap_or_default()), "git lane policy check")
}
