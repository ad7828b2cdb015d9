//! Objects that the repository does not have yet: the trees of what is staged, and of what lies in the working tree.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::change::Judged;
use super::workspace::cannot_write;
use crate::gather::Subject;
use lane_core::facts::{Oid, RepoPath};
use lane_git::{FOLDER, Read, Repository};

/// Writes what a change that is in no commit yet comes to into a folder of objects.
pub(super) fn write_new(
    repo: &dyn Repository,
    judged: &Judged<'_>,
    subject: &Subject,
    into: &Path,
) -> Read<()> {
    let blobs = match subject {
        Subject::Staged | Subject::Branch => false,
        Subject::Worktree => true,
        _ => return Ok(()),
    };
    tree(repo, judged.start_tree(), judged.to_tree, blobs, into)
}

fn tree(repo: &dyn Repository, old: Option<Oid>, new: Oid, blobs: bool, into: &Path) -> Read<()> {
    if old == Some(new) {
        return Ok(());
    }
    let raw = repo.raw_tree(new)?;
    write(into, "tree", new, raw.bytes())?;
    let before = old.map(|oid| repo.raw_tree(oid)).transpose()?;
    for entry in raw.entries() {
        let was = before
            .as_ref()
            .and_then(|before| before.find(entry.name))
            .filter(|was| was.mode == entry.version.mode);
        let (mode, oid) = (entry.version.mode, entry.version.oid);
        if was.is_some_and(|was| was.oid == oid) {
            continue;
        }
        if mode == FOLDER {
            tree(repo, was.map(|was| was.oid), oid, blobs, into)?;
        } else if blobs && !entry.version.is_submodule() {
            write(into, "blob", oid, &repo.blob(oid)?)?;
        }
    }
    Ok(())
}

/// A loose object: gitformat-loose(5).
fn write(into: &Path, kind: &str, oid: Oid, bytes: &[u8]) -> Read<()> {
    let name = oid.to_string();
    let (folder, file) = name.split_at(2);
    let folder = into.join(folder);
    let path = folder.join(file);
    if path.exists() {
        return Ok(());
    }
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(&folder)?;
        let mut out = ZlibEncoder::new(fs::File::create(&path)?, Compression::fast());
        out.write_all(format!("{kind} {}\0", bytes.len()).as_bytes())?;
        out.write_all(bytes)?;
        out.finish().map(drop)
    };
    write().map_err(|error| cannot_write(&path, &error))
}

/// A path as a line of `objects/info/alternates`, which may be quoted as C has it: gitrepository-layout(5).
pub(super) fn alternate(path: &Path) -> Vec<u8> {
    let bytes = path.as_os_str().as_encoded_bytes().to_vec();
    let is_plain =
        !bytes.starts_with(b"#") && !bytes.iter().any(|byte| byte.is_ascii_control() || *byte == b'"');
    if is_plain { bytes } else { RepoPath(bytes).to_string().into_bytes() }
}
