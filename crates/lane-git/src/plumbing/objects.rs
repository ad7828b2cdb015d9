//! Objects by their ids, from children that stay.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io;

use sha2::{Digest, Sha256};

use super::Plumbing;
use super::batch::Batch;
use super::process::{Git, command_error};
use crate::git2_repo;
use crate::repository::{Kind, Read, Repository};
use lane_core::facts::{Cause, Oid, Unavailable};

/// What answers questions about objects, started when the first one comes.
pub(super) struct Objects {
    /// Bytes of an id: 20 or 32.
    hash_len: usize,
    contents: RefCell<Option<Batch>>,
    headers: RefCell<Option<Batch>>,
}

impl Objects {
    pub fn new(hash_len: usize) -> Self {
        Self { hash_len, contents: RefCell::default(), headers: RefCell::default() }
    }

    /// Bytes of an id.
    pub fn hash_len(&self) -> usize {
        self.hash_len
    }

    /// Ends the children: the next ones see what changed in git's environment.
    pub fn forget(&self) {
        self.contents.replace(None);
        self.headers.replace(None);
    }

    pub fn has(&self, git: &Git, oid: Oid) -> bool {
        let name = oid.to_string();
        // Half of a longer id would be taken for a short form of it.
        oid.as_bytes().len() == self.hash_len
            && query_batch(&self.headers, git, "--batch-check", |batch| {
                batch.headers(std::slice::from_ref(&name))
            })
            .is_ok_and(|found| found.iter().flatten().any(|header| header.oid == name))
    }

    /// The commit that each object leads to, tags peeled: `None` for what is missing, `Some(None)` for what
    /// leads to no commit.
    pub fn peeled(&self, git: &Git, oids: &[Oid]) -> Read<Vec<Option<Option<Oid>>>> {
        let names: Vec<String> = oids.iter().map(|oid| format!("{oid}^{{}}")).collect();
        let found = query_batch(&self.headers, git, "--batch-check", |batch| batch.headers(&names))?;
        let commit =
            |header: super::batch::Header| Oid::from_hex(&header.oid).filter(|_| header.kind == "commit");
        Ok(found.into_iter().map(|header| header.map(commit)).collect())
    }

    pub fn blob_id(&self, bytes: &[u8]) -> Read<Oid> {
        if self.hash_len == 20 {
            return git2_repo::blob_id(bytes);
        }
        let mut hash = Sha256::new();
        hash.update(format!("blob {}\0", bytes.len()));
        hash.update(bytes);
        Oid::from_bytes(&hash.finalize())
            .ok_or_else(|| command_error("an object id", "it has the wrong length"))
    }
}

/// Asks a child; one that failed is asked no more.
fn query_batch<T>(
    place: &RefCell<Option<Batch>>,
    git: &Git,
    option: &str,
    question: impl FnOnce(&mut Batch) -> io::Result<T>,
) -> Read<T> {
    let mut batch = match place.take() {
        Some(batch) => batch,
        None => Batch::start(git.command(&["cat-file", option]))?,
    };
    match question(&mut batch) {
        Ok(answer) => {
            place.replace(Some(batch));
            Ok(answer)
        }
        Err(error) => Err(command_error("an object", &batch.why(&error))),
    }
}

impl Plumbing {
    /// From here on git writes into a folder of its own, and the repository stays as it is.
    pub(super) fn with_scratch(&self) -> Read<()> {
        if !self.git.has_scratch() {
            self.git.scratch(&self.layout.common_dir.join("objects"))?;
            self.objects.forget();
        }
        Ok(())
    }

    /// What an object is, and how many bytes it has.
    pub(super) fn object_header(&self, oid: Oid) -> Read<(Kind, usize)> {
        let (name, what) = (oid.to_string(), format!("the object {oid}"));
        let found =
            query_batch(&self.objects.headers, &self.git, "--batch-check", |batch| batch.headers(&[name]));
        let found = found.map_err(|why| self.unpromised(why, &what, oid))?.pop().flatten();
        let header = found.ok_or_else(|| self.missing(&what, oid))?;
        let kind = match header.kind.as_str() {
            "commit" => Kind::Commit,
            "tree" => Kind::Tree,
            "blob" => Kind::Blob,
            "tag" => Kind::Tag,
            other => return Err(command_error(&what, &format!("it is a {other}"))),
        };
        Ok((kind, header.size))
    }

    /// The bytes of an object of one kind.
    pub(super) fn object(&self, oid: Oid, kind: &str, what: &str) -> Read<Vec<u8>> {
        let mut name = String::new();
        let _ = write!(name, "{oid}");
        if oid.as_bytes().len() != self.objects.hash_len {
            return Err(command_error(what, "its id does not have the length of this repository's ids"));
        }
        let found = query_batch(&self.objects.contents, &self.git, "--batch", |batch| batch.contents(&name));
        let found = found.map_err(|why| self.unpromised(why, what, oid))?;
        match found {
            Some((header, bytes)) if header.kind == kind && header.oid == name => Ok(bytes),
            Some((header, _)) => Err(command_error(what, &format!("it is a {}", header.kind))),
            None => Err(self.missing(what, oid)),
        }
    }

    /// Gits before 2.44 end where others say that an object is missing which a remote promised.
    pub(super) fn unpromised(&self, why: Unavailable, what: &str, oid: Oid) -> Unavailable {
        if why.cause == Cause::Promised { self.missing(what, oid) } else { why }
    }

    /// An object that is not here.
    pub(super) fn missing(&self, what: &str, oid: Oid) -> Unavailable {
        if self.whole_config().is_ok_and(super::config::Config::is_partial) {
            let remote = self.config("lane.remote").ok().and_then(|mut names| names.pop());
            let remote = remote.unwrap_or_else(|| "origin".to_owned());
            return Unavailable::new(
                format!("{what} cannot be read: it is not in this partial clone, and git-lane never fetches"),
                format!(
                    "fetch it: git cat-file -t {oid}\nor, for a whole change: git diff --numstat -M {remote}/HEAD...HEAD\n\
                     or everything, permanently: git fetch --refetch --no-filter {remote}"
                ),
            );
        }
        Unavailable::new(
            format!("{what} cannot be read: it is missing"),
            "see what is missing with `git fsck`; `git fetch` may restore it",
        )
    }

    /// The commits whose parents a shallow clone does not have.
    pub(super) fn shallow_edge(&self) -> Read<Vec<Oid>> {
        let path = self.layout.common_dir.join("shallow");
        let text = std::fs::read_to_string(&path)
            .map_err(|error| command_error(&path.display().to_string(), &error.to_string()))?;
        Ok(text.lines().filter_map(Oid::from_hex).collect())
    }
}
