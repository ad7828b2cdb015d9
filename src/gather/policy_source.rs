//! Where the policy is read: from the base, never from what is judged.

use std::path::Path;

use super::parsed_policy::{self, CacheUse};
use super::policy_files::{FolderFiles, TreeFiles, root_of, with_others};
use lane_core::error::Error;
use lane_core::facts::{Cause, Oid, Unavailable};
use lane_core::policy::compose::{LARGEST, compose};
use lane_core::policy::{self, FILE, Plan, Source};
use lane_git::{FOLDER, Read, Repository, config_bool, find_in_tree};

/// A policy, ready to decide, and the base that it belongs to.
#[derive(Debug)]
pub struct LoadedPolicy {
    /// The compiled policy.
    pub plan: Plan,
    /// The id of its text as a blob; of a policy of several files, one made of the ids of all.
    pub oid: Option<Oid>,
    /// The ref that changes are compared with; `None` if there is no such branch yet.
    pub base: Option<Base>,
}

/// The base branch as it is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The full ref name: the remote-tracking branch where there is one.
    pub reference: String,
    /// Its tip.
    pub oid: Oid,
}

/// Finds the policy that judges in this repository.
///
/// The base's name stands in the policy, and the policy in the base. So the first candidate that has
/// a policy is asked: `lane.base` (which `git lane install` writes), the remote's HEAD, `main`,
/// `master`; if its policy names another base, that one's policy counts. Only where none has a
/// policy is the local base branch's taken, and after that the worktree's own.
///
/// # Errors
/// No policy, one that cannot be read, or one with mistakes.
pub fn find(repo: &dyn Repository) -> Result<LoadedPolicy, Error> {
    load_cached(repo, CacheUse::Afresh)
}

/// The same for the hooks of a commit: the policy's text need not be parsed again for each of them.
///
/// # Errors
/// As [`find`].
pub fn find_for_commit(repo: &dyn Repository) -> Result<LoadedPolicy, Error> {
    load_cached(repo, CacheUse::Kept)
}

/// The policy as [`find_for_commit`] finds it; `None` where there is none, and nothing is to be judged.
///
/// # Errors
/// It cannot be read, or has mistakes.
pub fn find_if_any(repo: &dyn Repository) -> Result<Option<LoadedPolicy>, Error> {
    let Some((source, oid, base)) = find_source(repo)? else {
        return Ok(None);
    };
    resolve_base(repo, source, oid, base.as_ref(), CacheUse::Kept).map(Some)
}

/// The first policy that there is: its text, its blob, and the base that it was found on.
fn find_source(repo: &dyn Repository) -> Result<Option<(Source, Oid, Option<Base>)>, Error> {
    let remote = repo.config("lane.remote")?.pop().unwrap_or_else(|| "origin".to_owned());
    for name in candidates(repo, &remote)? {
        let Some(base) = base(repo, &remote, &name)? else {
            continue;
        };
        let Some((source, oid)) = in_commit(repo, &base)? else {
            continue;
        };
        return Ok(Some((source, oid, Some(base))));
    }
    // The remote does not have it yet, but the local base branch does: then that one is in force.
    for name in candidates(repo, &remote)? {
        let reference = format!("refs/heads/{name}");
        if let Some(oid) = repo.find_ref(&reference)?
            && let Some((source, oid)) = in_commit(repo, &Base { reference, oid })?
        {
            return Ok(Some((source, oid, None)));
        }
    }
    let Some(root) = &repo.layout().worktree else {
        return Ok(None);
    };
    let Some(source) = in_file(&root.join(FILE), FILE, false)? else {
        return Ok(None);
    };
    let oid = repo.blob_id(source.text.as_bytes())?;
    let files = FolderFiles::new(Some(repo), root.clone(), FILE, FILE);
    let (source, oid) = with_others(repo, source, oid, FILE, &files)?;
    Ok(Some((source, oid, None)))
}

fn load_cached(repo: &dyn Repository, parsed: CacheUse) -> Result<LoadedPolicy, Error> {
    let Some((source, oid, base)) = find_source(repo)? else {
        let remote = repo.config("lane.remote")?.pop().unwrap_or_else(|| "origin".to_owned());
        return Err(no_policy(repo, &remote));
    };
    resolve_base(repo, source, oid, base.as_ref(), parsed)
}

/// The policy that was found, unless it names another base that has one of its own. `from`: the base
/// that it was found on, if it was one.
fn resolve_base(
    repo: &dyn Repository,
    source: Source,
    oid: Oid,
    from: Option<&Base>,
    parsed: CacheUse,
) -> Result<LoadedPolicy, Error> {
    let fold = folds_case(repo)?;
    let load = |source, oid| parsed_policy::load(repo.layout(), source, oid, fold, parsed);
    let mut oid = oid;
    let (mut plan, mut fresh) = load(source, oid)?;
    let (remote, named) = (&plan.policy.remote.value, &plan.policy.base.value);
    let tracking = format!("refs/remotes/{remote}/{named}");
    let base = match from.filter(|from| from.reference == tracking) {
        Some(from) => Some(from.clone()), // as nearly always: no need to look it up once more
        None => base(repo, remote, named)?,
    };
    let is_elsewhere = |base: &&Base| from.is_none_or(|from| from.reference != base.reference);
    if let Some(other) = base.as_ref().filter(is_elsewhere)
        && let Some((source, its_oid)) = in_commit(repo, other)?
    {
        // The first one only said where to look, and is not kept: it would take the place of this one each time.
        oid = its_oid;
        (plan, fresh) = load(source, oid)?;
    }
    if let Some(fresh) = fresh {
        fresh.keep();
    }
    Ok(LoadedPolicy { plan, oid: Some(oid), base })
}

/// The policy in the working tree, whatever it is worth; `None` where there is none.
///
/// # Errors
/// It cannot be read.
pub fn in_worktree(repo: &dyn Repository) -> Read<Option<Source>> {
    let Some(root) = &repo.layout().worktree else { return Ok(None) };
    let source = in_file(&root.join(FILE), FILE, true)?;
    let files = FolderFiles::new(None, root.clone(), FILE, FILE);
    source.map(|source| compose(source, FILE, &files)).transpose()
}

/// Reads a policy from a file, for trying one out.
///
/// # Errors
/// It is not there, cannot be read, or has mistakes.
pub fn from_file(repo: Option<&dyn Repository>, path: &Path) -> Result<LoadedPolicy, Error> {
    let name = path.display().to_string();
    let source = in_file(path, &name, true)?.ok_or_else(|| {
        Unavailable::new(
            format!("no policy file {name}"),
            "check the path, or write a first policy with `git lane init`",
        )
    })?;
    let (root, own) = root_of(repo, path);
    let files = FolderFiles::new(repo, root, &name, &own);
    let Some(repo) = repo else {
        let plan = policy::load(compose(source, &own, &files)?, false)?;
        return Ok(LoadedPolicy { plan, oid: None, base: None });
    };
    let oid = repo.blob_id(source.text.as_bytes())?;
    let (source, oid) = with_others(repo, source, oid, &own, &files)?;
    let plan = policy::load(source, folds_case(repo)?)?;
    let base = base(repo, &plan.policy.remote.value, &plan.policy.base.value)?;
    Ok(LoadedPolicy { plan, oid: Some(oid), base })
}

/// A policy that stands nowhere yet, with the base that it names.
///
/// # Errors
/// The refs cannot be read.
pub fn of_plan(repo: &dyn Repository, plan: Plan) -> Read<LoadedPolicy> {
    let base = base(repo, &plan.policy.remote.value, &plan.policy.base.value)?;
    Ok(LoadedPolicy { plan, oid: None, base })
}

/// Reads a policy from a commit: `main:policy.yaml`. `name`: what messages call it.
///
/// # Errors
/// It is not there, cannot be read, or has mistakes.
pub fn from_commit(
    repo: &dyn Repository,
    commit: Oid,
    path: &str,
    name: &str,
) -> Result<LoadedPolicy, Error> {
    let Some((source, oid)) = in_tree(repo, repo.commit(commit)?.tree, path, name)? else {
        let help = "check the path, which begins at the root of the repository";
        return Err(Unavailable::new(format!("no policy file {name}"), help).into());
    };
    let plan = policy::load(source, folds_case(repo)?)?;
    let base = base(repo, &plan.policy.remote.value, &plan.policy.base.value)?;
    Ok(LoadedPolicy { plan, oid: Some(oid), base })
}

/// The policy that judges what lands on a base, as it is on that base now. A base other than the policy's own speaks for
/// itself where both of them protect it by its name, as in a policy job.
///
/// # Errors
/// It cannot be read, or has mistakes.
pub fn on_base(repo: &dyn Repository, main: Base, name: &str, base: Base) -> Result<LoadedPolicy, Error> {
    let fold = folds_case(repo)?;
    let load = |at: &Base| -> Result<Option<(Plan, Oid)>, Error> {
        match in_commit(repo, at)? {
            Some((source, oid)) => Ok(Some((policy::load(source, fold)?, oid))),
            None => Ok(None),
        }
    };
    let protects = |plan: &Plan| plan.policy.branch.protected.iter().any(|listed| listed.value == name);
    let Some((plan, oid)) = load(&main)? else {
        return Err(no_policy(repo, &main.reference));
    };
    if base.reference != main.reference
        && protects(&plan)
        && let Some((own, oid)) = load(&base)?
        && protects(&own)
    {
        return Ok(LoadedPolicy { plan: own, oid: Some(oid), base: Some(base) });
    }
    Ok(LoadedPolicy { plan, oid: Some(oid), base: Some(base) })
}

/// The policy that a tree holds, where it can be used: by it a maintainer's repair of a broken one is judged.
///
/// # Errors
/// It cannot be read, or has mistakes itself.
pub fn repaired(repo: &dyn Repository, tree: Oid) -> Result<Option<LoadedPolicy>, Error> {
    let Some((source, oid)) = in_tree(repo, tree, FILE, FILE)? else {
        return Ok(None);
    };
    let plan = policy::load(source, folds_case(repo)?)?;
    let base = base(repo, &plan.policy.remote.value, &plan.policy.base.value)?;
    Ok(Some(LoadedPolicy { plan, oid: Some(oid), base }))
}

fn no_policy(repo: &dyn Repository, remote: &str) -> Error {
    let place = match &repo.layout().worktree {
        Some(root) => format!(" nor in {}", root.display()),
        None => String::new(),
    };
    Unavailable::new(
        format!("no {FILE} on the base branch (of {remote}, or here){place}"),
        "write a first one with `git lane init`, and commit it to the base branch",
    )
    .into()
}

pub(super) fn folds_case(repo: &dyn Repository) -> Read<bool> {
    config_bool(repo, "core.ignoreCase")
}

fn candidates(repo: &dyn Repository, remote: &str) -> Read<Vec<String>> {
    if let Some(name) = repo.config("lane.base")?.pop() {
        return Ok(vec![name]);
    }
    let mut names = Vec::new();
    let prefix = format!("refs/remotes/{remote}/");
    if let Some(target) = repo.symbolic_ref(&format!("{prefix}HEAD"))?
        && let Some(name) = target.strip_prefix(&prefix)
    {
        names.push(name.to_owned());
    }
    for name in ["main", "master"] {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// The base that a repository without a policy most likely has.
///
/// # Errors
/// Its refs cannot be read.
pub fn default_base(repo: &dyn Repository, remote: &str) -> Read<String> {
    for name in candidates(repo, remote)? {
        if base(repo, remote, &name)?.is_some() {
            return Ok(name);
        }
    }
    let current = repo.head()?.branch;
    let current = current.as_deref().and_then(|name| name.strip_prefix("refs/heads/"));
    Ok(current.unwrap_or("main").to_owned())
}

/// The base branch: as the remote had it last, or else the local one.
fn base(repo: &dyn Repository, remote: &str, name: &str) -> Read<Option<Base>> {
    for reference in [format!("refs/remotes/{remote}/{name}"), format!("refs/heads/{name}")] {
        if let Some(oid) = repo.find_ref(&reference)? {
            return Ok(Some(Base { reference, oid }));
        }
    }
    Ok(None)
}

pub(super) fn in_commit(repo: &dyn Repository, base: &Base) -> Read<Option<(Source, Oid)>> {
    let tree = repo.commit(base.oid)?.tree;
    // What is on the base was judged when it came there.
    let name = format!("{}:{FILE}", base.reference);
    let Some(oid) = entry_of(repo, tree, FILE, &name)? else {
        return Ok(None);
    };
    let (source, oid) = read(repo, oid, &name)?;
    with_others(repo, source, oid, FILE, &TreeFiles::new(repo, tree, &name, FILE)).map(Some)
}

/// The policy that a tree has at a path, which may be of any size. `name`: what messages call it.
pub(super) fn in_tree(
    repo: &dyn Repository,
    tree: Oid,
    path: &str,
    name: &str,
) -> Read<Option<(Source, Oid)>> {
    let Some((source, oid)) = file_in_tree(repo, tree, path, name)? else {
        return Ok(None);
    };
    with_others(repo, source, oid, path, &TreeFiles::new(repo, tree, name, path)).map(Some)
}

/// A file of a tree by itself, which may be of any size. `name`: what messages call it.
pub(super) fn file_in_tree(
    repo: &dyn Repository,
    tree: Oid,
    path: &str,
    name: &str,
) -> Read<Option<(Source, Oid)>> {
    let Some(oid) = entry_of(repo, tree, path, name)? else {
        return Ok(None);
    };
    check_size(name, repo.size(oid)?)?;
    read(repo, oid, name).map(Some)
}

/// The plain file of a name at the root of a tree.
fn entry_of(repo: &dyn Repository, tree: Oid, path: &str, name: &str) -> Read<Option<Oid>> {
    let Some(entry) = find_in_tree(repo, tree, path.as_bytes())? else {
        return Ok(None);
    };
    match entry.mode {
        0o100_644 | 0o100_755 => Ok(Some(entry.oid)),
        0o120_000 => Err(not_plain(name, "a symbolic link")),
        FOLDER => Err(not_plain(name, "a folder")),
        _ => Err(not_plain(name, "not a regular file")),
    }
}

fn read(repo: &dyn Repository, oid: Oid, name: &str) -> Read<(Source, Oid)> {
    Ok((Source::new(name, text(name, repo.blob(oid)?)?), oid))
}

fn in_file(path: &Path, name: &str, follow_links: bool) -> Read<Option<Source>> {
    let data = if follow_links { std::fs::metadata(path) } else { std::fs::symlink_metadata(path) };
    let cannot = |error: &std::io::Error| {
        Unavailable::new(format!("{name} cannot be read: {error}"), "check its permissions")
    };
    match data {
        Ok(data) if data.is_symlink() => return Err(not_plain(name, "a symbolic link")),
        Ok(data) if data.is_dir() => return Err(not_plain(name, "a folder")),
        Ok(data) if !data.is_file() => return Err(not_plain(name, "not a regular file")),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cannot(&error)),
    }
    let bytes = std::fs::read(path).map_err(|error| cannot(&error))?;
    let text = text(name, bytes)?;
    Ok(Some(Source::new(name, text)))
}

fn not_plain(name: &str, kind: &str) -> Unavailable {
    Unavailable::new(
        format!("{name} is {kind}"),
        "the policy must be a regular file at the root of the repository",
    )
    .because(Cause::Policy)
}

fn check_size(name: &str, bytes: usize) -> Read<()> {
    if bytes > LARGEST {
        return Err(Unavailable::new(
            format!("{name} has {bytes} bytes; the limit for a policy is {LARGEST}"),
            "is this the right file?",
        )
        .because(Cause::Policy));
    }
    Ok(())
}

fn text(name: &str, bytes: Vec<u8>) -> Read<String> {
    check_size(name, bytes.len())?;
    String::from_utf8(bytes).map_err(|_| {
        Unavailable::new(format!("{name} is not UTF-8"), "save it as UTF-8").because(Cause::Policy)
    })
}
