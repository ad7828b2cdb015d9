//! The base's history in a period: which commits, and what could not be seen.

use std::collections::HashSet;

use super::super::Query;
use super::base_name;
use lane_core::facts::{Message, Oid};
use lane_core::metrics::history::{History, HistoryCommit, Landing};
use lane_core::metrics::{Missing, Period};
use lane_git::pool;
use lane_git::{GitRepo, RawCommit, Read, Repository, shallow_edge};

/// After how many commits of the line that are older than the period nothing younger is looked for. Clocks differ, and a
/// commit may be older than its parent.
const SLOP: usize = 500;
/// From how many commits on several threads read them.
const MANY: usize = 2000;

/// The history that was read.
pub struct Walked {
    /// The commits of the period.
    pub history: History,
    /// When the base began, where that was seen.
    pub begin: Option<i64>,
    /// What could not be seen.
    pub missing: Vec<Missing>,
    edge: HashSet<Oid>,
}

impl Walked {
    /// Whether a change was merged in the period. What stands at the edge of a shallow clone cannot be told from what
    /// was there before.
    pub fn is_wanted(&self, landing: &Landing, period: Period) -> bool {
        let time = self.history.tip(landing).committed;
        let is_cut = || landing.run.iter().any(|place| self.edge.contains(&self.history.commits[*place].oid));
        period.from <= time && time < period.to && !is_cut()
    }
}

/// Reads the history of a base from its tip on.
///
/// # Errors
/// A commit is missing.
pub fn walk(query: &Query, tip: Oid) -> Read<Walked> {
    let line = Line::read(query, tip)?;
    let edge = shallow_edge(query.repo)?;
    let oids = match line.is_empty {
        true => Vec::new(),
        false => query.repo.commits(&[tip], line.before.as_slice())?,
    };
    let is_cut = oids.iter().any(|oid| edge.contains(oid)) || (oids.is_empty() && edge.contains(&tip));
    let commits = read_all(query.repo, &oids)?;
    let history = History::new(commits, tip, base_name(query));
    let begin = history.line.first().filter(|_| line.before.is_none() && !is_cut);
    let begin = begin.map(|place| history.commits[*place].committed);
    let mut missing = Vec::new();
    if is_cut {
        missing.push(Missing {
            what: "changes".to_owned(),
            reason: "history is cut off inside the period (a shallow clone): older changes are not known"
                .to_owned(),
            help: Some(format!("git fetch --unshallow {}", query.plan.policy.remote.value)),
        });
    }
    let ahead = history.line.iter().filter(|place| history.commits[**place].committed > query.now).count();
    if ahead > 0 {
        let commits = if ahead == 1 { "commit is" } else { "commits are" };
        missing.push(Missing {
            what: "changes".to_owned(),
            reason: format!("{ahead} {commits} dated later than now, and not counted: a clock was wrong"),
            help: Some("see their dates: git log --first-parent --format='%h %ci %cn'".to_owned()),
        });
    }
    Ok(Walked { history, begin, missing, edge })
}

/// The line of the base, as far as the period goes.
struct Line {
    /// The last commit before the period; none where the line begins in it.
    before: Option<Oid>,
    /// Whether none of it is in the period.
    is_empty: bool,
}

impl Line {
    fn read(query: &Query, tip: Oid) -> Read<Self> {
        let base = base_name(query);
        let (mut at, mut older) = (Some(tip), 0);
        let mut line = Self { before: Some(tip), is_empty: true };
        while let Some(oid) = at.filter(|_| older < SLOP) {
            let commit = query.repo.commit(oid)?;
            let message = Message { text: commit.message };
            at = base.line_parent(&commit.parents, &message);
            older += 1;
            if commit.time >= query.period.from {
                line = Self { before: at, is_empty: false };
                older = 0;
            }
        }
        Ok(line)
    }
}

/// Reads commits, some at a time where they are many.
///
/// # Errors
/// One is missing.
pub fn read_all(repo: &GitRepo, oids: &[Oid]) -> Read<Vec<HistoryCommit>> {
    let read = |repo: &GitRepo, oids: &[Oid]| -> Read<Vec<HistoryCommit>> {
        oids.iter().map(|oid| Ok(of_raw(*oid, repo.commit(*oid)?))).collect()
    };
    if oids.len() < MANY {
        return read(repo, oids);
    }
    let root = root_of(repo);
    let chunks: Vec<&[Oid]> = oids.chunks(MANY).collect();
    let parts = pool::map(&chunks, |oids| read(&GitRepo::open_at(&root)?, oids));
    let parts: Read<Vec<Vec<HistoryCommit>>> = parts.into_iter().collect();
    Ok(parts?.into_iter().flatten().collect())
}

/// The folder in which other threads open the same repository.
pub fn root_of(repo: &GitRepo) -> std::path::PathBuf {
    let layout = repo.layout();
    layout.worktree.clone().unwrap_or_else(|| layout.common_dir.clone())
}

fn of_raw(oid: Oid, raw: RawCommit) -> HistoryCommit {
    HistoryCommit {
        oid,
        tree: raw.tree,
        parents: raw.parents,
        authored: raw.authored,
        committed: raw.time,
        author: raw.author,
        message: Message { text: raw.message }.without_prose(),
    }
}
