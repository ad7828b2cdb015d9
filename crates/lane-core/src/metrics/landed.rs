//! Merged changes in numbers: size, files, time from first commit to merge.

use super::history::{History, HistoryCommit, Landing};
use super::{Distribution, LandedChange, Sizes};
use crate::facts::RepoPath;
use crate::identity::of_branch;
use crate::policy::Plan;
use crate::text::plain;

/// What was counted of one change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeCount {
    /// All lines, and those that the limit is held against; none where they could not be counted.
    pub lines: Option<(u64, u64)>,
    /// Files, a rename being one.
    pub files: usize,
    /// The paths that differ, both of a rename's, sorted.
    pub paths: Vec<RepoPath>,
    /// Whether there are new paths.
    pub adds: bool,
    /// Whether paths are gone.
    pub deletes: bool,
}

/// A merged pull request, as its host has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedPull {
    /// The commit of the base that it was merged as, in full.
    pub commit: String,
    /// Its number.
    pub number: u64,
    /// When it was opened, in seconds since the epoch.
    pub opened_at: i64,
    /// Its branch, unless that is in another repository: a fork may call its branches what it likes.
    pub branch: Option<String>,
}

/// Puts into changes what their host knows of them and a squashed commit no longer has: the pull request, since when there
/// was one, and the branch, which tells whose it was.
pub fn add_pulls(plan: &Plan, history: &History, landings: &mut [Landing], pulls: &[MergedPull]) {
    for landing in landings {
        let commit = history.tip(landing).oid.to_string();
        let Some(pull) = pulls.iter().find(|pull| pull.commit == commit) else { continue };
        landing.pull_request = Some(pull.number);
        landing.opened_at = Some(pull.opened_at);
        if landing.agent.is_none() {
            let agent = pull.branch.as_deref().and_then(|branch| of_branch(plan, branch));
            landing.agent = agent.map(|agent| (agent.to_owned(), "branch"));
        }
    }
}

/// A change as the report has it.
pub fn landed_change(history: &History, landing: &Landing, count: &ChangeCount) -> LandedChange {
    let tip = history.tip(landing);
    let first = first_commit(history, landing).map_or(tip.authored, |commit| commit.authored);
    LandedChange {
        commit: tip.oid.to_string(),
        agent: landing.agent.as_ref().map(|(agent, _)| agent.clone()),
        agent_by: landing.agent.as_ref().map(|(_, by)| *by),
        subject: plain(&tip.message.subject()),
        pull_request: landing.pull_request,
        merged_at: tip.committed,
        first_commit_at: landing.opened_at.map_or(first, |opened| opened.min(first)),
        commits: if landing.is_merge { landing.brought.len() } else { landing.run.len() },
        lines: count.lines.map(|(all, _)| all),
        counted: count.lines.map(|(_, counted)| counted),
        files: count.files,
        is_merge: landing.is_merge,
    }
}

/// The first of a change's own commits by its author's clock. Merges are none: of the base into the branch, mostly.
fn first_commit<'h>(history: &'h History, landing: &'h Landing) -> Option<&'h HistoryCommit> {
    let own = history.commits_of(landing).filter(|commit| commit.parents.len() < 2 && commit.authored > 0);
    own.min_by_key(|commit| commit.authored)
}

/// From first commit to merge, where that is known. A single commit that was authored at the very time of its
/// commit, as a host squashes a pull request, does not tell when the work began; nor does a clock that runs backwards.
pub fn lead_time(change: &LandedChange) -> Option<u64> {
    let is_told = change.is_merge || change.first_commit_at != change.merged_at;
    let took = change.merged_at.checked_sub(change.first_commit_at).and_then(|took| u64::try_from(took).ok());
    took.filter(|_| is_told && change.first_commit_at > 0)
}

/// The spread of those times.
pub fn lead_times<'c>(changes: impl IntoIterator<Item = &'c LandedChange>) -> Option<Distribution> {
    Distribution::of(changes.into_iter().filter_map(lead_time))
}

/// Whether a change is above the limit.
pub fn is_oversized(change: &LandedChange, limit: Option<u64>) -> bool {
    limit.is_some_and(|limit| change.counted.is_some_and(|lines| lines > limit))
}

/// The sizes of changes against the limit.
pub fn sizes(changes: &[LandedChange], limit: Option<u64>) -> Sizes {
    let oversized = changes.iter().filter(|change| is_oversized(change, limit)).count();
    let counted = changes.iter().filter(|change| change.counted.is_some()).count();
    let within = limit.filter(|_| counted > 0).map(|_| (counted - oversized) as f64 / counted as f64);
    let lines = Distribution::of(changes.iter().filter_map(|change| change.counted));
    Sizes { limit, lines, oversized, within_limit: within }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::history::BaseName;
    use crate::metrics::testing::{commit, oid, plan};

    fn changes(commits: Vec<HistoryCommit>, tip: u16, lines: &[u64]) -> Vec<LandedChange> {
        let history = History::new(commits, oid(tip), BaseName { branch: "main", remote: "origin" });
        let counts = lines.iter().map(|lines| ChangeCount {
            lines: Some((*lines + 1, *lines)),
            files: 1,
            ..ChangeCount::default()
        });
        let landings = history.landings(&plan());
        landings.iter().zip(counts).map(|(landing, count)| landed_change(&history, landing, &count)).collect()
    }

    #[test]
    fn times_that_are_not_told_do_not_count() {
        let late = HistoryCommit { authored: 60 * 60, ..commit(2, &[1], "a clock ahead") };
        let early = HistoryCommit { authored: 60, ..commit(9, &[4], "fix: picked") };
        let commits = vec![
            commit(1, &[], "first"),
            late,
            commit(3, &[1], "f"),
            commit(4, &[2, 3], "Merge branch 'x'"),
            early,
        ];
        let changes = changes(commits, 9, &[1, 1, 1, 1]);
        let times: Vec<Option<u64>> = changes.iter().map(lead_time).collect();
        assert_eq!(times, [None, None, Some(60), Some(480)]);
        assert_eq!(lead_times(&changes).map(|found| found.count), Some(2));
    }

    #[test]
    fn sizes_against_the_limit() {
        let commits = vec![commit(1, &[], "a"), commit(2, &[1], "b"), commit(3, &[2], "c")];
        let changes = changes(commits, 3, &[300, 301, 5]);
        let sizes = sizes(&changes, Some(300));
        assert_eq!((sizes.oversized, sizes.within_limit), (1, Some(2.0 / 3.0)));
        assert_eq!(sizes.lines.map(|lines| (lines.median, lines.max)), Some((300, 301)));
        assert_eq!(super::sizes(&[], Some(300)), Sizes { limit: Some(300), ..Sizes::default() });
        assert_eq!(super::sizes(&changes, None).oversized, 0);
    }
}
