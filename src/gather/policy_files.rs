//! The other files of a policy, from a tree or from a working tree: always from where its own file is.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use lane_core::facts::{FileVersion, Oid, Unavailable};
use lane_core::policy::compose::{self, Files, Found, LARGEST};
use lane_core::policy::{FILE, Source};
use lane_git::{FOLDER, Read, Repository};

/// Adds the files that a policy extends. Gives the id of all of it: that of the policy's own file where it has no other, else
/// one of the ids of all. `oid`: of the policy's own file; `path`: its path in the repository.
pub(super) fn with_others<F: Files + Noted>(
    repo: &dyn Repository,
    source: Source,
    oid: Oid,
    path: &str,
    files: &F,
) -> Read<(Source, Oid)> {
    let source = compose::compose(source, path, files)?;
    let oid = if source.files().is_empty() { oid } else { id_of_all(repo, oid, path, files)? };
    Ok((source, oid))
}

fn id_of_all(repo: &dyn Repository, own: Oid, path: &str, files: &impl Noted) -> Read<Oid> {
    let mut all = format!("{own} {path}\n");
    for (path, oid) in files.noted().borrow().iter() {
        all.push_str(&format!("{oid} {path}\n"));
    }
    repo.blob_id(all.as_bytes())
}

/// Files whose ids are noted as they are read.
pub(super) trait Noted {
    fn noted(&self) -> &RefCell<Vec<(String, Oid)>>;
}

/// The files of a tree. `prefix`: what stands before paths in messages, such as `refs/heads/main:`.
pub(super) struct TreeFiles<'r> {
    repo: &'r dyn Repository,
    tree: Oid,
    prefix: String,
    noted: RefCell<Vec<(String, Oid)>>,
}

impl<'r> TreeFiles<'r> {
    /// `name`: what messages call the policy's own file; `path`: where it is.
    pub(super) fn new(repo: &'r dyn Repository, tree: Oid, name: &str, path: &str) -> Self {
        let prefix =
            name.strip_suffix(path).unwrap_or(if name.ends_with(':') { name } else { "" }).to_owned();
        Self { repo, tree, prefix, noted: RefCell::default() }
    }

    /// What is under a path, or what is in the way to it.
    fn find(&self, path: &str) -> Read<Result<Option<FileVersion>, String>> {
        let mut at = FileVersion { mode: FOLDER, oid: self.tree };
        let mut done = 0;
        for name in path.split('/') {
            let above = path.get(..done).unwrap_or_default().trim_end_matches('/');
            match at.mode {
                FOLDER => {}
                0o120_000 => return Ok(Err(format!("is behind the symbolic link {above}"))),
                0o160_000 => {
                    return Ok(Err(format!("is in the submodule {above}, whose files are not here")));
                }
                _ => return Ok(Ok(None)),
            }
            match self.repo.raw_tree(at.oid)?.find(name.as_bytes()) {
                Some(version) => at = version,
                None => return Ok(Ok(None)),
            }
            done += name.len() + 1;
        }
        Ok(Ok(Some(at)))
    }
}

impl Noted for TreeFiles<'_> {
    fn noted(&self) -> &RefCell<Vec<(String, Oid)>> {
        &self.noted
    }
}

impl Files for TreeFiles<'_> {
    fn read(&self, path: &str) -> Result<Found, Unavailable> {
        let found = match self.find(path)? {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Found::Missing),
            Err(what) => return Ok(Found::Behind(what)),
        };
        match found.mode {
            0o100_644 | 0o100_755 => {}
            mode => return Ok(Found::Other(kind_of(mode).to_owned())),
        }
        let size = self.repo.size(found.oid)?;
        if size > LARGEST {
            return Ok(too_large(size));
        }
        let text = text_of(self.repo.blob(found.oid)?);
        self.noted.borrow_mut().push((path.to_owned(), found.oid));
        Ok(text)
    }

    fn names(&self, folder: &str) -> Result<Vec<String>, Unavailable> {
        let tree = match folder {
            "" => self.tree,
            _ => match self.find(folder)? {
                Ok(Some(found)) if found.mode == FOLDER => found.oid,
                _ => return Ok(Vec::new()),
            },
        };
        let tree = self.repo.raw_tree(tree)?;
        Ok(tree.entries().map(|entry| String::from_utf8_lossy(entry.name).into_owned()).collect())
    }

    fn name(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }
}

fn kind_of(mode: u32) -> &'static str {
    match mode {
        0o120_000 => "is a symbolic link",
        FOLDER => "is a folder",
        0o160_000 => "is a submodule",
        _ => "is not a regular file",
    }
}

fn too_large(bytes: usize) -> Found {
    Found::Other(format!("has {bytes} bytes; the limit for a policy is {LARGEST}"))
}

fn text_of(bytes: Vec<u8>) -> Found {
    match String::from_utf8(bytes) {
        Ok(text) => Found::Text(text),
        Err(_) => Found::Other("is not UTF-8".to_owned()),
    }
}

/// The files of a working tree, or of a folder that is none.
pub(super) struct FolderFiles<'r> {
    repo: Option<&'r dyn Repository>,
    root: PathBuf,
    prefix: Option<String>,
    noted: RefCell<Vec<(String, Oid)>>,
}

impl<'r> FolderFiles<'r> {
    /// `name`: what messages call the policy's own file; `path`: where it is below the root.
    pub(super) fn new(repo: Option<&'r dyn Repository>, root: PathBuf, name: &str, path: &str) -> Self {
        let prefix = name.strip_suffix(path).map(str::to_owned);
        Self { repo, root, prefix, noted: RefCell::default() }
    }

    /// What is under a path, without following any link: what git has there is a link, too.
    fn find(&self, path: &str) -> Read<Result<Option<(PathBuf, std::fs::Metadata)>, String>> {
        let mut at = self.root.clone();
        let mut found = None;
        let mut names = path.split('/').peekable();
        while let Some(name) = names.next() {
            at.push(name);
            let data = match std::fs::symlink_metadata(&at) {
                Ok(data) => data,
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                    return Ok(Ok(None));
                }
                Err(error) => return Err(unreadable(&self.name(path), &error)),
            };
            if names.peek().is_some() {
                let above = at.strip_prefix(&self.root).unwrap_or(&at).display().to_string();
                if data.is_symlink() {
                    return Ok(Err(format!("is behind the symbolic link {above}")));
                }
                if at.join(".git").symlink_metadata().is_ok() {
                    return Ok(Err(format!("is in the submodule {above}, whose files are not here")));
                }
            }
            found = Some(data);
        }
        Ok(Ok(found.map(|data| (at, data))))
    }
}

fn unreadable(name: &str, error: &std::io::Error) -> Unavailable {
    Unavailable::new(format!("{name} cannot be read: {error}"), "check its permissions")
}

impl Noted for FolderFiles<'_> {
    fn noted(&self) -> &RefCell<Vec<(String, Oid)>> {
        &self.noted
    }
}

impl Files for FolderFiles<'_> {
    fn read(&self, path: &str) -> Result<Found, Unavailable> {
        let (file, data) = match self.find(path)? {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Found::Missing),
            Err(what) => return Ok(Found::Behind(what)),
        };
        let mode = match data.file_type() {
            kind if kind.is_file() => 0o100_644,
            kind if kind.is_symlink() => 0o120_000,
            kind if kind.is_dir() => FOLDER,
            _ => 0,
        };
        if mode != 0o100_644 {
            return Ok(Found::Other(kind_of(mode).to_owned()));
        }
        if data.len() > LARGEST as u64 {
            return Ok(too_large(usize::try_from(data.len()).unwrap_or(usize::MAX)));
        }
        let bytes = std::fs::read(&file).map_err(|error| unreadable(&self.name(path), &error))?;
        if let Some(repo) = self.repo {
            self.noted.borrow_mut().push((path.to_owned(), repo.blob_id(&bytes)?));
        }
        Ok(text_of(bytes))
    }

    fn names(&self, folder: &str) -> Result<Vec<String>, Unavailable> {
        let path = match folder {
            "" => self.root.clone(),
            _ => match self.find(folder)? {
                Ok(Some((path, data))) if data.is_dir() => path,
                _ => return Ok(Vec::new()),
            },
        };
        let entries = std::fs::read_dir(&path).map_err(|error| unreadable(&self.name(folder), &error))?;
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(&self.name(folder), &error))?;
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
        names.sort_unstable();
        Ok(names)
    }

    fn name(&self, path: &str) -> String {
        match &self.prefix {
            Some(prefix) => format!("{prefix}{path}"),
            None => relative_to_here(&self.root.join(path)).display().to_string(),
        }
    }
}

/// The folder from which the other files of a policy are read, and the path of its own there: the root of the working tree, or
/// where there is none the folder that it is in.
pub(super) fn root_of(repo: Option<&dyn Repository>, path: &Path) -> (PathBuf, String) {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let root = repo.and_then(|repo| repo.layout().worktree.clone());
    let root = match root {
        Some(root) => root.canonicalize().unwrap_or(root),
        None => whole.parent().unwrap_or(Path::new("/")).to_owned(),
    };
    let below = whole.strip_prefix(&root).ok().map(|own| own.to_string_lossy().replace('\\', "/"));
    // One from elsewhere is tried out as if it were the policy of this repository.
    (root, below.unwrap_or_else(|| FILE.to_owned()))
}

/// A path as somebody in the current folder would type it, where it is below that.
fn relative_to_here(path: &Path) -> PathBuf {
    let here = std::env::current_dir().ok();
    here.and_then(|here| Some(path.strip_prefix(here).ok()?.to_owned())).unwrap_or_else(|| path.to_owned())
}
