//! Every agent at a glance: what each worktree is about, read side by side, as plain data.
//!
//! [`read()`] asks the repository; [`table`] and [`json`] render; [`screen`] is what `--watch` shows.

mod health;
mod hooks;
pub mod json;
mod lanes;
mod locks;
mod ports;
mod pulls;
pub mod screen;
pub mod table;
mod tree;

use std::path::PathBuf;
use std::time::Duration;

use crate::conflicts::{self, Forecast};
use crate::gather::LoadedPolicy;
use crate::health::ServiceHealth;
use crate::requests;
use crate::stack::Step;
use lane_core::error::Error;
use lane_core::facts::{Oid, Unavailable};
use lane_core::policy::Plan;
use lane_git::Repository;
use lane_git::pool;

pub use health::HealthCount;
pub use lanes::{Lane, lanes};
pub use tree::{base_of, open_error};

/// How long GitHub may take.
const HOST: Duration = Duration::from_secs(3);
/// How long all merges together may take.
const MERGES: Duration = Duration::from_secs(10);

/// Every agent, at one moment.
#[derive(Debug, Clone)]
pub struct Status {
    /// When, in seconds since the epoch.
    pub now: i64,
    /// The base's name, and its tip where there is one.
    pub base: (String, Option<Oid>),
    /// The agents in the policy's order, then the further worktrees.
    pub lines: Vec<Line>,
    /// Which of them would conflict if merged now.
    pub clashes: Vec<Pair>,
    /// Whether the policy only observes.
    pub observes: bool,
    /// What could not be found out and is no line's own.
    pub notes: Vec<String>,
    /// How services are, where that was asked for.
    pub health: Option<Vec<ServiceHealth>>,
}

/// One agent with its worktree, or a worktree of no agent.
#[derive(Debug, Clone, Default)]
pub struct Line {
    /// The agent.
    pub agent: Option<String>,
    /// The worktree; `None` where there is none.
    pub root: Option<PathBuf>,
    /// The branch that is checked out, or that a rebase under way is about; its short name.
    pub branch: Option<String>,
    /// Its tip.
    pub head: Option<Oid>,
    /// What git is in the middle of: `rebase`, `merge`.
    pub under_way: Option<&'static str>,
    /// The branch that it is to be merged into, by its short name, and the tip of that.
    pub base: Option<(String, Oid)>,
    /// The pushed branch of the same agent that it is based on, by its short name: lines and commits count from there.
    pub counted_from: Option<String>,
    /// The branches of the same agent below it, lowest first.
    pub stack: Vec<Step>,
    /// Commits that it has above those.
    pub stack_top: Option<usize>,
    /// Where a pull request of it goes, if not to the policy's base: another protected branch, or that one.
    pub into: Option<String>,
    /// Commits that neither the base has nor the branch that it is based on.
    pub ahead: Option<usize>,
    /// Commits of the base that it does not have.
    pub behind: Option<usize>,
    /// When the merge base was committed, in seconds since the epoch.
    pub merge_base_at: Option<i64>,
    /// Lines of the change that count, and the most it may have.
    pub lines: Option<(u64, Option<u64>)>,
    /// Files that are not committed.
    pub uncommitted: Option<usize>,
    /// What `git lane check` says.
    pub check: Option<Check>,
    /// The last commit.
    pub last: Option<LastCommit>,
    /// Locks that the agent holds.
    pub locks: Vec<Lock>,
    /// Scopes that it waits for.
    pub waits: Vec<String>,
    /// Ports of its range that something listens on.
    pub ports: Vec<u16>,
    /// Requests that wait for it; `None` where nobody counts them.
    pub requests: Option<usize>,
    /// Its open pull requests.
    pub pulls: Vec<Pull>,
    /// How its services are, where that was asked for and it has any.
    pub health: Option<HealthCount>,
    /// Whether it is a worktree that no agent was given, where the commits of one are refused.
    pub is_unassigned: bool,
    /// Why git does not run the hooks there, if it does not.
    pub hooks: Option<String>,
    /// Why some of this is not known.
    pub troubles: Vec<Unavailable>,
}

/// The verdict on a change, shortly.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Check {
    /// Findings of level error.
    pub errors: usize,
    /// Findings of level warning.
    pub warnings: usize,
    /// Each finding: whether it is an error, the rule, one line about it.
    pub findings: Vec<(bool, String, String)>,
    /// What could not be decided.
    pub undecided: Vec<String>,
    /// The rules of the policy's own that would have something to look at: no command is run for a status.
    pub not_run: Vec<String>,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastCommit {
    /// Its subject, fit for a terminal.
    pub subject: String,
    /// When it was committed, in seconds since the epoch.
    pub at: i64,
}

/// A lock that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// On what.
    pub scope: String,
    /// Seconds until others may have it.
    pub left: u64,
    /// Why, in the holder's words.
    pub reason: Option<String>,
}

/// An open pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    /// Its number.
    pub number: u64,
    /// Its address.
    pub url: String,
    /// Whether it is a draft.
    pub is_draft: bool,
}

/// Two sides of a merge, and what it would come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// One side, as people call it.
    pub one: String,
    /// The other.
    pub two: String,
    /// Their tips.
    pub tips: (Oid, Oid),
    /// What the merge would come to.
    pub forecast: Forecast,
}

impl Line {
    /// The agent, or else what tells the worktree apart.
    pub fn title(&self) -> String {
        let folder = || self.root.as_ref()?.file_name().map(|name| name.to_string_lossy().into_owned());
        self.agent.clone().or_else(folder).unwrap_or_else(|| "-".to_owned())
    }

    /// Why it is unknown what would be merged from this worktree, where that is so. One without a commit has
    /// nothing to merge.
    pub fn unread(&self) -> Option<&Unavailable> {
        let is_unread = self.root.is_some() && self.head.is_none() && self.branch.is_none();
        self.troubles.first().filter(|_| is_unread)
    }

    /// What a forecast calls it: `a1`, or the branch of a worktree of no agent.
    fn side(&self) -> String {
        self.agent.clone().or_else(|| self.branch.clone()).unwrap_or_else(|| self.title())
    }
}

/// How the worktrees are looked at.
#[derive(Debug, Clone, Copy)]
pub struct StatusOptions {
    /// Seconds since the epoch.
    pub now: i64,
    /// Whether git may note in an index what it found out about files, as `git status` does.
    pub may_refresh: bool,
}

/// Reads everything. What cannot be read of a worktree is said in its line.
///
/// # Errors
/// The list of worktrees cannot be read.
pub fn read(repo: &dyn Repository, loaded: &LoadedPolicy, manner: StatusOptions) -> Result<Status, Error> {
    let (plan, now) = (&loaded.plan, manner.now);
    let mut notes = Vec::new();
    let lanes = lanes(repo, plan)?;
    let held = locks::read(repo, plan, &mut notes);
    let layout = repo.layout();
    let mut lines = pool::map(&lanes, |lane| tree::line(layout, lane, loaded, manner));
    lanes.iter().zip(&mut lines).for_each(|(lane, line)| {
        tree::from_afar(repo, plan, lane, line);
        let is_linked = lane.git_dir.as_ref().is_some_and(|git_dir| *git_dir != layout.common_dir);
        line.is_unassigned = is_linked && lanes::is_unassigned(plan, line);
    });
    lanes::adopt(repo, plan, &mut lines);
    notes.extend(lanes::unassigned_note(&lines));
    locks::fill(&mut lines, held);
    hooks::fill(repo, &mut lines, &mut notes);
    ports::fill(plan, &mut lines, &mut notes);
    // As far as they are known here: no remote is asked.
    if let Ok(all) = requests::log::RequestLog::new(repo, plan).all() {
        for line in &mut lines {
            let agent = line.agent.as_ref();
            line.requests = agent.map(|agent| requests::waiting_for(&all, plan, agent).len());
        }
    }
    let pulls = pulls::start(repo, plan, &lines);
    let clashes = clashes(repo, loaded, &lines, MERGES);
    pulls::fill(&mut lines, pulls, HOST, &mut notes);
    let base = (plan.policy.base.value.clone(), loaded.base.as_ref().map(|base| base.oid));
    let observes = plan.observes();
    if observes {
        notes.push("the policy only observes: it has `mode: observe`, and nothing is refused".to_owned());
    }
    Ok(Status { now, base, lines, clashes, observes, notes, health: None })
}

/// The lines with their branches and tips, and nothing else: what a forecast needs.
///
/// # Errors
/// The list of worktrees cannot be read.
pub fn heads(repo: &dyn Repository, plan: &Plan) -> Result<Vec<Line>, Error> {
    let lanes = lanes(repo, plan)?;
    let mut lines: Vec<Line> = lanes.iter().map(|lane| tree::head_alone(repo.layout(), lane, plan)).collect();
    lanes.iter().zip(&mut lines).for_each(|(lane, line)| tree::from_afar(repo, plan, lane, line));
    lanes::adopt(repo, plan, &mut lines);
    Ok(lines)
}

/// The same without opening a worktree: for a note, which has no place for what cannot be read.
///
/// # Errors
/// The list of worktrees cannot be read.
pub fn heads_from_afar(repo: &dyn Repository, plan: &Plan) -> Result<Vec<Line>, Error> {
    let line = |lane: &Lane| {
        let root = lane.git_dir.as_ref().map(|_| lane.root.clone());
        let mut line = Line { agent: lane.agent.clone(), root, ..Line::default() };
        tree::from_afar(repo, plan, lane, &mut line);
        line
    };
    let mut lines: Vec<Line> = lanes(repo, plan)?.iter().map(line).collect();
    lanes::adopt(repo, plan, &mut lines);
    Ok(lines)
}

/// One side of a merge.
struct Side {
    name: String,
    head: Oid,
    /// What it is to be merged into.
    base: Option<(String, Oid)>,
}

/// Two branches that may be merged with each other, or a branch and the one that it goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// One side, as people call it.
    pub one: String,
    /// The other.
    pub two: String,
    /// Their tips.
    pub tips: (Oid, Oid),
    /// Whether the other is what the first is to be merged into.
    pub is_into: bool,
}

/// All pairs of branches that go to the same base, and each with that base, merged in memory.
pub fn clashes(repo: &dyn Repository, loaded: &LoadedPolicy, lines: &[Line], limit: Duration) -> Vec<Pair> {
    let merges = merges(repo, loaded, lines);
    let tips: Vec<(Oid, Oid)> = merges.iter().map(|merge| merge.tips).collect();
    let forecasts = conflicts::forecast(repo, &tips, limit);
    let pair = |(Merge { one, two, tips, .. }, forecast)| Pair { one, two, tips, forecast };
    merges.into_iter().zip(forecasts).map(pair).collect()
}

/// The pairs of them, not merged yet.
pub fn merges(repo: &dyn Repository, loaded: &LoadedPolicy, lines: &[Line]) -> Vec<Merge> {
    let plan = &loaded.plan;
    let own = loaded.base.as_ref().map(|base| (plan.policy.base.value.clone(), base.oid));
    let mut sides: Vec<Side> = Vec::new();
    for line in lines {
        let Some(head) = line.head else { continue };
        // Two worktrees on one commit are one side, and what a protected branch has is none.
        let branch = line.branch.as_deref().unwrap_or_default();
        let is_base = own.as_ref().is_some_and(|(name, oid)| *oid == head || branch == name);
        if is_base || plan.protected(branch).is_some() || sides.iter().any(|known| known.head == head) {
            continue;
        }
        // What cannot be found out is held against the policy's base, as a verdict would be.
        let base = line.base.clone().or_else(|| tree::base_of(repo, loaded, branch, head).ok().flatten());
        let base = base.or_else(|| own.clone());
        if base.as_ref().is_some_and(|(_, oid)| *oid == head) {
            continue;
        }
        let name = line.side();
        let is_taken = sides.iter().any(|known| known.name == name);
        let branch = line.branch.clone().filter(|_| is_taken);
        let name = branch.map_or(name.clone(), |branch| format!("{name} ({branch})"));
        sides.push(Side { name, head, base });
    }
    let mut merges = Vec::new();
    for (at, one) in sides.iter().enumerate() {
        let name = |base: &Option<(String, Oid)>| base.as_ref().map(|(name, _)| name.clone());
        let is_beside = |two: &&Side| name(&two.base) == name(&one.base);
        let beside = sides[at + 1..].iter().filter(is_beside).map(|two| (two.name.clone(), two.head, false));
        let into = one.base.clone().map(|(name, head)| (name, head, true));
        merges.extend(beside.chain(into).map(|(two, head, is_into)| Merge {
            one: one.name.clone(),
            two,
            tips: (one.head, head),
            is_into,
        }));
    }
    merges
}
