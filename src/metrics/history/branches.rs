//! Branches that are not merged: how far they are from the base, and since when.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::super::Query;
use super::base_name;
use super::walk::root_of;
use crate::gather::Base;
use lane_core::facts::{Message, Oid, Unavailable};
use lane_core::identity::of_branch;
use lane_core::metrics::{Metrics, Missing, OpenBranch};
use lane_core::text::plain;
use lane_git::{GitRepo, Read, Repository, pool};

/// How long all of them may take together.
const PATIENCE: Duration = Duration::from_secs(20);

/// Puts the open branches into the report.
pub fn read(query: &Query, base: &Base, metrics: &mut Metrics) {
    let started = Instant::now();
    let named = match open(query) {
        Ok(named) => named,
        Err(why) => return metrics.missing.push(missing(why)),
    };
    let wanted: Vec<(String, Oid)> = named
        .into_iter()
        .filter(|(name, _)| query.agent.is_none() || of_branch(query.plan, short(query, name)) == query.agent)
        .collect();
    let (root, plan, line) = (root_of(query.repo), query.plan, base_name(query));
    let found = pool::map(&wanted, |(name, tip)| -> Read<Option<OpenBranch>> {
        if started.elapsed() > PATIENCE {
            return Err(Unavailable::new(
                "comparing branches with the base took too long",
                "delete those that are merged",
            ));
        }
        let repo = GitRepo::open_at(&root)?;
        let ahead = repo.commits(&[*tip], &[base.oid])?.len();
        if ahead == 0 {
            return Ok(None);
        }
        let lacking: HashSet<Oid> = repo.commits(&[base.oid], &[*tip])?.into_iter().collect();
        let mut at = Some(base.oid);
        let mut stale_since = None;
        while let Some(oid) = at.filter(|oid| lacking.contains(oid)) {
            let commit = repo.commit(oid)?;
            stale_since = Some(commit.time);
            at = line.line_parent(&commit.parents, &Message { text: commit.message });
        }
        let agent = of_branch(plan, name.strip_prefix(&format!("{}/", line.remote)).unwrap_or(name));
        Ok(Some(OpenBranch {
            branch: plain(name),
            agent: agent.map(str::to_owned),
            behind: lacking.len(),
            ahead,
            stale_since,
            last_commit_at: repo.commit(*tip)?.time,
        }))
    });
    let mut failed = None;
    for branch in found {
        match branch {
            Ok(branch) => metrics.branches.extend(branch),
            Err(why) => failed = Some(why),
        }
    }
    metrics.missing.extend(failed.map(missing));
    metrics.branches.sort_by(|a, b| b.behind.cmp(&a.behind).then_with(|| a.branch.cmp(&b.branch)));
}

/// The branches of the remote and those that are here alone, by their short names, protected ones left out. A branch
/// that the remote has, too, is told once: as it is here, where that is another commit, it has what is not pushed yet.
///
/// # Errors
/// The refs cannot be read.
pub fn open(query: &Query) -> Read<Vec<(String, Oid)>> {
    let mut found: Vec<(String, Oid)> = Vec::new();
    let tracking = format!("refs/remotes/{}/", query.plan.policy.remote.value);
    for prefix in ["refs/heads/", tracking.as_str()] {
        for reference in query.repo.ref_names(prefix)? {
            let Some(name) = reference.strip_prefix(prefix) else { continue };
            let is_base = name == query.plan.policy.base.value || name == "HEAD";
            let is_known = || prefix == tracking && found.iter().any(|(known, _)| known == name);
            if is_base || query.plan.protected(name).is_some() || is_known() {
                continue;
            }
            if let Some(tip) = query.repo.find_ref(&reference)? {
                let shown = if prefix == tracking { &reference["refs/remotes/".len()..] } else { name };
                found.push((shown.to_owned(), tip));
            }
        }
    }
    Ok(found)
}

/// The name of a branch without that of the remote.
pub fn short<'n>(query: &Query, name: &'n str) -> &'n str {
    let remote = &query.plan.policy.remote.value;
    name.strip_prefix(remote.as_str()).and_then(|rest| rest.strip_prefix('/')).unwrap_or(name)
}

fn missing(why: Unavailable) -> Missing {
    Missing {
        what: "branches".to_owned(),
        reason: format!("not all branches could be read: {}", why.reason),
        help: why.help,
    }
}
