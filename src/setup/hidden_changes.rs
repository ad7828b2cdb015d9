//! What would be lost with a worktree, and `git status` does not show.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::Path;

use super::losses::{Loss, describe_commits, list_paths, with_folder};
use super::{git, quoted};
use lane_core::error::Error;
use lane_core::facts::{Oid, Unavailable};
use lane_core::report::quote;
use lane_git::command::{CommandOutput, in_worktree, run};
use lane_git::{GitRepo, Repository};

/// How many files a command names.
const LISTED: usize = 10;

/// How many files one git is asked about.
const AT_ONCE: usize = 200;

fn checked_output(ran: CommandOutput, root: &Path, what: &str) -> Result<CommandOutput, Error> {
    if ran.ok {
        return Ok(ran);
    }
    let said = format!("{what} in {} could not be read: {}", root.display(), ran.error_text());
    Err(Unavailable::new(said, format!("see what it says: git -C {} status", quoted(root))).into())
}

/// Changed files that git was told not to look at: `git update-index --assume-unchanged` and `--skip-worktree`.
/// Submodules that are there, too: what they have of their own goes with the worktree's git folder.
pub(super) fn edits(repo: &dyn Repository, root: &Path) -> Result<Vec<Loss>, Error> {
    let ran = checked_output(git::run_in(root, None, &["ls-files", "-s", "-v", "-z"])?, root, "the index")?;
    let entries = ran.stdout_bytes.split(|byte| *byte == 0).filter_map(entry);
    let (mut changed, mut files, mut submodules) = (Vec::new(), Vec::new(), Vec::new());
    for (tag, mode, oid, path) in entries {
        if mode == "160000" && root.join(path).join(".git").exists() {
            submodules.push(path.to_string_lossy().into_owned());
        }
        if mode == "160000" || tag != b'S' && !tag.is_ascii_lowercase() {
            continue;
        }
        let Ok(data) = root.join(path).symlink_metadata() else {
            continue; // not there: a sparse checkout, or removed, and then nothing is lost
        };
        match mode {
            "120000" => {
                let target = std::fs::read_link(root.join(path)).map(|to| to.into_os_string());
                let id = target.ok().map(|to| repo.blob_id(to.as_encoded_bytes())).transpose()?;
                if id.map(|id| id.to_string()).as_deref() != Some(oid) {
                    changed.push(path);
                }
            }
            _ if data.is_file() => files.push((oid, path)),
            _ => changed.push(path),
        }
    }
    for some in files.chunks(AT_ONCE) {
        changed.extend(unlike(root, some)?);
    }
    let changed = (!changed.is_empty()).then(|| hidden_files(root, &changed));
    let submodules = (!submodules.is_empty()).then(|| own_repositories(root, &submodules));
    Ok(changed.into_iter().chain(submodules).collect())
}

/// The files whose content is not the index's.
fn unlike<'p>(root: &Path, files: &[(&str, &'p OsStr)]) -> Result<Vec<&'p OsStr>, Error> {
    let mut git = in_worktree(root);
    git.args(["hash-object", "--"]).args(files.iter().map(|(_, path)| path));
    let ran = checked_output(run(git, None, git::LIMIT)?, root, "the changes")?;
    let now = files.iter().zip(ran.stdout.lines());
    let same: HashSet<_> = now.filter(|((oid, _), now)| oid == now).map(|((_, path), _)| path).collect();
    Ok(files.iter().map(|(_, path)| *path).filter(|path| !same.contains(path)).collect())
}

fn hidden_files(root: &Path, paths: &[&OsStr]) -> Loss {
    let names: Vec<String> = paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let what = format!("not committed, and hidden from git status: {}", list_paths(&names));
    let files = match names.len() {
        0..=LISTED => names.iter().map(|name| quote(name.as_bytes())).collect::<Vec<_>>().join(" "),
        _ => "FILE".to_owned(),
    };
    // git does one of the two at a time.
    let help = format!(
        "show them to git: git update-index --no-assume-unchanged -- {files}\n\
         and: git update-index --no-skip-worktree -- {files}\n\
         then commit them"
    );
    Loss::new(what, with_folder(root, &help))
}

fn own_repositories(root: &Path, submodules: &[String]) -> Loss {
    let what = format!("submodules with their own repositories: {}", list_paths(submodules));
    let each = "git status -s; git log --oneline --branches --not --remotes";
    let help = format!(
        "check that everything is pushed: git -C {0} submodule foreach --recursive '{each}'\n\
         then: git worktree remove --force {0}",
        quoted(root)
    );
    Loss::new(what, help)
}

/// `H 100644 <oid> 0\t<path>`: git-ls-files(1), `-s -v -z`.
fn entry(line: &[u8]) -> Option<(u8, &str, &str, &OsStr)> {
    let tab = line.iter().position(|byte| *byte == b'\t')?;
    let mut words = std::str::from_utf8(&line[..tab]).ok()?.split(' ');
    let (tag, mode, oid) = (words.next()?, words.next()?, words.next()?);
    Some((*tag.as_bytes().first()?, mode, oid, lane_os::os_str(&line[tab + 1..])?))
}

/// Commits that no ref has: those that only the reflog of this worktree's HEAD remembers, and those of refs that
/// are its alone. Both go with it; a branch's own reflog stays.
pub(super) fn commits(repo: &dyn Repository, root: &Path) -> Result<Vec<Loss>, Error> {
    let own = ["for-each-ref", "--format=%(objectname)", "refs/worktree"];
    let own = checked_output(git::run_in(root, None, &own)?, root, "the refs of the worktree")?;
    let log = ["log", "-g", "--no-show-signature", "--format=%H %gs", "HEAD"];
    let log = match git::run_in(root, None, &log)? {
        ran if ran.ok => ran.stdout,
        // Before the first commit there is none.
        _ if GitRepo::open_at(root)?.head()?.oid.is_none() => String::new(),
        ran => checked_output(ran, root, "the reflog of HEAD")?.stdout,
    };
    // The steps of a rebase are on the branch by now, or were rewritten.
    let entries = log.lines().filter_map(|line| line.split_once(' '));
    let made = entries.filter(|(_, how)| !how.starts_with("rebase") && !how.starts_with("pull --rebase"));
    let mut tips = oids(repo, made.map(|(oid, _)| oid));
    tips.extend(oids(repo, own.stdout.lines()));
    let known = repo.tips("refs/")?;
    if tips.is_empty() || repo.commits(&tips, &known)?.is_empty() {
        return Ok(Vec::new());
    }
    let branches = ["log", "-g", "--no-show-signature", "--format=%H", "--branches"];
    let branches = git::run_in(root, None, &branches)?.stdout;
    let known = [known, oids(repo, branches.lines())].concat();
    let lost = repo.commits(&tips, &known)?;
    let Some(last) = lost.last() else {
        return Ok(Vec::new());
    };
    let what = format!("on no branch, and known only to this worktree: {}", describe_commits(repo, &lost)?);
    let help = format!("keep it on a branch: git branch NAME {}", last.short());
    Ok(vec![Loss::new(what, with_folder(root, &help))])
}

fn oids<'a>(repo: &dyn Repository, lines: impl Iterator<Item = &'a str>) -> Vec<Oid> {
    lines.filter_map(Oid::from_hex).filter(|oid| repo.has(*oid)).collect()
}

/// Processes that work in the worktree: they would go on in a folder that is gone.
#[cfg(target_os = "linux")]
pub(super) fn processes(root: &Path) -> Option<Loss> {
    let root = root.canonicalize().ok()?;
    let found = crate::ports::processes_in(&root);
    if found.is_empty() {
        return None;
    }
    let words: Vec<String> = found.iter().map(|one| format!("{} ({})", one.name, one.id)).collect();
    let help = "stop it: what it writes from now on would be lost";
    Some(Loss::new(format!("running there: {}", list_paths(&words)), help))
}

/// Nobody tells, here.
#[cfg(not(target_os = "linux"))]
pub(super) fn processes(_: &Path) -> Option<Loss> {
    None
}
