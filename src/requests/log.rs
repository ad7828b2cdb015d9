//! The log of requests: a ref for each, named by its id.

use std::collections::BTreeSet;

use crate::event_log::{EventLog, Fault, Head, LogKind, LogRecord, described, random, retry};
use lane_core::error::Error;
use lane_core::facts::Oid;
use lane_core::policy::{did_you_mean_or, model};
use lane_core::requests::record::{CONTENT, RequestRecord, number};
use lane_git::{ObjectWriter, Repository};

/// The requests of one repository, where they lie.
pub type RequestLog<'a> = EventLog<'a, RequestRecord>;
/// The last event of a request.
pub type RequestHead = Head<RequestRecord>;
/// All requests by id, oldest first; a ref that holds none has the reason in its place.
pub type RequestHeads = Vec<(String, Result<RequestHead, Error>)>;

/// The names and words of the log.
pub(super) const KIND: LogKind = LogKind {
    one: "request",
    many: "requests",
    mirror: "refs/lane/requests-of",
    folder: "lane/requests",
    unknown: "the open requests",
    list: "git lane request list",
    beside: ": requests are stored with locks",
};

/// The tree of a request's commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The blob of the file that came with it.
    pub content: Option<Oid>,
    tree: Oid,
}

impl LogRecord for RequestRecord {
    type Files = Files;

    const KIND: &'static LogKind = &KIND;

    fn prefix(locks: &model::Locks) -> String {
        locks.requests_prefix()
    }

    fn ref_part(_: &dyn Repository, id: &str) -> Result<String, Error> {
        Ok(id.to_owned())
    }

    fn key(&self) -> &str {
        &self.id
    }

    fn key_in_words(id: &str) -> String {
        id.to_owned()
    }

    fn generation(&self) -> u64 {
        0
    }

    fn check_key(id: &str) -> Result<(), String> {
        number(id).map(drop).ok_or_else(|| format!("`{id}` is not a request id, such as r7"))
    }

    fn parse(message: &str, id: Option<&str>) -> Result<Self, String> {
        Self::parse(message, id.unwrap_or_default())
    }

    fn read_files(&self, repo: &dyn Repository, tree: Oid) -> Result<Files, String> {
        let entries = repo.tree(tree).map_err(|why| why.reason)?;
        match (entries.as_slice(), &self.file) {
            ([], None) => Ok(Files { content: None, tree }),
            ([one], Some(_)) if one.name == CONTENT.as_bytes() => {
                Ok(Files { content: Some(one.version.oid), tree })
            }
            _ => Err("its files do not match it".to_owned()),
        }
    }

    fn tree(files: &Files, _: &dyn ObjectWriter) -> Result<Oid, Error> {
        Ok(files.tree)
    }

    fn commit(&self, tree: &str, parent: Option<&str>) -> Result<Vec<u8>, serde_json::Error> {
        self.commit(tree, parent)
    }

    fn describe(fault: &Fault<'_>) -> Error {
        described(fault, &KIND)
    }
}

impl Head<RequestRecord> {
    /// The blob of the file that came with the request.
    pub fn content(&self) -> Option<Oid> {
        self.files.content
    }
}

impl EventLog<'_, RequestRecord> {
    /// All requests as they are known here, lost ones among them.
    ///
    /// # Errors
    /// The refs cannot be listed.
    pub fn all(&self) -> Result<RequestHeads, Error> {
        let mut ids: BTreeSet<String> = self.ref_parts()?.into_iter().collect();
        if self.is_here() {
            ids.extend(self.files().floors().into_iter().filter(|id| number(id).is_some()));
        }
        let mut ids: Vec<String> = ids.into_iter().collect();
        ids.sort_by_key(|id| (number(id).unwrap_or(u64::MAX), id.clone()));
        let read = |id: String| match self.read(&id) {
            Ok(head) => head.map(|head| (id, Ok(head))),
            Err(error) => Some((id, Err(error))),
        };
        Ok(ids.into_iter().filter_map(read).collect())
    }

    /// A request that somebody names.
    ///
    /// # Errors
    /// There is none, or as for [`Self::read`].
    pub fn find(&self, id: &str) -> Result<RequestHead, Error> {
        let head = if number(id).is_some() { self.read(id)? } else { None };
        match head {
            Some(head) => Ok(head),
            None => Err(self.unknown(id)?),
        }
    }

    /// What is said of an id that nobody was given.
    fn unknown(&self, id: &str) -> Result<Error, Error> {
        let ids = self.ref_parts()?;
        let hint =
            did_you_mean_or(id, ids.iter().map(String::as_str), "list them: git lane request list --all");
        Ok(Error::usage(format!("unknown request `{id}`"), hint))
    }

    /// The turn of the next request that is accepted.
    ///
    /// # Errors
    /// The refs cannot be listed.
    pub fn next_turn(&self) -> Result<u64, Error> {
        let all = self.all()?;
        let turns = all.iter().filter_map(|(_, head)| head.as_ref().ok()?.record.turn);
        Ok(turns.max().unwrap_or(0).saturating_add(1))
    }

    /// The chain of a request, newest first.
    ///
    /// # Errors
    /// A commit of the chain is missing, or no event.
    pub fn chain(&self, head: &RequestHead) -> Result<Vec<RequestHead>, Error> {
        let mut chain = Vec::new();
        self.walk(head, |event| {
            chain.push(event.clone());
            false
        })?;
        Ok(chain)
    }

    /// Keeps a new request under the next free id. `make`: the record with that id.
    ///
    /// # Errors
    /// It cannot be written, or it is unknown whether it was.
    pub fn create(
        &self,
        content: Option<&[u8]>,
        make: impl Fn(String) -> RequestRecord,
    ) -> Result<RequestHead, Error> {
        let writer = self.writer()?;
        let content = content.map(|bytes| writer.write_blob(bytes)).transpose()?;
        let tree = match content {
            Some(blob) => writer.write_tree_of(CONTENT, blob)?,
            None => writer.write_empty_tree()?,
        };
        let guard = self.guard()?;
        let made = retry(random, || {
            self.refresh()?;
            let id = format!("r{}", self.last_number()?.saturating_add(1));
            self.append(None, &make(id), Files { content, tree }, guard.as_ref())
        })?;
        made.ok_or_else(too_busy)
    }

    /// The highest number that was given out, as far as it is known here.
    fn last_number(&self) -> Result<u64, Error> {
        let ids = self.ref_parts()?.into_iter().chain(self.files().floors());
        Ok(ids.filter_map(|id| number(&id)).max().unwrap_or(0))
    }

    /// Adds an event to a request, if it still is what `next` was made from; asks again where it is not.
    /// `next`: the record that follows, or why there is none.
    ///
    /// # Errors
    /// There is no such request, it cannot be written, or it is unknown whether it was.
    pub fn add<R>(
        &self,
        id: &str,
        next: impl Fn(&RequestHead) -> Result<Result<RequestRecord, R>, Error>,
    ) -> Result<Result<RequestHead, R>, Error> {
        self.check_writable()?;
        let guard = self.guard()?;
        let added = retry(random, || {
            self.refresh()?;
            let old = self.find(id)?;
            match next(&old)? {
                Ok(record) => {
                    Ok(self.append(Some(&old), &record, old.files.clone(), guard.as_ref())?.map(Ok))
                }
                Err(refusal) => Ok(Some(Err(refusal))),
            }
        })?;
        added.ok_or_else(too_busy)
    }
}

fn too_busy() -> Error {
    Error::write("others keep writing requests", "nothing was changed; try again in a moment")
}
