//! What git-diff-tree(1) answers, read as it comes.

use std::io::BufRead;
use std::sync::mpsc::Sender;

use super::{Answer, RemainingBudget};
use crate::repository::canonical;
use lane_core::facts::{FileChange, FileVersion, Oid, RepoPath};

/// Reads all answers: each is the commit's id, then the files. `None` with the first that is none, where there are more
/// files than are left, or where nobody waits for them.
pub(super) fn read(
    mut output: impl BufRead,
    left: &RemainingBudget,
    answers: &Sender<Option<Answer>>,
) -> Option<()> {
    let mut field = Vec::new();
    let mut current: Option<Answer> = None;
    loop {
        field.clear();
        match output.read_until(0, &mut field) {
            Ok(0) => break,
            Ok(_) if field.pop() == Some(0) => {}
            _ => return None,
        }
        if field.first() == Some(&b':') {
            let (_, files) = current.as_mut()?;
            left.spend(read_file(&field, &mut output, files)?)?;
        } else {
            let next = std::str::from_utf8(&field).ok().and_then(Oid::from_hex)?;
            if let Some(answer) = current.replace((next, Vec::new())) {
                answers.send(Some(sorted(answer))).ok()?;
            }
        }
    }
    match current {
        Some(answer) => answers.send(Some(sorted(answer))).ok(),
        None => Some(()),
    }
}

fn sorted((oid, mut files): Answer) -> Answer {
    files.sort_by(|a, b| a.path.cmp(&b.path));
    // They are kept for all commits until the last is here.
    files.shrink_to_fit();
    (oid, files)
}

/// One file: "RAW OUTPUT FORMAT" and "DIFF FORMAT FOR MERGES" of git-diff-tree(1). A colon, a mode and an object
/// for each parent, then a mode and an object of the commit itself, modes first.
fn read_file<'f>(head: &[u8], output: &mut impl BufRead, files: &'f mut Vec<FileChange>) -> Option<&'f [u8]> {
    let parents = head.iter().take_while(|byte| **byte == b':').count();
    let words: Vec<&str> = std::str::from_utf8(&head[parents..]).ok()?.split(' ').collect();
    let sides = parents + 1;
    if words.len() != 2 * sides + 1 {
        return None;
    }
    let versions: Option<Vec<Option<FileVersion>>> =
        words[..sides].iter().zip(&words[sides..]).map(|(mode, oid)| version(mode, oid)).collect();
    let mut path = Vec::new();
    output.read_until(0, &mut path).ok()?;
    if path.pop() != Some(0) || path.is_empty() {
        return None;
    }
    path.shrink_to_fit();
    let versions = versions?;
    let (new, olds) = versions.split_last()?;
    // Modes that git takes for one another are no difference.
    if olds.iter().all(|old| old != new) {
        files.push(FileChange { path: RepoPath(path), old: *olds.first()?, new: *new });
    }
    Some(files.last().map_or(&[], |file| &file.path.0))
}

/// `Some(None)`: no such file.
fn version(mode: &str, oid: &str) -> Option<Option<FileVersion>> {
    let mode = u32::from_str_radix(mode, 8).ok()?;
    let oid = Oid::from_hex(oid)?;
    match (mode, oid.is_zero()) {
        (0, true) => Some(None),
        (0, false) | (_, true) => None,
        _ => Some(Some(FileVersion { mode: canonical(mode), oid })),
    }
}
