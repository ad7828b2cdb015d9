//! What is known here of the locks on a remote, and how it is brought up to date.

use std::collections::BTreeMap;

use super::mirror::Trouble;
use super::refs::comes_from;
use super::remote::Remote;
use super::store::Store;
use lane_core::error::Error;
use lane_core::facts::{Oid, Unavailable};
use lane_core::locks::world::World;

impl Store<'_> {
    /// Whether one commit is an ancestor of another.
    pub(super) fn comes_from(&self, tip: Oid, ancestor: Oid) -> bool {
        comes_from(self.repo, tip, ancestor)
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
        let Some(remote) = self.place.remote()? else {
            return Ok(false);
        };
        let mirror = self.place.mirror(remote, &self.state)?;
        let (troubles, is_new) = mirror.refresh()?;
        let error = |(part, trouble): (String, Trouble)| {
            let error = match trouble {
                Trouble::Vanished => vanished(remote, &part, &format!("{}/{part}", mirror.view)),
                Trouble::Rewritten { new, .. } => {
                    self.broken(&format!("{}/{part}", remote.prefix), Some(new), &trouble.words())
                }
            };
            (part, error)
        };
        let troubles: BTreeMap<String, Error> = troubles.into_iter().map(error).collect();
        // Whoever asks next asks the remote again, until it is put right.
        let asked: Result<Vec<String>, Error> = self.areas.iter().map(|area| self.last_part(area)).collect();
        if !asked?.iter().any(|part| troubles.contains_key(part)) {
            self.state.keep_synced(&remote.name, world);
        }
        *self.troubles.borrow_mut() = troubles;
        Ok(is_new)
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
