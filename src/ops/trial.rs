//! What a policy says of the changes that were merged last.

use std::collections::HashSet;
use std::path::Path;

use crate::gather::{Base, Environment, LoadedPolicy, Request, Subject, gather, option_claim};
use crate::metrics::history::walk::{read_all, root_of};
use lane_core::engine;
use lane_core::error::Error;
use lane_core::facts::{Event, Facts, Message, Oid, Unavailable, typed_ref};
use lane_core::metrics::history::{BaseName, History, Landing};
use lane_core::metrics::merge_subject::MergeSubject;
use lane_core::policy::{self, Plan};
use lane_core::report::{Report, Verdict};
use lane_core::text::{help_block, plain};
use lane_core::trial::{BY_FILES, Trial, TriedChange, findings, keep_what_is_known, owner_of_most};
use lane_git::{GitRepo, Read, Repository, pool, shallow_edge};

/// How many changes one thread judges before it takes more.
const CHUNK: usize = 8;
/// Commits of a line that make up one change may be many: how often more of them are read.
const TRIES: u32 = 6;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How many changes.
    pub last: usize,
    /// Whether a change that names no agent is a maintainer's.
    pub as_written: bool,
}

/// Judges the changes that were merged last into the base of a policy, by it and by another one.
///
/// # Errors
/// The base is not there, or its history cannot be read.
pub fn run(
    repo: &GitRepo,
    mut loaded: LoadedPolicy,
    mut old: Option<LoadedPolicy>,
    options: Options,
) -> Result<Trial, Error> {
    loaded.plan.enforce();
    old.iter_mut().for_each(|old| old.plan.enforce());
    let Some(base) = loaded.base.clone() else {
        return Err(no_base(&loaded.plan).into());
    };
    let (history, landings, is_cut) = last(repo, &loaded.plan, base.oid, options.last)?;
    let tasks: Vec<&Landing> = landings.iter().rev().collect();
    let chunks: Vec<&[&Landing]> = tasks.chunks(CHUNK).collect();
    let root = root_of(repo);
    let done = pool::map(&chunks, |tasks| {
        let mut judge =
            Judge::open(&root, &loaded.plan, old.as_ref().map(|old| &old.plan), options.as_written)?;
        Ok(tasks.iter().map(|landing| judge.change(&history, landing, &base.reference)).collect::<Vec<_>>())
    });
    let done: Result<Vec<Vec<TriedChange>>, Error> = done.into_iter().collect();
    let changes = done?.into_iter().flatten().collect();
    let old = old.as_ref().map(|old| &old.plan);
    let mut trial = Trial::new(&loaded.plan, old, typed_ref(&base.reference).to_owned(), changes);
    if is_cut {
        let remote = &loaded.plan.policy.remote.value;
        trial.notes.push(format!(
            "history is cut off here (a shallow clone): older changes are not known\n{}",
            help_block(&format!("fetch them: git fetch --unshallow {remote}"), false).trim_end()
        ));
    }
    Ok(trial)
}

fn no_base(plan: &Plan) -> Unavailable {
    let (base, remote) = (&plan.policy.base.value, &plan.policy.remote.value);
    Unavailable::new(
        format!("the base branch `{base}` does not exist, neither here nor on {remote} as last fetched"),
        "correct `base:` in the policy, or fetch the branch",
    )
}

/// The last changes of a base's line, oldest first; and whether a shallow clone has no more of them. What a repository began with is none, nor is what stands at the edge of a
/// shallow clone.
fn last(repo: &GitRepo, plan: &Plan, tip: Oid, count: usize) -> Read<(History, Vec<Landing>, bool)> {
    let base = BaseName { branch: &plan.policy.base.value, remote: &plan.policy.remote.value };
    let edge: HashSet<Oid> = shallow_edge(repo)?;
    let mut length = count.saturating_add(1);
    let mut tries = 0;
    loop {
        let (mut at, mut seen) = (Some(tip), 0);
        while let Some(oid) = at.filter(|_| seen < length) {
            let commit = repo.commit(oid)?;
            at = base.line_parent(&commit.parents, &Message { text: commit.message });
            seen += 1;
        }
        let oids = repo.commits(&[tip], at.as_slice())?;
        let history = History::new(read_all(repo, &oids)?, tip, base);
        let mut landings = history.landings(plan);
        // The first may go on below what was read.
        if at.is_some() && !landings.is_empty() {
            landings.remove(0);
        }
        let is_cut = |landing: &Landing| history.commits_of(landing).any(|commit| edge.contains(&commit.oid));
        landings.retain(|landing| landing.before.is_some() && !is_cut(landing));
        if landings.len() >= count || at.is_none() || tries >= TRIES {
            let first = landings.len().saturating_sub(count);
            let is_short = landings.len() < count && !edge.is_empty();
            return Ok((history, landings.split_off(first), is_short));
        }
        tries += 1;
        length = length.saturating_mul(2);
    }
}

/// What one thread judges with.
struct Judge {
    repo: GitRepo,
    /// The policy, and the one that it is compared with; the base is what it was before each change.
    policies: Vec<LoadedPolicy>,
    environment: Environment,
    as_written: bool,
}

impl Judge {
    fn open(root: &Path, plan: &Plan, old: Option<&Plan>, as_written: bool) -> Result<Self, Error> {
        let again = |plan: &Plan| -> Result<LoadedPolicy, Error> {
            let mut plan = policy::load(plan.source.clone(), plan.folds_case())?;
            plan.enforce();
            Ok(LoadedPolicy { plan, oid: None, base: None })
        };
        let policies: Result<Vec<LoadedPolicy>, Error> =
            std::iter::once(plan).chain(old).map(again).collect();
        let environment = Environment::of_process();
        Ok(Self { repo: GitRepo::open_at(root)?, policies: policies?, environment, as_written })
    }

    fn change(&mut self, history: &History, landing: &Landing, reference: &str) -> TriedChange {
        let tip = history.tip(landing);
        let mut tried = TriedChange {
            commit: tip.oid.to_string(),
            subject: plain(&tip.message.subject()),
            pull_request: landing.pull_request,
            merged_at: tip.committed,
            agent: None,
            agent_by: None,
            files: 0,
            lines: None,
            verdict: Verdict::Undecided,
            old_verdict: None,
            findings: Vec::new(),
            undecided: Vec::new(),
        };
        match self.report(0, history, landing, reference) {
            Ok(found) => {
                let stats = &found.report.stats;
                (tried.files, tried.lines) = (stats.files.unwrap_or_default(), stats.counted);
                (tried.agent, tried.agent_by) = (found.agent, found.agent_by);
                tried.verdict = found.report.verdict;
                tried.findings = findings(&found.report);
                tried.undecided =
                    found.report.undecided.iter().map(|undecided| plain(&undecided.reason)).collect();
            }
            Err(why) => tried.undecided.push(plain(&why.to_string())),
        }
        if self.policies.len() > 1 {
            let old = self.report(1, history, landing, reference);
            tried.old_verdict = Some(old.map_or(Verdict::Undecided, |found| found.report.verdict));
        }
        tried
    }

    /// What one of the policies says of a change.
    fn report(
        &mut self,
        at: usize,
        history: &History,
        landing: &Landing,
        reference: &str,
    ) -> Result<Found, Error> {
        // Whose it is, each policy says by its own agents and tags.
        let told = match at {
            0 => landing.agent.clone(),
            _ => whose(&self.policies[at].plan, history, landing),
        };
        let (mut facts, branch) = self.facts(at, history, landing, reference, told.as_ref())?;
        let plan = &self.policies[at].plan;
        let is_assumed = told.is_none() && !self.as_written && !plan.policy.agents.0.is_empty();
        let (mut agent, mut agent_by) = match told {
            Some((agent, by)) => (Some(agent), Some(by)),
            None => (None, None),
        };
        if is_assumed && let Some(change) = facts.changes.first() {
            (agent, agent_by) = (owner_of_most(plan, change), Some(BY_FILES));
        }
        // Where no lane has any of it, it is the same for all of them.
        let any = || plan.policy.agent_ids().next().filter(|_| is_assumed);
        facts.claims = option_claim(agent.as_deref().or_else(any));
        facts.changes.iter_mut().for_each(|change| change.branch.clone_from(&branch));
        facts.leaves_out_custom = true;
        let mut report = engine::judge(plan, &facts, None);
        if let Some(change) = facts.changes.first() {
            keep_what_is_known(&mut report, change, is_assumed);
        }
        Ok(Found { report, agent, agent_by })
    }

    fn facts(
        &mut self,
        at: usize,
        history: &History,
        landing: &Landing,
        reference: &str,
        told: Option<&(String, &'static str)>,
    ) -> Read<(Facts, Option<String>)> {
        let tip = history.tip(landing);
        let from = landing.before.unwrap_or(tip.oid);
        let mut others = tip.parents.iter().filter(|parent| landing.is_merge && **parent != from);
        let to = match (others.next(), others.next()) {
            (Some(only), None) => *only,
            _ => tip.oid,
        };
        let own = MergeSubject::of(&tip.message).branch;
        let branch = own.filter(|_| told.is_some_and(|(_, by)| *by == "branch"));
        let request =
            Request { event: Event::Ci, agent: None, branch: None, subject: Subject::Landed { from, to } };
        let environment = Environment { now: tip.committed, ..self.environment.clone() };
        self.policies[at].base = Some(Base { reference: reference.to_owned(), oid: from });
        let facts = gather(&self.repo, &environment, &self.policies[at], &request)?;
        Ok((facts, branch))
    }
}

/// A report, and whose the change was.
struct Found {
    report: Report,
    agent: Option<String>,
    agent_by: Option<&'static str>,
}

/// Whose a change was by another policy than the one that the history was read with.
fn whose(plan: &Plan, history: &History, landing: &Landing) -> Option<(String, &'static str)> {
    let tip = history.tip(landing);
    let commits: Vec<_> =
        history.commits_of(landing).filter(|commit| commit.oid != tip.oid || !landing.is_merge).collect();
    lane_core::metrics::attribution::whose(plan, &MergeSubject::of(&tip.message), &tip.message, &commits)
}
