//! What is known here of the locks on a remote, and how it is brought up to date.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use super::machine::World;
use super::remote::Remote;
use super::store::Store;
use crate::error::Error;
use crate::facts::{Oid, Unavailable};
use crate::gather::RefTarget;

/// How often a remote is asked again that has an older event than it had: some answer from a copy that is a
/// moment behind.
const BEHIND: u32 = 3;

impl Store<'_> {
    /// Notes what the remote has, if that is newer than what is known here.
    pub(super) fn advance(&self, part: &str, new: Oid) -> Result<(), Error> {
        let name = format!("{}/{part}", self.view()?);
        let guard = self.state.guard()?;
        let old = match self.repo.ref_target(&name)? {
            Some(RefTarget::Object(old)) if old == new || self.comes_from(old, new) => return Ok(()),
            Some(RefTarget::Object(old)) => Some(old),
            _ => None,
        };
        self.move_ref(&name, old, new, guard.as_ref()).map(|_| ())
    }

    /// Whether one commit is an ancestor of another.
    pub(super) fn comes_from(&self, tip: Oid, ancestor: Oid) -> bool {
        self.repo.merge_base(ancestor, &[tip]).is_ok_and(|base| base == Some(ancestor))
    }

    /// Reads the remote's locks anew. Nothing to do where the locks lie here.
    ///
    /// A lock ref that was there and is gone, or that does not come from what it was, is never taken for
    /// a free one: whoever reads it is told so.
    ///
    /// True where something is new here.
    ///
    /// # Errors
    /// The remote cannot be reached.
    pub fn refresh(&self, world: &dyn World) -> Result<bool, Error> {
        let Some(remote) = self.remote()? else {
            return Ok(false);
        };
        let view = self.view()?;
        let mut known = BTreeMap::new();
        for name in self.repo.ref_names(&format!("{view}/"))? {
            let part = name[view.len() + 1..].to_owned();
            if let (false, Some(RefTarget::Object(oid))) = (part.contains('/'), self.repo.ref_target(&name)?)
            {
                known.insert(part, oid);
            }
        }
        let mut there = remote.list(&self.common_dir)?;
        for round in 1..=BEHIND {
            let went_back = |(part, old): (&String, &Oid)| {
                there.get(part).is_some_and(|oid| oid != old && self.comes_from(*old, *oid))
            };
            if !known.iter().any(went_back) {
                break;
            }
            sleep(Duration::from_millis(200 * u64::from(round)));
            there = remote.list(&self.common_dir)?;
        }
        let changed: BTreeMap<&String, Oid> = there
            .iter()
            .filter(|(part, oid)| known.get(*part) != Some(oid))
            .map(|(part, oid)| (part, *oid))
            .collect();
        let missing: Vec<String> = changed
            .iter()
            .filter(|(_, oid)| !self.repo.has(**oid))
            .map(|(part, _)| (*part).clone())
            .collect();
        if !missing.is_empty() {
            remote.fetch(&self.common_dir, &missing)?;
        }
        let mut troubles = BTreeMap::new();
        for (part, oid) in &changed {
            match known.get(*part) {
                Some(old) if !self.comes_from(*oid, *old) => {
                    let how =
                        if self.comes_from(*old, *oid) { "was moved back" } else { "came out of nowhere" };
                    let reason = format!("it was {}, and {} {how}", old.short(), oid.short());
                    let name = format!("{}/{part}", remote.prefix);
                    troubles.insert((*part).clone(), self.broken(&name, Some(*oid), &reason));
                }
                _ => self.advance(part, *oid)?,
            }
        }
        for part in known.keys().filter(|part| !there.contains_key(*part)) {
            troubles.insert(part.clone(), vanished(remote, part, &format!("{view}/{part}")));
        }
        // Whoever asks next asks the remote again, until it is put right.
        let asked: Result<Vec<String>, Error> = self.areas.iter().map(|area| self.last_part(area)).collect();
        if !asked?.iter().any(|part| troubles.contains_key(part)) {
            self.state.keep_synced(&remote.name, world);
        }
        *self.troubles.borrow_mut() = troubles;
        Ok(!changed.is_empty())
    }

    /// Milliseconds since the remote's locks were read; `None` if never. Zero where the locks lie here.
    pub fn age(&self, world: &dyn World) -> Option<u64> {
        self.remote_name().map_or(Some(0), |name| self.state.age(name, world))
    }
}

fn vanished(remote: &Remote, part: &str, view: &str) -> Error {
    let Remote { name, prefix, .. } = remote;
    Unavailable::new(
        format!("`{name}` has lost the lock ref {prefix}/{part}"),
        format!(
            "nobody is given that lock meanwhile; bring it back: git push --no-verify {name} {view}:{prefix}/{part}"
        ),
    )
    .into()
}
