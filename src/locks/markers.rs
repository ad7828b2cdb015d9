//! The files of the guide: `.locks/.<area>-lock-<agent>` in a worktree.
//!
//! One that somebody touched by hand is that agent's claim. One that git-lane wrote only shows a lock
//! which lies in git, so that `ls .locks/` tells the truth in every worktree.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::time::UNIX_EPOCH;

use lane_core::facts::{LockClaim, Unavailable};
use lane_core::locks::record::Lease;
use lane_core::locks::scope::file_name;
use lane_core::policy::{FILE, Policy, did_you_mean, unknown_agent};
use lane_git::Layout;
use lane_git::worktrees::worktrees;

/// The folder of markers in each worktree.
pub const LOCKS: &str = ".locks";

/// How every marker begins that only shows a lock.
const SHOWN: &str = "# git-lane shows a lock here; this file is not the lock\n";

/// How files begin that are being written.
const BESIDE: &str = ".shown.";

/// The claims that agents made by hand in any worktree, each made when its file was last touched.
///
/// # Errors
/// A folder of markers cannot be read; nobody then knows who holds what.
pub fn by_hand(layout: &Layout, policy: &Policy) -> Result<Vec<LockClaim>, Unavailable> {
    let mut claims = Vec::new();
    for worktree in worktrees(layout)? {
        in_worktree(&worktree.root, policy, &mut claims)?;
    }
    Ok(claims)
}

/// The claims that agents made by hand in one worktree.
///
/// # Errors
/// As for all.
pub fn in_worktree(root: &Path, policy: &Policy, claims: &mut Vec<LockClaim>) -> Result<(), Unavailable> {
    let folder = root.join(LOCKS);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(()),
        Err(error) => return Err(unreadable(&folder, &error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(&folder, &error))?;
        let name = entry.file_name();
        let Some((area, agent)) = name.to_str().and_then(|name| parse(name, policy)) else {
            continue;
        };
        let path = entry.path();
        if is_shown(&path) {
            continue;
        }
        let touched = match entry.metadata().and_then(|data| lane_os::touched(&data)) {
            Ok(time) => time,
            Err(error) if error.kind() == ErrorKind::NotFound => continue, // released just now
            Err(error) => return Err(unreadable(&path, &error)),
        };
        let since = touched.duration_since(UNIX_EPOCH).unwrap_or_default();
        claims.push(LockClaim {
            area: area.to_owned(),
            agent: agent.to_owned(),
            since: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            nanos: since.subsec_nanos(),
            place: root.display().to_string(),
        });
    }
    Ok(())
}

fn unreadable(path: &Path, error: &std::io::Error) -> Unavailable {
    Unavailable::new(format!("{} cannot be read: {error}", path.display()), "check its permissions")
}

fn parse<'p>(name: &str, policy: &'p Policy) -> Option<(&'p str, &'p str)> {
    let name = name.strip_prefix('.')?;
    policy.areas.iter().find_map(|area| {
        let agent = name.strip_prefix(area.name.value.as_str())?.strip_prefix("-lock-")?;
        let agent = policy.agent(agent)?;
        Some((area.name.value.as_str(), agent.id.value.as_str()))
    })
}

/// Files that look like claims and are none: they name no area, or no agent, of the policy. Each with why.
///
/// # Errors
/// The list of worktrees cannot be read.
pub fn unknown_markers(layout: &Layout, policy: &Policy) -> Result<Vec<(String, String)>, Unavailable> {
    let mut found = Vec::new();
    for tree in worktrees(layout)? {
        for entry in fs::read_dir(tree.root.join(LOCKS)).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some((area, agent)) = name.split_once("-lock-") else {
                continue;
            };
            if parse(&name, policy).is_some() || is_shown(&entry.path()) {
                continue;
            }
            let area = area.trim_start_matches('.');
            let areas = || policy.areas.iter().map(|area| area.name.value.as_str());
            let why = match (areas().any(|known| known == area), policy.agent(agent).is_some()) {
                (true, true) => format!("its name must start with a dot: .{area}-lock-{agent}"),
                (true, false) => {
                    format!("{}{}", unknown_agent(agent, FILE), name_hint(agent, policy.agent_ids()))
                }
                (false, _) => format!("unknown area `{area}`{}", name_hint(area, areas())),
            };
            found.push((entry.path().display().to_string(), why));
        }
    }
    found.sort();
    Ok(found)
}

fn name_hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    did_you_mean(name, known).map(|hint| format!("; {hint}")).unwrap_or_default()
}

fn is_shown(path: &Path) -> bool {
    // Opening a pipe would wait for whoever writes to it.
    if !is_plain(path) {
        return false;
    }
    let mut start = [0; SHOWN.len()];
    // What cannot be read is somebody's claim: nobody is taken to hold less than they do.
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == SHOWN.as_bytes()
}

fn is_plain(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|data| data.is_file())
}

/// A file that shows something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Marker {
    text: String,
    /// It shows a lock in git, which takes the place of its agent's manual claim; else it shows such a claim.
    is_lock: bool,
    /// The worktree in which it was touched by hand: where it is missing there, its holder has removed it.
    by_hand: Option<String>,
}

/// What the files of these locks, and of these manual claims, are called and say.
pub(super) fn expected_markers<'l>(
    leases: impl Iterator<Item = (&'l str, &'l Lease)>,
    claims: &[LockClaim],
    repository: Option<&str>,
) -> BTreeMap<String, Marker> {
    let file = |(area, lease): (&str, &Lease)| {
        let (stake, generation) = (&lease.stake, lease.generation);
        let since = jiff::Timestamp::from_second(lease.since).unwrap_or_default();
        let reason = lease.reason.as_ref().map(|reason| format!("why: {reason}\n")).unwrap_or_default();
        // Another repository may have a worktree of the same path.
        let is_ours = repository.is_some() && stake.repository.as_deref() == repository;
        let by_hand = lease.by_hand.clone().filter(|_| is_ours);
        let way_back = by_hand.as_ref().map(|place| format!("remove this file in {place} to release it\n"));
        let text = format!(
            "{SHOWN}{} holds {} (generation {generation}) since {since}, in {} on {}\n{reason}{}all locks: git lane locks\n",
            stake.agent,
            stake.scope,
            stake.worktree,
            stake.machine.host,
            way_back.unwrap_or_default()
        );
        (file_name(area, &stake.scope, &stake.agent), Marker { text, is_lock: true, by_hand })
    };
    let claimed = |LockClaim { area, agent, place, .. }: &LockClaim| {
        let text =
            format!("{SHOWN}{agent} claimed {area} manually in {place}/{LOCKS}\nall locks: git lane locks\n");
        (file_name(area, area, agent), Marker { text, is_lock: false, by_hand: None })
    };
    // A lock in git comes last, and so it is the one that is shown.
    claims.iter().map(claimed).chain(leases.map(file)).collect()
}

/// Makes the markers of all worktrees show these locks and no others. Claims made by hand stay, but for
/// those of an agent that holds the very lock by now.
///
/// # Errors
/// What could not be written, in words. The locks themselves are not touched by that.
pub(super) fn show(layout: &Layout, wanted: &BTreeMap<String, Marker>) -> Result<(), String> {
    let trees = worktrees(layout).map_err(|why| why.reason)?;
    let mut failed = None;
    for tree in trees {
        let folder = tree.root.join(LOCKS);
        if let Err(error) = show_in(&tree.root, wanted) {
            failed = Some(format!("{} does not show the current locks: {error}", folder.display()));
        }
    }
    failed.map_or(Ok(()), Err)
}

fn show_in(root: &Path, wanted: &BTreeMap<String, Marker>) -> std::io::Result<()> {
    let folder = &root.join(LOCKS);
    let is_removed = |name: &str, shown: &Marker| {
        let is_its = shown.by_hand.as_ref().is_some_and(|place| root.display().to_string() == *place);
        is_its && is_missing(&folder.join(name))
    };
    let wanted: BTreeMap<&String, &Marker> =
        wanted.iter().filter(|(name, shown)| !is_removed(name, shown)).collect();
    match fs::symlink_metadata(folder) {
        Ok(data) if data.is_dir() => {}
        // Something else of the user's, or a link that leads elsewhere: not ours to write to.
        Ok(_) => return Ok(()),
        Err(_) if wanted.is_empty() => return Ok(()),
        Err(_) => fs::create_dir(folder)?,
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_over = name.contains("-lock-")
            && !wanted.keys().any(|wanted| **wanted == name)
            && is_shown(&entry.path());
        // One shows at a time: whoever began this was killed.
        let is_half = name.strip_prefix(BESIDE).is_some_and(|id| id.parse::<u32>().is_ok());
        if is_over || (is_half && is_plain(&entry.path())) {
            let _ = fs::remove_file(entry.path()); // another process may have done so
        }
    }
    for (name, Marker { text, is_lock, .. }) in &wanted {
        let path = folder.join(name);
        let is_there = is_plain(&path) && fs::read(&path).is_ok_and(|now| now == text.as_bytes());
        if is_there || (!is_lock && path.exists() && !is_shown(&path)) {
            continue;
        }
        // An empty file, if only for an instant, would be a claim made by hand. Whatever lies under this name
        // is of one that was killed, or a link that leads elsewhere.
        let beside = folder.join(format!("{BESIDE}{}", std::process::id()));
        let _ = fs::remove_file(&beside);
        let written = fs::File::create_new(&beside).and_then(|mut file| file.write_all(text.as_bytes()));
        let written = written.and_then(|()| fs::rename(&beside, &path));
        if let Err(error) = written {
            let _ = fs::remove_file(&beside);
            return Err(error);
        }
    }
    let ignore = folder.join(".gitignore");
    // An empty one is of somebody who was killed over it: the markers would be files to commit.
    let is_whole = fs::symlink_metadata(&ignore).is_ok_and(|data| !data.is_file() || data.len() > 0);
    if !wanted.is_empty() && !is_whole {
        lane_git::state_file::replace(&ignore, b"*\n")?;
    }
    Ok(())
}

fn is_missing(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Whether the file by which an agent had claimed an area by hand was removed from the worktree at `place`. Not where
/// that worktree is not there, or is empty: then it is unknown.
pub fn is_removed(layout: &Layout, place: &str, area: &str, agent: &str) -> bool {
    let trees = worktrees(layout).unwrap_or_default();
    let Some(tree) = trees.into_iter().find(|tree| tree.root.display().to_string() == place) else {
        return false;
    };
    let has_any = || fs::read_dir(&tree.root).is_ok_and(|mut entries| entries.next().is_some());
    is_missing(&tree.root.join(LOCKS).join(file_name(area, area, agent))) && has_any()
}

/// Removes an agent's own manual claims on an area, wherever they lie; how many there were.
///
/// # Errors
/// One cannot be removed.
pub fn remove_by_hand(layout: &Layout, area: &str, agent: &str) -> Result<usize, Unavailable> {
    let mut count = 0;
    for tree in worktrees(layout)? {
        let path = tree.root.join(LOCKS).join(file_name(area, area, agent));
        if fs::symlink_metadata(&path).is_ok_and(|data| !data.is_dir()) && !is_shown(&path) {
            fs::remove_file(&path).map_err(|error| {
                Unavailable::new(
                    format!("{} cannot be removed: {error}", path.display()),
                    "remove it yourself",
                )
            })?;
            count += 1;
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(file_name("common", "common", "a1"), ".common-lock-a1");
        assert_eq!(file_name("common", "services/common/*.py", "a1"), ".common+services+common++.py-lock-a1");
        assert!(file_name("common", &format!("/{}", "x".repeat(400)), "a1").len() < 200);
    }
}
