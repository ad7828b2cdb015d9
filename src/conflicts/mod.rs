//! Which files of which branches would conflict if they were merged now.
//!
//! git's own merge is asked (`git merge-tree --write-tree`), since it is git that will merge. Pairs that cannot
//! conflict are told by their trees alone: [`overlap`].

mod kept;
mod merge;
mod overlap;

pub use kept::KEPT;

use std::path::Path;
use std::time::Duration;

use lane_core::facts::{Oid, RepoPath, Unavailable};
use lane_git::pool;
use lane_git::{GitRepo, Repository};

/// How long all merges of one forecast may take together.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// The fewest pairs for which another git is started: that costs as much as some merges.
const CHUNK: usize = 24;

/// What merging two commits would come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forecast {
    /// It goes through.
    Clean,
    /// It stops at these files, sorted by path.
    Conflicts(Vec<Clash>),
    /// Unknown.
    Unknown(Unavailable),
}

/// A file that a merge stops at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// The file.
    pub path: RepoPath,
    /// How, in git's words, such as `contents` or `modify/delete`; sorted.
    pub kinds: Vec<String>,
}

/// What merging each pair would come to, as git merges in memory, or did before. `limit`: for all of them together.
pub fn forecast(repo: &dyn Repository, pairs: &[(Oid, Oid)], limit: Duration) -> Vec<Forecast> {
    // The folder whose git attributes and configuration hold: a worktree, or a bare repository.
    let root = repo.layout().worktree.as_ref().unwrap_or(&repo.layout().common_dir);
    if pairs.is_empty() {
        return Vec::new();
    }
    let Some(kept) = kept::KeptMerges::open(repo, root) else {
        return in_chunks(repo, root, pairs, limit);
    };
    let open: Vec<(Oid, Oid)> = pairs.iter().copied().filter(|pair| kept.get(*pair).is_none()).collect();
    let mut merged = in_chunks(repo, root, &open, limit).into_iter();
    let forecasts: Vec<Forecast> =
        pairs.iter().filter_map(|pair| kept.get(*pair).cloned().or_else(|| merged.next())).collect();
    if !open.is_empty() {
        kept.save(pairs, &forecasts);
    }
    forecasts
}

fn in_chunks(repo: &dyn Repository, root: &Path, pairs: &[(Oid, Oid)], limit: Duration) -> Vec<Forecast> {
    if pairs.len() <= CHUNK {
        return of_chunk(repo, root, pairs, limit);
    }
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    let chunks: Vec<&[(Oid, Oid)]> = pairs.chunks(CHUNK.max(pairs.len().div_ceil(processors))).collect();
    if let [chunk] = chunks.as_slice() {
        return of_chunk(repo, root, chunk, limit);
    }
    let found = pool::map(&chunks, |chunk| match GitRepo::open_at(root) {
        Ok(repo) => of_chunk(&repo, root, chunk, limit),
        Err(why) => vec![Forecast::Unknown(why); chunk.len()],
    });
    found.into_iter().flatten().collect()
}

fn of_chunk(repo: &dyn Repository, root: &Path, pairs: &[(Oid, Oid)], limit: Duration) -> Vec<Forecast> {
    let mut sieve = overlap::OverlapFilter::new(repo);
    let mut known: Vec<Option<Forecast>> = Vec::with_capacity(pairs.len());
    for (one, two) in pairs {
        known.push(match sieve.may_conflict(*one, *two) {
            Ok(true) => None,
            Ok(false) => Some(Forecast::Clean),
            Err(why) => Some(Forecast::Unknown(why)),
        });
    }
    let open: Vec<(Oid, Oid)> =
        pairs.iter().zip(&known).filter(|(_, known)| known.is_none()).map(|(pair, _)| *pair).collect();
    let mut merged = merge::merge_all(repo, root, &open, &lane_git::scratch::places(), limit).into_iter();
    let nothing = || Forecast::Unknown(Unavailable::new("git did not answer", "retry: git lane conflicts"));
    known.into_iter().map(|known| known.or_else(|| merged.next()).unwrap_or_else(nothing)).collect()
}
