//! The journal of verdicts: a local, private, bounded record in the common git folder of what hooks and tools were told, so
//! that `git lane report` can say what became of it.
//!
//! Nothing is judged by it, and nothing that goes wrong with it changes a verdict. What a record has is in
//! [`lane_core::metrics::journal`]; a policy with `metrics: { journal: off }` has none.

mod file;

use std::hash::Hasher;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rustc_hash::FxHasher;

use lane_core::facts::Event;
use lane_core::metrics::journal::{Entry, Kind, parse};
use lane_core::policy::Policy;
use lane_core::policy::model::Journal;
use lane_core::report::Report;
use lane_git::Layout;

pub use file::{FILES, State, state};

/// What the journal has.
#[derive(Debug, Default)]
pub struct Records {
    /// The records, oldest first.
    pub entries: Vec<Entry>,
    /// How many were torn.
    pub torn: usize,
}

/// Notes a verdict.
pub fn note(layout: &Layout, policy: &Policy, report: &Report) {
    append(layout, policy, |at, tree| Entry::of_report(report, at, tree));
}

/// Notes that something could not be judged at all.
pub fn note_failure(layout: &Layout, policy: &Policy, event: Event, agent: Option<String>) {
    append(layout, policy, |at, tree| Entry::of_failure(event, agent, at, tree));
}

/// Notes that the rebase of a worktree stopped at these files.
pub fn note_conflict(
    common_dir: &Path,
    git_dir: &Path,
    policy: &Policy,
    agent: Option<String>,
    files: Vec<String>,
) {
    append_in(common_dir, git_dir, policy, |at, tree| Entry::of_conflict(files, agent, at, tree));
}

fn append(layout: &Layout, policy: &Policy, make: impl FnOnce(i64, Option<String>) -> Entry) {
    append_in(&layout.common_dir, &layout.git_dir, policy, make);
}

fn append_in(
    common_dir: &Path,
    git_dir: &Path,
    policy: &Policy,
    make: impl FnOnce(i64, Option<String>) -> Entry,
) {
    if policy.metrics.journal.value == Journal::Off {
        return;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let entry = make(i64::try_from(now).unwrap_or(i64::MAX), Some(tree_mark(git_dir)));
    if let Err(error) = file::append(common_dir, entry.line().as_bytes(), file::MOST) {
        log::debug!("the journal of verdicts was not written: {error}");
    }
}

/// Tells worktrees apart.
fn tree_mark(git_dir: &Path) -> String {
    let mut hasher = FxHasher::default();
    hasher.write(git_dir.as_os_str().as_encoded_bytes());
    format!("{:08x}", hasher.finish() >> 32)
}

/// All that is in the journal, whatever the policy says now.
///
/// # Errors
/// There is one, and it cannot be read.
pub fn read(common_dir: &Path) -> std::io::Result<Records> {
    let mut records = Records::default();
    for text in file::read(common_dir)? {
        let (entries, torn) = parse(&text);
        records.entries.extend(entries);
        records.torn += torn;
    }
    records.entries.sort_by_key(|entry| entry.at);
    Ok(records)
}

/// For how long the same rebase that stops at the same files again is the same conflict, in seconds.
const SAME: i64 = 86_400;

/// Rebases that stopped in a time, oldest first: what `git lane sync` noted. One that was tried again is listed once.
///
/// # Errors
/// The journal cannot be read.
pub fn conflicts(common_dir: &Path, from: i64, to: i64) -> std::io::Result<Vec<Entry>> {
    let mut records = read(common_dir)?.entries;
    records.retain(|entry| entry.verdict == Kind::Conflict && (from..to).contains(&entry.at));
    Ok(distinct(records))
}

fn distinct(all: Vec<Entry>) -> Vec<Entry> {
    let mut found: Vec<(i64, Entry)> = Vec::new();
    for entry in all {
        let is_same = |(last, known): &&mut (i64, Entry)| {
            entry.at - *last < SAME && known.tree == entry.tree && known.files == entry.files
        };
        match found.iter_mut().rev().find(is_same) {
            Some((last, _)) => *last = entry.at,
            None => found.push((entry.at, entry)),
        }
    }
    found.into_iter().map(|(_, entry)| entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rebase_that_is_tried_again_is_one_conflict() {
        let at = |at: i64, tree: &str, file: &str| {
            Entry::of_conflict([file.to_owned()], None, at, Some(tree.to_owned()))
        };
        let all = vec![
            at(0, "a", "x"),
            at(50_000, "b", "x"),
            at(60_000, "a", "y"),
            at(80_000, "a", "x"),
            at(160_000, "a", "x"),
            at(400_000, "a", "x"),
        ];
        let times: Vec<i64> = distinct(all).iter().map(|entry| entry.at).collect();
        assert_eq!(times, [0, 50_000, 60_000, 400_000]);
    }
}
