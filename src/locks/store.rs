//! Where records lie: refs, read through the repository and moved by git's own compare-and-swap.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use super::guard::Guard;
use super::place::Place;
use super::refs::{self, Moved};
use super::remote::{Kept, Pushed, Remote};
use super::state::{Floor, State};
use lane_core::error::Error;
use lane_core::facts::{Oid, Unavailable};
use lane_core::locks::record::{self, Record};
use lane_core::locks::scope::lockable;
use lane_core::locks::world::World;
use lane_core::policy::Plan;
use lane_git::{RefTarget, Repository};

/// The pauses between pushes of one event that meet others at the server, in milliseconds.
const MEETINGS: [u64; 6] = [50, 100, 200, 400, 800, 0];

/// An area's record, and the commit that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    /// The commit.
    pub oid: Oid,
    /// What it says.
    pub record: Record,
}

/// The records of one repository.
pub struct Store<'a> {
    pub(super) place: Place<'a>,
    pub(super) repo: &'a dyn Repository,
    /// The areas that have locks.
    pub(super) areas: Vec<String>,
    pub(super) state: State,
    /// What the remote has where a lock ref should be, by the ref's last part.
    pub(super) troubles: RefCell<BTreeMap<String, Error>>,
    /// What did not work out and stands in nobody's way.
    notes: RefCell<Vec<String>>,
}

impl<'a> Store<'a> {
    /// The records of a repository. Nothing is read yet.
    pub fn new(repo: &'a dyn Repository, plan: &Plan) -> Self {
        let place = Place::new(repo, plan, Kept::Locks);
        let state = State::of(place.common_dir()).read_only(place.is_served());
        let (troubles, notes) = (RefCell::default(), RefCell::default());
        let areas = lockable(plan).into_iter().map(str::to_owned).collect();
        Self { place, repo, areas, state, troubles, notes }
    }

    /// What did not work out and stands in nobody's way; told once.
    pub fn take_notes(&self) -> Vec<String> {
        self.notes.take()
    }

    /// The remote's name.
    pub fn remote_name(&self) -> Option<&str> {
        self.place.named().map(|remote| remote.name.as_str())
    }

    /// Waits so long for a remote, and no longer.
    pub fn set_patience(&mut self, limit: Duration) {
        self.place.set_patience(limit);
    }

    /// The last part of the name of an area's ref. Hashed: on some file systems `Common` and `common`
    /// would be one file.
    ///
    /// # Errors
    /// Nothing can be hashed.
    pub fn last_part(&self, area: &str) -> Result<String, Error> {
        self.place.hashed(area)
    }

    /// The full name of the ref that speaks for an area, wherever it lies.
    ///
    /// # Errors
    /// Nothing can be hashed.
    pub fn reference(&self, area: &str) -> Result<String, Error> {
        Ok(self.place.reference(&self.last_part(area)?))
    }

    /// An area's record as it is known here; `None` if it was never locked.
    ///
    /// # Errors
    /// There is a ref, and it holds no record: nobody can tell who has the lock.
    pub fn read(&self, area: &str) -> Result<Option<Tip>, Error> {
        let part = self.last_part(area)?;
        let name = format!("{}/{part}", self.place.view()?);
        // In this order: what is noted is never newer than the ref.
        let floor = if self.place.is_here() { self.state.floor(&part) } else { None };
        let tip = self.read_ref(&name, Some(area))?;
        if let Some(floor) = floor {
            self.check_floor(&name, &floor, tip.as_ref())?;
        }
        Ok(tip)
    }

    /// The generation above which an area's next one has to be, where its whole history is gone from here.
    ///
    /// # Errors
    /// Nothing can be hashed.
    pub fn lost_generation(&self, area: &str) -> Result<u64, Error> {
        let floor = if self.place.is_here() { self.state.floor(&self.last_part(area)?) } else { None };
        Ok(floor.map_or(0, |floor| floor.generation))
    }

    /// Refuses a ref that was taken away, or moved back: whoever was there last may still hold the lock, and
    /// generations must not be given out again.
    fn check_floor(&self, name: &str, floor: &Floor, tip: Option<&Tip>) -> Result<(), Error> {
        let last = Oid::from_hex(&floor.oid).filter(|last| self.repo.has(*last));
        let (what, last) = match (tip, last) {
            (Some(tip), last)
                if tip.record.generation < floor.generation
                    || last.is_some_and(|last| last != tip.oid && self.comes_from(last, tip.oid)) =>
            {
                (format!("was moved back to {}", tip.oid.short()), last)
            }
            (None, Some(last)) => ("is gone".to_owned(), Some(last)),
            _ => return Ok(()),
        };
        let help = match last {
            Some(last) => format!("bring it back: git update-ref {name} {last}"),
            None => format!("its last event was {}; git reflog and the other clones may have it", floor.oid),
        };
        Err(Unavailable::new(
            format!("the lock ref {name} {what}; it had generation {}", floor.generation),
            format!("nobody is given that lock meanwhile; {help}"),
        )
        .into())
    }

    /// The record in a ref.
    ///
    /// # Errors
    /// The ref holds none.
    pub fn read_ref(&self, name: &str, area: Option<&str>) -> Result<Option<Tip>, Error> {
        let part = name.strip_prefix(&format!("{}/", self.place.view()?)).unwrap_or_default();
        if let Some(trouble) = self.troubles.borrow().get(part) {
            return Err(trouble.clone());
        }
        match self.repo.ref_target(name)? {
            None => Ok(None),
            Some(RefTarget::Object(oid)) => match self.record(oid, area) {
                Ok(record) => Ok(Some(Tip { oid, record })),
                Err(reason) => Err(self.broken(name, Some(oid), &reason)),
            },
            Some(RefTarget::Symbolic) => Err(self.broken(name, None, "it points to another ref")),
        }
    }

    /// The record in a commit.
    fn record(&self, oid: Oid, area: Option<&str>) -> Result<Record, String> {
        let commit = self.repo.commit(oid).map_err(|why| why.reason)?;
        Record::parse(&commit.message, area)
    }

    pub(super) fn broken(&self, name: &str, oid: Option<Oid>, reason: &str) -> Error {
        let value = oid.map_or_else(|| "it".to_owned(), |oid| oid.to_string());
        let part = name.rsplit('/').next().unwrap_or_default();
        let last = self.state.floor(part).map(|floor| floor.oid);
        let last = last.filter(|last| Oid::from_hex(last).is_some_and(|last| self.repo.has(last)));
        let mend = match (self.place.named(), oid, last) {
            (Some(remote), ..) => {
                format!("\nwhoever may write to `{}` can move the ref back there", remote.name)
            }
            (None, None, _) => format!("\ntake that away: git symbolic-ref -d {name}"),
            (None, Some(oid), Some(last)) => {
                format!("\nbring back the last event that git-lane wrote: git update-ref {name} {last} {oid}")
            }
            (None, Some(oid), None) => format!(
                "\nto begin anew, keep it elsewhere: git update-ref refs/lane/kept/{} {oid}\n\
                 and: git update-ref -d {name} {oid}",
                oid.short()
            ),
        };
        Unavailable::new(
            format!("the lock ref {name} holds no lock: {reason}"),
            format!("nobody is given that lock meanwhile; look at {value}: git log {name}{mend}"),
        )
        .into()
    }

    /// All records that are known here, those of no area of the policy among them, by name of their ref.
    ///
    /// # Errors
    /// The refs cannot be listed.
    pub fn read_all(&self) -> Result<BTreeMap<String, Result<Option<Tip>, Error>>, Error> {
        let names = self.repo.ref_names(&format!("{}/", self.place.view()?))?;
        Ok(names.into_iter().map(|name| (name.clone(), self.read_ref(&name, None))).collect())
    }

    /// The chain of an area, newest first, until `stop` has seen enough. Each with its commit.
    ///
    /// # Errors
    /// A commit of the chain is missing, or no record.
    pub fn walk(&self, tip: &Tip, mut stop: impl FnMut(&Tip) -> bool) -> Result<(), Error> {
        let mut at = tip.clone();
        let name = self.reference(&tip.record.area)?;
        while !stop(&at) {
            let Some(parent) = self.repo.commit(at.oid)?.parents.first().copied() else {
                return Ok(());
            };
            match self.record(parent, Some(&tip.record.area)) {
                Ok(record) => at = Tip { oid: parent, record },
                Err(reason) => return Err(self.broken(&name, Some(parent), &reason)),
            }
        }
        Ok(())
    }

    /// Writes a record as a commit on top of another; no ref moves.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, old: Option<&Tip>, record: &Record) -> Result<Tip, Error> {
        let writer = self.place.writer()?;
        let tree = writer.write_empty_tree()?.to_string();
        let parent = old.map(|old| old.oid.to_string());
        let raw = record::commit(record, &tree, parent.as_deref()).map_err(|error| {
            Error::write(format!("the lock cannot be written down: {error}"), "please report this")
        })?;
        Ok(Tip { oid: writer.write_commit(&raw)?, record: record.clone() })
    }

    /// What makes a `git push` to the remote that has the locks swap a record too.
    ///
    /// # Errors
    /// The locks lie on no remote.
    pub fn swap_arguments(&self, new: &Tip, old: Option<Oid>) -> Result<(String, String), Error> {
        let part = self.last_part(&new.record.area)?;
        match self.place.named() {
            Some(remote) => Ok(remote.swap_arguments(&part, old, new.oid)),
            None => {
                Err(Error::usage("the locks lie on no remote", "`locks: { remote: origin }` puts them there"))
            }
        }
    }

    /// Makes a record the area's, if `old` still is; `None` where somebody else was first. Where a remote has
    /// the locks, it decides.
    ///
    /// # Errors
    /// It cannot be written, or nobody can tell whether it was.
    pub fn swap(
        &self,
        old: Option<&Tip>,
        record: &Record,
        world: &dyn World,
        guard: Option<&Guard>,
    ) -> Result<Option<Tip>, Error> {
        let new = self.write(old, record)?;
        let area = &record.area;
        let old_oid = old.map(|old| old.oid);
        let part = self.last_part(area)?;
        let Some(remote) = self.place.remote()? else {
            let is_done = self.move_ref(&self.reference(area)?, old_oid, new.oid, guard)?;
            if is_done {
                let (oid, generation) = (new.oid.to_string(), record.generation);
                self.state.keep_floor(&part, &Floor { oid, generation });
            }
            return Ok(is_done.then_some(new));
        };
        for pause in MEETINGS {
            let words = match remote.push(self.place.common_dir(), &part, old_oid, new.oid) {
                Pushed::Done => {
                    match self.place.mirror(remote, &self.state)?.advance(&part, new.oid) {
                        // Of this area nothing newer can be known. Others matter to nobody who holds only this.
                        Ok(()) if self.troubles.borrow().is_empty() => {
                            self.state.keep_synced(&remote.name, world);
                        }
                        Ok(()) => {}
                        Err(error) => {
                            let note = format!(
                                "`{}` has the change, and it is not noted here: {error}",
                                remote.name
                            );
                            self.notes.borrow_mut().push(note);
                        }
                    }
                    return Ok(Some(new));
                }
                Pushed::Stale => return Ok(None),
                Pushed::Refused(words) | Pushed::Unknown(words) => words,
            };
            // The answer may have been lost on the way.
            self.refresh(world).map_err(|_| in_doubt(remote, area, &words))?;
            match self.read(area)? {
                Some(now) if self.contains(&now, new.oid)? => return Ok(Some(new)),
                now if now.as_ref().map(|now| now.oid) != old_oid => return Ok(None),
                // Two pushes met at the server, and one of them had the ref for that moment.
                _ if words.contains("cannot lock ref") && pause > 0 => sleep(Duration::from_millis(pause)),
                _ => return Err(not_taken(remote, &words)),
            }
        }
        Ok(None)
    }

    /// Whether a commit is part of a chain that is at most a few events longer.
    fn contains(&self, tip: &Tip, oid: Oid) -> Result<bool, Error> {
        let (mut found, mut left) = (false, 1_000);
        self.walk(tip, |at| {
            found |= at.oid == oid;
            left -= 1;
            found || left == 0
        })?;
        Ok(found)
    }

    /// Moves a ref of this repository by git's own compare-and-swap; false where it was not `old`.
    pub(super) fn move_ref(
        &self,
        name: &str,
        old: Option<Oid>,
        new: Oid,
        guard: Option<&Guard>,
    ) -> Result<bool, Error> {
        match refs::swap(self.repo, name, old, new, guard, "lock")? {
            Moved::Done => Ok(true),
            Moved::Other => Ok(false),
            Moved::Gone => Err(self.broken(name, old, "it was there a moment ago, and is gone")),
        }
    }
}

fn not_taken(remote: &Remote, words: &str) -> Error {
    Unavailable::new(
        format!("the remote `{}` does not take the lock: {words}", remote.name),
        "whoever runs it can say why; if it takes only branches, write \
         `locks: { prefix: refs/heads/lane/locks }` in the policy",
    )
    .into()
}

fn in_doubt(remote: &Remote, area: &str, words: &str) -> Error {
    Unavailable::new(
        format!("`{}` did not confirm the change to the lock `{area}`: {words}", remote.name),
        format!(
            "nobody can tell whether it took it; when `git ls-remote {}` works again, `git lane locks` does",
            remote.name
        ),
    )
    .into()
}
