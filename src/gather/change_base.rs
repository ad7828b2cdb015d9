//! The base of a change: the protected branch that it was cut from.

use std::collections::HashSet;

use super::policy_source::{Base, LoadedPolicy};
use lane_core::facts::Oid;
use lane_core::policy::Plan;
use lane_git::{Read, Repository};

/// Where refs of remotes lie.
const REMOTES: &str = "refs/remotes/";

/// Which branches may be the base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BaseChoice {
    /// The nearest one.
    Nearest,
    /// Only the one that was named. Of the others those count that the policy protects by their own names: on a host
    /// without our hook anybody may make a branch that a pattern protects.
    Given,
}

/// What a change grew from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// The protected branch that it is to be merged into.
    pub(super) base: Base,
    /// Where it left that branch; `None` where they share no history.
    pub(super) merge_base: Option<Oid>,
    /// The last commits of other protected branches that it has and its base lacks: not a breach.
    pub(super) merged_in: Vec<Oid>,
}

/// Finds the base of what `tips` add: the protected branch that their first parents lead to first, and `base` where that
/// has the same commit.
///
/// # Errors
/// Refs or history cannot be read.
pub(super) fn find(
    repo: &dyn Repository,
    plan: &Plan,
    base: &Base,
    tips: &[Oid],
    choice: BaseChoice,
) -> Read<Origin> {
    let merge_base = repo.merge_base(base.oid, tips)?;
    let plain = Origin { base: base.clone(), merge_base, merged_in: Vec::new() };
    if tips.iter().all(|tip| Some(*tip) == merge_base) {
        return Ok(plain);
    }
    let others = others(repo, plan, base, choice)?;
    if others.is_empty() {
        return Ok(plain);
    }
    let search = Search { repo, tips, base, others };
    // Whatever their number is, one walk says whether any of the others has a part in it.
    let rest: HashSet<Oid> =
        search.beyond(search.others.iter().map(|other| other.oid))?.into_iter().collect();
    let edge = search.edge(&rest)?;
    if edge.iter().all(|oid| Some(*oid) == merge_base) {
        return Ok(plain);
    }
    let own: HashSet<Oid> = search.beyond(std::iter::empty())?.into_iter().collect();
    if own.len() == rest.len() {
        return Ok(plain);
    }
    // What was cut from another branch than the one it is proposed to brings all of that branch there.
    if choice == BaseChoice::Given && edge.iter().all(|oid| own.contains(oid)) {
        return Ok(plain);
    }
    let nearest = match choice {
        BaseChoice::Nearest => search.nearest(&own, &rest)?,
        BaseChoice::Given => None,
    };
    // What has taken in more of the base than that branch has stands for the base: a merge that keeps the other side
    // would take back what the base has.
    let is_beyond = |nearest: &Base| -> Read<bool> {
        Ok(match merge_base {
            Some(oid) => !repo.commits(&[oid], &[nearest.oid])?.is_empty(),
            None => false,
        })
    };
    let base = match nearest {
        Some(nearest) if !is_beyond(&nearest)? => nearest,
        _ => base.clone(),
    };
    let merge_base = repo.merge_base(base.oid, tips)?;
    let merged_in = without_contained(repo, edge, base.oid)?;
    Ok(Origin { base, merge_base, merged_in })
}

/// Those commits that neither the base has nor another one of them.
fn without_contained(repo: &dyn Repository, mut commits: Vec<Oid>, base: Oid) -> Read<Vec<Oid>> {
    let mut at = 0;
    while let Some(oid) = commits.get(at) {
        let known = commits.iter().filter(|other| *other != oid).chain([&base]);
        if repo.commits(&[*oid], &known.copied().collect::<Vec<_>>())?.is_empty() {
            commits.remove(at);
        } else {
            at += 1;
        }
    }
    Ok(commits)
}

/// The base of a branch that is here, to rebase it on and to propose it to. Where the policy's base and another protected
/// branch have the commit that it was cut from, its upstream decides: the verdict is the same.
///
/// # Errors
/// Refs or history cannot be read.
pub fn of_branch(repo: &dyn Repository, loaded: &LoadedPolicy, branch: &str, tip: Oid) -> Read<Option<Base>> {
    let (plan, Some(base)) = (&loaded.plan, &loaded.base) else {
        return Ok(None);
    };
    let origin = find(repo, plan, base, &[tip], BaseChoice::Nearest)?;
    let upstream = repo.config(&format!("branch.{branch}.merge"))?.pop();
    let remote = repo.config(&format!("branch.{branch}.remote"))?.pop();
    let name = upstream.as_deref().and_then(|name| name.strip_prefix("refs/heads/"));
    if let Some(name) = name.filter(|name| plan.protected(name).is_some())
        && remote.as_ref() == Some(&plan.policy.remote.value)
    {
        let reference = format!("{REMOTES}{}/{name}", plan.policy.remote.value);
        if let Some(oid) = repo.find_ref(&reference)?
            && repo.merge_base(oid, &[tip])? == origin.merge_base
        {
            return Ok(Some(Base { reference, oid }));
        }
    }
    Ok(Some(origin.base))
}

/// The protected branch that a change was cut from and is not proposed to: it brings all of that branch along.
///
/// # Errors
/// Refs or history cannot be read.
pub(super) fn origin_branch(
    repo: &dyn Repository,
    plan: &Plan,
    base: &Base,
    tip: Oid,
) -> Read<Option<String>> {
    let origin = find(repo, plan, base, &[tip], BaseChoice::Nearest)?;
    let name = ["refs/heads/".to_owned(), format!("{REMOTES}{}/", plan.policy.remote.value)];
    let short = name.iter().find_map(|prefix| origin.base.reference.strip_prefix(prefix.as_str()));
    Ok(short.filter(|_| origin.base.oid != base.oid).map(str::to_owned))
}

/// The protected branches besides `base` that lie where it lies.
fn others(repo: &dyn Repository, plan: &Plan, base: &Base, choice: BaseChoice) -> Read<Vec<Base>> {
    let policy = &plan.policy;
    let tracking = format!("{REMOTES}{}/", policy.remote.value);
    let is_tracking = choice == BaseChoice::Given || base.reference.starts_with(&tracking);
    let prefix = if is_tracking { tracking } else { "refs/heads/".to_owned() };
    let mut names: Vec<String> = Vec::new();
    for name in std::iter::once(&policy.base).chain(&policy.branch.protected) {
        match name.value.find(['*', '?', '[', '\\']) {
            None => names.push(format!("{prefix}{}", name.value)),
            Some(_) if choice == BaseChoice::Given => {}
            Some(at) => {
                let found = repo.ref_names(&format!("{prefix}{}", &name.value[..at]))?;
                names.extend(found.into_iter().filter(|found| {
                    let short = found.strip_prefix(&prefix);
                    short.is_some_and(|short| plan.protected(short).is_some())
                }));
            }
        }
    }
    let mut seen = HashSet::from([base.reference.clone()]);
    let mut others = Vec::new();
    for reference in names {
        if seen.insert(reference.clone())
            && let Some(oid) = repo.find_ref(&reference)?.filter(|oid| *oid != base.oid)
        {
            others.push(Base { reference, oid });
        }
    }
    Ok(others)
}

struct Search<'a> {
    repo: &'a dyn Repository,
    tips: &'a [Oid],
    base: &'a Base,
    others: Vec<Base>,
}

impl Search<'_> {
    /// The commits that neither the base has nor what is named.
    fn beyond(&self, exclude: impl Iterator<Item = Oid>) -> Read<Vec<Oid>> {
        let exclude: Vec<Oid> = std::iter::once(self.base.oid).chain(exclude).collect();
        self.repo.commits(self.tips, &exclude)
    }

    /// The first commits that are no longer part of `rest`, on any way down.
    fn edge(&self, rest: &HashSet<Oid>) -> Read<Vec<Oid>> {
        let mut edge: Vec<Oid> = self.tips.iter().copied().filter(|tip| !rest.contains(tip)).collect();
        for oid in rest {
            edge.extend(self.repo.commit(*oid)?.parents.into_iter().filter(|parent| !rest.contains(parent)));
        }
        edge.sort_unstable();
        edge.dedup();
        Ok(edge)
    }

    /// The branch that the change was cut from, if that is not the base: what was merged in came by other parents than
    /// the first. Where several branches have that commit, the one that leaves the fewest others to the change.
    fn nearest(&self, own: &HashSet<Oid>, rest: &HashSet<Oid>) -> Read<Option<Base>> {
        let mut at = self.tips.first().copied();
        while let Some(oid) = at.filter(|oid| rest.contains(oid)) {
            at = self.repo.commit(oid)?.parents.first().copied();
        }
        let Some(oid) = at.filter(|oid| own.contains(oid)) else {
            return Ok(None);
        };
        // One that stands there still says more than those that have moved on.
        let stands = self.others.iter().filter(|other| other.oid == oid);
        let mut best: Option<(usize, &Base)> = None;
        let mut seen = HashSet::new();
        for other in
            stands.chain(self.bases_reaching(oid, &self.others)?).filter(|other| seen.insert(other.oid))
        {
            let count = self.repo.commits(self.tips, &[other.oid])?.len();
            if best.is_none_or(|(least, _)| count < least) {
                best = Some((count, other));
            }
        }
        Ok(best.map(|(_, other)| other.clone()))
    }

    /// Those of some branches that have a commit, halving what is left.
    fn bases_reaching<'b>(&self, oid: Oid, among: &'b [Base]) -> Read<Vec<&'b Base>> {
        let tips: Vec<Oid> = among.iter().map(|other| other.oid).collect();
        if among.is_empty() || !self.repo.commits(&[oid], &tips)?.is_empty() {
            return Ok(Vec::new());
        }
        match among {
            [one] => Ok(vec![one]),
            _ => {
                let (left, right) = among.split_at(among.len() / 2);
                let mut found = self.bases_reaching(oid, left)?;
                found.extend(self.bases_reaching(oid, right)?);
                Ok(found)
            }
        }
    }
}
