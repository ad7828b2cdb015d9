//! A folder for the objects that a question makes, gone afterwards: the repository's own stay as they are.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use lane_core::facts::Unavailable;

/// A folder of objects that sees those of a repository.
pub struct Scratch {
    folder: PathBuf,
}

/// Where such a folder may lie, the best place first: in memory, where the system has that, since some thousands of
/// small files that are gone again at once cost a disk more than merging does; else where temporary files are.
pub fn places() -> Vec<PathBuf> {
    let memory = Path::new("/dev/shm");
    let memory = (cfg!(target_os = "linux") && memory.is_dir()).then(|| memory.to_owned());
    memory.into_iter().chain([std::env::temp_dir()]).collect()
}

impl Scratch {
    /// `objects`: the repository's own folder of objects. `parent`: where the new one lies.
    ///
    /// # Errors
    /// The parent cannot be written.
    pub fn new(objects: &Path, parent: &Path) -> Result<Self, Unavailable> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = parent.join(format!("git-lane-{}-{count}", std::process::id()));
        let make = || -> std::io::Result<()> {
            // A number that was given out before may have left its folder behind.
            let _ = fs::remove_dir_all(&folder);
            let mut builder = fs::DirBuilder::new();
            lane_os::private_folder(&mut builder).create(&folder)?;
            fs::create_dir(folder.join("info"))?;
            // gitrepository-layout(5), objects/info/alternates: no quoting, one path on each line.
            let mut line = objects.as_os_str().as_encoded_bytes().to_vec();
            line.push(b'\n');
            fs::write(folder.join("info/alternates"), line)
        };
        make().map_err(|error| {
            Unavailable::new(
                format!("{} cannot be written: {error}", folder.display()),
                "check free space and permissions of the temporary folder (TMPDIR)",
            )
        })?;
        Ok(Self { folder })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// A file with something in it, opened for reading.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn file(&self, name: &str, text: &str) -> std::io::Result<File> {
        let path = self.folder.join(name);
        fs::write(&path, text)?;
        File::open(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
