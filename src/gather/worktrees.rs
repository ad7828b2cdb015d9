//! The worktrees of a repository, read from its git folder, and what lies in them for all agents:
//! lock markers.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::repository::{Layout, Read};
use crate::facts::{LockClaim, Unavailable};
use crate::policy::Policy;

/// One worktree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worktree {
    /// Its root.
    pub root: PathBuf,
    /// Its git folder.
    pub git_dir: PathBuf,
}

/// All worktrees whose folder is there, the main one first.
///
/// # Errors
/// The list cannot be read.
pub fn worktrees(layout: &Layout) -> Read<Vec<Worktree>> {
    let mut found = Vec::new();
    let is_main = layout.git_dir == layout.common_dir;
    let main = match &layout.worktree {
        Some(root) if is_main => Some(root.clone()),
        _ if layout.common_dir.ends_with(".git") => layout.common_dir.parent().map(Path::to_owned),
        _ => None,
    };
    if let Some(root) = main {
        found.push(Worktree { root, git_dir: layout.common_dir.clone() });
    }
    let list = layout.common_dir.join("worktrees");
    let entries = match fs::read_dir(&list) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(unreadable(&list, &error)),
    };
    let mut linked = Vec::new();
    for entry in entries {
        let git_dir = entry.map_err(|error| unreadable(&list, &error))?.path();
        // A worktree that is being added or removed has no such file for a moment.
        let Ok(pointer) = fs::read(git_dir.join("gitdir")) else {
            continue;
        };
        let pointer = git_dir.join(path_of(pointer.trim_ascii_end()));
        if let Some(root) = pointer.parent()
            && root.is_dir()
        {
            let root = fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
            linked.push(Worktree { root, git_dir });
        }
    }
    linked.sort_by(|a, b| a.root.cmp(&b.root));
    found.extend(linked);
    Ok(found)
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    std::ffi::OsStr::from_bytes(bytes).into()
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> PathBuf {
    String::from_utf8_lossy(bytes).into_owned().into()
}

fn unreadable(path: &Path, error: &std::io::Error) -> Unavailable {
    Unavailable::new(format!("{} cannot be read: {error}", path.display()), "look at its permissions")
}

/// The folder of lock markers in each worktree.
pub const LOCKS: &str = ".locks";

/// The claims of all agents: a file `.locks/.<area>-lock-<agent>` in any worktree is that agent's
/// claim on that area, made when the file was last touched.
///
/// # Errors
/// A folder of markers cannot be read; nobody then knows who holds what.
pub fn lock_claims(layout: &Layout, policy: &Policy) -> Read<Vec<LockClaim>> {
    let mut claims = Vec::new();
    for worktree in worktrees(layout)? {
        let folder = worktree.root.join(LOCKS);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => continue,
            Err(error) => return Err(unreadable(&folder, &error)),
        };
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(&folder, &error))?;
            let name = entry.file_name();
            let Some((area, agent)) = name.to_str().and_then(|name| marker(name, policy)) else {
                continue;
            };
            let touched = match entry.metadata().and_then(|data| data.modified()) {
                Ok(time) => time,
                Err(error) if error.kind() == ErrorKind::NotFound => continue, // given back just now
                Err(error) => return Err(unreadable(&entry.path(), &error)),
            };
            let since = touched.duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs());
            claims.push(LockClaim {
                area: area.to_owned(),
                agent: agent.to_owned(),
                since: i64::try_from(since).unwrap_or(i64::MAX),
                place: worktree.root.display().to_string(),
            });
        }
    }
    Ok(claims)
}

fn marker<'p>(name: &str, policy: &'p Policy) -> Option<(&'p str, &'p str)> {
    let name = name.strip_prefix('.')?;
    policy.areas.iter().find_map(|area| {
        let agent = name.strip_prefix(area.name.value.as_str())?.strip_prefix("-lock-")?;
        let agent = policy.agent(agent)?;
        Some((area.name.value.as_str(), agent.id.value.as_str()))
    })
}
