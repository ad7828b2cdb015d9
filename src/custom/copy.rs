//! Files of the base, laid out for a command. Links are followed inside of the tree, and stay links.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fs;
use std::path::Path;

use lane_core::facts::{FileVersion, Oid, RepoPath, Unavailable};
use lane_core::report::quote;
use lane_git::{FOLDER, Read, Repository, find_in_tree};
use lane_os::path_of;

const LINK: u32 = 0o120_000;
/// How many links lead from one to another.
const HOPS: usize = 16;
/// The longest target of a link.
const LONGEST_TARGET: usize = 4_096;
/// The most files that are laid out, and the most bytes.
const MOST_FILES: usize = 10_000;
const MOST_BYTES: u64 = 100_000_000;

/// What is laid out for one command.
pub(super) struct Copy<'c> {
    repo: &'c dyn Repository,
    tree: Oid,
    into: &'c Path,
    seen: HashSet<Vec<u8>>,
    /// Written last, so that nothing is written through one.
    links: BTreeMap<Vec<u8>, Vec<u8>>,
    bytes: u64,
}

/// Where a path leads, links followed.
struct Place {
    path: Vec<u8>,
    version: FileVersion,
}

impl<'c> Copy<'c> {
    pub(super) fn new(repo: &'c dyn Repository, tree: Oid, into: &'c Path) -> Self {
        Self { repo, tree, into, seen: HashSet::new(), links: BTreeMap::new(), bytes: 0 }
    }

    /// The file that is to be run.
    pub(super) fn program(&mut self, path: &str) -> Read<()> {
        let place = self.find(path.as_bytes())?;
        let shown = RepoPath(place.path);
        match place.version.mode {
            0o100_755 if has_windows_start(&self.repo.blob_start(place.version.oid)?) => {
                Err(Unavailable::new(
                    format!(
                        "`{shown}` has Windows line ends in the base, so no system finds its interpreter"
                    ),
                    "ask a maintainer to commit it with LF, and to keep it so in .gitattributes: PATH eol=lf",
                ))
            }
            0o100_755 => self.add(path),
            FOLDER => {
                Err(Unavailable::new(format!("`{shown}` is a folder in the base"), "name a file in `run`"))
            }
            _ => Err(Unavailable::new(
                format!("`{shown}` is not executable in the base"),
                format!(
                    "make it executable, and commit that: git update-index --chmod=+x -- {}",
                    quote(&shown.0)
                ),
            )),
        }
    }

    /// A file, or a folder with all that is in it.
    pub(super) fn add(&mut self, path: &str) -> Read<()> {
        self.add_bytes(path.as_bytes())
    }

    fn add_bytes(&mut self, path: &[u8]) -> Read<()> {
        let place = self.find(path)?;
        self.put(&place.path, place.version)
    }

    fn put(&mut self, path: &[u8], version: FileVersion) -> Read<()> {
        if !self.seen.insert(path.to_vec()) {
            return Ok(());
        }
        if self.seen.len() > MOST_FILES {
            return Err(Unavailable::new(
                format!("its command needs more than {MOST_FILES} files"),
                "name only the files that it needs under `needs`",
            ));
        }
        match version.mode {
            FOLDER => self.folder(path, version.oid),
            LINK => self.add_bytes(path),
            _ if version.is_submodule() => Ok(()),
            mode => self.file(path, version.oid, mode & 0o100 != 0),
        }
    }

    fn folder(&mut self, path: &[u8], oid: Oid) -> Read<()> {
        for entry in self.repo.tree(oid)? {
            let name = entry.name.as_slice();
            if name.contains(&b'/')
                || [&b"."[..], b".."].contains(&name)
                || name.eq_ignore_ascii_case(b".git")
            {
                return Err(Unavailable::new(
                    format!("the tree {oid} of the base has a name that is none"),
                    "check whether the repository is damaged: git fsck",
                ));
            }
            let separator: &[u8] = if path.is_empty() { b"" } else { b"/" };
            self.put(&[path, separator, name].concat(), entry.version)?;
        }
        Ok(())
    }

    fn file(&mut self, path: &[u8], oid: Oid, is_executable: bool) -> Read<()> {
        self.bytes += self.repo.size(oid)? as u64;
        if self.bytes > MOST_BYTES {
            return Err(Unavailable::new(
                format!("its command needs more than {} MB of files", MOST_BYTES / 1_000_000),
                "name only the files that it needs under `needs`",
            ));
        }
        let bytes = self.repo.blob(oid)?;
        let to = self.into.join(path_of(path));
        let write = || -> std::io::Result<()> {
            to.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(&to, bytes)?;
            lane_os::set_private(&to, is_executable)
        };
        write().map_err(|error| super::workspace::cannot_write(&to, &error))
    }

    /// Follows a path through the tree, and notes the links on its way.
    fn find(&mut self, path: &[u8]) -> Read<Place> {
        let shown = RepoPath(path.to_vec());
        let mut rest: VecDeque<Vec<u8>> = parts(path).collect();
        let mut at = Place { path: Vec::new(), version: FileVersion { mode: FOLDER, oid: self.tree } };
        let mut hops = 0;
        while let Some(name) = rest.pop_front() {
            if name == b".." {
                if at.path.is_empty() {
                    return Err(leads_out(&shown));
                }
                let end = at.path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
                at.path.truncate(end);
                continue;
            }
            let separator: &[u8] = if at.path.is_empty() { b"" } else { b"/" };
            let next = [at.path.as_slice(), separator, &name].concat();
            let Some(version) = find_in_tree(self.repo, self.tree, &next)? else {
                return Err(missing(&shown));
            };
            if version.mode != LINK {
                if version.mode != FOLDER && !rest.is_empty() {
                    return Err(missing(&shown));
                }
                at = Place { path: next, version };
                continue;
            }
            hops += 1;
            let target = self.repo.blob_up_to(version.oid, LONGEST_TARGET)?.unwrap_or_default();
            if hops > HOPS || target.is_empty() || target.starts_with(b"/") {
                return Err(leads_out(&shown));
            }
            parts(&target).collect::<Vec<_>>().into_iter().rev().for_each(|part| rest.push_front(part));
            self.links.insert(next, target);
        }
        // A link may lead to a folder above it.
        at.version = match at.path.as_slice() {
            [] => FileVersion { mode: FOLDER, oid: self.tree },
            path => find_in_tree(self.repo, self.tree, path)?.ok_or_else(|| missing(&shown))?,
        };
        Ok(at)
    }

    /// Puts the links where they belong.
    pub(super) fn finish(self) -> Read<()> {
        for (path, target) in &self.links {
            let to = self.into.join(path_of(path));
            let write = || -> std::io::Result<()> {
                to.parent().map_or(Ok(()), fs::create_dir_all)?;
                lane_os::symlink(&path_of(target), &to)
            };
            write().map_err(|error| super::workspace::cannot_write(&to, &error))?;
        }
        Ok(())
    }
}

fn parts(path: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    let is_part = |part: &&[u8]| !part.is_empty() && *part != b".";
    path.split(|byte| *byte == b'/').filter(is_part).map(<[u8]>::to_vec)
}

/// `#!/bin/sh` and a carriage return: execve(2) looks for a program of that name.
fn has_windows_start(start: &[u8]) -> bool {
    let line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.starts_with(b"#!") && line.ends_with(b"\r")
}

fn missing(path: &RepoPath) -> Unavailable {
    Unavailable::new(
        format!("`{path}` is not in the base"),
        "ask a maintainer to add it to the base, or to correct `custom` in the policy",
    )
}

fn leads_out(path: &RepoPath) -> Unavailable {
    Unavailable::new(
        format!("`{path}` is a link that leads nowhere in the base"),
        "ask a maintainer to put the file itself there: only what the base has is run",
    )
}
