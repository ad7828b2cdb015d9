//! Where a policy job finds both ends of a change, and the policy that judges it.

use super::policy_source::{Base, LoadedPolicy, folds_case, in_commit};
use crate::ci::{Host, Job, Side};
use lane_core::error::Error;
use lane_core::facts::{Oid, Unavailable};
use lane_core::policy::{self, Plan};
use lane_git::revision;
use lane_git::{Read, Repository};

/// A change whose ends are here.
#[derive(Debug)]
pub struct CiRange {
    /// The policy, and the base.
    pub loaded: LoadedPolicy,
    /// The tip.
    pub head: Oid,
    /// Whether the base is the default branch, or one that the policy protects by its name.
    pub is_binding: bool,
    /// What whoever reads the report should know besides.
    pub notes: Vec<String>,
}

/// Finds both ends and the policy.
///
/// The policy is the one on the tip of the base. Only a branch that is protected speaks for itself: on any
/// other, an agent could have loosened it before, so that there the default branch's policy counts.
///
/// # Errors
/// Something has to be fetched first, or the policy has mistakes.
pub fn locate(repo: &dyn Repository, job: &Job) -> Result<CiRange, Error> {
    let remote = repo.config("lane.remote")?.pop().unwrap_or_else(|| "origin".to_owned());
    let base = base(repo, job, &remote)?;
    let head = head(repo, job, &base, &remote)?;
    let mut notes = Vec::new();
    let loaded = match speaker(repo, job, &base, &remote)? {
        Some((plan, oid)) => LoadedPolicy { plan, oid: Some(oid), base: Some(base) },
        None => {
            let own = Base { reference: job.what.clone(), oid: head };
            let Some((source, oid)) = in_commit(repo, &own)? else {
                return Err(no_policy(&base));
            };
            notes.push(format!("{} has no policy yet: {} is judged by its own", base.reference, job.what));
            let plan = policy::load(source, folds_case(repo)?)?;
            LoadedPolicy { plan, oid: Some(oid), base: Some(base) }
        }
    };
    let name = job.base.branch.as_deref().unwrap_or_default();
    let is_default = job.default_branch.as_deref().is_none_or(|default| default == name);
    let is_binding = is_default || is_named(&loaded.plan, name);
    Ok(CiRange { loaded, head, is_binding, notes })
}

fn tracking(remote: &str, branch: &str) -> String {
    format!("refs/remotes/{remote}/{branch}")
}

/// The newest tip of the base that is known here: what was fetched, or what the host says.
fn base(repo: &dyn Repository, job: &Job, remote: &str) -> Result<Base, Error> {
    let Side { branch, commit, .. } = &job.base;
    // What is ahead in a queue is on no branch yet.
    let branch = branch.as_deref().filter(|_| !job.is_queue);
    let mut fetched = None;
    let meant = |name| match job.host {
        Host::Plain => candidate_refs(remote, name),
        _ => vec![tracking(remote, name), format!("refs/heads/{name}")],
    };
    for reference in branch.into_iter().flat_map(meant) {
        if fetched.is_none()
            && let Some(oid) = repo.find_ref(&reference)?
        {
            fetched = Some(Base { reference, oid });
        }
    }
    if let (Some(base), Host::Plain) = (&fetched, job.host) {
        return Ok(base.clone());
    }
    let said = match commit {
        Some(commit) => here(repo, commit)?,
        None => None,
    };
    match (fetched, said) {
        // A ref that was fetched before the event is behind what the host says.
        (Some(base), Some(said)) if repo.merge_base(base.oid, &[said])? == Some(base.oid) => {
            Ok(Base { oid: said, ..base })
        }
        (Some(base), _) => Ok(base),
        (None, Some(oid)) => {
            let reference = branch.map(|name| tracking(remote, name)).or(commit.clone());
            Ok(Base { reference: reference.unwrap_or_default(), oid })
        }
        (None, None) => Err(missing("the base", &job.base, remote, job)),
    }
}

fn head(repo: &dyn Repository, job: &Job, base: &Base, remote: &str) -> Result<Oid, Error> {
    let commit = job.head.commit.as_deref().unwrap_or("HEAD");
    let below = commit.strip_prefix(remote).and_then(|rest| rest.strip_prefix('/'));
    let named = match below {
        Some(branch) => repo.find_ref(&tracking(remote, branch))?,
        None => None,
    };
    let Some(mut head) = named.map_or_else(|| here(repo, commit), |oid| Ok(Some(oid)))? else {
        return Err(missing("the tip", &job.head, remote, job));
    };
    // A queue that merges puts a merge of the host's own on top; the change is its second parent.
    if job.is_queue
        && let [first, second] = repo.commit(head)?.parents[..]
        && first == base.oid
    {
        head = second;
    }
    Ok(head)
}

/// The refs that somebody may mean who types a name; what is exact means nothing else, so that no branch can
/// be given a name that takes its place.
fn candidate_refs(remote: &str, typed: &str) -> Vec<String> {
    match (branch_of(remote, typed), typed.strip_prefix("refs/")) {
        (Some(branch), Some(rest)) if rest.starts_with("heads/") => {
            vec![typed.to_owned(), tracking(remote, branch)]
        }
        (_, Some(_)) => vec![typed.to_owned()],
        (Some(branch), None) if branch != typed => vec![tracking(remote, branch)],
        (Some(branch), None) => vec![tracking(remote, branch), format!("refs/heads/{branch}")],
        (None, None) => Vec::new(),
    }
}

/// The branch of the remote that a name stands for: `main` for `main`, `origin/main` and both of their full names.
fn branch_of<'t>(remote: &str, typed: &'t str) -> Option<&'t str> {
    let of_remote = |name: &'t str| name.strip_prefix(remote).and_then(|rest| rest.strip_prefix('/'));
    match typed.strip_prefix("refs/") {
        Some(rest) => rest.strip_prefix("heads/").or_else(|| of_remote(rest.strip_prefix("remotes/")?)),
        None if Oid::from_hex(typed).is_some() => None,
        None => of_remote(typed).or(Some(typed)),
    }
}

/// A commit that is here.
fn here(repo: &dyn Repository, text: &str) -> Read<Option<Oid>> {
    match Oid::from_hex(text) {
        Some(oid) if repo.has(oid) => repo.peel(oid),
        Some(_) => Ok(None),
        // What means nothing is not here: it may have to be fetched.
        None => Ok(revision::resolve(repo, text).ok()),
    }
}

/// The policy in force, with its blob; `None` where there is none yet.
fn speaker(
    repo: &dyn Repository,
    job: &Job,
    base: &Base,
    remote: &str,
) -> Result<Option<(Plan, Oid)>, Error> {
    let own = || -> Result<Option<(Plan, Oid)>, Error> { load(repo, base) };
    let name = job.base.branch.as_deref().unwrap_or_default();
    let Some(default) = job.default_branch.as_deref().filter(|default| *default != name) else {
        let found = own()?;
        return if found.is_none() && job.host == Host::Plain { of_default(repo, remote) } else { Ok(found) };
    };
    let reference = tracking(remote, default);
    let Some(oid) = repo.find_ref(&reference)? else {
        let side = Side { branch: None, commit: None, refspec: Some(default.to_owned()) };
        return Err(missing(
            "the default branch, whose policy says whether the base is protected,",
            &side,
            remote,
            job,
        ));
    };
    let Some(common) = load(repo, &Base { reference, oid })? else {
        return own();
    };
    // On a host without our hook anybody may make a branch that a pattern protects.
    if is_named(&common.0, name)
        && let Some(own) = own()?
        && is_named(&own.0, name)
    {
        return Ok(Some(own));
    }
    Ok(Some(common))
}

/// The policy on the remote's default branch, as a clone knows it: a release that was cut before there was a policy has none,
/// and the change does not bring its own.
fn of_default(repo: &dyn Repository, remote: &str) -> Result<Option<(Plan, Oid)>, Error> {
    let Some(reference) = repo.symbolic_ref(&format!("refs/remotes/{remote}/HEAD"))? else {
        return Ok(None);
    };
    match repo.find_ref(&reference)? {
        Some(oid) => load(repo, &Base { reference, oid }),
        None => Ok(None),
    }
}

/// Whether a branch is protected by its own name.
fn is_named(plan: &Plan, branch: &str) -> bool {
    plan.policy.branch.protected.iter().any(|name| name.value == branch)
}

fn load(repo: &dyn Repository, base: &Base) -> Result<Option<(Plan, Oid)>, Error> {
    match in_commit(repo, base)? {
        Some((source, oid)) => Ok(Some((policy::load(source, folds_case(repo)?)?, oid))),
        None => Ok(None),
    }
}

fn missing(what: &str, side: &Side, remote: &str, job: &Job) -> Error {
    let Side { branch, commit, refspec } = side;
    let name = branch.as_ref().or(commit.as_ref()).or(refspec.as_ref()).cloned().unwrap_or_default();
    let typed = |text: &String| match job.host {
        Host::Plain => branch_of(remote, text).unwrap_or(text).to_owned(),
        _ => text.clone(),
    };
    let (refspec, branch) = (refspec.as_ref().map(typed), branch.as_ref().map(typed));
    let refspec = match (&refspec, &branch) {
        (Some(refspec), Some(branch)) if refspec == branch => {
            format!("+refs/heads/{branch}:{}", tracking(remote, branch))
        }
        (Some(refspec), None) if !refspec.starts_with("refs/") && Oid::from_hex(refspec).is_none() => {
            format!("+refs/heads/{refspec}:{}", tracking(remote, refspec))
        }
        (refspec, _) => refspec.clone().unwrap_or_default(),
    };
    let whole = match job.host {
        Host::GitHub => "\nor set `fetch-depth: 0` for actions/checkout",
        Host::GitLab => "\nor set GIT_DEPTH to 0 for the job",
        Host::Plain => "",
    };
    Unavailable::new(
        format!("{what} of {} (`{name}`) is not available here", job.what),
        format!("fetch it: git fetch --no-tags {remote} '{refspec}'{whole}"),
    )
    .into()
}

fn no_policy(base: &Base) -> Error {
    Unavailable::new(
        format!("no {} on {}, nor in the change", policy::FILE, base.reference),
        "write a first one with `git lane init`, and commit it to the base branch",
    )
    .into()
}
