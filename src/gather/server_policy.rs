//! Where a server reads the policy: as it was before the push, never from the push.

use super::policy_source::{Base, LoadedPolicy, folds_case, in_commit};
use super::push::PushLine;
use lane_core::error::Error;
use lane_core::facts::Unavailable;
use lane_core::policy::{self, FILE};
use lane_git::{Read, Repository};

/// The setting that names the default branch where HEAD does not.
const SETTING: &str = "lane.base";

/// What binds those who push.
#[derive(Debug)]
pub enum InForce {
    /// The policy of the default branch, or of the base that it names.
    Policy(Box<LoadedPolicy>),
    /// Nothing yet, and what was looked at.
    Nothing(String),
}

/// Finds the policy that judges a push.
///
/// It is on the default branch: `lane.base` if the server's own configuration has it, else HEAD. If
/// that one's policy names another base with a policy of its own, that one's counts. A server without a
/// policy binds nobody: it is empty, or nobody put one on the default branch yet. But where the default
/// branch is missing while others are there, it is unknown whether there should be a policy.
///
/// # Errors
/// The policy has mistakes or cannot be read, or the default branch is missing.
pub fn find(repo: &dyn Repository, lines: &[PushLine]) -> Result<InForce, Error> {
    let reference = default_branch(repo)?;
    let Some(oid) = repo.find_ref(&reference)? else {
        return unborn(repo, &reference, lines);
    };
    let base = Base { reference, oid };
    let Some((source, oid)) = in_commit(repo, &base)? else {
        return Ok(InForce::Nothing(format!("{} has no {FILE}", base.reference)));
    };
    let fold = folds_case(repo)?;
    let plan = policy::load(source, fold)?;
    let loaded = match named_base(repo, &plan)?.filter(|named| named.reference != base.reference) {
        None => LoadedPolicy { plan, oid: Some(oid), base: Some(base) },
        Some(named) => match in_commit(repo, &named)? {
            Some((source, oid)) => {
                LoadedPolicy { plan: policy::load(source, fold)?, oid: Some(oid), base: Some(named) }
            }
            None => LoadedPolicy { plan, oid: Some(oid), base: Some(named) },
        },
    };
    Ok(InForce::Policy(Box::new(loaded)))
}

/// The policy of a protected branch itself, as it is before the push, if it has one that protects it too.
/// No agent may push there, so none can have loosened it.
///
/// # Errors
/// It has mistakes, or cannot be read.
pub fn of_branch(
    repo: &dyn Repository,
    in_force: &LoadedPolicy,
    line: &PushLine,
) -> Result<Option<LoadedPolicy>, Error> {
    let Some(name) = line.remote_ref.strip_prefix("refs/heads/") else {
        return Ok(None);
    };
    let is_base = in_force.base.as_ref().is_some_and(|base| base.reference == line.remote_ref);
    if is_base || in_force.plan.protected(name).is_none() {
        return Ok(None);
    }
    let Some(oid) = repo.find_ref(&line.remote_ref)? else {
        return Ok(None);
    };
    let own = Base { reference: line.remote_ref.clone(), oid };
    let Some((source, oid)) = in_commit(repo, &own)? else {
        return Ok(None);
    };
    let plan = policy::load(source, folds_case(repo)?)?;
    if plan.protected(name).is_none() {
        return Ok(None);
    }
    let base = named_base(repo, &plan)?.or_else(|| in_force.base.clone());
    Ok(Some(LoadedPolicy { plan, oid: Some(oid), base }))
}

/// Looks at the policies that a push would put in force. Gives what those who push should know.
///
/// # Errors
/// With one of them nothing could be pushed any more.
pub fn check_new(
    repo: &dyn Repository,
    in_force: Option<&LoadedPolicy>,
    lines: &[PushLine],
) -> Result<Vec<String>, Error> {
    let default = default_branch(repo)?;
    let mut notes = Vec::new();
    for line in lines {
        let name = line.remote_ref.strip_prefix("refs/heads/").unwrap_or_default();
        let is_base = in_force.and_then(|loaded| loaded.base.as_ref()).map(|base| &base.reference);
        let is_base = is_base == Some(&line.remote_ref) || line.remote_ref == default;
        let is_protected = in_force.is_some_and(|loaded| loaded.plan.protected(name).is_some());
        let Some(oid) = line.local.filter(|_| is_base || is_protected) else {
            continue;
        };
        let Some(oid) = repo.peel(oid)? else {
            continue;
        };
        let new = Base { reference: line.remote_ref.clone(), oid };
        match in_commit(repo, &new)? {
            Some((source, _)) => {
                policy::load(source, folds_case(repo)?)?;
            }
            None if is_base && in_force.is_some() => {
                notes.push(format!("{name} has no {FILE} after this push: later pushes are not judged"));
            }
            None => {}
        }
    }
    // Whoever begins a repository under another name than HEAD's would find the door shut next time.
    if in_force.is_none() && repo.find_ref(&default)?.is_none() {
        let is_new = |line: &&PushLine| line.local.is_some() && line.remote_ref.starts_with("refs/heads/");
        let new: Vec<&str> = lines.iter().filter(is_new).map(|line| line.remote_ref.as_str()).collect();
        if let (Some(first), false) = (new.first(), new.contains(&default.as_str())) {
            notes.push(format!(
                "HEAD on the server is {default}, which this push does not create; until it exists, or HEAD is changed, nothing else can be pushed; on the server: {}",
                repoint(first)
            ));
        }
    }
    Ok(notes)
}

fn repoint(reference: &str) -> String {
    format!("git symbolic-ref HEAD {reference}")
}

/// The full name of the branch whose policy counts.
fn default_branch(repo: &dyn Repository) -> Read<String> {
    if let Some(name) = repo.config(SETTING)?.pop() {
        return Ok(format!("refs/heads/{name}"));
    }
    if repo.layout().worktree.is_some() {
        return Err(Unavailable::new(
            "this repository is not bare, so its HEAD does not tell the base",
            "set the branch with the policy: git config lane.base main",
        ));
    }
    repo.head()?.branch.ok_or_else(|| {
        Unavailable::new(
            "HEAD on the server is detached, so the branch with the policy is unknown",
            format!("on the server: {}", repoint("refs/heads/main")),
        )
    })
}

fn named_base(repo: &dyn Repository, plan: &policy::Plan) -> Read<Option<Base>> {
    let reference = format!("refs/heads/{}", plan.policy.base.value);
    Ok(repo.find_ref(&reference)?.map(|oid| Base { reference, oid }))
}

/// The default branch is not there.
fn unborn(repo: &dyn Repository, reference: &str, lines: &[PushLine]) -> Result<InForce, Error> {
    if repo.ref_names("refs/")?.is_empty() {
        return Ok(InForce::Nothing("the repository is empty".to_owned()));
    }
    let branches = repo.ref_names("refs/heads/")?;
    let mut with_policy = None;
    for name in &branches {
        if let Some(oid) = repo.find_ref(name)? {
            let base = Base { reference: name.clone(), oid };
            // One that cannot be read is one all the same.
            if !matches!(in_commit(repo, &base), Ok(None)) {
                with_policy = Some(name);
                break;
            }
        }
    }
    let is_brought = lines.iter().any(|line| line.remote_ref == reference && line.local.is_some());
    if with_policy.is_none() && is_brought {
        return Ok(InForce::Nothing(format!("no branch has a {FILE}, and {reference} comes with this push")));
    }
    let usual = ["refs/heads/main", "refs/heads/master"];
    let usual = branches.iter().find(|name| usual.contains(&name.as_str()));
    let best = usual.or(with_policy).or(branches.first()).map_or("refs/heads/BRANCH", String::as_str);
    let is_configured = !repo.config(SETTING)?.is_empty();
    let (place, help) = if is_configured {
        (SETTING, format!("git config {SETTING} {}", best.trim_start_matches("refs/heads/")))
    } else {
        ("HEAD", repoint(best))
    };
    Err(Unavailable::new(
        format!(
            "{place} on the server is {reference}, which does not exist, although other refs do: which policy applies is unknown"
        ),
        format!("on the server: {help}\nor restore {reference} there"),
    )
    .into())
}
