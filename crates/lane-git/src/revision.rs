//! Names of commits as people type them. git takes a short name for a tag before it takes it for a branch, so that a tag
//! `feat/a1/x` or `origin/main` stands in for the branch of that name; here a branch is meant first, and a full name
//! or an id means nothing else.

use super::repository::{Read, Repository};
use lane_core::facts::Oid;

/// What follows a name: gitrevisions(7), `~2`, `^{commit}`, `@{upstream}`.
const SUFFIXES: [char; 2] = ['~', '^'];

/// The full names of the refs that somebody may mean who types a name, the most likely first.
pub fn candidate_refs(remote: &str, typed: &str) -> Vec<String> {
    let tracking = |branch: &str| format!("refs/remotes/{remote}/{branch}");
    let below = typed.strip_prefix(remote).and_then(|rest| rest.strip_prefix('/'));
    match below {
        _ if Oid::from_hex(typed).is_some() => Vec::new(),
        _ if typed.starts_with("refs/") => vec![typed.to_owned()],
        Some(branch) => vec![tracking(branch), format!("refs/heads/{typed}")],
        None => vec![format!("refs/heads/{typed}"), tracking(typed), format!("refs/remotes/{typed}")],
    }
}

/// The full name of the ref that a typed name means, if it means a branch.
///
/// # Errors
/// The refs cannot be read.
pub fn branch_of(repo: &dyn Repository, typed: &str) -> Read<Option<String>> {
    // HEAD and its like are not branches, and no branch takes their place.
    let is_special =
        typed.is_empty() || typed.starts_with('@') || typed.ends_with("HEAD") && !typed.contains('/');
    if is_special {
        return Ok(None);
    }
    let remote = repo.config("lane.remote")?.pop().unwrap_or_else(|| "origin".to_owned());
    for name in candidate_refs(&remote, typed) {
        if repo.find_ref(&name)?.is_some() {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// The commit that a typed expression means, a branch before a tag of the same name.
///
/// # Errors
/// It means none.
pub fn resolve(repo: &dyn Repository, expression: &str) -> Read<Oid> {
    let at = expression.find(SUFFIXES).into_iter().chain(expression.find("@{")).min();
    let (name, suffix) = expression.split_at(at.unwrap_or(expression.len()));
    match branch_of(repo, name)? {
        Some(full) => repo.resolve(&format!("{full}{suffix}")),
        None => repo.resolve(expression),
    }
}

/// Whether git takes the short name of a branch's ref for another ref: gitrevisions(7).
///
/// # Errors
/// The refs cannot be read.
pub fn is_shadowed(repo: &dyn Repository, reference: &str) -> Read<bool> {
    let (short, is_tracking) = match reference.strip_prefix("refs/remotes/") {
        Some(short) => (short, true),
        None => (reference.strip_prefix("refs/heads/").unwrap_or(reference), false),
    };
    let mut before = vec![format!("refs/{short}"), format!("refs/tags/{short}")];
    if is_tracking {
        before.push(format!("refs/heads/{short}"));
    }
    for name in before {
        if repo.ref_target(&name)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::candidate_refs;

    #[test]
    fn names() {
        assert_eq!(candidate_refs("origin", "main")[..2], ["refs/heads/main", "refs/remotes/origin/main"]);
        assert_eq!(
            candidate_refs("origin", "origin/main"),
            ["refs/remotes/origin/main", "refs/heads/origin/main"]
        );
        assert_eq!(candidate_refs("origin", "refs/tags/main"), ["refs/tags/main"]);
        assert!(candidate_refs("origin", &"1".repeat(40)).is_empty());
    }
}
