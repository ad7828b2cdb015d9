//! A base's history, and the changes that were merged into it: plain data, and who brought in what.
//!
//! The line of the base is what it pointed to from time to time: the first parents, except where somebody pulled the base
//! into their own copy of it and pushed that. Such a merge has the base as its second parent, and the line goes on there.

use rustc_hash::{FxHashMap, FxHashSet};

use super::attribution::{Attribution, whose};
use super::merge_subject::MergeSubject;
use crate::facts::{Message, Oid};
use crate::policy::Plan;

/// How long an agent's commits may lie apart and still be one change, in seconds, where git does not tell what was pushed
/// together.
const ONE_GO: u64 = 3600;
/// The same for commits of no agent that a rebase merge put on the base in one go.
const ONE_REBASE: u64 = 60;

/// A commit of the base's history.
#[derive(Debug, Clone)]
pub struct HistoryCommit {
    /// Its id.
    pub oid: Oid,
    /// Its tree.
    pub tree: Oid,
    /// Its parents.
    pub parents: Vec<Oid>,
    /// When its author made it.
    pub authored: i64,
    /// When it was committed.
    pub committed: i64,
    /// Its author's e-mail address.
    pub author: String,
    /// Its message.
    pub message: Message,
}

/// How the base is called: by merges of it, too.
#[derive(Debug, Clone, Copy)]
pub struct BaseName<'a> {
    /// Its name.
    pub branch: &'a str,
    /// The remote that it is tracked from.
    pub remote: &'a str,
}

impl BaseName<'_> {
    /// Which of a commit's parents the base was before.
    pub fn line_parent(&self, parents: &[Oid], message: &Message) -> Option<Oid> {
        match parents {
            [_, second] if MergeSubject::of(message).is_of(self.branch, self.remote) => Some(*second),
            _ => parents.first().copied(),
        }
    }
}

/// Some history of the base.
#[derive(Debug, Default)]
pub struct History {
    /// Its commits, parents before children.
    pub commits: Vec<HistoryCommit>,
    /// Those of the base's line, oldest first, by their place.
    pub line: Vec<usize>,
    /// What the base was before each commit of the line, if it was anything.
    stands_on: Vec<Option<Oid>>,
    places: FxHashMap<Oid, usize>,
    /// Where on the line a commit stands, by its place.
    on_line: FxHashMap<usize, usize>,
}

/// A change that was merged, by the places of its commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landing {
    /// Commits of the base's line, oldest first: one merge, or a run of others.
    pub run: Vec<usize>,
    /// What a merge brought in, parents before children.
    pub brought: Vec<usize>,
    /// The commit of the base before it; none for the first of all.
    pub before: Option<Oid>,
    /// Whose it is, and how that is known.
    pub agent: Option<Attribution>,
    /// The number of its pull request.
    pub pull_request: Option<u64>,
    /// When its pull request was opened, where a host says so.
    pub opened_at: Option<i64>,
    /// Whether it is a merge.
    pub is_merge: bool,
}

impl History {
    /// The history from a tip on. `commits`: all that is wanted of it, parents before children.
    pub fn new(commits: Vec<HistoryCommit>, tip: Oid, base: BaseName<'_>) -> Self {
        let places: FxHashMap<Oid, usize> =
            commits.iter().enumerate().map(|(at, commit)| (commit.oid, at)).collect();
        let (mut line, mut stands_on) = (Vec::new(), Vec::new());
        let mut at = places.get(&tip).copied();
        while let Some(place) = at {
            let commit = &commits[place];
            let parent = base.line_parent(&commit.parents, &commit.message);
            line.push(place);
            stands_on.push(parent);
            at = parent.and_then(|parent| places.get(&parent).copied());
        }
        line.reverse();
        stands_on.reverse();
        let on_line = line.iter().enumerate().map(|(at, place)| (*place, at)).collect();
        Self { commits, line, stands_on, places, on_line }
    }

    /// Where on the line a commit stands.
    pub fn on_line(&self, place: usize) -> Option<usize> {
        self.on_line.get(&place).copied()
    }

    /// Where on the line a merged branch left it, where it did so once and never merged anything since: that is the merge
    /// base, as all that the base and the branch share is below it.
    pub fn fork(&self, landing: &Landing) -> Option<usize> {
        let own: FxHashSet<usize> = landing.brought.iter().copied().collect();
        let parents = landing.brought.iter().flat_map(|place| &self.commits[*place].parents);
        let below = parents.map(|parent| self.places.get(parent).copied());
        let mut fork = None;
        for place in below {
            let place = place?;
            if own.contains(&place) {
                continue;
            }
            match fork {
                None => fork = Some(place),
                Some(known) if known == place => {}
                Some(_) => return None,
            }
        }
        self.on_line(fork?)
    }

    /// Every change of the line, oldest first. Each commit of the history is part of one of them.
    pub fn landings(&self, plan: &Plan) -> Vec<Landing> {
        let mut seen = vec![false; self.commits.len()];
        self.line.iter().for_each(|place| seen[*place] = true);
        let mut landings: Vec<Landing> = Vec::new();
        for (place, before) in self.line.iter().copied().zip(&self.stands_on) {
            let commit = &self.commits[place];
            let others = commit.parents.iter().filter(|parent| Some(**parent) != *before);
            let brought = self.unseen(others.copied().collect(), &mut seen);
            let merged = MergeSubject::of(&commit.message);
            let is_merge = commit.parents.len() > 1;
            let own = std::iter::once(&place).filter(|_| !is_merge);
            let commits: Vec<&HistoryCommit> =
                brought.iter().chain(own).map(|place| &self.commits[*place]).collect();
            let agent = whose(plan, &merged, &commit.message, &commits);
            let landing = Landing {
                run: vec![place],
                brought,
                before: *before,
                agent,
                pull_request: merged.pull_request,
                opened_at: None,
                is_merge,
            };
            match landings.last_mut().filter(|last| self.is_one_go(last, &landing)) {
                Some(last) => last.run.push(place),
                None => landings.push(landing),
            }
        }
        landings
    }

    /// What some commits reach that was not seen yet, parents before children.
    fn unseen(&self, mut open: Vec<Oid>, seen: &mut [bool]) -> Vec<usize> {
        let mut found = Vec::new();
        while let Some(oid) = open.pop() {
            if let Some(place) = self.places.get(&oid).copied().filter(|place| !seen[*place]) {
                seen[place] = true;
                found.push(place);
                open.extend_from_slice(&self.commits[place].parents);
            }
        }
        found.sort_unstable();
        found
    }

    /// Whether a commit goes on with the change before it.
    fn is_one_go(&self, last: &Landing, next: &Landing) -> bool {
        if last.is_merge || next.is_merge {
            return false;
        }
        let (Some(one), Some(two)) = (last.run.last(), next.run.first()) else { return false };
        let (one, two) = (&self.commits[*one], &self.commits[*two]);
        let apart = one.committed.abs_diff(two.committed);
        if last.pull_request.is_some() || next.pull_request.is_some() {
            return last.pull_request == next.pull_request && last.agent == next.agent;
        }
        match (&last.agent, &next.agent) {
            (Some((one, _)), Some((two, _))) => one == two && apart <= ONE_GO,
            // A plain commit keeps the time at which it was made; a rebase gives all of them one.
            (None, None) => {
                let is_rebased = one.authored != one.committed && two.authored != two.committed;
                is_rebased && one.author == two.author && apart <= ONE_REBASE
            }
            _ => false,
        }
    }

    /// The commits of a change, those of the line last.
    pub fn commits_of<'h>(&'h self, landing: &'h Landing) -> impl Iterator<Item = &'h HistoryCommit> {
        landing.brought.iter().chain(&landing.run).map(|place| &self.commits[*place])
    }

    /// The last commit of a change on the line.
    pub fn tip(&self, landing: &Landing) -> &HistoryCommit {
        let last = landing.run.last().copied().unwrap_or_default();
        &self.commits[last]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::testing::{commit, oid, plan};

    const BASE: BaseName<'_> = BaseName { branch: "main", remote: "origin" };

    /// Each change: its commits on the line, how many it brought in, whose it is.
    fn of(commits: Vec<HistoryCommit>, tip: u16) -> Vec<(usize, usize, Option<String>)> {
        let history = History::new(commits, oid(tip), BASE);
        let landings = history.landings(&plan());
        let all: usize = landings.iter().map(|landing| landing.run.len() + landing.brought.len()).sum();
        assert_eq!(all, history.commits.len(), "each commit is part of one change");
        landings
            .into_iter()
            .map(|landing| (landing.run.len(), landing.brought.len(), landing.agent.map(|(agent, _)| agent)))
            .collect()
    }

    fn some(agent: &str) -> Option<String> {
        Some(agent.to_owned())
    }

    #[test]
    fn merges_bring_in_what_the_base_lacks() {
        let commits = vec![
            commit(1, &[], "first"),
            commit(2, &[1], "f"),
            commit(3, &[1], "g"),
            commit(4, &[1, 2], "Merge pull request #1 from o/feat/a1/x"),
            commit(5, &[3, 4], "Merge branch 'main' into feat/a2/y"),
            commit(6, &[4, 5], "Merge pull request #2 from o/feat/a2/y"),
            commit(7, &[6], "x (#3)"),
        ];
        assert_eq!(of(commits, 7), [(1, 0, None), (1, 1, some("a1")), (1, 2, some("a2")), (1, 0, None)]);
    }

    #[test]
    fn where_a_branch_left_the_line() {
        let commits = vec![
            commit(1, &[], "first"),
            commit(2, &[1], "f"),
            commit(3, &[2], "g"),
            commit(4, &[1], "h (#1)"),
            commit(5, &[4, 3], "Merge branch 'x'"),
            commit(6, &[3], "i"),
            commit(7, &[6, 4], "Merge branch 'main' into y"),
            commit(8, &[5, 7], "Merge branch 'y'"),
        ];
        let history = History::new(commits, oid(8), BASE);
        let forks: Vec<Option<usize>> =
            history.landings(&plan()).iter().map(|landing| history.fork(landing)).collect();
        assert_eq!(forks, [None, None, Some(0), None]);
    }

    #[test]
    fn a_pull_of_the_base_goes_on_with_the_base() {
        let commits = vec![
            commit(1, &[], "first"),
            commit(2, &[1], "mine"),
            commit(3, &[1], "f (#1)"),
            commit(4, &[3], "g (#2)"),
            commit(5, &[2, 4], "Merge branch 'main' of github.com:o/r"),
        ];
        assert_eq!(of(commits, 5), [(1, 0, None), (1, 0, None), (1, 0, None), (1, 1, None)]);
    }

    #[test]
    fn commits_of_one_agent_in_one_go_are_one_change() {
        let commits = vec![
            commit(1, &[], "[A1] f"),
            commit(2, &[1], "[A1] g"),
            commit(3, &[2], "[A2] h"),
            commit(80, &[3], "[A2] i"),
            commit(81, &[80], "[A2] j (#1)"),
            commit(82, &[81], "[A2] k (#2)"),
            commit(83, &[82], "l"),
            commit(84, &[83], "m"),
        ];
        let runs: Vec<usize> = of(commits, 84).into_iter().map(|(run, ..)| run).collect();
        assert_eq!(runs, [2, 1, 1, 1, 1, 1, 1]);
    }

    #[test]
    fn a_rebase_merge_is_one_change() {
        let rebased =
            |number, parents: &[u16], text| HistoryCommit { authored: 0, ..commit(number, parents, text) };
        let commits = vec![commit(1, &[], "first"), rebased(2, &[1], "f"), rebased(3, &[2], "g")];
        let runs: Vec<usize> = of(commits, 3).into_iter().map(|(run, ..)| run).collect();
        assert_eq!(runs, [1, 2]);
    }

    #[test]
    fn an_octopus_is_one_change_and_nothing_is_nothing() {
        let commits = vec![
            commit(1, &[], "first"),
            commit(2, &[1], "f"),
            commit(3, &[1], "g"),
            commit(4, &[1, 2, 3], "Merge branches 'f' and 'g'"),
        ];
        assert_eq!(of(commits, 4), [(1, 0, None), (1, 2, None)]);
        assert_eq!(of(Vec::new(), 4), []);
    }
}
