//! Where records lie: refs, read through the repository and moved by git's own compare-and-swap.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::git;
use super::machine::World;
use super::record::{self, Record};
use super::remote::{Pushed, Remote};
use super::state::{Guard, State};
use crate::error::Error;
use crate::facts::{Oid, Unavailable};
use crate::gather::{Git2Repository, ObjectWriter, RefTarget, Repository};
use crate::policy::{Plan, is_name};

/// How long one exchange with a remote may take.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How long a git of this machine may take to move a ref.
const MOVE: Duration = Duration::from_secs(30);
/// The pauses between pushes of one event that meet others at the server, in milliseconds.
const MEETINGS: [u64; 6] = [50, 100, 200, 400, 800, 0];
/// How long a lock file of a ref may lie there, with nobody who could be at work on it, before it is
/// taken for one that a killed git left behind.
const LEFT_BEHIND: Duration = Duration::from_secs(2);

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
    repo: &'a dyn Repository,
    /// A handle of its own: what is written through it goes to the disk, whatever the other one keeps in
    /// memory. Opened when something is to be written.
    writer: OnceCell<Git2Repository>,
    common_dir: PathBuf,
    prefix: String,
    remote: Option<Remote>,
    pub(super) state: State,
    /// What the remote has where a lock ref should be, by the ref's last part.
    troubles: RefCell<BTreeMap<String, Error>>,
}

impl<'a> Store<'a> {
    /// The records of a repository. Nothing is read yet.
    pub fn new(repo: &'a dyn Repository, plan: &Plan) -> Self {
        let locks = &plan.policy.locks;
        let prefix = locks.prefix.value.trim_end_matches('/').to_owned();
        let remote = locks.remote.as_ref().map(|name| Remote {
            name: name.value.clone(),
            prefix: prefix.clone(),
            limit: PATIENCE,
        });
        let common_dir = repo.layout().common_dir.clone();
        let state = State::of(&common_dir);
        let (writer, troubles) = (OnceCell::new(), RefCell::default());
        Self { repo, writer, common_dir, prefix, remote, state, troubles }
    }

    fn writer(&self) -> Result<&dyn ObjectWriter, Error> {
        if self.writer.get().is_none() {
            let _ = self.writer.set(Git2Repository::open_at(&self.common_dir)?);
        }
        match self.writer.get() {
            Some(writer) => Ok(writer),
            None => Err(Error::write("the repository cannot be opened for writing", "please report this")),
        }
    }

    /// The remote's name.
    pub fn remote_name(&self) -> Option<&str> {
        self.remote.as_ref().map(|remote| remote.name.as_str())
    }

    /// Waits so long for a remote, and no longer.
    pub fn set_patience(&mut self, limit: Duration) {
        if let Some(remote) = &mut self.remote {
            remote.limit = limit;
        }
    }

    /// The last part of the name of an area's ref. Hashed: on some file systems `Common` and `common`
    /// would be one file.
    ///
    /// # Errors
    /// Nothing can be hashed.
    pub fn last_part(&self, area: &str) -> Result<String, Error> {
        let mut hash = self.repo.blob_id(area.as_bytes())?.to_string();
        hash.truncate(16);
        Ok(hash)
    }

    /// The full name of the ref that speaks for an area, wherever it lies.
    ///
    /// # Errors
    /// Nothing can be hashed.
    pub fn reference(&self, area: &str) -> Result<String, Error> {
        Ok(format!("{}/{}", self.prefix, self.last_part(area)?))
    }

    /// Where the refs lie that are read here: the locks themselves, or what the remote's were last.
    pub fn view(&self) -> Result<String, Error> {
        Ok(match &self.remote {
            None => self.prefix.clone(),
            Some(remote) if is_name(&remote.name) => format!("refs/lane/remotes/{}", remote.name),
            Some(remote) => format!("refs/lane/remotes/{}", self.last_part(&remote.name)?),
        })
    }

    /// An area's record as it is known here; `None` if it was never locked.
    ///
    /// # Errors
    /// There is a ref, and it holds no record: nobody can tell who has the lock.
    pub fn read(&self, area: &str) -> Result<Option<Tip>, Error> {
        let name = format!("{}/{}", self.view()?, self.last_part(area)?);
        self.read_ref(&name, Some(area))
    }

    /// The record in a ref.
    ///
    /// # Errors
    /// The ref holds none.
    pub fn read_ref(&self, name: &str, area: Option<&str>) -> Result<Option<Tip>, Error> {
        if let Some(trouble) = self.troubles.borrow().get(name.rsplit('/').next().unwrap_or_default()) {
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

    fn broken(&self, name: &str, oid: Option<Oid>, reason: &str) -> Error {
        let value = oid.map_or_else(|| "it".to_owned(), |oid| oid.to_string());
        let mend = match (&self.remote, oid) {
            (None, Some(oid)) => {
                format!(
                    "\nto begin anew, keep it elsewhere: git update-ref refs/lane/kept/{} {oid} && git update-ref -d {name}",
                    oid.short()
                )
            }
            (None, None) => format!("\nto begin anew: git symbolic-ref -d {name}"),
            (Some(remote), _) => {
                format!("\nwhoever may write to `{}` can move the ref back there", remote.name)
            }
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
        let names = self.repo.ref_names(&format!("{}/", self.view()?))?;
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
        let writer = self.writer()?;
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
        match &self.remote {
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
        let Some(remote) = &self.remote else {
            let is_done = self.move_ref(&self.reference(area)?, old_oid, new.oid, guard)?;
            return Ok(is_done.then_some(new));
        };
        let part = self.last_part(area)?;
        for pause in MEETINGS {
            let words = match remote.push(&self.common_dir, &part, old_oid, new.oid) {
                Pushed::Done => {
                    self.advance(&part, new.oid)?;
                    // Of this area nothing newer can be known. Others matter to nobody who holds only this.
                    self.state.keep_synced(&remote.name, world);
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
    fn move_ref(&self, name: &str, old: Option<Oid>, new: Oid, guard: Option<&Guard>) -> Result<bool, Error> {
        let zero = || "0".repeat(new.as_bytes().len() * 2);
        let expected = old.map_or_else(zero, |oid| oid.to_string());
        let started = Instant::now();
        let mut left_behind = None;
        loop {
            let mut command = git::command(&self.common_dir);
            command.args(["update-ref", "--no-deref", name, &new.to_string(), &expected]);
            let ran = git::run(command, guard.and_then(Guard::share), MOVE)?;
            if ran.ok {
                return Ok(true);
            }
            match self.repo.ref_target(name)? {
                Some(RefTarget::Object(now)) if now == new => return Ok(true),
                Some(RefTarget::Object(now)) if Some(now) != old => return Ok(false),
                None if old.is_some() => {
                    return Err(self.broken(name, old, "it was there a moment ago, and is gone"));
                }
                _ => {}
            }
            let lock = self.common_dir.join(format!("{name}.lock"));
            let is_locked = ran.err.contains("File exists");
            if !is_locked || started.elapsed() > LEFT_BEHIND * 4 {
                let help = if is_locked {
                    format!("if no git is at work here, remove {}", lock.display())
                } else {
                    "nothing was changed; put that right, then try again".to_owned()
                };
                return Err(Error::write(format!("the lock cannot be written: {}", ran.complaint()), help));
            }
            if guard.is_some() {
                remove_left_behind(&lock, &mut left_behind);
            }
            sleep(Duration::from_millis(20));
        }
    }

    /// Notes what the remote has, if that is newer than what is known here.
    fn advance(&self, part: &str, new: Oid) -> Result<(), Error> {
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
    fn comes_from(&self, tip: Oid, ancestor: Oid) -> bool {
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
        let Some(remote) = &self.remote else {
            return Ok(false);
        };
        let view = self.view()?;
        let known = self.repo.ref_names(&format!("{view}/"))?;
        let there = remote.list(&self.common_dir)?;
        let mut troubles = BTreeMap::new();
        let mut changed = Vec::new();
        for (part, oid) in &there {
            let here = self.repo.ref_target(&format!("{view}/{part}"))?;
            if here != Some(RefTarget::Object(*oid)) {
                changed.push((part.clone(), *oid));
            }
        }
        let missing: Vec<String> =
            changed.iter().filter(|(_, oid)| !self.repo.has(*oid)).map(|(part, _)| part.clone()).collect();
        if !missing.is_empty() {
            remote.fetch(&self.common_dir, &missing)?;
        }
        let is_new = !changed.is_empty();
        for (part, oid) in changed {
            // Another process may have brought the view further than what was listed.
            match self.repo.ref_target(&format!("{view}/{part}"))? {
                Some(RefTarget::Object(old))
                    if old != oid && !self.comes_from(oid, old) && !self.comes_from(old, oid) =>
                {
                    let reason =
                        format!("what was {} there is {} now, out of nowhere", old.short(), oid.short());
                    let name = format!("{}/{part}", remote.prefix);
                    troubles.insert(part, self.broken(&name, Some(oid), &reason));
                }
                _ => self.advance(&part, oid)?,
            }
        }
        for name in known {
            let part = name.rsplit('/').next().unwrap_or_default();
            if !there.contains_key(part) {
                troubles.insert(part.to_owned(), vanished(remote, part, &name));
            }
        }
        *self.troubles.borrow_mut() = troubles;
        self.state.keep_synced(&remote.name, world);
        Ok(is_new)
    }

    /// Milliseconds since the remote's locks were read; `None` if never. Zero where the locks lie here.
    pub fn age(&self, world: &dyn World) -> Option<u64> {
        match &self.remote {
            None => Some(0),
            Some(remote) => self.state.age(&remote.name, world),
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

/// Removes a ref's lock file that has lain there for long while nobody could be at work: its git was
/// killed. Whoever calls has the guard, so no git of ours is alive.
fn remove_left_behind(lock: &Path, seen: &mut Option<(std::time::SystemTime, Instant)>) {
    let Ok(written) = std::fs::symlink_metadata(lock).and_then(|data| data.modified()) else {
        return;
    };
    match seen {
        Some((before, since)) if *before == written => {
            if since.elapsed() >= LEFT_BEHIND {
                let _ = std::fs::remove_file(lock);
            }
        }
        _ => *seen = Some((written, Instant::now())),
    }
}
