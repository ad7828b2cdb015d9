//! The removal of a worktree, by git: noted before it begins, so that the next run, after one that was killed, knows
//! what is missing there, and why.

use std::fs;
use std::path::Path;

use super::state::{LockedState, Removal, unwritable};
use super::target::Target;
use super::{git, quoted};
use lane_core::error::Error;
use lane_git::Layout;

/// Brings a worktree whose removal was interrupted back to where its losses can be found: what git had deleted by then is
/// written again, and what is there stays as it is. Where git had got further than the files, the removal is completed.
///
/// # Errors
/// Files are there that git knows nothing of any more.
pub(super) fn resume(
    layout: &Layout,
    target: &Target,
    held: &mut LockedState,
    command_line: &str,
) -> Result<(), Error> {
    let root = &target.root;
    let noted = held.state.removing.clone().filter(|removal| removal.root == *root);
    let Some(Removal { git_dir, .. }) = noted else { return Ok(()) };
    let is_whole = ["HEAD", "commondir", "gitdir", "index"].iter().all(|name| git_dir.join(name).is_file());
    let pointer = root.join(".git");
    if is_whole && root.is_dir() {
        if fs::symlink_metadata(&pointer).is_err() {
            let text = [b"gitdir: ", lane_os::bytes_of(&git_dir).as_slice(), b"\n"].concat();
            fs::write(&pointer, text).map_err(|error| unwritable(&pointer, &error))?;
        }
        git::run_in(root, held.share(), &["checkout-index", "-a", "-q"])?;
        return Ok(());
    }
    // git deletes the files first, and goes on to its own folder where one of them stays.
    let is_empty = || fs::read_dir(root).is_ok_and(|mut left| left.next().is_none());
    if pointer.is_file() && fs::read_dir(root).is_ok_and(|left| left.count() == 1) {
        fs::remove_file(&pointer).map_err(|error| unwritable(&pointer, &error))?;
    }
    if root.is_dir() && is_empty() {
        fs::remove_dir(root).map_err(|error| unwritable(root, &error))?;
    }
    if root.exists() {
        return Err(Error::write(
            format!("git no longer has the worktree {}, but files are left in it", root.display()),
            format!(
                "none of them was work to keep when the removal began: look through them, then remove the folder: rm -r {}\nrerun: {command_line}",
                quoted(root)
            ),
        ));
    }
    if git_dir.is_dir() && git_dir.starts_with(layout.common_dir.join("worktrees")) {
        fs::remove_dir_all(&git_dir).map_err(|error| unwritable(&git_dir, &error))?;
    }
    Ok(())
}

/// Has git remove a worktree in which there is nothing to lose.
///
/// # Errors
/// git cannot; then the worktree is as it was, or what is left of it is named.
pub(super) fn remove(
    layout: &Layout,
    target: &Target,
    git_dir: &Path,
    held: &mut LockedState,
    command_line: &str,
) -> Result<(), Error> {
    let path = target.root.to_string_lossy().into_owned();
    let removal = Removal { root: target.root.clone(), git_dir: git_dir.to_owned() };
    held.note(|state| state.removing = Some(removal))?;
    let ran = git::common(&layout.common_dir, held.share(), &mut || {
        vec!["worktree".to_owned(), "remove".to_owned(), path.clone()]
    })?;
    if ran.ok {
        return Ok(());
    }
    let why = format!("git could not remove {path}: {}", ran.error_text());
    let is_registered = git_dir.join("HEAD").is_file();
    // One that was killed says nothing, and may have deleted files; one that refused has not begun.
    if is_registered && !ran.stderr.is_empty() {
        held.note(|state| state.removing = None)?;
    }
    if !is_registered {
        return Err(Error::write(
            why,
            format!("remove the rest: rm -r {}\nrerun: {command_line}", quoted(&target.root)),
        ));
    }
    Err(Error::write(why, format!("fix this, then rerun: {command_line}")))
}
