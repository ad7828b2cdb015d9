//! Whether this process may write where git-lane and git have to.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use super::Check;
use crate::install::os::bytes_of;
use lane_core::report::quote;
use lane_git::Layout;

const WRITE: &str = "write access";

/// Makes a file in each folder that is written to, and takes it away again.
pub(super) fn examine(layout: &Layout) -> Vec<Check> {
    let common = &layout.common_dir;
    let mut folders: Vec<PathBuf> = vec![common.clone(), common.join("objects"), common.join("refs")];
    folders.extend(["lane", "lane/hooks", "lane/locks", "refs/lane"].map(|name| common.join(name)));
    folders.extend([layout.git_dir.clone()]);
    folders.extend(layout.worktree.clone());
    folders.dedup();
    // Those of git-lane are made when they are needed.
    folders.retain(|folder| folder.symlink_metadata().is_ok());
    let problems: Vec<Check> = folders.iter().filter_map(|folder| problem(folder)).collect();
    if problems.is_empty() {
        return vec![Check::ok(WRITE, format!("{} folders, all writable", folders.len()))];
    }
    problems
}

fn problem(folder: &Path) -> Option<Check> {
    let path = folder.join(format!(".git-lane-doctor.{}", std::process::id()));
    let made = OpenOptions::new().write(true).create_new(true).open(&path);
    let done = made.and_then(|file| {
        drop(file);
        fs::remove_file(&path)
    });
    let error = done.err()?;
    Some(Check::problem(
        WRITE,
        format!("{} cannot be written: {error}", folder.display()),
        format!("check its owner: ls -ld {}", quote(&bytes_of(folder))),
    ))
}
