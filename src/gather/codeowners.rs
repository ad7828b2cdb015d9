//! The CODEOWNERS file of a working tree.

use std::path::Path;

use lane_core::codeowners::{Codeowners, Host, PLACES};
use lane_core::error::Error;
use lane_git::Repository;

/// GitHub reads none that is larger: 3 MB; GitLab names no limit.
const LARGEST: u64 = 8 << 20;

/// A file that was read.
#[derive(Debug)]
pub struct Found {
    /// Its path, as it was named, or from the root.
    pub place: String,
    /// What it says.
    pub read: Codeowners,
}

/// Reads the file in its usual place; `None` where there is none. `host`: whose reading, instead of what file and remote show.
///
/// # Errors
/// It is there and cannot be read.
pub fn find(repo: &dyn Repository, host: Option<Host>) -> Result<Option<Found>, Error> {
    let Some(root) = &repo.layout().worktree else { return Ok(None) };
    for place in PLACES {
        let path = root.join(place);
        if path.symlink_metadata().is_ok_and(|data| !data.is_dir()) {
            return read(repo, &path, place, host).map(Some);
        }
    }
    Ok(None)
}

/// Reads the file that is named. Where there is no such file and the name is `CODEOWNERS`, the one in its usual place is meant.
///
/// # Errors
/// It cannot be read.
pub fn named(repo: &dyn Repository, path: &Path, host: Option<Host>) -> Result<Found, Error> {
    if path == Path::new("CODEOWNERS")
        && !path.exists()
        && let Some(found) = find(repo, host)?
    {
        return Ok(found);
    }
    read(repo, path, &path.display().to_string(), host)
}

fn read(repo: &dyn Repository, path: &Path, place: &str, host: Option<Host>) -> Result<Found, Error> {
    let cannot = |why: String| {
        Error::usage(
            format!("{place} cannot be read: {why}"),
            format!("name another file, or put one at {}", PLACES[0]),
        )
    };
    let size = std::fs::metadata(path).map_err(|error| cannot(error.to_string()))?;
    if !size.is_file() || size.len() > LARGEST {
        return Err(cannot(format!("it is not a file of at most {} MB", LARGEST >> 20)));
    }
    let bytes = std::fs::read(path).map_err(|error| cannot(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| cannot("it is not UTF-8".to_owned()))?;
    let host = match host {
        Some(host) => host,
        None => Host::of(&place.replace('\\', "/"), &text, remote(repo)?.as_deref()),
    };
    Ok(Found { place: place.to_owned(), read: Codeowners::parse(host, &text) })
}

/// The address of `origin`, which is where most repositories are on a host.
///
/// # Errors
/// The configuration cannot be read.
pub fn remote(repo: &dyn Repository) -> Result<Option<String>, Error> {
    Ok(repo.config("remote.origin.url")?.pop())
}
