//! Jobs of commits that will not change any more, kept in the common git folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use lane_core::metrics::ci::{CiJob, JobState, KEPT};
use lane_git::state_file;

/// Jobs that ended so many seconds ago are taken to be final: until then somebody may run them again.
const SETTLED: i64 = 6 * 3_600;
/// So many commits are kept, the newest ones.
const MOST: usize = 10_000;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 256 << 20;

/// What is kept.
pub(super) struct KeptJobs {
    file: PathBuf,
    content: Content,
}

#[derive(Default, Serialize, Deserialize)]
struct Content {
    /// Version of the format; 1.
    format: u32,
    /// Which repository on which host they are of: `https://api.github.com owner/name`.
    repository: String,
    commits: BTreeMap<String, Vec<CiJob>>,
}

impl KeptJobs {
    /// What is kept of a repository. What cannot be read, or is of another one, counts as nothing.
    pub fn open(common_dir: &Path, repository: &str, api: &str) -> Self {
        let file = common_dir.join(KEPT);
        let repository = format!("{api} {repository}");
        let read = state_file::read_file(&file, LARGEST)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Content>(&bytes).ok());
        let content = read.filter(|content| content.format == 1 && content.repository == repository);
        let empty = || Content { format: 1, repository, commits: BTreeMap::new() };
        Self { file, content: content.unwrap_or_else(empty) }
    }

    /// Whether the jobs of a commit are known.
    pub fn has(&self, commit: &str) -> bool {
        self.content.commits.contains_key(commit)
    }

    /// The jobs of a commit.
    pub fn of(&self, commit: &str) -> Option<&[CiJob]> {
        self.content.commits.get(commit).map(Vec::as_slice)
    }

    /// Keeps those that are final. Nothing depends on it: where it cannot be written, GitHub is asked again.
    pub fn keep(mut self, found: BTreeMap<String, Vec<CiJob>>, now: i64) {
        let before = self.content.commits.len();
        self.content.commits.extend(found.into_iter().filter(|(_, jobs)| is_final(jobs, now)));
        if self.content.commits.len() == before {
            return;
        }
        while self.content.commits.len() > MOST {
            let ended = |jobs: &Vec<CiJob>| jobs.iter().filter_map(|job| job.completed_at).max();
            let oldest = self.content.commits.iter().min_by_key(|(_, jobs)| ended(jobs));
            let Some(oldest) = oldest.map(|(commit, _)| commit.clone()) else { break };
            self.content.commits.remove(&oldest);
        }
        let written = serde_json::to_vec(&self.content).map_err(std::io::Error::from).and_then(|bytes| {
            std::fs::create_dir_all(self.file.parent().unwrap_or(&self.file))?;
            state_file::replace(&self.file, &bytes)
        });
        if let Err(error) = written {
            log::debug!("{} cannot be written: {error}", self.file.display());
        }
    }
}

/// Whether it can be taken that nothing changes any more.
fn is_final(jobs: &[CiJob], now: i64) -> bool {
    let ended = jobs.iter().filter_map(|job| job.completed_at).max();
    jobs.iter().all(|job| job.state != JobState::Pending)
        && ended.is_some_and(|ended| ended.saturating_add(SETTLED) < now)
}
