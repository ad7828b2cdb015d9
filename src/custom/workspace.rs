//! The temporary folder in which commands run, gone afterwards.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::objects::alternate;
use lane_core::custom::Request;
use lane_core::facts::Unavailable;
use lane_git::{Read, Repository};

/// A folder for all commands of one verdict.
pub(super) struct Workspace {
    folder: PathBuf,
    /// The repository's folder of objects; in a server's quarantine, that one.
    sources: PathBuf,
    shallow: Option<PathBuf>,
    rooms: AtomicUsize,
    objects: PathBuf,
}

/// The part of one command: `files`, where it runs; `git`, its git folder; its input and output.
pub(super) struct Room {
    folder: PathBuf,
}

impl Workspace {
    pub(super) fn new(repo: &dyn Repository) -> Read<Self> {
        let common_dir = &repo.layout().common_dir;
        let sources = std::env::var_os("GIT_OBJECT_DIRECTORY").map(PathBuf::from);
        let sources = sources.unwrap_or_else(|| common_dir.join("objects"));
        let sources = std::path::absolute(&sources).unwrap_or(sources);
        let shallow = common_dir.join("shallow");
        let folder = new_folder().map_err(|error| cannot_write(&std::env::temp_dir(), &error))?;
        let workspace = Self {
            objects: folder.join("objects"),
            folder,
            sources,
            shallow: shallow.is_file().then_some(shallow),
            rooms: AtomicUsize::new(0),
        };
        let objects = &workspace.objects;
        fs::create_dir(objects).map_err(|error| cannot_write(objects, &error))?;
        Ok(workspace)
    }

    /// Where objects go that the repository does not have.
    pub(super) fn objects(&self) -> &Path {
        &self.objects
    }

    /// A room for one command, with what it is told.
    pub(super) fn room(&self, request: &Request) -> Read<Room> {
        let number = self.rooms.fetch_add(1, Ordering::Relaxed);
        let room = Room { folder: self.folder.join(number.to_string()) };
        let id_len = request.to.tree.map_or(20, |tree| tree.as_bytes().len());
        let write = || -> std::io::Result<()> {
            let git = room.git();
            for folder in [room.files(), git.join("refs"), git.join("objects/info")] {
                fs::create_dir_all(folder)?;
            }
            let lines = [&self.objects, &self.sources].map(|path| [alternate(path), b"\n".to_vec()].concat());
            fs::write(git.join("objects/info/alternates"), lines.concat())?;
            fs::write(git.join("config"), config(id_len == 32))?;
            let head = request.to.commit.or(request.from.commit);
            let head = head.map_or_else(|| "ref: refs/heads/none".to_owned(), |oid| oid.to_string());
            fs::write(git.join("HEAD"), head + "\n")?;
            let refs = git.join("refs/lane");
            fs::create_dir_all(&refs)?;
            for (name, side) in [("from", &request.from), ("to", &request.to)] {
                let tree =
                    side.tree.map_or_else(|| empty_tree(id_len == 32).to_owned(), |tree| tree.to_string());
                fs::write(refs.join(name), tree + "\n")?;
            }
            if let Some(shallow) = &self.shallow {
                fs::copy(shallow, git.join("shallow"))?;
            }
            let text = serde_json::to_vec(request).map_err(std::io::Error::other)?;
            fs::write(room.input(), text)
        };
        write().map_err(|error| cannot_write(&room.folder, &error))?;
        Ok(room)
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Room {
    /// Where the command runs.
    pub(super) fn files(&self) -> PathBuf {
        self.folder.join("files")
    }

    fn git(&self) -> PathBuf {
        self.folder.join("git")
    }

    /// What is on its standard input.
    pub(super) fn input(&self) -> PathBuf {
        self.folder.join("request.json")
    }

    /// What it writes to standard output and to standard error.
    pub(super) fn output(&self) -> (PathBuf, PathBuf) {
        (self.folder.join("out"), self.folder.join("err"))
    }

    /// Its variables beside those of this process. All of git's are gone, and git-lane's own.
    pub(super) fn variables(&self) -> Vec<(OsString, OsString)> {
        let mut variables: Vec<(OsString, OsString)> = vec![
            ("GIT_DIR".into(), self.git().into()),
            ("GIT_NO_LAZY_FETCH".into(), "1".into()),
            ("GIT_TERMINAL_PROMPT".into(), "0".into()),
        ];
        // On a server, the objects that are there already: the quarantine has only the new ones.
        let alternates = "GIT_ALTERNATE_OBJECT_DIRECTORIES";
        variables.extend(std::env::var_os(alternates).map(|value| (alternates.into(), value)));
        variables
    }
}

fn config(is_sha256: bool) -> &'static str {
    if is_sha256 {
        "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectformat = sha256\n"
    } else {
        "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
    }
}

/// The tree without entries, which every git knows.
fn empty_tree(is_sha256: bool) -> &'static str {
    if is_sha256 {
        "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"
    } else {
        "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
    }
}

/// A folder that only this user sees, below where temporary files are.
fn new_folder() -> std::io::Result<PathBuf> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let mut builder = fs::DirBuilder::new();
    lane_os::private_folder(&mut builder);
    let parent = std::path::absolute(std::env::temp_dir())?;
    for _ in 0..64 {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = parent.join(format!("git-lane-custom-{}-{count}", std::process::id()));
        match builder.create(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            made => return made.map(|()| folder),
        }
    }
    Err(std::io::Error::other("too many folders of earlier runs are left there"))
}

pub(super) fn cannot_write(path: &Path, error: &std::io::Error) -> Unavailable {
    Unavailable::new(
        format!("{} cannot be written: {error}", path.display()),
        "check free space and permissions of the temporary folder (TMPDIR)",
    )
}
