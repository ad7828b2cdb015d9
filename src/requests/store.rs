//! Where requests lie: refs, here or on the remote that has the locks, moved by compare-and-swap.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::Duration;

use crate::locks::mirror::Trouble;
use crate::locks::place::Place;
use crate::locks::refs::{self, Moved, comes_from};
use crate::locks::remote::{Kept, Pushed, Remote};
use crate::locks::state::{Floor, State};
use lane_core::error::Error;
use lane_core::facts::{Oid, Unavailable};
use lane_core::policy::Plan;
use lane_core::requests::record::{CONTENT, Record, number};
use lane_git::{RefTarget, Repository};

/// How often something is tried that others do at the same time.
const TRIES: u64 = 200;

/// A request, and the commit that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    /// The commit.
    pub oid: Oid,
    /// What it says.
    pub record: Record,
    /// The blob of the file that came with it.
    pub content: Option<Oid>,
    tree: Oid,
}

/// All requests by id, oldest first; a ref that holds none has the reason in its place.
pub type All = Vec<(String, Result<Tip, Error>)>;

/// The requests of one repository.
pub struct Store<'a> {
    place: Place<'a>,
    repo: &'a dyn Repository,
    state: State,
    troubles: RefCell<BTreeMap<String, Trouble>>,
}

impl<'a> Store<'a> {
    /// The requests of a repository. Nothing is read yet.
    pub fn new(repo: &'a dyn Repository, plan: &Plan) -> Self {
        let place = Place::new(repo, plan, Kept::Requests);
        let state = State::of_requests(place.common_dir()).read_only(place.is_served());
        Self { place, repo, state, troubles: RefCell::default() }
    }

    /// The repository.
    pub fn repo(&self) -> &'a dyn Repository {
        self.repo
    }

    /// The name of the remote that has them.
    pub fn remote_name(&self) -> Option<&str> {
        self.place.named().map(|remote| remote.name.as_str())
    }

    /// The full name of a request's ref, wherever it lies.
    pub fn reference(&self, id: &str) -> String {
        self.place.reference(id)
    }

    /// Reads the remote's requests anew. Nothing to do where they lie here.
    ///
    /// # Errors
    /// The remote cannot be reached.
    pub fn refresh(&self) -> Result<(), Error> {
        if let Some(remote) = self.place.remote()? {
            *self.troubles.borrow_mut() = self.place.mirror(remote, &self.state)?.refresh()?.0;
        }
        Ok(())
    }

    /// All requests as they are known here, lost ones among them.
    ///
    /// # Errors
    /// The refs cannot be listed.
    pub fn all(&self) -> Result<All, Error> {
        let view = format!("{}/", self.place.view()?);
        let names = self.repo.ref_names(&view)?;
        let mut ids: BTreeSet<String> = names.iter().map(|name| name[view.len()..].to_owned()).collect();
        if self.place.is_here() {
            ids.extend(self.state.floors().into_iter().filter(|id| number(id).is_some()));
        }
        let mut ids: Vec<String> = ids.into_iter().collect();
        ids.sort_by_key(|id| (number(id).unwrap_or(u64::MAX), id.clone()));
        let read = |id: String| match self.read(&id) {
            Ok(tip) => tip.map(|tip| (id, Ok(tip))),
            Err(error) => Some((id, Err(error))),
        };
        Ok(ids.into_iter().filter_map(read).collect())
    }

    /// One request as it is known here; `None` if there never was one.
    ///
    /// # Errors
    /// There is a ref, and it holds no request; or the ref was taken away or moved back.
    pub fn read(&self, id: &str) -> Result<Option<Tip>, Error> {
        let name = format!("{}/{id}", self.place.view()?);
        if let Some(trouble) = self.troubles.borrow().get(id) {
            return Err(self.troubled(id, &name, *trouble));
        }
        // In this order: what is noted is never newer than the ref.
        let floor = if self.place.is_here() { self.state.floor(id) } else { None };
        let last = floor.and_then(|floor| Oid::from_hex(&floor.oid)).filter(|last| self.repo.has(*last));
        let tip = match self.repo.ref_target(&name)? {
            Some(RefTarget::Object(oid)) => oid,
            Some(RefTarget::Symbolic) => {
                let mend = format!("take that away: git symbolic-ref -d {name}");
                return Err(broken(&name, "it points to another ref", &mend));
            }
            None => {
                let bring_back = |last| {
                    broken(&name, "it is gone", &format!("bring it back: git update-ref {name} {last}"))
                };
                return last.map_or(Ok(None), |last| Err(bring_back(last)));
            }
        };
        let back = last.filter(|last| *last != tip).map(|last| format!("git update-ref {name} {last} {tip}"));
        if let (Some(last), Some(back)) = (last, &back)
            && comes_from(self.repo, last, tip)
        {
            let reason = format!("it was moved back from {} to {}", last.short(), tip.short());
            return Err(broken(&name, &reason, &format!("bring back its last event: {back}")));
        }
        self.tip(id, tip).map(Some).map_err(|reason| {
            let mend = match (self.place.named(), back) {
                (Some(remote), _) => {
                    format!("whoever may write to `{}` can move the ref back, or delete it", remote.name)
                }
                (None, Some(back)) => format!("bring back its last event: {back}"),
                (None, None) => {
                    format!("look at it: git log {name}; to be rid of it: git update-ref -d {name} {tip}")
                }
            };
            broken(&name, &reason, &mend)
        })
    }

    /// A request that somebody names.
    ///
    /// # Errors
    /// There is none, or as for [`Self::read`].
    pub fn find(&self, id: &str) -> Result<Tip, Error> {
        let tip = if number(id).is_some() { self.read(id)? } else { None };
        match tip {
            Some(tip) => Ok(tip),
            None => Err(self.unknown(id)?),
        }
    }

    /// The turn of the next request that is accepted.
    ///
    /// # Errors
    /// The refs cannot be listed.
    pub fn next_turn(&self) -> Result<u64, Error> {
        let all = self.all()?;
        let turns = all.iter().filter_map(|(_, tip)| tip.as_ref().ok()?.record.turn);
        Ok(turns.max().unwrap_or(0).saturating_add(1))
    }

    fn troubled(&self, id: &str, view: &str, trouble: Trouble) -> Error {
        let (name, there) = (self.remote_name().unwrap_or_default(), self.reference(id));
        let mend = match trouble {
            Trouble::Vanished => format!(
                "bring it back: git push --no-verify {name} {view}:{there}\n\
                 or let go of it, if it was deleted on purpose: git update-ref -d {view}"
            ),
            Trouble::Rewritten { old, .. } => format!(
                "what it was is still here: git log {}; whoever may write to `{name}` can move it back",
                old.short()
            ),
        };
        broken(&format!("{there} of `{name}`"), &trouble.words(), &mend)
    }

    /// The request in a commit; what is wrong with it, as the end of a sentence.
    fn tip(&self, id: &str, oid: Oid) -> Result<Tip, String> {
        if number(id).is_none() {
            return Err(format!("`{id}` is no id of a request, such as r7"));
        }
        let commit = self.repo.commit(oid).map_err(|why| why.reason)?;
        let record = Record::parse(&commit.message, id)?;
        let entries = self.repo.tree(commit.tree).map_err(|why| why.reason)?;
        let content = match (entries.as_slice(), &record.file) {
            ([], None) => None,
            ([one], Some(_)) if one.name == CONTENT.as_bytes() => Some(one.version.oid),
            _ => return Err("its files are not what it says".to_owned()),
        };
        Ok(Tip { oid, record, content, tree: commit.tree })
    }

    /// The chain of a request, newest first.
    ///
    /// # Errors
    /// A commit of the chain is missing, or no event.
    pub fn chain(&self, tip: &Tip) -> Result<Vec<Tip>, Error> {
        let mut chain = vec![tip.clone()];
        let id = &tip.record.id;
        let mut at = tip.oid;
        while let Some(parent) = self.repo.commit(at)?.parents.first().copied() {
            let event = self.tip(id, parent).map_err(|reason| {
                broken(
                    &self.reference(id),
                    &format!("at {}: {reason}", parent.short()),
                    "what is newer is shown by git lane request list",
                )
            })?;
            chain.push(event);
            at = parent;
        }
        Ok(chain)
    }

    fn write(&self, old: Option<&Tip>, record: &Record, content: Option<Oid>) -> Result<Tip, Error> {
        let writer = self.place.writer()?;
        let tree = match (old, content) {
            (Some(old), _) => old.tree,
            (None, Some(blob)) => writer.write_tree_of(CONTENT, blob)?,
            (None, None) => writer.write_empty_tree()?,
        };
        let parent = old.map(|old| old.oid.to_string());
        let raw = record.commit(&tree.to_string(), parent.as_deref()).map_err(|error| {
            Error::write(format!("the request cannot be written down: {error}"), "please report this")
        })?;
        let oid = writer.write_commit(&raw)?;
        Ok(Tip { oid, record: record.clone(), content, tree })
    }

    /// Keeps a new request under the next free id. `make`: the record with that id.
    ///
    /// # Errors
    /// It cannot be written, or nobody can tell whether it was.
    pub fn create(&self, content: Option<&[u8]>, make: impl Fn(String) -> Record) -> Result<Tip, Error> {
        self.place.check_writable()?;
        let blob = content.map(|bytes| self.place.writer()?.write_blob(bytes)).transpose()?;
        let guard = if self.place.is_here() { self.state.guard()? } else { None };
        for attempt in 0..TRIES {
            self.refresh()?;
            let id = format!("r{}", self.last_number()?.saturating_add(1));
            let tip = self.write(None, &make(id), blob)?;
            if self.put(None, &tip, guard.as_ref())? {
                return Ok(tip);
            }
            pause(attempt);
        }
        Err(too_busy())
    }

    /// The highest number that was given out, as far as it is known here.
    fn last_number(&self) -> Result<u64, Error> {
        let view = format!("{}/", self.place.view()?);
        let names = self.repo.ref_names(&view)?.into_iter();
        let ids = names.map(|name| name[view.len()..].to_owned()).chain(self.state.floors());
        Ok(ids.filter_map(|id| number(&id)).max().unwrap_or(0))
    }

    /// Adds an event to a request, if it still is what `next` was made from; asks again where it is not.
    /// `next`: the record that follows, or why there is none.
    ///
    /// # Errors
    /// There is no such request, it cannot be written, or nobody can tell whether it was.
    pub fn add<R>(
        &self,
        id: &str,
        next: impl Fn(&Tip) -> Result<Result<Record, R>, Error>,
    ) -> Result<Result<Tip, R>, Error> {
        self.place.check_writable()?;
        let guard = if self.place.is_here() { self.state.guard()? } else { None };
        for attempt in 0..TRIES {
            self.refresh()?;
            let old = self.find(id)?;
            let record = match next(&old)? {
                Ok(record) => record,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let tip = self.write(Some(&old), &record, old.content)?;
            if self.put(Some(&old), &tip, guard.as_ref())? {
                return Ok(Ok(tip));
            }
            pause(attempt);
        }
        Err(too_busy())
    }

    /// Moves a request's ref; false where somebody else did before.
    fn put(&self, old: Option<&Tip>, new: &Tip, guard: Option<&crate::locks::Guard>) -> Result<bool, Error> {
        let id = &new.record.id;
        let old_oid = old.map(|old| old.oid);
        let Some(remote) = self.place.remote()? else {
            let name = self.reference(id);
            let moved = refs::swap(self.repo, &name, old_oid, new.oid, guard, "request")?;
            if moved == Moved::Done {
                self.state.keep_floor(id, &Floor { oid: new.oid.to_string(), generation: 0 });
            }
            return Ok(moved == Moved::Done);
        };
        match remote.push(self.place.common_dir(), id, old_oid, new.oid) {
            Pushed::Done => self.place.mirror(remote, &self.state)?.advance(id, new.oid).map(|()| true),
            Pushed::Stale => Ok(false),
            // Two pushes met at the server, and one of them had the ref for that moment.
            Pushed::Refused(words) if words.contains("cannot lock ref") => Ok(false),
            Pushed::Refused(words) => Err(not_taken(remote, &words)),
            Pushed::Unknown(words) => {
                // The answer may have been lost on the way.
                self.refresh().map_err(|_| in_doubt(remote, id, &words))?;
                match self.read(id)? {
                    Some(now) if now.oid == new.oid || comes_from(self.repo, now.oid, new.oid) => Ok(true),
                    now if now.as_ref().map(|now| now.oid) == old_oid => Err(not_taken(remote, &words)),
                    _ => Ok(false),
                }
            }
        }
    }

    /// What is said of an id that nobody was given.
    fn unknown(&self, id: &str) -> Result<Error, Error> {
        let view = format!("{}/", self.place.view()?);
        let names = self.repo.ref_names(&view)?;
        let ids: Vec<&str> = names.iter().map(|name| &name[view.len()..]).collect();
        let near = lane_core::policy::nearest(id, ids.iter().copied());
        let near = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
        Ok(Error::usage(
            format!("there is no request `{id}`"),
            format!("{near}git lane request list --all lists them"),
        ))
    }
}

/// Lets others pass: those who meet again and again do not do so in step.
fn pause(attempt: u64) {
    let spread = u64::from(std::process::id()).wrapping_mul(7).wrapping_add(attempt * 13) % 40;
    sleep(Duration::from_millis(5 + spread));
}

fn broken(name: &str, reason: &str, help: &str) -> Error {
    Unavailable::new(format!("the request ref {name} cannot be read: {reason}"), help.to_owned()).into()
}

fn too_busy() -> Error {
    Error::write("others write requests without end", "nothing was changed; try again in a moment")
}

fn not_taken(remote: &Remote, words: &str) -> Error {
    Unavailable::new(
        format!("the remote `{}` does not take the request: {words}", remote.name),
        "whoever runs it can say why; if it takes only branches, write \
         `locks: { prefix: refs/heads/lane/locks }` in the policy: requests lie beside locks",
    )
    .into()
}

fn in_doubt(remote: &Remote, id: &str, words: &str) -> Error {
    Unavailable::new(
        format!("`{}` did not confirm the change to {id}: {words}", remote.name),
        format!(
            "nobody can tell whether it took it; when `git ls-remote {}` works again, `git lane request list` does",
            remote.name
        ),
    )
    .into()
}
