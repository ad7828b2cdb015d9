//! Refs: git-symbolic-ref(1), git-show-ref(1), git-for-each-ref(1). Only exact names: no tag called
//! `refs/heads/main` can take the place of a branch.

use super::process::{Git, command_error};
use super::{Plumbing, history};
use crate::repository::Read;
use lane_core::facts::Oid;

/// How git ends when it does not know an option.
const USAGE: i32 = 129;

/// The target of a symbolic ref; `None` for any other, or none.
pub(super) fn symbolic(git: &Git, name: &str) -> Read<Option<String>> {
    let mut ran = git.run(&["symbolic-ref", "-q", "--no-recurse", name])?;
    if ran.code == Some(USAGE) {
        ran = git.run(&["symbolic-ref", "-q", name])?;
    }
    let is_no_ref =
        ran.code == Some(1) || ran.stderr.contains("No such ref") || ran.stderr.contains("invalid ref");
    if ran.code != Some(0) && is_no_ref {
        return Ok(None);
    }
    let out = ran.ok(&format!("the ref `{name}`"))?;
    Ok(Some(String::from_utf8_lossy(&out).trim_end_matches('\n').to_owned()))
}

/// How often a ref is looked for that others write meanwhile.
const TRIES: usize = 8;

impl Plumbing {
    /// The object that a ref leads to, tags not peeled; `None` if there is no such ref, or it leads to
    /// one that does not exist.
    pub(super) fn ref_object(&self, name: &str) -> Read<Option<Oid>> {
        let what = format!("the ref `{name}`");
        let mut ran = self.git.run(&["show-ref", "--verify", name])?;
        for _ in 0..TRIES {
            if ran.code == Some(0) || !ran.stderr.contains("not a valid ref") {
                break;
            }
            // git says the same of a file that holds no object id; one that holds one has just been written.
            match std::fs::read_to_string(self.layout.common_dir.join(name)) {
                Ok(text) if Oid::from_hex(text.trim()).is_some() => {}
                Ok(text) if !text.starts_with("ref:") => {
                    return Err(command_error(&what, "it holds no object id"));
                }
                _ => return Ok(None),
            }
            ran = self.git.run(&["show-ref", "--verify", name])?;
        }
        let out = ran.ok(&what)?;
        let hex = String::from_utf8_lossy(&out);
        let oid = hex.split(' ').next().and_then(Oid::from_hex);
        oid.map(Some).ok_or_else(|| command_error(&what, "it holds no object id"))
    }
}

/// The full names of the refs below a prefix, sorted.
pub(super) fn names(git: &Git, prefix: &str) -> Read<Vec<String>> {
    let mut names: Vec<String> = for_each_ref(git, prefix, "%(refname)")?
        .lines()
        .filter(|name| name.starts_with(prefix))
        .map(str::to_owned)
        .collect();
    names.sort();
    Ok(names)
}

/// What the refs below a prefix hold, tags not peeled.
pub(super) fn objects(git: &Git, prefix: &str) -> Read<Vec<Oid>> {
    history::oids(&for_each_ref(git, prefix, "%(objectname)")?)
}

fn for_each_ref(git: &Git, prefix: &str, format: &str) -> Read<String> {
    let format = format!("--format={format}");
    let out = git.run(&["for-each-ref", &format, prefix])?.ok(&format!("the refs below {prefix}"))?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}
