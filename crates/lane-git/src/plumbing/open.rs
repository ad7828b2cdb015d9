//! Where a repository lies, as git says.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use super::Plumbing;
use super::config::Config;
use super::objects::Objects;
use super::process::{Git, ProcessOutput};
use crate::budget::Budget;
use crate::repository::{Layout, Read};
use lane_core::facts::Unavailable;
use lane_os::path_of;

/// What git-rev-parse(1) is asked for, one line each; the last one fails where there is no worktree.
const QUESTIONS: [&str; 8] = [
    "rev-parse",
    "--path-format=absolute",
    "--git-dir",
    "--git-common-dir",
    "--is-bare-repository",
    "--is-shallow-repository",
    "--show-object-format",
    "--show-toplevel",
];

pub(super) fn open(git: Git) -> Read<Plumbing> {
    let ran = git.run(&QUESTIONS)?;
    let lines = lines(&ran.stdout);
    let [git_dir, common_dir, is_bare, is_shallow, format, rest @ ..] = lines.as_slice() else {
        return Err(cannot_open(&ran));
    };
    let (git_dir, common_dir) = (path_of(git_dir), path_of(common_dir));
    let hash_len = match *format {
        b"sha1" => 20,
        b"sha256" => 32,
        other => {
            let other = String::from_utf8_lossy(other).into_owned();
            return Err(Unavailable::new(
                format!("unknown object format `{other}`"),
                "a newer git-lane may support it",
            ));
        }
    };
    let is_known = |word: &[u8]| word == b"true" || word == b"false";
    if !is_known(is_bare) || !is_known(is_shallow) || rest.len() > 1 {
        return Err(Unavailable::new(
            "git gave an unexpected answer about the repository's location",
            "the path may contain a line feed: move the repository (see `git rev-parse --git-dir`)",
        ));
    }
    let config = OnceCell::new();
    let worktree = match rest {
        [root] => Some(path_of(root)),
        // Inside of a git folder no worktree is shown.
        _ if *is_bare == b"false" => {
            let read = Config::read(&git)?;
            let root = root_of(&git_dir, &common_dir, &read);
            let _ = config.set(read);
            root
        }
        _ => None,
    };
    let layout = Layout { git_dir, common_dir, worktree };
    let is_shallow = *is_shallow == b"true";
    let (objects, budget) = (Objects::new(hash_len), Budget::default());
    Ok(Plumbing { git, layout, objects, config, is_shallow, budget })
}

fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if bytes.is_empty() { Vec::new() } else { bytes.split(|byte| *byte == b'\n').collect() }
}

/// The worktree of a git folder that one stands in: gitrepository-layout(5), git-config(1) `core.worktree`.
fn root_of(git_dir: &Path, common_dir: &Path, config: &Config) -> Option<PathBuf> {
    let root = if git_dir != common_dir {
        let pointer = std::fs::read(git_dir.join("gitdir")).ok()?;
        git_dir.join(path_of(pointer.trim_ascii_end())).parent()?.to_owned()
    } else if let Some(root) = config.values("core.worktree").pop() {
        git_dir.join(root)
    } else if git_dir.ends_with(".git") {
        git_dir.parent()?.to_owned()
    } else {
        return None;
    };
    Some(std::fs::canonicalize(&root).unwrap_or(root))
}

fn cannot_open(ran: &ProcessOutput) -> Unavailable {
    let said = ran.error_text();
    if said.contains("not a git repository") && !said.contains("unknown") {
        return crate::repository::no_repository();
    }
    if said.contains("Unable to read current working directory") {
        return Unavailable::new(
            "the current folder does not exist any more",
            "change to a folder that exists, then rerun this command",
        );
    }
    if said.contains("dubious ownership") || said.contains("safe.directory") {
        return Unavailable::new(
            format!("the repository belongs to another user: {said}"),
            "git config --global --add safe.directory FOLDER",
        );
    }
    Unavailable::new(
        format!("git cannot open the repository: {said}"),
        "see `git status`; a newer git may support the format (`git --version`)",
    )
}
