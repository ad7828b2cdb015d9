//! Commits rewritten without some paths: each stays as it is but for these, which it leaves as its parents have them.
//!
//! No file, index or ref is touched: objects are written, and whoever asked moves the branch.

use std::collections::HashMap;
use std::io::Write;
use std::process::{Command, Stdio};

use lane_core::error::Error;
use lane_core::facts::{FileVersion, Oid, RepoPath};
use lane_core::locks::record::plain;
use lane_core::signature;
use lane_git::command::in_worktree;
use lane_git::{FOLDER, GitRepo, ObjectWriter, Read, Repository, TreeEntry};

/// What became of one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RewrittenCommit {
    /// The commit as it was.
    pub before: Oid,
    /// The commit that stands in its place; the same where nothing had to be changed.
    pub after: Oid,
    /// It changes nothing any more, and did before.
    pub is_emptied: bool,
    /// It was signed, and was signed again.
    pub is_signed: bool,
}

/// Rewrites commits, parents before children, without what they do to some paths.
///
/// # Errors
/// A merge that changes such a path on both sides, a folder in the place of a file, a signature that cannot be made,
/// or an object that cannot be read or written. No ref has been moved then.
pub fn without(repo: &GitRepo, commits: &[Oid], paths: &[RepoPath]) -> Result<Vec<RewrittenCommit>, Error> {
    let mut done: Vec<RewrittenCommit> = Vec::new();
    let mut new: HashMap<Oid, Oid> = HashMap::new();
    for &oid in commits {
        let commit = repo.commit(oid)?;
        let map = |parent: &Oid| new.get(parent).copied().unwrap_or(*parent);
        let parents: Vec<Oid> = commit.parents.iter().map(map).collect();
        let mut tree = Some(commit.tree);
        let entries = paths.iter().map(|path| Ok((path, inherited(repo, oid, &parents, path)?)));
        let mut entries = entries.collect::<Result<Vec<_>, Error>>()?;
        // What goes makes room for a file in the place of its folder.
        entries.sort_by_key(|(_, version)| version.is_some());
        for (path, entry) in entries {
            tree = replace_entry(repo, tree, path, &path.0, entry)?;
        }
        let tree = tree.map_or_else(|| repo.write_empty_tree(), Ok)?;
        if tree == commit.tree && parents == commit.parents {
            done.push(RewrittenCommit { before: oid, after: oid, is_emptied: false, is_signed: false });
            continue;
        }
        let (after, is_signed) = write(repo, oid, commit.tree, tree, &map)?;
        let is_empty = |tree: Oid, parents: &[Oid]| -> Read<bool> {
            match parents {
                [parent] => Ok(repo.commit(*parent)?.tree == tree),
                _ => Ok(false),
            }
        };
        let is_emptied = is_empty(tree, &parents)? && !is_empty(commit.tree, &commit.parents)?;
        new.insert(oid, after);
        done.push(RewrittenCommit { before: oid, after, is_emptied, is_signed });
    }
    Ok(done)
}

/// What a commit has at a path if it does nothing to it itself.
fn inherited(
    repo: &GitRepo,
    commit: Oid,
    parents: &[Oid],
    path: &RepoPath,
) -> Result<Option<FileVersion>, Error> {
    let at = |oid: Oid| -> Read<Option<FileVersion>> { entry(repo, Some(repo.commit(oid)?.tree), &path.0) };
    let versions = parents.iter().map(|parent| at(*parent)).collect::<Read<Vec<_>>>()?;
    let Some(&first) = versions.first() else {
        return Ok(None);
    };
    if versions.iter().all(|version| *version == first) {
        return Ok(first);
    }
    if let ([ours, theirs], [one, two]) = (parents, versions.as_slice()) {
        let base = repo.merge_base(*ours, &[*theirs])?;
        let base = base.map(at).transpose()?.flatten();
        if *one == base {
            return Ok(*two);
        }
        if *two == base {
            return Ok(*one);
        }
    }
    Err(Error::usage(
        format!("the merge {} combines {path} from both sides", commit.short()),
        "rebase first, which drops merges: git lane sync",
    ))
}

/// The entry at a path below a tree.
fn entry(repo: &GitRepo, tree: Option<Oid>, path: &[u8]) -> Read<Option<FileVersion>> {
    let (name, rest) = split(path);
    let version = match tree {
        Some(tree) => repo.raw_tree(tree)?.find(name),
        None => None,
    };
    match (version, rest) {
        (Some(version), Some(rest)) if version.mode == FOLDER => entry(repo, Some(version.oid), rest),
        (_, Some(_)) => Ok(None),
        (version, None) => Ok(version),
    }
}

fn split(path: &[u8]) -> (&[u8], Option<&[u8]>) {
    match path.iter().position(|byte| *byte == b'/') {
        Some(at) => (&path[..at], Some(&path[at + 1..])),
        None => (path, None),
    }
}

/// A tree with another entry at a path, or none; `None` where nothing is left in it.
fn replace_entry(
    repo: &GitRepo,
    tree: Option<Oid>,
    whole: &RepoPath,
    path: &[u8],
    version: Option<FileVersion>,
) -> Result<Option<Oid>, Error> {
    let (name, rest) = split(path);
    let mut entries = tree.map(|tree| repo.tree(tree)).transpose()?.unwrap_or_default();
    let at = entries.iter().position(|entry| entry.name == name);
    let old = at.map(|at| entries[at].version);
    let old_tree = old.filter(|version| version.mode == FOLDER).map(|version| version.oid);
    let is_folder = |version: Option<FileVersion>| version.is_some_and(|version| version.mode == FOLDER);
    let in_the_way = || {
        Error::usage(
            format!(
                "{whole} cannot be restored: the commits have a file where it has a folder, or the reverse"
            ),
            "drop that path, too",
        )
    };
    let new = match rest {
        Some(_) if old.is_some() && old_tree.is_none() => match version {
            // Nothing can lie below a file.
            None => return Ok(tree),
            Some(_) => return Err(in_the_way()),
        },
        Some(rest) => {
            replace_entry(repo, old_tree, whole, rest, version)?.map(|oid| FileVersion { mode: FOLDER, oid })
        }
        // A file gives way to the folder that was there; a folder may have more in it than what is taken out.
        None if version.is_some() && !is_folder(version) && old_tree.is_some() => return Err(in_the_way()),
        None => version,
    };
    if new == old {
        return Ok(tree);
    }
    match (at, new) {
        (Some(at), Some(version)) => entries[at].version = version,
        (Some(at), None) => drop(entries.remove(at)),
        (None, Some(version)) => {
            entries.push(TreeEntry { name: name.to_vec(), version });
        }
        (None, None) => {}
    }
    if entries.is_empty() {
        return Ok(None);
    }
    write_tree(repo, entries).map(Some)
}

/// Sorted by name, folders as if theirs ended in a slash: gitformat-pack(5).
fn write_tree(repo: &GitRepo, mut entries: Vec<TreeEntry>) -> Result<Oid, Error> {
    entries.sort_by_cached_key(|entry| {
        let mut key = entry.name.clone();
        if entry.version.mode == FOLDER {
            key.push(b'/');
        }
        key
    });
    let mut raw = Vec::new();
    for entry in &entries {
        raw.extend(format!("{:o} ", entry.version.mode).bytes());
        raw.extend(&entry.name);
        raw.push(0);
        raw.extend(entry.version.oid.as_bytes());
    }
    repo.write_tree(&raw)
}

/// Writes a commit with another tree and other parents; all else, dates and names included, stays. What was signed is
/// signed again.
fn write(
    repo: &GitRepo,
    oid: Oid,
    old_tree: Oid,
    tree: Oid,
    map: &dyn Fn(&Oid) -> Oid,
) -> Result<(Oid, bool), Error> {
    let raw = repo.commit_bytes(oid)?;
    let is_sha256 = oid.as_bytes().len() == 32;
    let signed = signature::split(&raw, is_sha256);
    let header_end = signed.payload.windows(2).position(|two| two == b"\n\n").unwrap_or(signed.payload.len());
    let (header, message) = signed.payload.split_at(header_end);
    let mut made = Vec::with_capacity(raw.len());
    for line in header.split(|byte| *byte == b'\n') {
        let text = std::str::from_utf8(line).unwrap_or_default();
        if text.strip_prefix("tree ").and_then(Oid::from_hex) == Some(old_tree) {
            made.extend(format!("tree {tree}").bytes());
        } else if let Some(parent) = text.strip_prefix("parent ").and_then(Oid::from_hex) {
            made.extend(format!("parent {}", map(&parent)).bytes());
        } else {
            made.extend(line);
        }
        made.push(b'\n');
    }
    made.pop();
    made.extend(message);
    if signed.signature.is_none() {
        return Ok((repo.write_commit(&made)?, false));
    }
    sign(repo, &made).map(|oid| (oid, true))
}

/// Has git sign a commit that is rewritten.
fn sign(repo: &GitRepo, raw: &[u8]) -> Result<Oid, Error> {
    let unsigned = repo.write_commit(raw)?;
    let layout = repo.layout();
    let mut git: Command = in_worktree(layout.worktree.as_ref().unwrap_or(&layout.common_dir));
    let header_end = raw.windows(2).position(|two| two == b"\n\n").unwrap_or(raw.len());
    let mut encoding = None;
    let mut arguments = Vec::new();
    for line in String::from_utf8_lossy(&raw[..header_end]).lines() {
        let Some((key, value)) = line.split_once(' ') else { continue };
        match key {
            "tree" => arguments.push(value.to_owned()),
            "parent" => arguments.extend(["-p".to_owned(), value.to_owned()]),
            "encoding" => encoding = Some(value.to_owned()),
            "author" | "committer" => {
                let key = key.to_uppercase();
                let Some((name, rest)) = value.split_once(" <") else { continue };
                let Some((mail, date)) = rest.rsplit_once("> ") else { continue };
                git.env(format!("GIT_{key}_NAME"), name).env(format!("GIT_{key}_EMAIL"), mail);
                git.env(format!("GIT_{key}_DATE"), format!("@{date}"));
            }
            _ => {}
        }
    }
    if let Some(encoding) = encoding {
        git.arg("-c").arg(format!("i18n.commitEncoding={encoding}"));
    }
    git.args(["commit-tree", "-S"]).args(arguments);
    let message = raw.get(header_end + 2..).unwrap_or_default();
    let failed = |said: &str| {
        Error::write(
            format!("{} could not be signed again: {}", unsigned.short(), plain(said.trim())),
            "nothing was changed; check user.signingKey and gpg.format: git config --list --show-origin",
        )
    };
    git.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ran = git.spawn().and_then(|mut child| {
        if let Some(mut input) = child.stdin.take() {
            input.write_all(message)?;
        }
        child.wait_with_output()
    });
    let ran = ran.map_err(|error| failed(&error.to_string()))?;
    match Oid::from_hex(String::from_utf8_lossy(&ran.stdout).trim()) {
        Some(oid) if ran.status.success() => Ok(oid),
        _ => Err(failed(&String::from_utf8_lossy(&ran.stderr))),
    }
}
