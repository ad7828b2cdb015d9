//! How a log grows: an event is written as a commit, and a ref moved to it by compare-and-swap.

use std::thread::sleep;
use std::time::Duration;

use super::fault::RefFault;
use super::guard::Guard;
use super::local_files::Floor;
use super::log::EventLog;
use super::record::{Head, LogRecord};
use super::refs::{self, SwapOutcome, descends_from};
use super::remote::{PushOutcome, Remote};
use lane_core::error::Error;
use lane_core::facts::{Oid, Unavailable};

/// The pauses between pushes of one event that meet others at the server, in milliseconds.
const MEETINGS: [u64; 6] = [50, 100, 200, 400, 800, 0];

impl<R: LogRecord> EventLog<'_, R> {
    /// Writes a record as a commit on top of another; no ref moves.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, old: Option<&Head<R>>, record: &R, files: R::Files) -> Result<Head<R>, Error> {
        let writer = self.namespace.writer()?;
        let tree = R::tree(&files, writer)?.to_string();
        let parent = old.map(|old| old.oid.to_string());
        let raw = record.commit(&tree, parent.as_deref()).map_err(|error| {
            Error::write(
                format!("the {} could not be recorded: {error}", R::KIND.one),
                "please report this as a bug in git-lane",
            )
        })?;
        Ok(Head { oid: writer.write_commit(&raw)?, record: record.clone(), files })
    }

    /// What makes a `git push` to the remote that has the log swap a record too.
    ///
    /// # Errors
    /// It lies on no remote.
    pub fn swap_arguments(&self, new: &Head<R>, old: Option<Oid>) -> Result<(String, String), Error> {
        let part = self.ref_part(new.record.key())?;
        match self.namespace.configured_remote() {
            Some(remote) => Ok(remote.swap_arguments(&part, old, new.oid)),
            None => Err(Error::usage(
                format!("the {} are not on a remote", R::KIND.many),
                "set `locks: { remote: origin }` in the policy",
            )),
        }
    }

    /// Makes a record the head of its key, if `old` still is; `None` where somebody else was first. Where a remote has
    /// the log, it decides.
    ///
    /// # Errors
    /// It cannot be written, or it is unknown whether it was.
    pub fn append(
        &self,
        old: Option<&Head<R>>,
        record: &R,
        files: R::Files,
        guard: Option<&Guard>,
    ) -> Result<Option<Head<R>>, Error> {
        let new = self.write(old, record, files)?;
        let part = self.ref_part(record.key())?;
        let old = old.map(|old| old.oid);
        let is_done = match self.namespace.remote()? {
            None => self.swap_here(&part, old, &new, guard)?,
            Some(remote) => self.swap_there(remote, &part, old, &new)?,
        };
        Ok(is_done.then_some(new))
    }

    /// Moves a ref of this repository by git's own compare-and-swap; false where it was not `old`.
    fn swap_here(
        &self,
        part: &str,
        old: Option<Oid>,
        new: &Head<R>,
        guard: Option<&Guard>,
    ) -> Result<bool, Error> {
        let name = self.full_name(part);
        match (refs::swap(self.repo, &name, old, new.oid, guard, R::KIND.one)?, old) {
            (SwapOutcome::Done, _) => {
                let (oid, generation) = (new.oid.to_string(), new.record.generation());
                self.files.keep_floor(part, &Floor { oid, generation });
                Ok(true)
            }
            (SwapOutcome::Gone, Some(old)) => {
                Err(self.fault(&name, self.last(&name), RefFault::JustGone(old)))
            }
            (SwapOutcome::Gone, None) | (SwapOutcome::Other, _) => Ok(false),
        }
    }

    /// Moves a ref of the remote by its own compare-and-swap; false where it was not `old`.
    fn swap_there(
        &self,
        remote: &Remote,
        part: &str,
        old: Option<Oid>,
        new: &Head<R>,
    ) -> Result<bool, Error> {
        let key = new.record.key();
        for pause in MEETINGS {
            let words = match remote.push(self.namespace.common_dir(), part, old, new.oid) {
                PushOutcome::Done => {
                    self.note(remote, part, new.oid)?;
                    return Ok(true);
                }
                PushOutcome::Stale => return Ok(false),
                PushOutcome::Refused(words) | PushOutcome::Unknown(words) => words,
            };
            // The answer may have been lost on the way.
            self.refresh().map_err(|_| in_doubt::<R>(remote, key, &words))?;
            match self.read(key)? {
                Some(now) if descends_from(self.repo, now.oid, new.oid) => return Ok(true),
                now if now.as_ref().map(|now| now.oid) != old => return Ok(false),
                // Two pushes met at the server, and one of them had the ref for that moment.
                _ if words.contains("cannot lock ref") && pause > 0 => sleep(Duration::from_millis(pause)),
                _ => return Err(rejected_error::<R>(remote, &words)),
            }
        }
        Ok(false)
    }

    /// Notes here what the remote has taken.
    fn note(&self, remote: &Remote, part: &str, new: Oid) -> Result<(), Error> {
        if let Err(error) = self.namespace.mirror(remote, &self.files)?.advance(part, new) {
            let note =
                format!("`{}` has the change, but it could not be recorded here: {error}", remote.name);
            self.notes.borrow_mut().push(note);
        }
        Ok(())
    }
}

fn rejected_error<R: LogRecord>(remote: &Remote, words: &str) -> Error {
    let beside = R::KIND.beside;
    Unavailable::new(
        format!("the remote `{}` rejected the {}: {words}", remote.name, R::KIND.one),
        format!(
            "ask its administrator why; if it accepts only branches, write \
             `locks: {{ prefix: refs/heads/lane/locks }}` in the policy{beside}"
        ),
    )
    .into()
}

fn in_doubt<R: LogRecord>(remote: &Remote, key: &str, words: &str) -> Error {
    Unavailable::new(
        format!("`{}` did not confirm the change to {}: {words}", remote.name, R::key_in_words(key)),
        format!(
            "whether it was accepted is unknown; once `git ls-remote {}` works again, run `{}`",
            remote.name,
            R::KIND.list
        ),
    )
    .into()
}
