//! A worktree that somebody was killed over while they made it: finished without touching what is not git's
//! own unfinished work.

use std::fs;
use std::path::{Path, PathBuf};

use super::state::{LockedState, unwritable};
use super::target::{Target, gone_entry};
use super::{git, quoted, rerun};
use lane_core::error::Error;

/// Finishes what `git worktree add` left; false where it is to be begun again. The lock is held, and git holds
/// it with us, so that none of them is still at work.
///
/// # Errors
/// git cannot finish it, or files are there whose owner is unknown.
pub(super) fn finish(common_dir: &Path, target: &Target, held: &LockedState) -> Result<bool, Error> {
    let root = &target.root;
    let Some(entry) = begun_entry(common_dir, root) else {
        clear_pointer(target)?;
        return Ok(false);
    };
    if !entry.join("index").is_file() {
        if !is_whole(&entry) || !root.join(".git").is_file() {
            // Nothing is checked out before these are there.
            clear_pointer(target)?;
            fs::remove_dir_all(&entry).map_err(|error| unwritable(&entry, &error))?;
            return Ok(false);
        }
        check_out(target, &entry, held)?;
    }
    remove_locks(&entry)?;
    let locked = entry.join("locked");
    if fs::read_to_string(&locked).is_ok_and(|why| why.trim_end() == "initializing") {
        fs::remove_file(&locked).map_err(|error| unwritable(&locked, &error))?;
    }
    Ok(true)
}

/// The git folder of a worktree that somebody began to make at this path.
pub(super) fn begun_entry(common_dir: &Path, root: &Path) -> Option<PathBuf> {
    gone_entry(common_dir, root).or_else(|| nameless_entry(common_dir, root))
}

/// A git folder that was made for this worktree and does not say so yet: git names it after the last part of
/// the path, and calls it `initializing`.
fn nameless_entry(common_dir: &Path, root: &Path) -> Option<PathBuf> {
    let name = root.file_name()?.to_str()?;
    let entries = fs::read_dir(common_dir.join("worktrees")).ok()?.flatten();
    entries.map(|entry| entry.path()).find(|path| {
        let is_named = path.file_name().and_then(|file| file.to_str()).is_some_and(|file| {
            file.strip_prefix(name).is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
        });
        let is_begun =
            fs::read_to_string(path.join("locked")).is_ok_and(|why| why.starts_with("initializing"));
        is_named && is_begun && !path.join("gitdir").exists()
    })
}

/// Whether all that makes a git folder one is there: gitrepository-layout(5).
fn is_whole(entry: &Path) -> bool {
    let head = fs::read_to_string(entry.join("HEAD")).unwrap_or_default();
    let is_null = head.trim().bytes().all(|byte| byte == b'0');
    !is_null && entry.join("commondir").is_file() && entry.join("gitdir").is_file()
}

/// Takes away a `.git` that leads nowhere, and the folder if that was all it held.
fn clear_pointer(target: &Target) -> Result<(), Error> {
    let root = &target.root;
    let mut names = fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.file_name());
    match (names.next(), names.next()) {
        (None, _) => Ok(()),
        (Some(name), None) if name == ".git" => {
            let pointer = root.join(".git");
            fs::remove_file(&pointer).map_err(|error| unwritable(&pointer, &error))
        }
        _ => Err(Error::usage(
            format!("{} is an incomplete worktree with files in it", root.display()),
            format!(
                "move them out of the way: mv {} {}\n{}",
                quoted(root),
                quoted(&free_name(root)),
                rerun(&target.agent)
            ),
        )),
    }
}

/// Removes the lock files of the git that was killed: of the index, of HEAD, of whatever it was about to write. With one of
/// HEAD left, every commit in the new worktree would be refused.
fn remove_locks(entry: &Path) -> Result<(), Error> {
    for path in fs::read_dir(entry).into_iter().flatten().flatten().map(|file| file.path()) {
        if path.extension().is_some_and(|end| end == "lock") {
            fs::remove_file(&path).map_err(|error| unwritable(&path, &error))?;
        }
    }
    Ok(())
}

/// A name beside a folder that nothing has yet.
fn free_name(root: &Path) -> PathBuf {
    let named = |number: usize| {
        let mut name = root.as_os_str().to_owned();
        name.push(if number == 1 { ".files".to_owned() } else { format!(".files-{number}") });
        PathBuf::from(name)
    };
    let mut names = (1..).map(named);
    names.find(|name| name.symlink_metadata().is_err()).unwrap_or_else(|| named(1))
}

/// Checks out what is not there yet. A file that git had only begun to write is written again; whatever else
/// differs is somebody's work.
fn check_out(target: &Target, entry: &Path, held: &LockedState) -> Result<(), Error> {
    let root = &target.root;
    remove_locks(entry)?;
    let run = |args: &[&str]| {
        let ran = git::run_in(root, held.share(), args)?;
        if ran.ok {
            return Ok(ran.stdout);
        }
        Err(Error::write(
            format!("the worktree {} could not be completed: {}", root.display(), ran.error_text()),
            format!("fix this, then {}", rerun(&target.agent)),
        ))
    };
    run(&["read-tree", "HEAD"])?;
    // It fails over files that are there, and leaves them.
    let _ = git::run_in(root, held.share(), &["checkout-index", "-a", "-q"])?;
    let differing = run(&["diff-files", "--name-only", "-z"])?;
    for path in differing.split('\0').filter(|path| !path.is_empty()) {
        let (Ok(there), Ok(wanted)) =
            (fs::read(root.join(path)), run(&["cat-file", "--filters", &format!(":{path}")]))
        else {
            continue;
        };
        // What is no text, git's answer had to be made one; the last character may be cut.
        let begun = String::from_utf8_lossy(&there);
        if wanted.starts_with(begun.trim_end_matches('\u{fffd}')) && begun.len() < wanted.len() {
            run(&["checkout-index", "-f", "-q", "--", path])?;
        }
    }
    let _ = git::run_in(root, held.share(), &["update-index", "-q", "--refresh"])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_git_folder_that_does_not_say_yet_whose_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let (common, root) = (folder.path(), folder.path().join("wt-a1"));
        let entry = common.join("worktrees/wt-a11");
        fs::create_dir_all(&entry).expect("made");
        assert_eq!(begun_entry(common, &root), None, "another's, of which nothing is known");
        fs::write(entry.join("locked"), "initializing").expect("written");
        assert_eq!(begun_entry(common, &root).as_ref(), Some(&entry));
        fs::write(entry.join("gitdir"), "/elsewhere/.git\n").expect("written");
        assert_eq!(begun_entry(common, &root), None, "another's");
        fs::write(entry.join("gitdir"), format!("{}/.git\n", root.display())).expect("written");
        assert_eq!(begun_entry(common, &root), Some(entry));
    }
}
