//! The branch of a worktree that is joined: what it is called, and what has to be done to get there.

use std::path::Path;

use super::Options;
use crate::gather::rebasing_branch;
use crate::setup::git;
use lane_core::error::Error;
use lane_core::facts::Unavailable;
use lane_core::identity::of_branch;
use lane_core::policy::{Plan, is_branch_name};
use lane_core::report::quote;
use lane_git::in_progress::in_progress;
use lane_git::worktrees::{head_of, worktrees};
use lane_git::{Layout, Repository};

/// What has to be done about the branch.
pub(super) enum Move {
    /// It is the agent's.
    Stay(String),
    /// It gets another name.
    Rename { from: String, to: String },
    /// A new one begins where HEAD is.
    Begin { from: Option<String>, to: String },
}

/// What has to be done about the branch, once it is known that it can be.
pub(super) fn plan_branch(
    repo: &dyn Repository,
    plan: &Plan,
    options: &Options,
    has_base: bool,
) -> Result<Move, Error> {
    let (agent, layout) = (&options.agent, repo.layout());
    let head = repo.head()?;
    let name = match &head.branch {
        Some(name) => Some(name.clone()),
        None => rebasing_branch(layout)?,
    };
    let branch = name.as_deref().map(|name| name.strip_prefix("refs/heads/").unwrap_or(name));
    let bearer = branch.and_then(|branch| of_branch(plan, branch));
    let is_its_own = bearer == Some(agent.as_str());
    let wanted = options.feature.as_ref().map(|feature| branch_name(plan, agent, feature)).transpose()?;
    if let Some(branch) = branch {
        if is_its_own && wanted.as_deref().is_none_or(|wanted| wanted == branch) {
            return Ok(Move::Stay(branch.to_owned()));
        }
        refuse_taken(agent, branch, bearer, wanted.as_deref())?;
        // Where no pattern says whose a branch is, any will do that is not the base.
        if plan.branch.is_none() && wanted.is_none() && !is_shared(plan, branch) {
            return Ok(Move::Stay(branch.to_owned()));
        }
    }
    refuse_unready(options, layout, head.oid.is_some() || has_base)?;
    let to = match wanted {
        Some(to) => free(repo, plan, agent, to)?,
        None => first_free(repo, plan, agent, branch)?,
    };
    match branch {
        Some(from) if !is_shared(plan, from) => Ok(Move::Rename { from: from.to_owned(), to }),
        from => Ok(Move::Begin { from: from.map(str::to_owned), to }),
    }
}

/// A branch that is an agent's already stays what it is. `owner`: whose it is by its name.
fn refuse_taken(agent: &str, branch: &str, owner: Option<&str>, wanted: Option<&str>) -> Result<(), Error> {
    let (message, help) = match (owner, wanted) {
        (Some(owner), Some(wanted)) if owner == agent => (
            format!("this worktree is already on a branch of {agent}: {branch}"),
            format!("start another one here, with all edits: git switch -c {wanted}"),
        ),
        (Some(other), _) if other != agent => (
            format!("this worktree is on a branch of {other}: {branch}"),
            format!("if that is your lane: git lane join {other}"),
        ),
        _ => return Ok(()),
    };
    Err(Error::usage(message, help))
}

/// No branch can be made in the middle of something, or where there is no commit.
fn refuse_unready(options: &Options, layout: &Layout, has_commits: bool) -> Result<(), Error> {
    let again = command_line(options);
    if let Some(it) = in_progress(&layout.git_dir) {
        return Err(Error::usage(
            format!("{} is in progress in this worktree", it.what),
            format!("{}\nthen rerun this: {again}", it.help),
        ));
    }
    if !has_commits {
        let first = "create one first, with the policy for example: git add policy.yaml\n\
                     git commit -m 'chore: a policy for our agents'";
        return Err(Unavailable::new(
            "this repository has no commits yet",
            format!("{first}\nthen rerun this: {again}"),
        )
        .into());
    }
    Ok(())
}

/// The command as it was typed.
fn command_line(options: &Options) -> String {
    let feature = options.feature.as_ref().map(|feature| format!(" {}", quote(feature.as_bytes())));
    let dry_run = if options.dry_run { " --dry-run" } else { "" };
    format!("git lane join {}{}{dry_run}", options.agent, feature.unwrap_or_default())
}

/// Whether a branch may not be renamed.
fn is_shared(plan: &Plan, branch: &str) -> bool {
    branch == plan.policy.base.value || plan.protected(branch).is_some()
}

/// The branch of an agent for a feature; a whole name of the agent's is taken as it is.
fn branch_name(plan: &Plan, agent: &str, feature: &str) -> Result<String, Error> {
    let name = match &plan.branch {
        Some(names) if names.parse(feature) == Some(agent) => feature.to_owned(),
        Some(names) => names.name(agent, feature).ok_or_else(|| {
            let regex = names.regex().unwrap_or_default();
            Error::usage(
                format!("no branch of {agent} for `{feature}` matches `{regex}`"),
                format!("name one that does: git lane join {agent} {}", quote(names.usual(agent).as_bytes())),
            )
        })?,
        None => format!("{agent}/{feature}"),
    };
    if is_branch_name(&name) && plan.disguise(&format!("refs/heads/{name}")).is_none() {
        return Ok(name);
    }
    Err(Error::usage(
        format!("`{name}` is not a valid branch name"),
        format!("use letters, digits and dashes: git lane join {agent} {}", feature_of(plan, agent)),
    ))
}

/// A feature that `git lane join` takes.
fn feature_of(plan: &Plan, agent: &str) -> String {
    let usual = "my-feature";
    match &plan.branch {
        Some(names) if names.name(agent, usual).is_none() => quote(names.usual(agent).as_bytes()),
        _ => usual.to_owned(),
    }
}

/// Refuses a name that a branch has already.
fn free(repo: &dyn Repository, plan: &Plan, agent: &str, to: String) -> Result<String, Error> {
    let Some(there) = existing_ref(repo, &to)? else {
        return Ok(to);
    };
    let another = format!("git lane join {agent} {}", feature_of(plan, agent));
    for tree in worktrees(repo.layout())? {
        let head = head_of(repo, &tree.git_dir).ok().and_then(|head| head.branch);
        if head.is_some_and(|name| name == there) {
            return Err(Error::usage(
                format!("the branch {to} is checked out in {}", tree.root.display()),
                format!("work there, or name another feature: {another}"),
            ));
        }
    }
    let step = if there.starts_with("refs/heads/") {
        format!("continue on it: git switch {to}\nor name another feature: {another}")
    } else {
        format!("name another feature: {another}")
    };
    Err(Error::usage(format!("the branch {to} already exists: {there}"), step))
}

/// The ref of that name, here or as the remote has it.
fn existing_ref(repo: &dyn Repository, branch: &str) -> Result<Option<String>, Error> {
    let remote = repo.config("lane.remote")?.pop().unwrap_or_else(|| "origin".to_owned());
    for name in [format!("refs/heads/{branch}"), format!("refs/remotes/{remote}/{branch}")] {
        if repo.find_ref(&name)?.is_some() {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// A name that no branch has, after the one that is checked out.
fn first_free(
    repo: &dyn Repository,
    plan: &Plan,
    agent: &str,
    branch: Option<&str>,
) -> Result<String, Error> {
    let own = branch.filter(|branch| !is_shared(plan, branch));
    let last = own.and_then(|branch| branch.rsplit('/').next()).unwrap_or("work");
    let feature = last.strip_prefix("worktree-").filter(|rest| !rest.is_empty()).unwrap_or(last);
    let usual = plan.branch.as_ref().filter(|names| names.name(agent, feature).is_none());
    let usual = usual.map(|names| names.usual(agent));
    for n in 1..100 {
        let numbered = |word: &str| if n == 1 { word.to_owned() } else { format!("{word}-{n}") };
        let to = match &usual {
            Some(usual) => numbered(usual),
            None => branch_name(plan, agent, &numbered(feature))?,
        };
        if usual.is_some() && of_branch(plan, &to) != Some(agent) {
            break;
        }
        if existing_ref(repo, &to)?.is_none() && repo.find_ref(&format!("refs/tags/{to}"))?.is_none() {
            return Ok(to);
        }
    }
    Err(Error::usage(
        format!("no name like {} is free for a branch of {agent}", usual.as_deref().unwrap_or(feature)),
        format!("name the feature: git lane join {agent} FEATURE"),
    ))
}

pub(super) fn words(next: &Move) -> Option<String> {
    match next {
        Move::Stay(_) => None,
        Move::Rename { from, to } => Some(format!("rename the branch {from} to {to}")),
        Move::Begin { to, .. } => Some(format!("create the branch {to}")),
    }
}

/// Renames the branch, or begins one; index and working tree stay as they are.
pub(super) fn apply_move(root: &Path, next: &Move) -> Result<Option<String>, Error> {
    let (args, done) = match next {
        Move::Stay(_) => return Ok(None),
        Move::Rename { from, to } => {
            (vec!["branch", "-m", from, to], format!("renamed the branch {from} to {to}"))
        }
        Move::Begin { to, .. } => (vec!["switch", "-q", "-c", to], format!("created the branch {to}")),
    };
    let ran = git::run_in(root, None, &args)?;
    if ran.ok {
        return Ok(Some(done));
    }
    Err(Error::write(
        format!("git {} failed: {}", args.join(" "), ran.error_text()),
        "nothing was changed; fix this, then rerun git lane join",
    ))
}

/// What the upstream of a renamed branch becomes, if that was its own name on the remote: the key and its value.
pub(super) fn pushed_as(
    repo: &dyn Repository,
    plan: &Plan,
    next: &Move,
) -> Result<Option<(String, String)>, Error> {
    let Move::Rename { from, to } = next else {
        return Ok(None);
    };
    let of = |key: &str| repo.config(&format!("branch.{from}.{key}")).map(|mut all| all.pop());
    let is_own = of("merge")?.is_some_and(|name| name.strip_prefix("refs/heads/") == Some(from.as_str()));
    let is_there = of("remote")?.as_ref() == Some(&plan.policy.remote.value);
    Ok((is_own && is_there).then(|| (format!("branch.{to}.merge"), format!("refs/heads/{to}"))))
}
