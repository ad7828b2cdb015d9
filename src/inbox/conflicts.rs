//! Conflicts to come between branches: those that `git lane conflicts` lists.

use std::time::Duration;

use super::{Cache, Source, View};
use crate::conflicts::{Forecast, forecast};
use crate::status::{Merge, merges};
use lane_core::error::Error;
use lane_core::facts::{Oid, RepoPath};
use lane_core::inbox::overlaps::Overlap;
use lane_core::inbox::{CONFLICT, Notice};

pub(super) const SOURCE: Source = Source { kinds: &[&CONFLICT], read };

/// How long all merges together may take.
const MERGES: Duration = Duration::from_secs(10);

fn read(view: &mut View<'_>, cache: &mut Cache) -> Result<Vec<Notice>, Error> {
    let (repo, loaded, audience) = (view.repo, view.loaded, view.audience);
    // A side is called like its agent, and where an agent has several, with the branch.
    let agent_of = |side: &str| {
        let is_its = |agent: &&String| {
            side.strip_prefix(agent.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(" ("))
        };
        audience.agents.iter().find(is_its).map(String::as_str)
    };
    let heads = view.heads()?;
    let is_partly_unread = heads.iter().any(|line| line.unread().is_some());
    let mut merges = merges(repo, loaded, heads);
    if is_partly_unread {
        view.unknown.push(CONFLICT.word);
    }
    merges.retain(|merge| {
        audience.is_all
            || agent_of(&merge.one).is_some()
            || agent_of(&merge.two).is_some_and(|_| !merge.is_into)
    });
    let tips: Vec<(Oid, Oid)> = merges.iter().map(|merge| merge.tips).collect();
    cache
        .forecasts
        .retain(|known, forecast| tips.contains(known) && !matches!(forecast, Forecast::Unknown(_)));
    let open: Vec<(Oid, Oid)> =
        tips.iter().copied().filter(|tips| !cache.forecasts.contains_key(tips)).collect();
    let found = forecast(repo, &open, MERGES);
    cache.forecasts.extend(open.into_iter().zip(found));
    let mut notices = Vec::new();
    for Merge { one, two, tips, is_into } in &merges {
        let files: Vec<RepoPath> = match cache.forecasts.get(tips) {
            Some(Forecast::Conflicts(files)) => files.iter().map(|file| file.path.clone()).collect(),
            Some(Forecast::Clean) => continue,
            Some(Forecast::Unknown(_)) | None => {
                view.unknown.push(CONFLICT.word);
                continue;
            }
        };
        let is_second = agent_of(one).is_none() && !is_into && agent_of(two).is_some();
        let (one, two) = if is_second { (two, one) } else { (one, two) };
        let time = |oid| repo.commit(oid).map(|commit| commit.time);
        let since = time(tips.0)?.max(time(tips.1)?);
        let overlap = Overlap { agent: agent_of(one), one, two, is_base: *is_into, files: &files, since };
        notices.push(overlap.notice());
    }
    Ok(notices)
}
