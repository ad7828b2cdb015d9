//! What `git lane sync` begins with: the remote's branches as they are now.

use std::process::Stdio;

use crate::ops::Session;
use lane_core::error::Error;
use lane_core::facts::Unavailable;
use lane_git::Repository;
use lane_git::command::in_worktree;

/// Brings the remote's branches here. A base that no remote has needs none.
///
/// # Errors
/// The remote cannot be reached, or another fetch cannot be waited for.
pub fn fetch(session: &Session) -> Result<(), Error> {
    let remote = &session.loaded.plan.policy.remote.value;
    if session.repo.config(&format!("remote.{remote}.url"))?.is_empty() {
        session.ui.note(&format!("no remote `{remote}`: using the local base"));
        return Ok(());
    }
    let layout = session.repo.layout();
    // Two fetches at a time are in each other's way at the refs that both bring up to date.
    let lock = layout.common_dir.join("lane/fetch.lock");
    let _turn = lane_git::state_file::locked(&lock).map_err(|error| {
        Error::write(format!("{} cannot be written: {error}", lock.display()), "make it writable")
    })?;
    let fetched = |refspec: Option<&str>| {
        let mut command = in_worktree(layout.worktree.as_ref().unwrap_or(&layout.common_dir));
        command.arg("fetch");
        if let Some(how) = session.ui.progress() {
            command.arg(how);
        }
        // It may have to ask for a password, and says how far it is.
        let status = session.ui.run_git(command.args(["--", remote]).args(refspec).stdout(Stdio::null()));
        status.is_ok_and(|status| status.success())
    };
    // A clone of a single branch brings that branch alone.
    let base = &session.loaded.plan.policy.base.value;
    let (from, to) = (format!("refs/heads/{base}"), format!("refs/remotes/{remote}/{base}"));
    let brings = session.repo.config(&format!("remote.{remote}.fetch"))?.into_iter().any(|refspec| {
        let (source, target) = refspec.trim_start_matches('+').split_once(':').unwrap_or_default();
        let ends = |side: &str, whole: &str| {
            side == whole || side.strip_suffix('*').is_some_and(|start| whole.starts_with(start))
        };
        ends(source, &from) && ends(target, &to)
    });
    if fetched(None) && (brings || fetched(Some(&format!("+{from}:{to}")))) {
        return Ok(());
    }
    Err(Unavailable::new(
        format!("`{remote}` could not be fetched; nothing was rebased"),
        format!("see git's message above; retry with `git fetch {remote}`"),
    )
    .into())
}
