//! What was in the files of harnesses before ours: `lane/harness.json` of the common git folder.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use lane_core::error::Error;
use lane_core::facts::Unavailable;
use lane_git::state_file;

/// The file's name below the common git folder.
const NAME: &str = "lane/harness.json";

/// One file that we wrote to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub path: PathBuf,
    pub harness: String,
    /// What was in it; `None`: it was not there.
    pub before: Option<String>,
    /// What we wrote.
    pub after: String,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Record {
    file: PathBuf,
    entries: Vec<Entry>,
}

impl Record {
    pub fn read(common_dir: &Path) -> Result<Self, Error> {
        let file = common_dir.join(NAME);
        let entries = match fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                let help = format!("move it away: mv {0} {0}.damaged", file.display());
                Unavailable::new(format!("{} is damaged: {error}", file.display()), help)
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(super::unwritable(&file, &error)),
        };
        Ok(Self { file, entries })
    }

    /// Notes a write. What was there before our first one stays known, unless somebody else has written since.
    pub fn note(&mut self, path: &Path, harness: &str, before: Option<String>, after: &str) {
        let known = self.entries.iter_mut().find(|entry| entry.path == path && entry.harness == harness);
        match known {
            Some(entry) => {
                if before.as_ref() != Some(&entry.after) {
                    entry.before = before.and_then(|text| {
                        match super::merge::has_hooks(&text, harness) || super::instructions::is_in(&text) {
                            true => super::without(&text, harness),
                            false => Some(text),
                        }
                    });
                }
                after.clone_into(&mut entry.after);
            }
            None => self.entries.push(Entry {
                path: path.to_owned(),
                harness: harness.to_owned(),
                before,
                after: after.to_owned(),
            }),
        }
    }

    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Takes all of them, the last first.
    pub fn drain(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.entries).into_iter().rev().collect()
    }

    pub fn write(&self) -> Result<(), Error> {
        let written = match self.entries.is_empty() {
            true => match fs::remove_file(&self.file) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
                done => done,
            },
            false => {
                let folder = self.file.parent().unwrap_or(Path::new("."));
                let bytes = serde_json::to_vec(&self.entries).unwrap_or_default();
                fs::create_dir_all(folder).and_then(|()| state_file::replace(&self.file, &bytes))
            }
        };
        written.map_err(|error| super::unwritable(&self.file, &error))
    }
}
