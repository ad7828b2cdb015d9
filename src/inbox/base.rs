//! Work that landed on the base under a lock that somebody holds, and that the holder's branch does not have.

use std::collections::BTreeSet;

use super::{Cache, Source, View};
use crate::gather::landed_paths::{missing_in, newest_change, version_at};
use crate::status::base_of;
use lane_core::error::Error;
use lane_core::facts::{Oid, RepoPath};
use lane_core::inbox::landed::Landing;
use lane_core::inbox::{BASE_MOVED, Notice};
use lane_core::locks::record::Lease;

pub(super) const SOURCE: Source = Source { kinds: &[&BASE_MOVED], read };

fn read(view: &mut View<'_>, _: &mut Cache) -> Result<Vec<Notice>, Error> {
    let mut found = Vec::new();
    for agent in &view.audience.agents {
        let leases = view.leases(agent);
        if leases.is_empty() {
            continue;
        }
        let line = view.heads()?.iter().find(|line| line.agent.as_ref() == Some(agent)).cloned();
        let Some((branch, head)) = line.and_then(|line| Some((line.branch.unwrap_or_default(), line.head?)))
        else {
            continue;
        };
        let own = || Some((view.loaded.plan.policy.base.value.clone(), view.loaded.base.as_ref()?.oid));
        let base = base_of(view.repo, view.loaded, &branch, head)?.or_else(own);
        let Some((name, base)) = base.filter(|(_, base)| *base != head) else { continue };
        for (area, lease) in leases {
            found.extend(landing(view, agent, (&area, &lease), (&name, base), head)?);
        }
    }
    Ok(found)
}

fn landing(
    view: &View<'_>,
    agent: &str,
    (area, lease): (&str, &Lease),
    (name, base): (&str, Oid),
    head: Oid,
) -> Result<Option<Notice>, Error> {
    let scope = lease.stake.scope_in(area);
    let paths = missing_in(view.repo, &view.loaded.plan, base, head, &[&scope])?;
    if paths.is_empty() {
        return Ok(None);
    }
    let newest = newest_change(view.repo, base, head, &paths)?;
    let files = versions(view, base, &paths)?;
    let landing = Landing { agent, scope: &lease.stake.scope, base: name, files: &files, newest };
    Ok(landing.notice(view.options.now))
}

fn versions(
    view: &View<'_>,
    base: Oid,
    paths: &BTreeSet<RepoPath>,
) -> Result<Vec<(RepoPath, Option<Oid>)>, Error> {
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        files.push((path.clone(), version_at(view.repo, base, path)?.map(|version| version.oid)));
    }
    Ok(files)
}
