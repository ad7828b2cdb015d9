//! Where the refs of a log lie: here, or on the remote that has the locks.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::local_files::LocalFiles;
use super::mirror::Mirror;
use super::record::LogKind;
use super::remote::Remote;
use crate::served;
use lane_core::error::Error;
use lane_core::policy::is_name;
use lane_git::{GitRepo, ObjectWriter, Repository, config_bool};

/// How long one exchange with a remote may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The refs of one log, in one repository.
pub(crate) struct Namespace<'a> {
    /// The repository.
    pub repo: &'a dyn Repository,
    kind: &'static LogKind,
    prefix: String,
    remote: Option<Remote>,
    /// Others push them here: they are read, and never written.
    is_served: bool,
    /// The remote with the address to read from, once that was asked for.
    reached: OnceCell<Remote>,
    /// A handle of its own: what is written through it goes to the disk, whatever the other one keeps in
    /// memory. GitRepo when something is to be written.
    writer: OnceCell<GitRepo>,
}

impl<'a> Namespace<'a> {
    /// On a remote, or in the bare repository that is this remote to others. No record is read yet.
    pub fn new(
        repo: &'a dyn Repository,
        named: Option<String>,
        prefix: String,
        kind: &'static LogKind,
    ) -> Self {
        let is_served = named.as_ref().is_some_and(|name| is_that_remote(repo, name));
        let remote = named.filter(|_| !is_served).map(|name| Remote {
            name,
            address: None,
            prefix: prefix.clone(),
            kind,
            limit: PATIENCE,
        });
        Self { repo, kind, prefix, remote, is_served, reached: OnceCell::new(), writer: OnceCell::new() }
    }

    /// The repository's folder that all worktrees share.
    pub fn common_dir(&self) -> &'a Path {
        &self.repo.layout().common_dir
    }

    /// Whether they lie in this repository, and on no remote.
    pub fn is_here(&self) -> bool {
        self.remote.is_none()
    }

    /// Whether this is the bare repository that others push them to.
    pub fn is_served(&self) -> bool {
        self.is_served
    }

    /// Makes sure that they may be written from here.
    ///
    /// # Errors
    /// This is the bare repository that others push them to.
    pub fn check_writable(&self) -> Result<(), Error> {
        let one = self.kind.one;
        match self.is_served {
            false => Ok(()),
            true => Err(Error::usage(
                format!("this bare repository receives the {one}s of others and can only show them"),
                format!("run it in an agent's worktree or clone, which pushes the {one} here"),
            )),
        }
    }

    /// The remote as the policy names it.
    pub fn configured_remote(&self) -> Option<&Remote> {
        self.remote.as_ref()
    }

    /// The remote that has them, ready to be read from.
    ///
    /// # Errors
    /// Its address cannot be told, or it has several.
    pub fn remote(&self) -> Result<Option<&Remote>, Error> {
        let Some(remote) = &self.remote else {
            return Ok(None);
        };
        if self.reached.get().is_none() {
            let address = Remote::push_address(self.repo, &remote.name)?;
            let _ = self.reached.set(Remote { address, ..remote.clone() });
        }
        Ok(self.reached.get())
    }

    /// Waits so long for a remote, and no longer.
    pub fn set_patience(&mut self, limit: Duration) {
        for remote in self.remote.iter_mut().chain(self.reached.get_mut()) {
            remote.limit = limit;
        }
    }

    /// What writes to the disk.
    ///
    /// # Errors
    /// The repository cannot be opened, or nothing is written in it.
    pub fn writer(&self) -> Result<&dyn ObjectWriter, Error> {
        self.check_writable()?;
        if self.writer.get().is_none() {
            let _ = self.writer.set(GitRepo::open_at(self.common_dir())?);
        }
        match self.writer.get() {
            Some(writer) => Ok(writer),
            None => Err(Error::write(
                "the repository cannot be opened for writing",
                "please report this as a bug in git-lane",
            )),
        }
    }

    /// The full name of a ref, wherever it lies.
    pub fn reference(&self, part: &str) -> String {
        format!("{}/{part}", self.prefix)
    }

    /// Where the refs lie that are read here, without a slash at the end: they themselves, or what the
    /// remote's were last.
    ///
    /// # Errors
    /// Nothing can be hashed.
    pub fn view(&self) -> Result<String, Error> {
        let Some(remote) = &self.remote else {
            return Ok(self.prefix.clone());
        };
        let folder = self.kind.mirror;
        let name = &remote.name;
        Ok(if is_name(name) {
            format!("{folder}/{name}")
        } else {
            format!("{folder}/{}", hashed(self.repo, name)?)
        })
    }

    /// The copies of the remote's refs.
    ///
    /// # Errors
    /// Nothing can be hashed.
    pub fn mirror<'m>(&'m self, remote: &'m Remote, files: &'m LocalFiles) -> Result<Mirror<'m>, Error> {
        Ok(Mirror { repo: self.repo, remote, view: self.view()?, files, what: self.kind.one })
    }
}

/// A text hashed to what every file system takes as a name: sixteen hexadecimal digits.
///
/// # Errors
/// Nothing can be hashed.
pub(crate) fn hashed(repo: &dyn Repository, text: &str) -> Result<String, Error> {
    let mut hash = repo.blob_id(text.as_bytes())?.to_string();
    hash.truncate(16);
    Ok(hash)
}

/// Whether an address is that of a folder on this machine: a path, also one from a folder beside it, or a `file://` address. git takes `x` for `x.git`.
fn leads_to(address: &str, folder: &Path) -> bool {
    let path = address.strip_prefix("file://").unwrap_or(address);
    let Ok(folder) = folder.canonicalize() else { return false };
    ["", ".git", "/.git"].iter().any(|end| {
        let path = PathBuf::from(format!("{}{end}", path.trim_end_matches('/')));
        folder.join(path).canonicalize().is_ok_and(|path| path == folder)
    })
}

/// Whether a repository is itself what clones call by this name: bare, and either without such a remote, or with
/// hooks that judge pushes by its own refs.
fn is_that_remote(repo: &dyn Repository, name: &str) -> bool {
    let layout = repo.layout();
    if layout.worktree.is_some() || !config_bool(repo, "core.bare").unwrap_or(false) {
        return false;
    }
    if !is_name(name) {
        return leads_to(name, &layout.common_dir) || judges(repo);
    }
    let is_configured = |key: &str| repo.config(&format!("remote.{name}.{key}")).map(|urls| !urls.is_empty());
    match (is_configured("url"), is_configured("pushurl")) {
        (Ok(false), Ok(false)) => true,
        _ => judges(repo),
    }
}

/// Whether hooks of ours judge what is pushed to a bare repository.
fn judges(repo: &dyn Repository) -> bool {
    let hooks_path = repo.config("core.hooksPath").unwrap_or_default().pop();
    served::is_judging(&repo.layout().common_dir, hooks_path.as_deref())
}
