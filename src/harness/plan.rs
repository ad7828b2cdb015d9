//! What an installation of hooks of harnesses is going to write.

use std::path::{Path, PathBuf};

use super::files::{HookFile, places};
use super::{is_tracked, read, with_hooks};
use crate::install::Scope;
use lane_core::error::Error;
use lane_core::harness::Harness;
use lane_git::Repository;
use lane_git::worktrees::worktrees;

/// A file that is to be written: what it was, and what it becomes.
pub(super) struct Planned {
    pub harness: &'static str,
    pub place: HookFile,
    pub before: Option<String>,
    pub after: String,
}

/// What to say of a file that git tracks; it is left alone.
pub(super) type OnTracked<'o> = &'o dyn Fn(&HookFile, &'static str) -> Result<(), Error>;

/// What is to be written, of which nothing is yet.
///
/// # Errors
/// A file holds something else than it should, or `on_tracked` says so.
pub(super) fn plan(
    repo: &dyn Repository,
    harnesses: &[&'static Harness],
    scope: Scope,
    binary: &Path,
    on_tracked: OnTracked<'_>,
) -> Result<Vec<Planned>, Error> {
    let layout = repo.layout();
    let roots: Vec<PathBuf> = match scope {
        Scope::Local => worktrees(layout)?.into_iter().map(|tree| tree.root).collect(),
        Scope::Shared => layout.worktree.iter().cloned().collect(),
        Scope::User => Vec::new(),
    };
    let mut planned = Vec::new();
    for harness in harnesses {
        for place in places(harness.id, scope, &roots, binary)? {
            if scope == Scope::Local && is_tracked(&place)? {
                on_tracked(&place, harness.id)?;
                continue;
            }
            let before = read(&place.path)?;
            let after = with_hooks(&place, before.as_deref())?;
            planned.push(Planned { harness: harness.id, place, before, after });
        }
    }
    Ok(planned)
}
