//! Merges by git itself: git-merge-tree(1), `--write-tree --stdin`, git 2.39 or newer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::{Clash, Forecast};
use lane_core::facts::{Oid, RepoPath, Unavailable};
use lane_git::command::{git, run, untie};
use lane_git::{Repository, Scratch};

/// How many pairs leave their objects until they are cleared away: these take room in memory.
const SLICE: usize = 128;
/// How often git is started again after a pair that it gave up at.
const FALLS: usize = 16;

/// Merges each pair; none of them leaves an object behind. `places`: where objects may lie meanwhile, the best first.
pub(super) fn merge_all(
    repo: &dyn Repository,
    root: &Path,
    pairs: &[(Oid, Oid)],
    places: &[PathBuf],
    limit: Duration,
) -> Vec<Forecast> {
    let started = Instant::now();
    let mut found = Vec::with_capacity(pairs.len());
    let mut falls = 0;
    let mut place = 0;
    while found.len() < pairs.len() {
        let left = limit.saturating_sub(started.elapsed());
        let Some(folder) = places.get(place) else { break };
        let slice = &pairs[found.len()..pairs.len().min(found.len() + SLICE)];
        let (merged, why) = match merge_pairs(repo, root, slice, folder, left) {
            Ok(ended) => ended,
            Err(why) => (Vec::new(), Some(why)),
        };
        let is_some = !merged.is_empty();
        found.extend(merged);
        let Some(why) = why else { continue };
        // Memory may be short where a disk has room: only the last place's word counts.
        if place + 1 < places.len() && started.elapsed() < limit {
            place += 1;
            continue;
        }
        // It ends at the first pair that it cannot merge; those after it may well be merged.
        falls += 1;
        let is_hopeless = falls > FALLS || (!is_some && falls > 1) || left.is_zero();
        let until = if is_hopeless { pairs.len() } else { found.len() + 1 };
        found.resize(until.min(pairs.len()), Forecast::Unknown(why));
    }
    found
}

/// What git says of as many pairs as it gets through, and why it stopped before the end, if it did.
fn merge_pairs(
    repo: &dyn Repository,
    root: &Path,
    pairs: &[(Oid, Oid)],
    folder: &Path,
    limit: Duration,
) -> Result<(Vec<Forecast>, Option<Unavailable>), Unavailable> {
    if limit.is_zero() {
        return Err(too_long());
    }
    let scratch = Scratch::new(&repo.layout().common_dir.join("objects"), folder)?;
    let lines: String = pairs.iter().map(|(one, two)| format!("{one} {two}\n")).collect();
    let input = scratch.file("pairs", &lines).map_err(|error| {
        Unavailable::new(format!("a temporary file could not be written: {error}"), "check TMPDIR")
    })?;
    let mut command = at_worktree(root);
    command.env("GIT_OBJECT_DIRECTORY", scratch.path()).env("GIT_NO_LAZY_FETCH", "1");
    command.args(["-c", "core.createObject=rename"]);
    command.args(["merge-tree", "--write-tree", "--stdin", "--name-only"]);
    let ran = run(command, Some(input), limit).map_err(|_| too_long())?;
    let merged = parse(&ran.stdout_bytes);
    if merged.len() >= pairs.len() {
        return Ok((merged, None));
    }
    let why = if ran.stderr.contains("usage:") {
        Unavailable::new("this git has no `merge-tree --write-tree --stdin`", "use git 2.39 or newer")
    } else {
        Unavailable::new(
            format!("git could not merge them: {}", ran.error_text()),
            "see git's message: git merge-tree --write-tree ONE OTHER",
        )
    };
    Ok((merged, Some(why)))
}

/// A git command in a worktree: git goes there by itself: a process that starts another one in a folder has to make a
/// copy of itself first, where the C library is linked in.
fn at_worktree(root: &Path) -> Command {
    let mut command = git();
    untie(&mut command).env("LC_ALL", "C").env("GIT_OPTIONAL_LOCKS", "0").arg("-C").arg(root);
    command
}

fn too_long() -> Unavailable {
    Unavailable::new("the merges took too long", "retry with more time: git lane conflicts")
}

/// Whole answers, each `<status> NUL <tree> NUL [<path> NUL]… NUL [<messages> NUL] `, a message being
/// `<count> NUL [<path> NUL]… <type> NUL <text> NUL`. Status: 1 clean, 0 conflicts; only these have messages.
fn parse(raw: &[u8]) -> Vec<Forecast> {
    // A word that no NUL ends was cut short.
    let end = raw.iter().rposition(|byte| *byte == 0).unwrap_or(0);
    let mut words = raw[..end].split(|byte| *byte == 0);
    let mut found = Vec::new();
    while let Some(forecast) = answer(&mut words) {
        found.push(forecast);
    }
    found
}

fn answer<'r>(words: &mut impl Iterator<Item = &'r [u8]>) -> Option<Forecast> {
    let status = words.next()?;
    words.next().filter(|tree| !tree.is_empty())?;
    let mut clashes: BTreeMap<&[u8], BTreeSet<String>> = BTreeMap::new();
    loop {
        match words.next()? {
            [] => break,
            path => clashes.entry(path).or_default(),
        };
    }
    if status == b"1" {
        return Some(Forecast::Clean);
    }
    if status != b"0" {
        return None;
    }
    loop {
        let count = words.next()?;
        if count.is_empty() {
            break;
        }
        let count: usize = std::str::from_utf8(count).ok()?.parse().ok()?;
        let mut paths = Vec::with_capacity(count.min(8));
        for _ in 0..count {
            paths.push(words.next()?);
        }
        let kind = String::from_utf8_lossy(words.next()?).into_owned();
        words.next()?;
        if let Some(kind) = kind.strip_prefix("CONFLICT (").and_then(|kind| kind.strip_suffix(')')) {
            for path in paths {
                if let Some(kinds) = clashes.get_mut(path) {
                    kinds.insert(kind.to_owned());
                }
            }
        }
    }
    let clash = |(path, kinds): (&[u8], BTreeSet<String>)| Clash {
        path: RepoPath(path.to_vec()),
        kinds: kinds.into_iter().collect(),
    };
    Some(Forecast::Conflicts(clashes.into_iter().map(clash).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFLICT: &[u8] = b"0\0aaaa\0f\0g\0\x001\0f\0Auto-merging\0Auto-merging f\n\0\
        1\0f\0CONFLICT (contents)\0CONFLICT (content): Merge conflict in f\n\0\
        2\0g\0h\0CONFLICT (modify/delete)\0text\n\0\0";

    #[test]
    fn a_place_that_has_no_room_gives_way_to_the_next() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        let git = |args: &[&str]| {
            let mut command = at_worktree(root);
            command.args(["-c", "user.name=t", "-c", "user.email=t@example.com"]).args(args);
            let ran = run(command, None, Duration::from_secs(20)).expect("git");
            assert!(ran.ok, "{}", ran.error_text());
        };
        git(&["init", "-q", "-b", "main"]);
        let commit = |text: &str| {
            std::fs::write(root.join("f"), text).expect("a file");
            git(&["add", "f"]);
            git(&["commit", "-q", "-m", text]);
        };
        commit("base");
        for side in ["one", "two"] {
            git(&["checkout", "-q", "-b", side, "main"]);
            commit(side);
        }
        let repo = lane_git::Git2Repository::open_at(root).expect("a repository");
        let tip = |name: &str| repo.find_ref(&format!("refs/heads/{name}")).expect("a ref").expect("a tip");
        let pairs = [(tip("one"), tip("two")), (tip("one"), tip("main"))];
        let merged = |places: &[PathBuf]| merge_all(&repo, root, &pairs, places, Duration::from_secs(20));
        let (nowhere, here) = (root.join("nowhere"), std::env::temp_dir());
        let clash = Clash { path: RepoPath(b"f".to_vec()), kinds: vec!["contents".to_owned()] };
        let wanted = [Forecast::Conflicts(vec![clash]), Forecast::Clean];
        assert_eq!(merged(&[nowhere.clone(), here]), wanted);
        assert!(merged(&[nowhere]).iter().all(|one| matches!(one, Forecast::Unknown(_))), "none has room");
    }

    #[test]
    fn answers_of_git() {
        let mut raw = CONFLICT.to_vec();
        raw.extend_from_slice(b"1\0bbbb\0\0");
        let clash = |path: &str, kind: &str| Clash {
            path: RepoPath(path.as_bytes().to_vec()),
            kinds: vec![kind.to_owned()],
        };
        let conflicts = Forecast::Conflicts(vec![clash("f", "contents"), clash("g", "modify/delete")]);
        assert_eq!(parse(&raw), [conflicts.clone(), Forecast::Clean]);
        for cut in 0..raw.len() {
            let part = parse(&raw[..cut]);
            assert!(part.is_empty() || part == [conflicts.clone()], "{cut}: {part:?}");
        }
    }
}
