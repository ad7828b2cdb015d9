//! What is known here of the refs on a remote, and how it is brought up to date.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use super::local_files::LocalFiles;
use super::refs::{self, SwapOutcome, descends_from};
use super::remote::Remote;
use lane_core::error::Error;
use lane_core::facts::Oid;
use lane_git::{RefTarget, Repository};

/// How often a remote is asked again that has an older event than it had: some answer from a copy that is a
/// moment behind.
const BEHIND: u32 = 3;

/// The copies of a remote's refs in this repository.
pub(crate) struct Mirror<'a> {
    /// The repository.
    pub repo: &'a dyn Repository,
    /// The remote.
    pub remote: &'a Remote,
    /// Where the copies lie, without a slash at the end.
    pub view: String,
    /// Has the guard under which they are moved.
    pub files: &'a LocalFiles,
    /// The word for what a ref holds.
    pub what: &'static str,
}

/// What is wrong with a remote's ref. The copy stays as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Divergence {
    /// It does not come from what it was.
    Rewritten {
        /// What it was.
        old: Oid,
        /// What it is.
        new: Oid,
        /// It was so before.
        is_older: bool,
    },
    /// It was there, and is gone.
    Vanished,
}

impl Mirror<'_> {
    /// Notes what the remote has, if that is newer than what is known here.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn advance(&self, part: &str, new: Oid) -> Result<(), Error> {
        let name = format!("{}/{part}", self.view);
        let guard = self.files.guard()?;
        let old = match self.repo.ref_target(&name)? {
            Some(RefTarget::Object(old)) if old == new || descends_from(self.repo, old, new) => return Ok(()),
            Some(RefTarget::Object(old)) => Some(old),
            _ => None,
        };
        match refs::swap(self.repo, &name, old, new, guard.as_ref(), self.what)? {
            SwapOutcome::Done | SwapOutcome::Other => Ok(()),
            SwapOutcome::Gone => Err(Error::write(
                format!("{name} disappeared a moment ago"),
                "another program moves git-lane's refs here; find it, then try again",
            )),
        }
    }

    /// Whether one event comes after another. Another git may just be writing what it fetched here, an event before its parents:
    /// then all of it is fetched once more.
    fn follows(&self, part: &str, new: Oid, old: Oid) -> bool {
        descends_from(self.repo, new, old)
            || self.remote.fetch(&self.repo.layout().common_dir, &[part.to_owned()]).is_ok()
                && descends_from(self.repo, new, old)
    }

    /// Reads the remote's refs again: what is wrong, by the last part of a name, and whether anything is new.
    ///
    /// # Errors
    /// The remote cannot be reached, or what it has cannot be noted.
    pub fn refresh(&self) -> Result<(BTreeMap<String, Divergence>, bool), Error> {
        let (repo, remote, view) = (self.repo, self.remote, &self.view);
        let common_dir = &repo.layout().common_dir;
        let mut known = BTreeMap::new();
        for name in repo.ref_names(&format!("{view}/"))? {
            let part = name[view.len() + 1..].to_owned();
            if let (false, Some(RefTarget::Object(oid))) = (part.contains('/'), repo.ref_target(&name)?) {
                known.insert(part, oid);
            }
        }
        let mut there = remote.list(common_dir)?;
        for round in 1..=BEHIND {
            let went_back = |(part, old): (&String, &Oid)| {
                there.get(part).is_some_and(|oid| oid != old && descends_from(repo, *old, *oid))
            };
            if !known.iter().any(went_back) {
                break;
            }
            sleep(Duration::from_millis(200 * u64::from(round)));
            there = remote.list(common_dir)?;
        }
        let changed: Vec<(&String, Oid)> = there
            .iter()
            .filter(|(part, oid)| known.get(*part) != Some(oid))
            .map(|(p, oid)| (p, *oid))
            .collect();
        let is_new = |part: &String, oid: Oid| !known.contains_key(part) || !repo.has(oid);
        let missing = changed.iter().filter(|(part, oid)| is_new(part, *oid));
        let missing: Vec<String> = missing.map(|(part, _)| (*part).clone()).collect();
        if !missing.is_empty() {
            remote.fetch(common_dir, &missing)?;
        }
        let mut diverged = BTreeMap::new();
        for (part, new) in &changed {
            match known.get(*part) {
                Some(old) if !self.follows(part, *new, *old) => {
                    let is_older = descends_from(repo, *old, *new);
                    diverged
                        .insert((*part).clone(), Divergence::Rewritten { old: *old, new: *new, is_older });
                }
                _ => self.advance(part, *new)?,
            }
        }
        for part in known.keys().filter(|part| !there.contains_key(*part)) {
            diverged.insert(part.clone(), Divergence::Vanished);
        }
        Ok((diverged, !changed.is_empty()))
    }
}

impl Divergence {
    /// What the ref is now.
    pub fn value_now(&self) -> Option<Oid> {
        match self {
            Self::Rewritten { new, .. } => Some(*new),
            Self::Vanished => None,
        }
    }

    /// As the end of a sentence about a ref.
    pub fn words(&self) -> String {
        match self {
            Self::Rewritten { old, new, is_older } => {
                let how = if *is_older { "was moved back" } else { "appeared unexpectedly" };
                format!("it was {}, and {} {how}", old.short(), new.short())
            }
            Self::Vanished => "it is missing".to_owned(),
        }
    }
}
